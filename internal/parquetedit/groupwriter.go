package parquetedit

import (
	"fmt"

	"github.com/parquet-go/parquet-go"
	"golang.org/x/sync/errgroup"
)

// groupWriter encodes the columns of one row group after the other into memory.
type groupWriter struct {
	encoders []*encoder
	memory   *Memory
	parallel int
	rows     int64
}

func newGroupWriter(columns []Column, codings []coding, m *Memory, parallel int) *groupWriter {
	g := &groupWriter{memory: m, parallel: parallel}
	for i, c := range columns {
		g.encoders = append(g.encoders, newEncoder(c, codings[i]))
	}
	return g
}

// each runs fn for every column, as many at a time as the writer may.
func (g *groupWriter) each(fn func(c int, e *encoder) error) error {
	return eachColumn(g.parallel, len(g.encoders), func(c int) error {
		e := g.encoders[c]
		e.k = g.memory.compressor()
		defer func() {
			g.memory.out.Put(e.k)
			e.k = nil
		}()
		return fn(c, e)
	})
}

// eachColumn runs fn(0) … fn(n-1), at most parallel at a time.
func eachColumn(parallel, n int, fn func(c int) error) error {
	if parallel <= 1 || n <= 1 {
		for c := range n {
			if err := fn(c); err != nil {
				return err
			}
		}
		return nil
	}
	var eg errgroup.Group
	eg.SetLimit(parallel)
	for c := range n {
		eg.Go(func() error { return fn(c) })
	}
	return eg.Wait()
}

// append adds the rows [i, j) of columns to the row group.
func (g *groupWriter) append(columns [][]parquet.Value, i, j int) error {
	g.rows += int64(j - i)
	return g.each(func(c int, e *encoder) error { return e.append(columns[c][i:j]) })
}

// size estimates the bytes of the row group so far.
func (g *groupWriter) size() int64 {
	n := int64(0)
	for _, e := range g.encoders {
		n += e.size()
	}
	return n
}

// finish ends the row group.
func (g *groupWriter) finish() ([]*doneChunk, error) {
	chunks := make([]*doneChunk, len(g.encoders))
	err := g.each(func(c int, e *encoder) (err error) {
		chunks[c], err = e.finish()
		return err
	})
	g.rows = 0
	return chunks, err
}

// fit says how many of the rows from i on, at most n, hold no more bytes than budget, one at least,
// and what they hold.
func (g *groupWriter) fit(columns [][]parquet.Value, i, n int, budget int64) (int, int64) {
	for {
		size := g.plainSize(columns, i, i+n)
		if n <= 1 || size <= budget {
			return n, size
		}
		n /= 2
	}
}

// plainSize is about what the rows [i, j) take in the PLAIN encoding.
func (g *groupWriter) plainSize(columns [][]parquet.Value, i, j int) int64 {
	size := int64(0)
	for c, e := range g.encoders {
		switch e.column.Type.Physical {
		case parquet.ByteArray:
			for _, v := range columns[c][i:j] {
				if !v.IsNull() {
					size += 4 + int64(len(v.ByteArray()))
				}
			}
		case parquet.Int64, parquet.Double:
			size += 8 * int64(j-i)
		case parquet.Boolean, parquet.Int32, parquet.Float:
			size += 4 * int64(j-i)
		case parquet.Int96, parquet.FixedLenByteArray:
			size += int64(e.values.width) * int64(j-i)
		}
	}
	return size
}

// check says which value does not fit its column, before any is written.
func (g *groupWriter) check(columns [][]parquet.Value) error {
	if len(columns) != len(g.encoders) {
		return fmt.Errorf("%w: %d columns given, %d wanted", ErrValue, len(columns), len(g.encoders))
	}
	for c, vs := range columns {
		if len(vs) != len(columns[0]) {
			return fmt.Errorf("%w: %d values of column %q, %d of the first", ErrValue, len(vs), g.encoders[c].column.Name, len(columns[0]))
		}
	}
	return eachColumn(g.parallel, len(columns), func(c int) error { return g.encoders[c].check(columns[c]) })
}
