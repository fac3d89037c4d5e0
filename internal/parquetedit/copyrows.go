package parquetedit

import (
	"context"
	"fmt"
	"slices"

	"github.com/parquet-go/parquet-go"
)

// readTogether is the size up to which the chunks of a row group are read by one request.
const readTogether = 8 << 20

// Origin says where CopyRows takes the values of a column from: a column of the other file with the same
// physical type, or, when Column is negative, one value for every row.
type Origin struct {
	Column int
	Value  parquet.Value
}

// Takes says whether CopyRows takes a row group: whether it is no larger than those that the writer makes.
func (w *Writer) Takes(f *File, rg int) bool {
	g := &f.groups[rg]
	return g.rows <= w.options.MaxRowGroupRows && g.uncompressed() <= w.options.MaxRowGroupBytes
}

// Packed is how many row groups a new file has into which CopyRows copies these, with the limits that are the default.
func Packed(groups []RowGroup) int {
	n, rows, bytes := 0, int64(0), int64(0)
	for _, g := range groups {
		if n == 0 || rows+g.Rows > defaultRowGroupRows || bytes+g.UncompressedBytes > defaultRowGroupBytes {
			n, rows, bytes = n+1, 0, 0
		}
		rows, bytes = rows+g.Rows, bytes+g.UncompressedBytes
	}
	return n
}

func (g *group) uncompressed() int64 {
	n := int64(0)
	for i := range g.chunks {
		n += g.chunks[i].uncompressed
	}
	return n
}

// CopyRows appends the rows of a row group of another file, column by column: origins[c] is where column
// c of the new file comes from. Values are taken from its pages and never become a parquet.Value each, which is
// a third of the work of Write. An origin of another type is ErrScript, a NULL for a required
// column ErrValue; after an error the writer is of no more use. It holds the chunks of the row group.
func (w *Writer) CopyRows(ctx context.Context, f *File, rg int, origins []Origin) error {
	if w.err != nil {
		return w.err
	}
	if w.err = w.checkOrigins(f, origins); w.err != nil {
		return w.err
	}
	g := &f.groups[rg]
	size := g.uncompressed()
	if w.group.rows+g.rows > w.options.MaxRowGroupRows || w.estimate+size > w.options.MaxRowGroupBytes {
		if err := w.Flush(); err != nil {
			return err
		}
	}
	c := &copier{file: f, rg: rg, origins: origins}
	if w.err = c.read(ctx, w.spare); w.err != nil {
		return w.err
	}
	w.spare = c.body
	w.group.rows += g.rows
	w.err = w.group.each(func(column int, e *encoder) error { return c.column(ctx, column, e) })
	if w.err != nil {
		return w.err
	}
	w.rows += g.rows
	w.estimate = max(w.estimate+size, w.group.size())
	if w.estimate >= w.options.MaxRowGroupBytes {
		return w.Flush()
	}
	return nil
}

func (w *Writer) checkOrigins(f *File, origins []Origin) error {
	if len(origins) != len(w.columns) {
		return fmt.Errorf("%w: %d origins for %d columns", ErrScript, len(origins), len(w.columns))
	}
	for i, o := range origins {
		c := w.columns[i]
		if o.Column < 0 {
			if err := w.group.encoders[i].check([]parquet.Value{o.Value}); err != nil {
				return err
			}
			continue
		}
		from := f.columns[o.Column]
		if from.Type.Physical != c.Type.Physical || from.Type.Length != c.Type.Length {
			return fmt.Errorf("%w: column %q is no origin for %q", ErrScript, from.Name, c.Name)
		}
		if c.Required && !from.Required {
			return fmt.Errorf("column %q: %w: NULL in a required column", c.Name, ErrValue)
		}
	}
	return nil
}

// copier is one row group on its way into another file.
type copier struct {
	file    *File
	rg      int
	origins []Origin
	body    []byte // of all chunks, when they were read together
	off     int64  // of body in the file
}

// read reads the chunks by one request where they are small and lie together.
func (c *copier) read(ctx context.Context, spare []byte) error {
	c.body = spare[:0]
	low, high, sum := int64(-1), int64(0), int64(0)
	for _, o := range c.origins {
		if o.Column < 0 {
			continue
		}
		chunk := &c.file.groups[c.rg].chunks[o.Column]
		if low < 0 || chunk.off < low {
			low = chunk.off
		}
		high, sum = max(high, chunk.off+chunk.size), sum+chunk.size
	}
	if low < 0 || high-low > readTogether || high-low > 2*sum {
		return nil
	}
	c.off, c.body = low, slices.Grow(c.body, int(high-low))[:high-low]
	if err := c.file.src.ReadRange(ctx, c.body, low); err != nil {
		return fmt.Errorf("row group %d: read %d bytes at %d: %w", c.rg, len(c.body), low, err)
	}
	return nil
}

// column gives the rows to the encoder of a column.
func (c *copier) column(ctx context.Context, column int, e *encoder) error {
	o, rows := c.origins[column], c.file.groups[c.rg].rows
	if o.Column < 0 {
		return e.repeat(o.Value, int(rows))
	}
	x := &splicer{e: e, edits: &edits{}}
	if len(c.body) == 0 {
		return c.file.pages(ctx, c.rg, o.Column, x.page)
	}
	chunk := &c.file.groups[c.rg].chunks[o.Column]
	return c.file.decode(ctx, c.rg, o.Column, c.body[chunk.off-c.off:][:chunk.size], x.page)
}

// repeat adds the value in n rows.
func (e *encoder) repeat(v parquet.Value, n int) error {
	if v.IsNull() {
		return e.appendNullRun(n)
	}
	one := newVector(e.column.Type)
	one.appendRun([]parquet.Value{v}, pageBytes)
	return e.appendIndexed(&one, make([]int32, n), []int32{-1})
}
