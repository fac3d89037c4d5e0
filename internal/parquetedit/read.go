package parquetedit

import (
	"context"
	"slices"

	"github.com/parquet-go/parquet-go"
)

// batchRows is the number of values that ReadColumn hands over at a time.
const batchRows = 8192

// ReadColumn hands the values of a column chunk to yield, in order, in batches that follow the pages.
// firstRow counts within the row group. The values, and the bytes they point to, are valid only during
// the call. A chunk of up to 4 MiB costs one read of the source; a larger one is read in windows of that size (smaller
// in a file of many columns), the next while one is at work, so memory is two windows and a page. An error of
// yield ends the reading and is returned as it is.
//
// It is safe for concurrent use. Like ChunkBytes and Bounds it panics when there is no such row group or
// column.
func (f *File) ReadColumn(ctx context.Context, rg, col int, yield func(firstRow int64, values []parquet.Value) error) error {
	batch := f.memory.batch()
	defer f.memory.values.Put(batch)
	var dict []parquet.Value
	return f.pages(ctx, rg, col, func(first int64, d *decoded) error {
		if d.indices != nil && len(dict) != d.values.len() {
			dict = make([]parquet.Value, d.values.len())
			for i := range dict {
				dict[i] = d.values.value(i)
			}
		}
		k := 0
		for at := 0; at < d.rows; at += batchRows {
			n := min(batchRows, d.rows-at)
			*batch = slices.Grow((*batch)[:0], n)[:n]
			k = d.fill(*batch, at, k, dict)
			if err := yield(first+int64(at), *batch); err != nil {
				return yieldError{err}
			}
		}
		return nil
	})
}

// yieldError marks what the caller's own function returned, which is passed on unwrapped.
type yieldError struct{ error }

// fill sets dst to the rows from row at on, whose first value that is not NULL is value k; it gives
// the k behind them.
func (d *decoded) fill(dst []parquet.Value, at, k int, dict []parquet.Value) int {
	for i := 0; i < len(dst); {
		j := len(dst)
		if d.present != nil {
			present := d.present[at+i]
			for j = i + 1; j < len(dst) && d.present[at+j] == present; {
				j++
			}
			if present == 0 {
				clear(dst[i:j])
				i = j
				continue
			}
		}
		if d.indices == nil {
			d.values.fill(dst[i:j], k)
		} else {
			for n, index := range d.indices[k : k+j-i] {
				dst[i+n] = dict[index]
			}
		}
		k, i = k+j-i, j
	}
	return k
}

// pages hands the data pages of a column chunk to fn.
func (f *File) pages(ctx context.Context, rg, col int, fn func(first int64, d *decoded) error) error {
	ctx, cancel := context.WithCancel(ctx)
	s := f.streamOf(&f.groups[rg].chunks[col])
	defer s.close()
	defer cancel()
	return f.decodeStream(ctx, chunkStream{rg, col, s}, fn)
}

// decode hands the data pages of a column chunk, whose bytes are b, to fn.
func (f *File) decode(ctx context.Context, rg, col int, b []byte, fn func(first int64, d *decoded) error) error {
	return f.decodeStream(ctx, chunkStream{rg, col, inMemory(b)}, fn)
}

// chunkStream is the bytes of a column chunk.
type chunkStream struct {
	rg, col int
	*stream
}

// decodeStream hands the data pages of a column chunk to fn.
func (f *File) decodeStream(ctx context.Context, s chunkStream, fn func(first int64, d *decoded) error) error {
	return f.ended(s.rg, s.col, f.decodePages(ctx, s, fn))
}

// ended passes on what the caller's own function returned as it is, and names the chunk in any other error.
func (f *File) ended(rg, col int, err error) error {
	if y, ok := err.(yieldError); ok { //nolint:errorlint // it is never wrapped
		return y.error
	}
	if err != nil {
		return f.where(rg, col, err)
	}
	return nil
}

func (f *File) decodePages(ctx context.Context, s chunkStream, fn func(first int64, d *decoded) error) error {
	c := &f.groups[s.rg].chunks[s.col]
	if err := c.codec.check(); err != nil {
		return err
	}
	x := newDecoder(f.columns[s.col], c, f.memory.decompressor())
	defer func() { f.memory.in.Put(x.end()) }()
	row := int64(0)
	for row < c.values && !s.empty() {
		if err := s.page(ctx); err != nil {
			return err
		}
		d, n, err := x.safeNext(s.b)
		if err != nil {
			return err
		}
		s.skip(n)
		if d == nil {
			continue
		}
		if int64(d.rows) > c.values-row {
			return corrupt("more values than the %d declared", c.values)
		}
		if err := fn(row, d); err != nil {
			return err
		}
		row += int64(d.rows)
	}
	if row != c.values {
		return corrupt("%d values, %d declared", row, c.values)
	}
	return nil
}

// safeNext is next, with the panics that codecs and decoders have for bytes they do not expect.
func (x *decoder) safeNext(b []byte) (d *decoded, n int, err error) {
	defer recovered(&err)
	return x.next(b)
}
