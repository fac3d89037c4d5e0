package parquetedit

import (
	"context"
	"fmt"

	"github.com/parquet-go/parquet-go"
)

// Rewrite writes the file to out with the edits of the script applied. Row groups without edits are
// copied byte for byte, page indexes and bloom filters included; a row group that loses all its rows
// disappears. In one with edits the pages that no edit changes stay as they are, without being decompressed; the others
// are encoded again with the codec, the version and the encodings that they have. Its statistics and page index are
// carried over for the pages that stay and computed for the others. One with more than MaxRowGroupRows rows becomes several.
// The rows of Append go into the last row group when that is small, else into new ones.
//
// It holds the encoded bytes of one new row group, per column its old dictionary, and per column at work the
// part of its old chunk with the rows of that row group and a page of it.
// Ranges to copy that lie side by side reach out as one, the first from byte 0 on; they may be as short
// as the four bytes of the magic number.
//
// Its errors wrap ErrScript and ErrValue when the script does not fit the file, before anything is
// written, but for what ReplaceColumn gives; those of reading the file; and what out returned. After an error what was written is no
// Parquet file.
func Rewrite(ctx context.Context, f *File, s Script, out Output) (Stats, error) {
	r := &rewriter{f: f, s: &s, out: out}
	r.w = counted{
		w: flushing{func(p []byte) (int, error) {
			if err := r.flush(ctx); err != nil {
				return 0, err
			}
			return out.Write(p)
		}},
		copyRange: func(off, n int64) error { return r.copyRange(ctx, off, n) },
	}
	r.s.MaxRowGroupRows, r.s.MaxRowGroupBytes, r.s.Parallel = limits(s.MaxRowGroupRows, s.MaxRowGroupBytes, s.Parallel)
	if s.Empty {
		return r.empty(ctx)
	}
	if err := s.validate(f); err != nil {
		return Stats{}, err
	}
	var err error
	if r.columns, err = s.columns(f); err != nil {
		return Stats{}, err
	}
	want := f.rows - int64(len(s.Deletes)) + int64(s.appended())
	r.copy(0, int64(len(magic)))
	if err := r.rewriteGroups(ctx); err != nil {
		return Stats{}, err
	}
	if err := r.finish(ctx, r.footer()); err != nil {
		return Stats{}, err
	}
	if r.stats.Rows != want {
		return Stats{}, fmt.Errorf("%w: %d rows written, %d wanted", ErrRows, r.stats.Rows, want)
	}
	return r.stats, nil
}

// rewriter is one run of Rewrite.
type rewriter struct {
	f       *File
	s       *Script
	out     Output
	columns []Column // of the new file
	w       counted  // n counts the ranges to copy as soon as they are asked for
	off, n  int64    // the range to copy next: it grows while ranges are adjacent
	asked   int64    // bytes to copy so far
	groups  []placed
	sources []int // row group of the old file that groups[i] is a copy of, or -1
	stats   Stats
}

// flushing sees to it that what was asked to be copied comes before what is written.
type flushing struct{ write func(p []byte) (int, error) }

func (f flushing) Write(p []byte) (int, error) { return f.write(p) }

// copy appends a range of the old file. It reaches the output with the next flush.
func (r *rewriter) copy(off, n int64) { r.off, r.n, r.w.n, r.asked = off, n, r.w.n+n, r.asked+n }

// copyRange appends a range of the old file.
func (r *rewriter) copyRange(ctx context.Context, off, n int64) error {
	if r.n > 0 && r.off+r.n == off {
		r.n += n
		r.w.n += n
		r.asked += n
		return nil
	}
	if err := r.flush(ctx); err != nil {
		return err
	}
	r.copy(off, n)
	return nil
}

// flush hands the range to copy to the output. It comes before every write.
func (r *rewriter) flush(ctx context.Context) error {
	if r.n == 0 {
		return nil
	}
	if err := r.out.CopyRange(ctx, r.off, r.n); err != nil {
		return fmt.Errorf("copy %d bytes at %d: %w", r.n, r.off, err)
	}
	r.stats.BytesCopied += r.n
	r.n = 0
	return nil
}

