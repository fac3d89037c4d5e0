package lake

import (
	"slices"

	"sluice/internal/parquetedit"
)

// NoRows returns a slice without rows: what makes a file without rows.
func NoRows(s *Schema) *Slice { return &Slice{schema: s, cells: make([]cells, len(s.Columns))} }

// Bounds returns bounds of the first key column of a created file's rows.
func (m *Merge) Bounds(c *Create) (low, high []byte) { return m.bounds(c.slots) }

// BoundsAfter returns bounds of the first key column of a rewritten file: those
// it had, widened by the rows that it gains. They are unknown where those it had are.
func (m *Merge) BoundsAfter(f *File, r *Rewrite) (low, high []byte) {
	if f.Min == nil || f.Max == nil {
		return nil, nil
	}
	low, high = f.Min, f.Max
	if len(r.appends) > 0 {
		from, to := m.bounds(r.appends)
		low, high = lower(low, from), upper(high, to)
	}
	return low, high
}

// ColumnsAfter returns the columns of a rewritten file: its own, then those
// that it lacked, if a row of it is written anew.
func (m *Merge) ColumnsAfter(f *File, r *Rewrite) []parquetedit.Column {
	if len(r.with)+len(r.appends) == 0 {
		return f.Columns
	}
	return slices.Concat(f.Columns, m.Schema.lacking(f.Columns))
}

// bounds returns the lowest and highest key of the given rows; nil for a key-less table.
// A whole key is a bound of its first column, too: it only says more.
func (c *Changes) bounds(slots []int32) (low, high []byte) {
	if len(c.key) == 0 || len(slots) == 0 {
		return nil, nil
	}
	first, last := c.keyOf(slots[0]), c.keyOf(slots[0])
	for _, slot := range slots[1:] {
		key := c.keyOf(slot)
		first, last = min(first, key), max(last, key)
	}
	return []byte(first), []byte(last)
}

// keyOf returns the canonical key of a row.
func (c *Changes) keyOf(slot int32) string {
	var key []byte
	for _, k := range c.key {
		key = AppendKey(key, c.Schema.Columns[k].Type, c.cell(k, slot))
	}
	return string(key)
}
