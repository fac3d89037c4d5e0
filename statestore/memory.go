package statestore

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"maps"
	"slices"
	"sync"
	"time"
)

// Memory is a control table that lives as long as its process: for tests and for trying things out.
type Memory struct {
	clockLease

	mu    sync.Mutex
	items map[string]Item
}

// NewMemory returns an empty table whose leases run by now.
func NewMemory(now func() time.Time) *Memory {
	m := &Memory{items: map[string]Item{}}
	m.clockLease = clockLease{items: m, now: now}
	return m
}

// Clone returns a table with the same items and another clock. Neither sees what is written to the other.
func (m *Memory) Clone(now func() time.Time) *Memory {
	c := NewMemory(now)
	m.mu.Lock()
	defer m.mu.Unlock()
	maps.Copy(c.items, m.items) // an update makes a new item
	return c
}

// EnsureTable implements Backend. There is nothing to make.
func (m *Memory) EnsureTable(ctx context.Context) error { return ctx.Err() }

// Read implements Items.
func (m *Memory) Read(ctx context.Context, path string) (Item, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	item, ok := m.items[path]
	if !ok {
		return nil, fmt.Errorf("read %s: %w", path, ErrNotFound)
	}
	return maps.Clone(item), nil
}

// List implements Items. It yields the items of one moment, by path.
func (m *Memory) List(ctx context.Context) iter.Seq2[Item, error] {
	return func(yield func(Item, error) bool) {
		if err := ctx.Err(); err != nil {
			yield(nil, err)
			return
		}
		for _, item := range m.snapshot() {
			if !yield(item, nil) {
				return
			}
		}
	}
}

// Create implements Items.
func (m *Memory) Create(ctx context.Context, item Item) error {
	if err := cmp.Or(ctx.Err(), item.validate()); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, ok := m.items[item[Path]]; ok {
		return fmt.Errorf("create %s: %w", item[Path], ErrExists)
	}
	m.items[item[Path]] = maps.Clone(item)
	return nil
}

// Update implements Items.
func (m *Memory) Update(ctx context.Context, u Update) (Item, error) {
	if err := cmp.Or(ctx.Err(), u.validate()); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	item, ok := m.items[u.Path]
	if !ok {
		return nil, fmt.Errorf("update %s: %w", u.Path, ErrNotFound)
	}
	after, err := u.apply(item)
	if err != nil {
		return nil, fmt.Errorf("update %s: %w", u.Path, err)
	}
	m.items[u.Path] = after
	return maps.Clone(after), nil
}

func (m *Memory) snapshot() []Item {
	m.mu.Lock()
	defer m.mu.Unlock()
	items := make([]Item, 0, len(m.items))
	for _, path := range slices.Sorted(maps.Keys(m.items)) {
		items = append(items, maps.Clone(m.items[path]))
	}
	return items
}
