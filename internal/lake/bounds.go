package lake

import (
	"context"
	"slices"
	"strings"

	"sluice/internal/parquetedit"
)

// NoRows returns a slice without rows: what makes a file without rows.
func NoRows(s *Schema) *Slice { return &Slice{schema: s, cells: make([]cells, len(s.Columns))} }

// Bounds returns bounds of the first key column of a created file's rows.
func (m *Merge) Bounds(c *Create) (low, high []byte) { return c.bounds.low, c.bounds.high }

// BoundsAfter returns bounds of the first key column of a rewritten file: those
// it had, widened by the rows that it gains. They are unknown where those it had are.
func (m *Merge) BoundsAfter(f *File, r *Rewrite) (low, high []byte) {
	if f.Min == nil || f.Max == nil {
		return nil, nil
	}
	low, high = f.Min, f.Max
	if len(r.appends) > 0 {
		low, high = lower(low, r.gained.low), upper(high, r.gained.high)
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

// keyBounds are the lowest and the highest key of some rows; nil for a key-less table.
// A whole key is a bound of its first column, too: it only says more.
type keyBounds struct{ low, high []byte }

// bound finds the bounds of the rows that files gain: the keys of their lowest and highest change.
func (d *decision) bound(ctx context.Context) error {
	if len(d.key) == 0 {
		return nil
	}
	var numbers []int32
	var into []*keyBounds
	add := func(rows []int32, b *keyBounds) {
		if len(rows) > 0 {
			numbers, into = append(numbers, slices.Min(rows), slices.Max(rows)), append(into, b)
		}
	}
	for i := range d.Creates {
		add(d.Creates[i].adds, &d.Creates[i].bounds)
	}
	for i := range d.Rewrites {
		add(d.Rewrites[i].appends, &d.Rewrites[i].gained)
	}
	keys, err := d.keys(ctx, numbers)
	for i, b := range into {
		b.low, b.high = keys[2*i], keys[2*i+1]
	}
	return err
}

// keys returns the keys of some changes.
func (m *Merge) keys(ctx context.Context, numbers []int32) ([][]byte, error) {
	keys := make([][]byte, len(numbers))
	if m.batch != nil {
		return keys, m.batch.keys(ctx, numbers, keys)
	}
	for i, n := range numbers {
		keys[i] = []byte(m.entries[n].key)
	}
	return keys, nil
}

// ranks returns for each bound how many changes have keys below it, which is the number of the first that has not.
func (m *Merge) ranks(ctx context.Context, bounds []string) ([]int32, error) {
	ranks := make([]int32, len(bounds))
	if m.batch != nil {
		return ranks, m.batch.ranks(ctx, bounds, ranks)
	}
	for i, bound := range bounds {
		n, _ := slices.BinarySearchFunc(m.entries, bound, func(e entry, bound string) int { return strings.Compare(e.key, bound) })
		ranks[i] = int32(n)
	}
	return ranks, nil
}