func (r *rewriter) rewriteGroups(ctx context.Context) error {
	merge := r.mergeTail()
	for i := range r.f.groups {
		g := &r.f.groups[i]
		e := r.s.within(g, 0, g.rows)
		tail := merge && i == len(r.f.groups)-1
		var err error
		switch {
		case int64(len(e.deletes)) == g.rows && !tail: // no rows are left, or never were
		case e.empty() && !tail:
			err = r.copyGroup(ctx, i)
		default:
			err = r.rewriteGroup(ctx, i, tail)
		}
		if err != nil {
			return fmt.Errorf("row group %d: %w", i, err)
		}
	}
	if merge {
		return nil
	}
	return r.appendGroups()
}

// mergeTail says whether the rows of Append go into the last row group: when it is small and they fit.
// So a small row group is made larger until it is not, and small ones never pile up.
func (r *rewriter) mergeTail() bool {
	n := int64(r.s.appended())
	if n == 0 || len(r.f.groups) == 0 {
		return false
	}
	g := &r.f.groups[len(r.f.groups)-1]
	if g.rows >= r.s.MaxRowGroupRows/4 || g.rows+n > r.s.MaxRowGroupRows {
		return false
	}
	size := newGroupWriter(r.columns, make([]coding, len(r.columns)), r.f.memory, 1).plainSize(r.s.Append, 0, int(n))
	for _, c := range g.chunks {
		size += c.uncompressed
	}
	return size <= r.s.MaxRowGroupBytes
}

// codings is how the columns of a row group are written.
func (r *rewriter) codings(rg int) ([]coding, error) {
	codings := make([]coding, len(r.columns))
	for c, column := range r.columns {
		var err error
		switch {
		case c < len(r.f.columns) && rg >= 0:
			codings[c], err = r.f.groups[rg].chunks[c].coding(column.Type)
		case c < len(r.f.columns):
			codings[c], err = r.newCoding(column.Type)
		default:
			// PLAIN and dictionaries are what every reader has.
			codings[c], err = r.newCoding(column.Type)
			codings[c].encoding, codings[c].dict = encPlain, column.Type.Physical != parquet.Boolean
		}
		if err != nil {
			return nil, fmt.Errorf("column %q: %w", column.Name, err)
		}
	}
	return codings, nil
}

// newCoding is how a column is written that the file has no chunk of.
func (r *rewriter) newCoding(t Type) (coding, error) {
	if n := len(r.f.groups); n > 0 && len(r.f.columns) > 0 {
		c := r.f.groups[n-1].chunks[0].codec
		return newCoding(t, c), c.check()
	}
	c, err := parseCodec(r.s.Compression)
	return newCoding(t, c), err
}

// place writes a row group.
func (r *rewriter) place(group tree, chunks []*doneChunk) error {
	at, asked := r.w.n, r.asked
	p, err := placeGroup(&r.w, group, chunks)
	if err != nil {
		return err
	}
	r.stats.BytesWritten += r.w.n - at - (r.asked - asked)
	r.stats.RowGroupsRewritten++
	r.stats.Rows += p.rows
	r.groups, r.sources = append(r.groups, p), append(r.sources, -1)
	return nil
}

// appendGroups puts the rows of Append into new row groups.
func (r *rewriter) appendGroups() error {
	n := r.s.appended()
	if n == 0 {
		return nil
	}
	codings, err := r.codings(len(r.f.groups) - 1)
	if err != nil {
		return err
	}
	w := newGroupWriter(r.columns, codings, r.f.memory, r.s.Parallel)
	estimate := int64(0)
	for i := 0; i < n; {
		m := min(n-i, segmentRows, int(r.s.MaxRowGroupRows-w.rows))
		m, size := w.fit(r.s.Append, i, m, r.s.MaxRowGroupBytes-estimate)
		if err := w.append(r.s.Append, i, i+m); err != nil {
			return err
		}
		i, estimate = i+m, estimate+size
		if w.rows >= r.s.MaxRowGroupRows || estimate >= r.s.MaxRowGroupBytes || i == n {
			chunks, err := w.finish()
			if err != nil {
				return err
			}
			if err := r.place(tree{i16Field(groupOrdinal, 0)}, chunks); err != nil {
				return err
			}
			estimate = 0
		}
	}
	return nil
}
