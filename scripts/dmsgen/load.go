package dmsgen

import (
	"context"
	"fmt"
	"time"
)

// Load is a full load being written row by row. It holds one LOAD file in
// memory and no more, so RowsPerFile bounds it.
type Load struct {
	writer *Writer
	table  Table
	fields []field
	at     time.Time
	file   file
	rows   int // in file
	keys   []string
}

// StartLoad begins a full load whose objects are last modified at the given time plus Delay.
func (w *Writer) StartLoad(t Table, at time.Time) (*Load, error) {
	fields, err := w.loadFields(t)
	if err != nil {
		return nil, err
	}
	return &Load{writer: w, table: t, fields: fields, at: at}, nil
}

// Append adds a row, and puts the file that it fills.
func (l *Load) Append(ctx context.Context, row []any) error {
	if len(row) != len(l.table.Columns) {
		return fmt.Errorf("row has %d values, table %s has %d columns", len(row), l.table.Name, len(l.table.Columns))
	}
	s := l.writer.settings
	if l.file == nil {
		l.file = newFile(s, l.fields)
	}
	if len(l.fields) != len(row) {
		row = l.writer.loadRow(row, l.at)
	}
	if err := l.file.append(row); err != nil {
		return fmt.Errorf("load %s: row %d: %w", l.table.Folder(), l.rows, err)
	}
	full := s.CSV.MaxFileBytes > 0 && l.file.size() >= s.CSV.MaxFileBytes
	if l.rows++; full || l.rows == s.RowsPerFile {
		return l.put(ctx)
	}
	return nil
}

func (l *Load) put(ctx context.Context) error {
	key := l.writer.settings.LoadKey(l.table, l.writer.settings.FirstLoad+len(l.keys))
	body, err := l.file.finish()
	if err != nil {
		return fmt.Errorf("write %s: %w", key, err)
	}
	l.keys, l.file, l.rows = append(l.keys, key), nil, 0
	return l.writer.sink.Put(ctx, key, body, l.at.Add(l.writer.settings.Delay))
}

// Close puts the last file. A load of no rows has none.
func (l *Load) Close(ctx context.Context) error {
	if l.file == nil {
		return nil
	}
	return l.put(ctx)
}

// Keys returns the keys of the files put so far, in order.
func (l *Load) Keys() []string { return l.keys }
