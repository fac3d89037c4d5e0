package lake

import (
	"cmp"
	"context"
	"slices"

	"github.com/parquet-go/parquet-go"

	"sluice/internal/dms"
)

// groupHits are the hits of one row group, ascending by row, which is an ordinal in the group.
type groupHits struct {
	group int
	hits  []hit
}

// examine marks the hits that are stale by the order column, and the upserts
// whose row is already so. It reads a column only while some hit's fate hangs on it.
func (c *Changes) examine(ctx context.Context, s *seeker, g groupHits) error {
	if len(g.hits) == 0 {
		return nil
	}
	if err := c.markStale(ctx, s, g); err != nil {
		return err
	}
	if err := c.lookUp(ctx, s, g); err != nil {
		return err
	}
	equal := c.candidates(s, g)
	for _, at := range s.cheapest(g.group) {
		if len(equal) == 0 {
			return nil
		}
		var err error
		if equal, err = c.stillEqual(ctx, s, comparison{g, at, equal}); err != nil {
			return err
		}
	}
	for _, i := range equal {
		g.hits[i].same = true
	}
	return nil
}

// cheapest returns the columns of the file, the one with the least bytes in the row group first: most changes show in it as well as in
// any other (Op, a status), and what is known to differ is not read on.
func (s *seeker) cheapest(group int) []int {
	order := make([]int, len(s.columns))
	size := make([]int64, len(s.columns))
	for at := range order {
		order[at] = at
		size[at], _ = s.open.ChunkBytes(group, at)
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(size[a], size[b]) })
	return order
}

func (c *Changes) markStale(ctx context.Context, s *seeker, g groupHits) error {
	if c.order < 0 {
		return nil
	}
	column := c.Schema.Columns[c.order]
	at := find(s.columns, column.Name)
	if at < 0 {
		return nil
	}
	convert, err := Converter(s.columns[at].Type, column.Type)
	if err != nil {
		return typeError(s.file.Key, column, s.columns[at].Type)
	}
	rows := make([]int64, len(g.hits))
	for i, h := range g.hits {
		rows[i] = h.row
	}
	return pick(ctx, chunk{s.open, g.group, at}, rows, func(i int, v value) error {
		if convert != nil {
			if v, err = convert(v); err != nil {
				return valueError(place{s.file.Key, rows[i]}, column, s.columns[at].Type, err)
			}
		}
		order := c.orders.at(c.entries[g.hits[i].change].slot)
		g.hits[i].stale = !dms.IsUntold(order) && Compare(column.Type, order, v) < 0
		c.judge(c.entries[g.hits[i].change].slot, v)
		return nil
	})
}

// candidates returns the hits that may turn out to be no change: upserts that
// stay in this file's partition and set only NULL where the file has no column.
func (c *Changes) candidates(s *seeker, g groupHits) []int {
	var absent []int
	for t, column := range c.Schema.Columns {
		if _, partition := s.constant[t]; !partition && find(s.columns, column.Name) < 0 {
			absent = append(absent, t)
		}
	}
	var equal []int
	for i, h := range g.hits {
		e := c.entries[h.change]
		if e.gone || h.stale || c.dirOf(e.slot) != s.file.Dir || c.partial.places(c, e.slot) {
			continue
		}
		null := true
		for _, t := range absent {
			null = null && c.cell(t, e.slot).IsNull()
		}
		if null {
			equal = append(equal, i)
		}
	}
	return equal
}

// comparison is one column of a file held against the hits that were equal so far.
type comparison struct {
	groupHits
	column int // of the file
	equal  []int
}

func (c *Changes) stillEqual(ctx context.Context, s *seeker, x comparison) ([]int, error) {
	name := s.columns[x.column].Name
	table := c.Schema.Index(name)
	if table < 0 && name != OpColumn {
		return x.equal, nil
	}
	t := s.columns[x.column].Type
	var convert convertFunc
	if table >= 0 {
		var err error
		if convert, err = Converter(t, c.Schema.Columns[table].Type); err != nil {
			return nil, typeError(s.file.Key, c.Schema.Columns[table], t)
		}
		t = c.Schema.Columns[table].Type
	}
	rows := make([]int64, len(x.equal))
	for i, h := range x.equal {
		rows[i] = x.hits[h].row
	}
	var left []int
	err := pick(ctx, chunk{s.open, x.group, x.column}, rows, func(i int, v value) error {
		if convert != nil {
			var err error
			if v, err = convert(v); err != nil {
				return valueError(place{s.file.Key, rows[i]}, c.Schema.Columns[table], s.columns[x.column].Type, err)
			}
		}
		if slot := c.entries[x.hits[x.equal[i]].change].slot; Equal(t, v, c.want(table, slot)) || table >= 0 && dms.IsUntold(c.want(table, slot)) {
			left = append(left, x.equal[i])
		}
		return nil
	})
	return left, err
}

// want returns what a row of the lake has to hold: a cell of the change, or its op for the column Op (table < 0).
func (c *Changes) want(table int, slot int32) value {
	if table < 0 {
		return opValue(c.ops[slot])
	}
	return c.cell(table, slot)
}

// opValue returns what the column Op holds for a row that op left behind.
func opValue(op dms.Op) value { return parquet.ByteArrayValue([]byte(op.String())) }
