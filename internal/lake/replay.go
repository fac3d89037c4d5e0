package lake

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"sluice/internal/dms"
	"sluice/internal/parquetedit"
)

// ReadOptions say how a changes object is read back as changes.
type ReadOptions struct {
	OrderColumn string
	Spans       []Span // of a key-less table: the rows that are not in the lake yet; ignored with a key
}

// ReadChanges makes the net changes again from a changes object: what another
// plan for the same inputs is made from. With a key every row counts, and an
// upsert outranks the deletes of its key, which only moved it. s must be the schema it was
// written with, or that one with more columns behind its own: these are NULL.
func ReadChanges(ctx context.Context, changes *parquetedit.File, s *Schema, o ReadOptions) (*Changes, error) {
	fold, err := NewFold(s, FoldOptions{OrderColumn: o.OrderColumn})
	if err != nil {
		return nil, err
	}
	spans := o.Spans
	if len(s.Key) > 0 {
		spans = []Span{{0, changes.NumRows()}}
	}
	for _, span := range spans {
		if err := fold.replay(ctx, changes, span); err != nil {
			return nil, err
		}
	}
	c := &Changes{Schema: s, key: fold.key, order: fold.order, entries: fold.entries, rows: fold.rows, ops: fold.ops, orders: fold.orders}
	if len(c.key) > 0 {
		slices.SortFunc(c.entries, func(a, b entry) int { return strings.Compare(a.key, b.key) })
	}
	return c, c.prepare()
}

func (f *Fold) replay(ctx context.Context, changes *parquetedit.File, span Span) error {
	columns := make([][]value, 3+len(f.schema.Columns))
	for c := range columns {
		var err error
		if c >= len(changes.Columns()) {
			columns[c] = make([]value, span.To-span.From)
		} else if columns[c], err = spanValues(ctx, changes, c, span); err != nil {
			return err
		}
	}
	cells := columns[3:]
	for i := range columns[0] {
		op := dms.Delete
		if columns[0][i].Int32() != editDelete {
			var err error
			if op, err = dms.ParseOp(columns[2][i].ByteArray()); err != nil {
				return fmt.Errorf("changes object: %w", err)
			}
		}
		f.replayRow(cells, row{at: i, op: op})
	}
	return nil
}

// spanValues reads the rows of a span of one column; the values are the caller's.
func spanValues(ctx context.Context, f *parquetedit.File, column int, span Span) ([]value, error) {
	values := make([]value, 0, span.To-span.From)
	var kept texts
	_, err := eachOfSpan(ctx, f, column, span, func(_ int, v value) { values = append(values, kept.own(v)) })
	return values, err
}

// replayRow adds one row of a changes object, in any order.
func (f *Fold) replayRow(cells [][]value, r row) {
	c := change{columns: cells, row: r, gone: r.op == dms.Delete}
	if len(f.key) == 0 {
		f.entries = append(f.entries, entry{slot: int32(len(f.ops))})
		f.set(int32(len(f.ops)), c)
		return
	}
	key := f.scratch[:0]
	for _, k := range f.key {
		key = AppendKey(key, f.schema.Columns[k].Type, cells[k][r.at])
	}
	f.scratch = key[:0]
	n := f.known.find(key)
	if n >= 0 && (c.gone || !f.entries[n].gone) {
		return
	}
	if n < 0 {
		n = f.enter(entry{key: string(key), slot: int32(len(f.ops))})
	}
	e := &f.entries[n]
	e.gone = c.gone
	f.set(e.slot, c)
}
