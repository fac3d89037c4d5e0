package lake

import (
	"errors"
	"fmt"
	"slices"

	"sluice/internal/dms"
	"sluice/internal/parquetedit"
)

// source is an input's columns matched with the table's.
type source struct {
	Input
	at      []int         // at[column of the table] = column of the batch, or -1
	convert []convertFunc // by column of the table; nil = as it is
	before  []int         // before[i] = column of the batch's Before for key column i, or -1
	wanted  []int         // columns to read; nil = all
	keyless bool
}

// fault says which input an error of its reader came from.
func (s *source) fault(err error) error { return fmt.Errorf("read %s: %w", s.Name, err) }

// op returns the op of a row of a batch.
func (s *source) op(b dms.Batch, i int, op dms.Op) dms.Op {
	if s.replay != nil && b.Columns[s.replay.edit][i].Int32() == editDelete {
		return dms.Delete
	}
	return op
}

type convertFunc = func(value) (value, error)

func (f *Fold) source(in Input) (*source, error) {
	columns := in.Reader.Columns()
	src := &source{Input: in, at: make([]int, len(f.schema.Columns)), convert: make([]convertFunc, len(f.schema.Columns)), keyless: len(f.key) == 0}
	for c, column := range f.schema.Columns {
		src.at[c] = find(columns, column.Name)
		if src.at[c] < 0 {
			continue
		}
		convert, err := Converter(columns[src.at[c]].Type, column.Type)
		if err != nil {
			convert = onlyNull(columns[src.at[c]].Type, column.Type)
		}
		src.convert[c] = convert
	}
	for _, k := range f.key {
		if src.at[k] < 0 && in.Reader.Rows() > 0 {
			return nil, &KeyError{File: in.Name, Column: f.schema.Columns[k].Name, Row: -1}
		}
		src.before = append(src.before, slices.Index(in.Reader.BeforeImage(), src.at[k]))
	}
	if in.Context && f.partial == nil { // else what its changes leave out counts, too
		src.project(f.ranking())
	}
	return src, nil
}

// onlyNull converts between types that have no other value in common: a file
// without rows, or without a value in the column, contradicts nothing.
func onlyNull(from, to parquetedit.Type) convertFunc {
	return func(v value) (value, error) {
		if v.IsNull() {
			return v, nil
		}
		return v, &ValueError{Value: v, From: from, To: to}
	}
}

// ranking is the columns that rank changes: key and order column.
func (f *Fold) ranking() []int {
	needed := slices.Clone(f.key)
	if f.order >= 0 {
		needed = append(needed, f.order)
	}
	return needed
}

// project narrows an input to some columns of the table.
func (s *source) project(needed []int) {
	s.wanted = []int{}
	if s.replay != nil {
		s.wanted = append(s.wanted, s.replay.edit)
	}
	for c, at := range s.at {
		switch {
		case at < 0:
		case slices.Contains(needed, c):
			s.wanted = append(s.wanted, at)
		default:
			s.at[c] = -1
		}
	}
}

func typeError(file string, column parquetedit.Column, got parquetedit.Type) error {
	_, wider := Widen(column.Type, got)
	return &SchemaError{File: file, Column: column.Name, Got: "type " + TypeName(got), Want: "type " + TypeName(column.Type), Widen: wider}
}

// convertBatch brings a batch's columns to the lake's types, in place, and returns them by column of the table; nil for one that the
// input lacks.
func (f *Fold) convertBatch(src *source, b dms.Batch) ([][]value, error) {
	columns := make([][]value, len(f.schema.Columns))
	for c := range columns {
		if src.at[c] < 0 {
			continue
		}
		columns[c] = b.Columns[src.at[c]]
		if err := f.convertColumn(src, c, b, columns[c]); err != nil {
			return nil, err
		}
	}
	return columns, nil
}

// convertColumn brings a batch's column to the lake's type, in place.
func (f *Fold) convertColumn(src *source, c int, b dms.Batch, values []value) error {
	if src.convert[c] == nil {
		return nil
	}
	for i, v := range values {
		converted, err := src.convert[c](v)
		if err != nil {
			return valueError(place{src.Name, b.Row(i)}, f.schema.Columns[c], src.Reader.Columns()[src.at[c]].Type, err)
		}
		values[i] = converted
	}
	return nil
}

type place struct {
	file string
	row  int64 // -1: a row that is not in the file yet
}

func valueError(at place, column parquetedit.Column, got parquetedit.Type, err error) error {
	var bad *ValueError
	if !errors.As(err, &bad) {
		return err
	}
	_, wider := Widen(column.Type, got)
	met := "the " + unnamed(bad.Value, got)
	if at.row >= 0 {
		met += fmt.Sprintf(" in row %d", at.row)
	}
	return &SchemaError{
		File: at.file, Column: column.Name, Got: met,
		Want: "type " + TypeName(column.Type), Widen: wider && TypeName(got) != TypeName(column.Type),
	}
}
