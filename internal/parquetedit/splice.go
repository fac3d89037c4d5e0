package parquetedit

import (
	"math"
	"slices"

	"github.com/parquet-go/parquet-go"
)

// splicer writes one column chunk anew: the rows of the old one with the edits put in.
type splicer struct {
	e     *encoder
	edits *edits
	with  []parquet.Value // the column's values for the replaces of edits
	old   *oldChunk       // nil: no page can stay as it is
	tail  bool            // rows follow those of the chunk

	di, ri int     // next edits
	trans  []int32 // index in the old dictionary → index in the new, -1 unknown
	spots  []spot  // of the page that is patched
	plain  []byte
}

// page takes the rows of a page over.
func (x *splicer) page(first int64, d *decoded) error { return x.rows(first, d, 0, d.rows) }

// within gives a function that takes over those rows of pages that lie in [from, to).
func (x *splicer) within(from, to int64) func(p *pageAt) error {
	return func(p *pageAt) error {
		i, j := max(from-p.first, 0), min(to-p.first, int64(p.values))
		if i >= j {
			return nil
		}
		return x.rowsAt(p, int(i), int(j))
	}
}

// rowsAt takes the rows [row, end) of a page of the old chunk over: as it lies there, when it may.
func (x *splicer) rowsAt(p *pageAt, row, end int) error {
	x.start(p.dict)
	x.e.v2 = p.typ == dataPageV2
	open := x.tail && p.first+int64(p.values) == x.old.values && p.small()
	whole := row == 0 && end == p.values && !open && x.e.takesRaw(&p.page)
	if next, _ := x.next(p.first + int64(end)); whole && next == p.first+int64(end) {
		if known, ok := x.old.known(p); ok {
			x.e.appendRaw(p, known)
			return nil
		}
	}
	o, err := p.open()
	if err != nil {
		return err
	}
	if whole {
		if done, err := x.patch(p, &o); done || err != nil {
			return err
		}
	}
	d, err := p.decode(&o)
	if err != nil {
		return err
	}
	if x.e.adopted {
		if err := x.e.setPlain(d.indices == nil); err != nil {
			return err
		}
		if d.indices != nil {
			x.e.loadDict(d.values)
		}
	}
	if whole {
		if done, err := x.keepRaw(p, &o, d); done || err != nil {
			return err
		}
	}
	if err := x.rows(p.first, d, row, end); err != nil || open {
		return err
	}
	return x.e.settle(end - row)
}

// rows takes the rows [row, end) of a page over.
func (x *splicer) rows(first int64, d *decoded, row, end int) error {
	k := countPresent(d.present, 0, row)
	for row < end {
		next, kind := x.next(first + int64(end))
		at := int(next - first)
		var err error
		if k, err = x.keep(d, row, at, k); err != nil {
			return err
		}
		if row = at; row == end {
			break
		}
		if kind == editReplace {
			if err := x.e.append(x.with[x.ri : x.ri+1]); err != nil {
				return err
			}
			x.ri++
		} else {
			x.di++
		}
		k += countPresent(d.present, row, row+1)
		row++
	}
	return nil
}

type editKind int

const (
	editNone editKind = iota
	editDelete
	editReplace
)

// next gives the row of the next edit before end, or end. Rows count within the row group.
func (x *splicer) next(end int64) (int64, editKind) {
	kind := editNone
	if x.di < len(x.edits.deletes) {
		if r := x.edits.deletes[x.di] - x.edits.first; r < end {
			end, kind = r, editDelete
		}
	}
	if x.ri < len(x.edits.replaces) {
		if r := x.edits.replaces[x.ri] - x.edits.first; r < end {
			end, kind = r, editReplace
		}
	}
	return end, kind
}

// keep appends the rows [i, j) of a page, whose first value is value k, and gives the k behind them.
func (x *splicer) keep(d *decoded, i, j, k int) (int, error) {
	for i < j {
		end, null := j, false
		if d.present != nil {
			null = d.present[i] == 0
			for end = i + 1; end < j && (d.present[end] == 0) == null; {
				end++
			}
		}
		var err error
		switch {
		case null:
			err = x.e.appendNullRun(end - i)
		case d.indices != nil:
			err = x.keepIndexed(d, k, k+end-i)
			k += end - i
		default:
			err = x.e.appendVector(d.values, k, k+end-i)
			k += end - i
		}
		if err != nil {
			return k, err
		}
		i = end
	}
	return k, nil
}

func (x *splicer) keepIndexed(d *decoded, i, j int) error {
	if x.e.adopted && !x.e.plain {
		return x.e.appendAdopted(d.values, d.indices[i:j])
	}
	if x.trans == nil {
		x.trans = slices.Repeat([]int32{-1}, d.values.len())
	}
	return x.e.appendIndexed(d.values, d.indices[i:j], x.trans)
}

