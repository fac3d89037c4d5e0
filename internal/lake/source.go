package lake

import (
	"errors"
	"fmt"
	"slices"

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
	if in.Context {
		src.project(f)
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

// project narrows a context input to the columns that rank its changes: key and order column.
func (s *source) project(f *Fold) {
	needed := slices.Clone(f.key)
	if f.order >= 0 {
		needed = append(needed, f.order)
	}
	s.wanted = []int{}
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

// convertColumn brings a batch's column to the lake's type, in place.
func (f *Fold) convertColumn(src *source, c int, first int64, values []value) error {
	if src.convert[c] == nil {
		return nil
	}
	for i, v := range values {
		converted, err := src.convert[c](v)
		if err != nil {
			return valueError(place{src.Name, first + int64(i)}, f.schema.Columns[c], src.Reader.Columns()[src.at[c]].Type, err)
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
