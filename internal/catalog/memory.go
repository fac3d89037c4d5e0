package catalog

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"sync"
)

// Memory is a database in memory, for tests. It is safe for concurrent use.
type Memory struct {
	mu     sync.Mutex
	tables map[string]*memoryTable
}

type memoryTable struct {
	Registered

	version    int
	partitions map[string]Partition
}

// NewMemory returns an empty database.
func NewMemory() *Memory { return &Memory{tables: map[string]*memoryTable{}} }

// Name implements Backend.
func (*Memory) Name() string { return "memory:catalog" }

// Table implements Backend.
func (m *Memory) Table(_ context.Context, name string) (Registered, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	t := m.tables[name]
	if t == nil {
		return Registered{}, fmt.Errorf("%w: %s", ErrNotFound, name)
	}
	r := t.Registered
	r.Version = strconv.Itoa(t.version)
	return r, nil
}

// PutTable implements Backend.
func (m *Memory) PutTable(_ context.Context, want Table, was Registered) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	t := m.tables[want.Name]
	have := ""
	if t != nil {
		have = strconv.Itoa(t.version)
	}
	if have != was.Version {
		return fmt.Errorf("%w: %s", ErrChanged, want.Name)
	}
	if t == nil {
		t = &memoryTable{partitions: map[string]Partition{}}
		m.tables[want.Name] = t
	}
	want.Partitions = nil
	t.Table, t.Parquet, t.version = want, true, t.version+1
	return nil
}

// Partitions implements Backend.
func (m *Memory) Partitions(_ context.Context, table string, values [][]string) ([]Partition, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	t := m.tables[table]
	if t == nil {
		return nil, fmt.Errorf("%w: %s", ErrChanged, table)
	}
	var there []Partition
	for _, v := range values {
		if p, ok := t.partitions[Partition{Values: v}.id()]; ok {
			there = append(there, p)
		}
	}
	return there, nil
}

// AddPartitions implements Backend.
func (m *Memory) AddPartitions(_ context.Context, table string, partitions []Partition) error {
	return m.write(table, partitions, false)
}

// SetPartitions implements Backend.
func (m *Memory) SetPartitions(_ context.Context, table string, partitions []Partition) error {
	return m.write(table, partitions, true)
}

// write keeps each partition that is there, or is not, as asked for.
func (m *Memory) write(table string, partitions []Partition, there bool) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	t := m.tables[table]
	if t == nil {
		return fmt.Errorf("%w: %s", ErrChanged, table)
	}
	var err error
	for _, p := range partitions {
		if _, ok := t.partitions[p.id()]; ok != there {
			err = fmt.Errorf("%w: partition %q of %s", ErrChanged, p.Values, table)
			continue
		}
		p.Values, p.Columns = slices.Clone(p.Values), slices.Clone(p.Columns)
		t.partitions[p.id()] = p
	}
	return err
}

// Clone returns a copy.
func (m *Memory) Clone() *Memory {
	m.mu.Lock()
	defer m.mu.Unlock()
	c := NewMemory()
	for name, t := range m.tables {
		copied := *t
		copied.partitions = maps.Clone(t.partitions)
		c.tables[name] = &copied
	}
	return c
}

// Drop deletes a table, as an operator may.
func (m *Memory) Drop(name string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.tables, name)
}

// All returns a table with all of its partitions, by location; ErrNotFound.
func (m *Memory) All(name string) (Table, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	t := m.tables[name]
	if t == nil {
		return Table{}, fmt.Errorf("%w: %s", ErrNotFound, name)
	}
	all := t.Table
	for _, p := range t.partitions {
		all.Partitions = append(all.Partitions, p)
	}
	slices.SortFunc(all.Partitions, func(a, b Partition) int { return slices.Compare(a.Values, b.Values) })
	return all, nil
}
