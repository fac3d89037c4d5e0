package lake

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/parquet-go/parquet-go"

	"sluice/internal/dms"
)

// partial is what is known of the rows of updates that leave columns as they are: the source did not log them. A change before
// it in the same fold says what they hold, else the lake's row does.
type partial struct {
	from   map[int32]place // by slot: the last such change
	stands map[int32]stand // by slot, where there is an order column and a change stands on another

	mu    sync.Mutex
	told  map[int32]telling // by slot: what the lake has
	stale map[int32]bool    // by slot: the lake's row is newer than the change, which comes to nothing
	newer map[int32]bool    // by slot: the lake's row is newer than what the change stands on
}

// telling is what a row of the lake holds in the columns that its change leaves as they are.
type telling struct {
	file   string // of several rows of one key, the first
	row    int64
	values map[int]value // by column of the table
}

// stand is what the change in a slot stands on: changes before it that count or not as the lake's row says by the order column.
type stand struct {
	at    place
	order value // the lowest of those that say what the change leaves out; Untold = none does
	vague bool  // a change among them does not say its order: it counts, whatever the others do
}

// stand notes that a change takes the place of one in a slot.
func (p *partial) stand(slot int32, c change, order, there value, at place) {
	s, ok := p.stands[slot]
	if !ok {
		s.order = dms.Untold()
	}
	s.at, s.vague = at, s.vague || dms.IsUntold(order) || dms.IsUntold(there)
	switch {
	case !c.leaves:
		s.order = dms.Untold()
	case dms.IsUntold(s.order) && !dms.IsUntold(there):
		s.order = there.Clone()
	}
	p.stands[slot] = s
}

// judge holds what a change stands on against the order of the lake's row.
func (c *Changes) judge(slot int32, lake value) {
	if c.partial == nil {
		return
	}
	s, ok := c.partial.stands[slot]
	if !ok || dms.IsUntold(s.order) || Compare(c.Schema.Columns[c.order].Type, s.order, lake) >= 0 {
		return
	}
	c.partial.mu.Lock()
	defer c.partial.mu.Unlock()
	c.partial.newer[slot] = true
}

// torn says whether some of the changes that became one count and others do not, which no net change says.
func (p *partial) torn(slot int32) bool {
	return p.stale[slot] && p.stands[slot].vague || p.newer[slot] && !p.stale[slot]
}

func newPartial() *partial {
	return &partial{from: map[int32]place{}, stands: map[int32]stand{}, newer: map[int32]bool{}, told: map[int32]telling{}, stale: map[int32]bool{}}
}

// refused says that nothing tells what a row holds.
func refused(at place, why string) error {
	return &RowError{File: at.file, Err: &dms.InputError{Row: at.row, Reason: fmt.Sprintf("%v, and nothing says what that was: %s; have the source log every column, reload the table, then acknowledge", dms.ErrUntold, why), Err: dms.ErrUntold}}
}

// leavesOut says whether a change leaves a column as it is.
func leavesOut(columns [][]value, r row) bool {
	for _, values := range columns {
		if values != nil && dms.IsUntold(values[r.at]) {
			return true
		}
	}
	return false
}

// LeavesOut says whether some change of the inputs leaves a column as it is. It reads their texts, up to the first.
func LeavesOut(ctx context.Context, inputs []Input) (bool, error) {
	for _, in := range inputs {
		texts := []int{}
		for i, c := range in.Reader.Columns() {
			if c.Type.Physical == parquet.ByteArray {
				texts = append(texts, i)
			}
		}
		for b, err := range in.Reader.Batches(ctx, texts) {
			if err != nil {
				return false, fmt.Errorf("read %s: %w", in.Name, err)
			}
			for _, values := range b.Columns {
				if slices.ContainsFunc(values, dms.IsUntold) {
					return true, nil
				}
			}
		}
	}
	return false, nil
}

// places says whether a change leaves its partition as it is: nil leaves nothing.
func (p *partial) places(c *Changes, slot int32) bool {
	if p == nil {
		return false
	}
	if _, ok := p.from[slot]; !ok {
		return false
	}
	for _, name := range c.Schema.Partition {
		if dms.IsUntold(c.cell(c.Schema.Index(name), slot)) {
			return true
		}
	}
	return false
}

// lookUp reads what the hits' changes leave as it is. A column that the file lacks is NULL.
func (c *Changes) lookUp(ctx context.Context, s *seeker, g groupHits) error {
	if c.partial == nil {
		return nil
	}
	for _, h := range g.hits {
		if h.stale {
			c.partial.drop(c.entries[h.change].slot)
		}
	}
	for t := range c.Schema.Columns {
		var which []int32 // slots
		var rows []int64
		for _, h := range g.hits {
			if e := c.entries[h.change]; !e.gone && !h.stale && dms.IsUntold(c.cell(t, e.slot)) {
				which, rows = append(which, e.slot), append(rows, h.row)
			}
		}
		if len(rows) == 0 {
			continue
		}
		err := s.values(ctx, g.group, t, rows, func(i int, v value) {
			c.partial.tell(which[i], telling{file: s.file.Key, row: s.open.RowGroups()[g.group].FirstRow + rows[i]}, t, v.Clone())
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// values reads a column of the table at the given rows of a row group.
func (s *seeker) values(ctx context.Context, group, t int, rows []int64, use func(i int, v value)) error {
	column := s.Schema.Columns[t]
	at := find(s.columns, column.Name)
	if v, ok := s.constant[t]; ok || at < 0 {
		for i := range rows {
			use(i, v)
		}
		return nil
	}
	convert, err := Converter(s.columns[at].Type, column.Type)
	if err != nil {
		return typeError(s.file.Key, column, s.columns[at].Type)
	}
	return pick(ctx, chunk{s.open, group, at}, rows, func(i int, v value) error {
		if convert != nil {
			if v, err = convert(v); err != nil {
				return valueError(place{s.file.Key, rows[i]}, column, s.columns[at].Type, err)
			}
		}
		use(i, v)
		return nil
	})
}

// tell notes a value of the lake's row. Of several rows of one key the first counts, for all columns.
func (p *partial) tell(slot int32, row telling, column int, v value) {
	p.mu.Lock()
	defer p.mu.Unlock()
	known, ok := p.told[slot]
	switch {
	case !ok, row.file < known.file, row.file == known.file && row.row < known.row:
		row.values = map[int]value{}
		p.told[slot], known = row, row
	case row.file != known.file || row.row != known.row:
		return
	}
	known.values[column] = v
}

func (p *partial) drop(slot int32) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stale[slot] = true
}

// complete gives every change that leaves columns as they are the values of the lake's row. It is an error when there is none.
func (c *Changes) complete() error {
	if c.partial == nil {
		return nil
	}
	for _, e := range c.entries {
		if c.partial.torn(e.slot) {
			return refused(c.partial.stands[e.slot].at, "by the order column the lake's row is newer than some of the changes that it stands on")
		}
		at, ok := c.partial.from[e.slot]
		if !ok || e.gone {
			continue
		}
		for t := range c.rows {
			if !dms.IsUntold(c.cell(t, e.slot)) {
				continue
			}
			v, ok := c.partial.told[e.slot].values[t]
			if !ok && !c.partial.stale[e.slot] {
				return refused(at, "the lake has no row of its key")
			}
			c.rows[t].set(e.slot, v)
		}
	}
	return c.nameDirs()
}
