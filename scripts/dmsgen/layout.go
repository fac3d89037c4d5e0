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

// around returns the table's columns between those that DMS puts around them: op, timestamp column,
// the source's columns, and those of add-column rules.
func (s Settings) around(source []field, op bool) []field {
	var fields []field
	if op {
		fields = append(fields, textField("Op", false))
	}
	if s.TimestampColumn != "" {
		fields = append(fields, textField(s.TimestampColumn, true))
	}
	fields = append(fields, source...)
	for _, h := range s.headers() {
		fields = append(fields, h.field())
	}
	return fields
}

// loadFields are the columns of a LOAD file.
func (w *Writer) loadFields(t Table) ([]field, error) {
	source, err := sourceFields(t)
	if err != nil {
		return nil, err
	}
	if w.settings.Dialect == Debezium {
		return append(source, debeziumFields()...), nil
	}
	return w.settings.around(source, w.settings.OpInLoad), nil
}

// changeFields are the columns of a CDC file: before images come behind the source's columns.
func (w *Writer) changeFields(t Table) ([]field, error) {
	source, err := sourceFields(t)
	if err != nil {
		return nil, err
	}
	if w.settings.Dialect == Debezium {
		return append(source, debeziumFields()...), nil
	}
	for _, i := range w.images(t) {
		image := source[i]
		image.name = w.settings.BeforePrefix + image.name
		source = append(source, image)
	}
	return w.settings.around(source, !w.settings.NoOp), nil
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

// loadRow lays a row out in the order of loadFields.
func (w *Writer) loadRow(row []any, at time.Time) []any {
	s := w.settings
	if s.Dialect == Debezium {
		return debeziumRecord(row, "r", at)
	}
	laid := make([]any, 0, len(row)+2+len(s.headers()))
	if s.OpInLoad {
		laid = append(laid, string(Insert))
	}
	if s.TimestampColumn != "" {
		laid = append(laid, at.UTC().Format(timestampForm))
	}
	return append(append(laid, row...), make([]any, len(s.headers()))...)
}

// changeRows lays a change out in the order of changeFields. ordinal counts the
// changes of a file; it makes the sequence column increase.
func (w *Writer) changeRows(t Table, c Change, at time.Time, ordinal int) ([][]any, error) {
	s := w.settings
	if len(c.Row) != len(t.Columns) {
		return nil, fmt.Errorf("row has %d values, table %s has %d columns", len(c.Row), t.Name, len(t.Columns))
	}
	if s.Dialect == Debezium {
		return w.debeziumRows(t, c, at), nil
	}
	var row []any
	if !s.NoOp {
		row = append(row, string(c.Op))
	}
	if s.TimestampColumn != "" {
		row = append(row, at.UTC().Format(timestampForm))
	}
	if c.Op == Delete {
		row = append(row, w.deleted(t, c.Row)...)
	} else {
		row = append(row, c.Row...)
	}
	for _, i := range w.images(t) {
		if c.Before == nil {
			row = append(row, nil)
			continue
		}
		row = append(row, c.Before[i])
	}
	for _, h := range s.headers() {
		row = append(row, h.Expression.value(c.Op, at, ordinal))
	}
	return [][]any{row}, nil
}

// deleted returns what a delete carries of a row.
func (w *Writer) deleted(t Table, row []any) []any {
	if !w.settings.KeyOnlyDeletes {
		return row
	}
	key := make([]any, len(row))
	for _, i := range t.keys() {
		key[i] = row[i]
	}
	return key
}

// Written returns the changes that a task with these settings writes.
func (s Settings) Written(changes ...Change) []Change {
	if !s.InsertsOnly && !s.InsertsAndUpdates {
		return changes
	}
	var written []Change
	for _, c := range changes {
		if c.Op == Insert || c.Op == Update && s.InsertsAndUpdates {
			written = append(written, c)
		}
	}
	return written
}