// countPresent counts the values among the rows [i, j).
func countPresent(present []byte, i, j int) int {
	if present == nil {
		return j - i
	}
	n := 0
	for _, p := range present[i:j] {
		n += int(p)
	}
	return n
}

// appendNullRun adds NULLs, page by page.
func (e *encoder) appendNullRun(n int) error {
	for n > 0 {
		m := min(n, pageRows-e.rows)
		e.appendNulls(m)
		if err := e.flushFull(); err != nil {
			return err
		}
		n -= m
	}
	return nil
}

// appendVector adds the values [i, j) of v.
func (e *encoder) appendVector(v *vector, i, j int) error {
	for i < j {
		n := min(j-i, pageRows-e.rows)
		switch v.kind {
		case parquet.ByteArray:
			for n > 1 && int(v.ends[i+n]-v.ends[i])+4*n > pageBytes {
				n /= 2
			}
		case parquet.FixedLenByteArray:
			n = min(n, max(1, pageBytes/v.width))
		case parquet.Boolean, parquet.Int32, parquet.Int64, parquet.Int96, parquet.Float, parquet.Double:
		}
		e.values.appendFrom(v, i, i+n)
		e.appendPresent(n)
		e.seal()
		if err := e.flushFull(); err != nil {
			return err
		}
		i += n
	}
	return nil
}

// appendAdopted adds values of the dictionary that the chunk keeps.
func (e *encoder) appendAdopted(old *vector, indices []int32) error {
	for len(indices) > 0 && !e.plain {
		n := min(len(indices), pageRows-e.rows)
		e.indices = append(e.indices, indices[:n]...)
		e.appendPresent(n)
		indices = indices[n:]
		if err := e.flushFull(); err != nil {
			return err
		}
	}
	return e.appendIndexed(old, indices, nil)
}

// appendIndexed adds values of an old dictionary. trans remembers where each is in the new one, so that
// a value is looked up once per chunk.
func (e *encoder) appendIndexed(old *vector, indices, trans []int32) error {
	for len(indices) > 0 {
		n := min(len(indices), pageRows-e.rows, 512)
		if e.room() {
			e.seal()
			for _, i := range indices[:n] {
				if trans[i] < 0 {
					trans[i] = e.dict.one(old, int(i))
				}
				e.indices = append(e.indices, trans[i])
			}
		} else {
			n = 0
			for n < len(indices) && e.rows+n < pageRows && e.values.plainBytes() < pageBytes {
				e.values.appendFrom(old, int(indices[n]), int(indices[n])+1)
				n++
			}
		}
		e.appendPresent(n)
		indices = indices[n:]
		if err := e.flushFull(); err != nil {
			return err
		}
	}
	return nil
}

// addValue gives the index of a value.
func (d *dict) addValue(v parquet.Value) int32 {
	d.hashAll()
	switch d.values.kind {
	case parquet.Int32:
		return d.addInt32(v.Int32())
	case parquet.Float:
		return d.addInt32(int32(math.Float32bits(v.Float())))
	case parquet.Int64:
		return d.addInt64(v.Int64())
	case parquet.Double:
		return d.addInt64(int64(math.Float64bits(v.Double())))
	case parquet.Int96:
		var b [12]byte
		return d.addBytes(appendPlain(b[:0], v))
	case parquet.Boolean, parquet.ByteArray, parquet.FixedLenByteArray:
	}
	return d.addBytes(v.ByteArray())
}

// one gives the index of value i of v.
func (d *dict) one(v *vector, i int) int32 {
	d.hashAll()
	switch v.kind {
	case parquet.Int32, parquet.Float:
		return d.addInt32(v.i32[i])
	case parquet.Int64, parquet.Double:
		return d.addInt64(v.i64[i])
	case parquet.Boolean, parquet.Int96, parquet.ByteArray, parquet.FixedLenByteArray:
	}
	return d.addBytes(v.bytes(i))
}

// coding writes a chunk as the file's own chunk is written: the same codec, and an encoding that
// every reader of the old one has.
func (c *chunk) coding(t Type) (coding, error) {
	k := coding{codec: c.codec, encoding: encPlain}
	_, meta, err := c.trees()
	if err != nil {
		return k, err
	}
	encodings, err := meta.ints(colEncodings, tI32)
	if err != nil {
		return k, err
	}
	for _, e := range encodings {
		switch e {
		case encPlainDictionary, encDictionary:
			k.dict = t.Physical != parquet.Boolean
		case encDelta:
			if t.Physical == parquet.Int32 || t.Physical == parquet.Int64 {
				k.encoding = e
			}
		case encDeltaLength, encDeltaBytes:
			if t.Physical == parquet.ByteArray {
				k.encoding = e
			}
		case encByteStreamSplit:
			if t.Physical != parquet.Boolean && t.Physical != parquet.Int96 && t.Physical != parquet.ByteArray {
				k.encoding = e
			}
		}
	}
	return k, nil
}
