package lake

import (
	"context"
	"errors"
	"fmt"

	"github.com/parquet-go/parquet-go"

	"sluice/internal/parquetedit"
)

// Span is a run of rows of a changes object, from From up to but not including To.
type Span struct {
	From int64 `json:"from"`
	To   int64 `json:"to"`
}

// The kinds of row in a changes object.
const (
	editDelete  = 0
	editReplace = 1
	editAdd     = 2
)

// The columns of a changes object that stand before the table's own.
const (
	editColumn = "_sluice_edit" // INT32: editDelete, editReplace, editAdd
	rowColumn  = "_sluice_row"  // INT64: row ordinal in the lake file; NULL for editAdd, -1 for a key that is not there
)

const (
	sliceChunkRows = 16 << 10 // rows gathered at a time
	sliceRowGroup  = 8 << 10  // rows after which the next op begins a row group, so that reading a slice reads little else
)

func changesColumns(s *Schema) []parquetedit.Column {
	columns := []parquetedit.Column{
		{Name: editColumn, Type: parquetedit.Type{Physical: parquet.Int32}},
		{Name: rowColumn, Type: parquetedit.Type{Physical: parquet.Int64}},
		opColumn(),
	}
	return append(columns, s.Columns...)
}

// Slice is the rows of one op, read back from a changes object.
type Slice struct {
	schema   *Schema
	deletes  []int64
	replaces []int64
	from, to int     // the rows with an after-image
	op       cells   // by row of the slice
	cells    []cells // by column of the table
}

// ErrSpan is returned when a span of a changes object is not the rows of one op.
var ErrSpan = errors.New("the changes object is not the plan's")

// ReadSlice reads a span of a changes object; the schema must be the one it was written with. [ErrSpan] when it is not the rows of one op.
func ReadSlice(ctx context.Context, changes *parquetedit.File, s *Schema, span Span) (*Slice, error) {
	slice := &Slice{schema: s, cells: make([]cells, len(s.Columns)), op: newCells(opColumn().Type), to: int(span.To - span.From)}
	edits, rows := newCells(parquetedit.Type{Physical: parquet.Int32}), newCells(parquetedit.Type{Physical: parquet.Int64})
	into := []*cells{&edits, &rows, &slice.op}
	for c := range slice.cells {
		slice.cells[c] = newCells(s.Columns[c].Type)
		into = append(into, &slice.cells[c])
	}
	for c, cells := range into {
		n, err := eachOfSpan(ctx, changes, c, span, func(n int, v value) { cells.set(int32(n), v) })
		if err != nil {
			return nil, err
		}
		if n != slice.to {
			return nil, fmt.Errorf("%w: it ends before row %d", ErrSpan, span.To)
		}
	}
	last := int32(editDelete)
	for i := range slice.to {
		kind := edits.at(int32(i)).Int32()
		if kind < last || kind > editAdd {
			return nil, fmt.Errorf("%w: rows %d to %d are of more than one op", ErrSpan, span.From, span.To)
		}
		last = kind
		switch kind {
		case editDelete:
			slice.deletes = append(slice.deletes, rows.at(int32(i)).Int64())
			slice.from = i + 1
		case editReplace:
			slice.replaces = append(slice.replaces, rows.at(int32(i)).Int64())
		}
	}
	return slice, nil
}

// eachOfSpan hands over the rows of a span of one column, and says how many there are. The values are good until the call returns.
func eachOfSpan(ctx context.Context, f *parquetedit.File, column int, span Span, take func(n int, v value)) (int, error) {
	n := 0
	for group, info := range f.RowGroups() {
		if info.FirstRow >= span.To || info.FirstRow+info.Rows <= span.From {
			continue
		}
		err := f.ReadColumn(ctx, group, column, func(first int64, page []value) error {
			first += info.FirstRow
			low := min(max(span.From-first, 0), int64(len(page)))
			high := min(max(span.To-first, 0), int64(len(page)))
			for _, v := range page[low:high] {
				take(n, v)
				n++
			}
			if first+int64(len(page)) >= span.To {
				return errEnough
			}
			return nil
		})
		if err != nil && !isEnough(err) {
			return 0, err
		}
	}
	return n, nil
}
