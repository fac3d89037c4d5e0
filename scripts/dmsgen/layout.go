package dmsgen

import (
	"fmt"
	"slices"
	"time"
)

// sourceFields returns the table's own columns.
func sourceFields(t Table) ([]field, error) {
	var fields []field
	for _, c := range t.Columns {
		typ, err := parseType(c.Type)
		if err != nil {
			return nil, fmt.Errorf("table %s.%s: column %s: %w", t.Schema, t.Name, c.Name, err)
		}
		fields = append(fields, field{name: c.Name, typ: typ, dictionary: slices.Contains(t.Dictionary, c.Name)})
	}
	return fields, nil
}

func textField(name string, required bool) field {
	return field{name: name, typ: sourceType{name: "text"}, required: required}
}

// changeFields returns Op, the timestamp column, the source's columns, the
// before-image columns and the sequence column, as far as they are wanted.
func (w *Writer) changeFields(t Table) ([]field, error) {
	source, err := sourceFields(t)
	if err != nil {
		return nil, err
	}
	var fields []field
	if !w.settings.NoOp {
		fields = append(fields, textField("Op", false))
	}
	if w.settings.TimestampColumn != "" {
		fields = append(fields, textField(w.settings.TimestampColumn, true))
	}
	fields = append(fields, source...)
	for _, i := range w.images(t) {
		image := source[i]
		image.name = w.settings.BeforePrefix + image.name
		fields = append(fields, image)
	}
	if w.settings.SequenceColumn != "" {
		fields = append(fields, textField(w.settings.SequenceColumn, false))
	}
	return fields, nil
}

// images returns the positions of the columns that have a before-image.
func (w *Writer) images(t Table) []int {
	switch w.settings.BeforeImages {
	case KeyImages:
		return t.keys()
	case AllImages:
		all := make([]int, len(t.Columns))
		for i := range all {
			all[i] = i
		}
		return all
	case NoImages:
	}
	return nil
}

// changeRow lays a change out in the order of changeFields. ordinal counts the
// changes of a file; it makes the sequence column increase.
func (w *Writer) changeRow(t Table, c Change, at time.Time, ordinal int) ([]any, error) {
	if len(c.Row) != len(t.Columns) {
		return nil, fmt.Errorf("row has %d values, table %s has %d columns", len(c.Row), t.Name, len(t.Columns))
	}
	var row []any
	if !w.settings.NoOp {
		row = append(row, string(c.Op))
	}
	if w.settings.TimestampColumn != "" {
		row = append(row, at.UTC().Format(timestampForm))
	}
	after := c.Row
	if c.Op == Delete && w.settings.KeyOnlyDeletes {
		after = make([]any, len(c.Row))
		for _, i := range t.keys() {
			after[i] = c.Row[i]
		}
	}
	row = append(row, after...)
	for _, i := range w.images(t) {
		if c.Before == nil {
			row = append(row, nil)
			continue
		}
		row = append(row, c.Before[i])
	}
	if w.settings.SequenceColumn != "" {
		row = append(row, fmt.Sprintf("%s%02d%019d", at.UTC().Format("20060102150405"), at.Nanosecond()/10_000_000, ordinal))
	}
	return row, nil
}
