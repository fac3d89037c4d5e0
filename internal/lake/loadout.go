package lake

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"sluice/internal/dms"
	"sluice/internal/parquetedit"
)

// loadOutput is one lake file of a load in the making.
type loadOutput struct {
	load  *Load
	sink  Sink
	n     int
	out   *parquetedit.Writer
	names []int     // column of the table by column of the file; -1 = Op
	body  io.Writer // as the sink opened it
}

func (l *Load) output(sink Sink, n int) (*loadOutput, error) {
	w, o, err := sink.Open(n)
	if err != nil {
		return nil, err
	}
	return l.writer(w, o, &loadOutput{load: l, sink: sink, n: n, body: w})
}

func (l *Load) writer(w io.Writer, o FileOptions, into *loadOutput) (*loadOutput, error) {
	columns := l.Schema.FileColumns()
	for _, c := range columns {
		into.names = append(into.names, l.Schema.Index(c.Name))
	}
	var err error
	into.out, err = parquetedit.NewWriter(w, columns, parquetedit.WriterOptions{Compression: o.Compression, Metadata: o.Metadata, Memory: o.Memory})
	return into, err
}

func (o *loadOutput) write(rows loadRows) error {
	columns := make([][]value, len(o.names))
	for i, c := range o.names {
		switch {
		case c < 0:
			columns[i] = make([]value, len(rows.ops))
			for r, op := range rows.ops {
				columns[i][r] = opValue(op)
			}
		case rows.columns[c] == nil:
			columns[i] = make([]value, len(rows.ops))
		default:
			columns[i] = rows.columns[c]
		}
	}
	return o.out.Write(columns)
}

// writeChecked writes rows of the named input unless one of them is a delete.
func (o *loadOutput) writeChecked(name string, rows loadRows) error {
	if slices.Contains(rows.ops, dms.Delete) {
		return inputError(name, errOp)
	}
	return o.write(rows)
}

func (o *loadOutput) close() error {
	if err := o.out.Close(); err != nil {
		return err
	}
	return o.sink.Close(o.n)
}

// count reads the partition columns and counts the rows of each row group by partition.
func (l *Load) count(ctx context.Context) ([]groupRows, error) {
	namer, err := newDirNamer(l.Schema)
	if err != nil {
		return nil, err
	}
	var groups []groupRows
	for file, in := range l.Inputs {
		for group, info := range in.Open.RowGroups() {
			g := groupRows{file: file, group: group, bytes: info.CompressedBytes, rows: info.Rows}
			if len(namer.columns) > 0 {
				if g.byDir, err = l.countGroup(ctx, Part{file, []int{group}}, namer); err != nil {
					return nil, err
				}
			}
			groups = append(groups, g)
		}
	}
	return groups, nil
}

func (l *Load) countGroup(ctx context.Context, p Part, namer *dirNamer) (map[string]int64, error) {
	byDir := map[string]int64{}
	for rows, err := range l.rows(ctx, p, l.Schema.Partition) {
		if err != nil {
			return nil, err
		}
		if err := namer.each(rows, func(dir string) { byDir[dir]++ }); err != nil {
			return nil, err
		}
	}
	return byDir, nil
}

// CheckKeys returns a [KeyError] when a key column of an input holds NULL. Row
// groups whose statistics say that there is none are not read.
func (l *Load) CheckKeys(ctx context.Context) error {
	for _, in := range l.Inputs {
		columns := in.Open.Columns()
		for _, name := range l.Schema.Key {
			at := find(columns, name)
			if at < 0 {
				if in.Open.NumRows() > 0 && !slices.Contains(l.Schema.Partition, name) {
					return &KeyError{File: in.Name, Column: name, Row: -1}
				}
				continue
			}
			if err := checkNulls(ctx, in, at); err != nil {
				return err
			}
		}
	}
	return nil
}

func checkNulls(ctx context.Context, in LoadFile, at int) error {
	for group, info := range in.Open.RowGroups() {
		if b, ok := in.Open.Bounds(group, at); ok && b.NullCount == 0 {
			continue
		}
		err := in.Open.ReadColumn(ctx, group, at, func(first int64, values []value) error {
			for i, v := range values {
				if v.IsNull() {
					return &KeyError{File: in.Name, Column: in.Open.Columns()[at].Name, Row: info.FirstRow + first + int64(i)}
				}
			}
			return nil
		})
		var null *KeyError
		if err != nil && !errors.As(err, &null) {
			err = fmt.Errorf("read %s: %w", in.Name, err)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// sampleRows are encoded to learn what a row weighs in a lake file.
const sampleRows = 32 << 10

// SampleRow encodes the first rows of the inputs and returns the bytes of a
// lake file that one row takes; at least 1.
func (l *Load) SampleRow(ctx context.Context, compression string) (int64, error) {
	var size counter
	out, err := l.writer(&size, FileOptions{Compression: compression}, &loadOutput{load: l})
	if err != nil {
		return 0, err
	}
	for file, in := range l.Inputs {
		for group := range in.Open.RowGroups() {
			for rows, err := range l.rows(ctx, Part{file, []int{group}}, nil) {
				if err != nil {
					return 0, err
				}
				if err := out.write(rows); err != nil {
					return 0, err
				}
				if out.out.Rows() >= sampleRows {
					break
				}
			}
			if out.out.Rows() >= sampleRows {
				break
			}
		}
	}
	if err := out.out.Close(); err != nil {
		return 0, err
	}
	return max(int64(size)/max(out.out.Rows(), 1), 1), nil
}

// counter counts the bytes written to it.
type counter int64

func (c *counter) Write(p []byte) (int, error) {
	*c += counter(len(p))
	return len(p), nil
}
