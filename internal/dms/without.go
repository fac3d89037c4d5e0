package dms

import (
	"context"
	"slices"
	"sort"

	"github.com/parquet-go/parquet-go"

	"sluice/internal/parquetedit"
)

// Span is a run of rows of a file: From up to but not including To, from 0.
type Span struct {
	From, To int64
}

// Rows are rows of a file: spans in order that do not touch one another.
type Rows []Span

// Count is how many rows they are.
func (r Rows) Count() int64 {
	var n int64
	for _, s := range r {
		n += s.To - s.From
	}
	return n
}

// within returns how many of the rows lie between two numbers.
func (r Rows) within(from, to int64) int64 {
	var n int64
	for _, s := range r.from(from) {
		if s.From >= to {
			break
		}
		n += min(s.To, to) - max(s.From, from)
	}
	return n
}

// from returns the spans that end behind a row.
func (r Rows) from(row int64) Rows {
	return r[sort.Search(len(r), func(i int) bool { return r[i].To > row }):]
}

// Has says whether a row is among them.
func (r Rows) Has(row int64) bool {
	rest := r.from(row)
	return len(rest) > 0 && rest[0].From <= row
}

// In returns which of n rows from a first one on are among them, counted from the first.
func (r Rows) In(first int64, n int) []int32 {
	var in []int32
	for _, s := range r.from(first) {
		if s.From >= first+int64(n) {
			break
		}
		for row := max(s.From, first); row < min(s.To, first+int64(n)); row++ {
			in = append(in, int32(row-first))
		}
	}
	return in
}

// Without returns a file as it would be without some of its rows; without any it is the file itself. Row groups stay what they
// are, though some may have no row left, and rows are counted anew.
func Without(src Columnar, rows Rows) Columnar {
	if len(rows) == 0 {
		return src
	}
	w := &without{Columnar: src, rows: rows, groups: slices.Clone(src.RowGroups())}
	for i := range w.groups {
		g := &w.groups[i]
		g.Rows -= rows.within(g.FirstRow, g.FirstRow+g.Rows)
		g.FirstRow = w.count
		w.count += g.Rows
	}
	return w
}

// Whole returns the file that [Without] took rows out of; any other is whole itself.
func Whole(f Columnar) Columnar {
	if w, ok := f.(*without); ok {
		return w.Columnar
	}
	return f
}

// without is a file without some of its rows.
type without struct {
	Columnar
	rows   Rows
	groups []parquetedit.RowGroup
	count  int64
}

func (w *without) NumRows() int64                    { return w.count }
func (w *without) RowGroups() []parquetedit.RowGroup { return w.groups }

// Bounds bound what is left, too. How many of the rows that are gone were NULL is not known.
func (w *without) Bounds(group, column int) (parquetedit.Bounds, bool) {
	b, ok := w.Columnar.Bounds(group, column)
	if b.NullCount > 0 && w.groups[group].Rows != w.Columnar.RowGroups()[group].Rows {
		b.NullCount = -1
	}
	return b, ok
}

func (w *without) ReadColumn(ctx context.Context, group, column int, yield func(int64, []parquet.Value) error) error {
	if w.groups[group].Rows == 0 {
		return nil
	}
	start := w.Columnar.RowGroups()[group].FirstRow
	left, given := w.rows.from(start), int64(0)
	return w.Columnar.ReadColumn(ctx, group, column, func(first int64, values []parquet.Value) error {
		row, end := start+first, start+first+int64(len(values))
		for row < end {
			for len(left) > 0 && left[0].To <= row {
				left = left[1:]
			}
			until := end
			if len(left) > 0 && left[0].From <= row {
				row = min(left[0].To, end)
				continue
			}
			if len(left) > 0 {
				until = min(left[0].From, end)
			}
			some := values[row-start-first : until-start-first]
			if err := yield(given, some); err != nil {
				return err
			}
			given, row = given+int64(len(some)), until
		}
		return nil
	})
}
