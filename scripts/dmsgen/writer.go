package dmsgen

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// Writer plays the DMS task: it writes full loads and CDC files to a sink.
type Writer struct {
	sink     Sink
	settings Settings
}

// NewWriter returns a writer of files with these settings.
func NewWriter(sink Sink, s Settings) (*Writer, error) {
	if err := s.validate(); err != nil {
		return nil, err
	}
	return &Writer{sink: sink, settings: s}, nil
}

// Settings returns the writer's settings.
func (w *Writer) Settings() Settings { return w.settings }

// WriteLoad writes a full load of the rows, RowsPerFile to a file, numbered
// from FirstLoad, all last modified at the given time plus Delay. No rows, no
// file: DMS makes no folder for an empty table. It returns the keys.
func (w *Writer) WriteLoad(ctx context.Context, t Table, at time.Time, rows ...[]any) ([]string, error) {
	load, err := w.StartLoad(t, at)
	if err != nil {
		return nil, err
	}
	for _, row := range rows {
		if err := load.Append(ctx, row); err != nil {
			return load.Keys(), err
		}
	}
	err = load.Close(ctx)
	return load.Keys(), err
}

// WriteChanges writes one CDC file, named for the time and last modified then
// plus Delay, and returns its key. A file without changes is written too: DMS
// made such files when tasks stopped (release notes of 3.4.2).
func (w *Writer) WriteChanges(ctx context.Context, t Table, at time.Time, changes ...Change) (string, error) {
	fields, err := w.changeFields(t)
	if err != nil {
		return "", err
	}
	key := w.settings.ChangeKey(t, at)
	file := newFile(w.settings, fields)
	for i, change := range w.settings.Written(changes...) {
		rows, err := w.changeRows(t, change, at, i)
		if err != nil {
			return "", fmt.Errorf("write %s: change %d: %w", key, i, err)
		}
		for _, row := range rows {
			if err := file.append(row); err != nil {
				return "", fmt.Errorf("write %s: change %d: %w", key, i, err)
			}
		}
	}
	body, err := file.finish()
	if err != nil {
		return "", fmt.Errorf("write %s: %w", key, err)
	}
	return key, w.sink.Put(ctx, key, body, at.Add(w.settings.Delay))
}

// WriteBatches writes changes as CDC files of at most BatchSize changes, a
// minute apart from the given time on, and returns their keys.
func (w *Writer) WriteBatches(ctx context.Context, t Table, from time.Time, changes []Change) ([]string, error) {
	if len(changes) == 0 {
		return nil, nil
	}
	size := w.settings.BatchSize
	if size <= 0 {
		size = len(changes)
	}
	var keys []string
	for batch := range slices.Chunk(changes, size) {
		key, err := w.WriteChanges(ctx, t, from.Add(time.Duration(len(keys))*time.Minute), batch...)
		if err != nil {
			return keys, err
		}
		keys = append(keys, key)
	}
	return keys, nil
}
