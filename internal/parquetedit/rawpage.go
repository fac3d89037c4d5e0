package parquetedit

import (
	"bytes"
	"math"
	"slices"

	"github.com/parquet-go/parquet-go"
)

// keepRaw takes over the bytes of a page whose rows are all kept and in which no edit changes anything: neither
// encoding nor compression is done again. It says whether it did.
func (x *splicer) keepRaw(first int64, d *decoded) bool {
	replaced, same := x.unchanged(first, d)
	if !same || !x.e.takesRaw(d) {
		return false
	}
	x.e.appendRaw(d)
	x.ri += replaced
	return true
}

// unchanged counts the replaced rows of a page, and says whether each has the value already and none is deleted.
func (x *splicer) unchanged(first int64, d *decoded) (replaced int, same bool) {
	end := first + int64(d.rows) + x.edits.first
	if x.di < len(x.edits.deletes) && x.edits.deletes[x.di] < end {
		return 0, false
	}
	row, k := 0, 0
	for _, r := range x.edits.replaces[x.ri:] {
		if r >= end {
			break
		}
		at := int(r - x.edits.first - first)
		k += d.countPresent(row, at)
		row = at
		if !d.is(at, k, x.with[x.edits.base+x.ri+replaced]) {
			return 0, false
		}
		replaced++
	}
	return replaced, true
}

// is says whether a row, whose value is value k when it is not NULL, holds exactly v.
func (d *decoded) is(row, k int, v parquet.Value) bool {
	if d.present != nil && d.present[row] == 0 || v.IsNull() {
		return d.present != nil && d.present[row] == 0 && v.IsNull()
	}
	if d.indices != nil {
		k = int(d.indices[k])
	}
	switch o := d.values; o.kind {
	case parquet.Boolean:
		return v.Boolean() == (o.raw[k] != 0)
	case parquet.Int32:
		return v.Int32() == o.i32[k]
	case parquet.Int64:
		return v.Int64() == o.i64[k]
	case parquet.Float:
		return int32(math.Float32bits(v.Float())) == o.i32[k]
	case parquet.Double:
		return int64(math.Float64bits(v.Double())) == o.i64[k]
	case parquet.Int96:
		return v.Int96() == o.value(k).Int96()
	case parquet.ByteArray, parquet.FixedLenByteArray:
		return bytes.Equal(v.ByteArray(), o.bytes(k))
	}
	return false
}

// adopt begins the chunk's dictionary with the old one, entry for entry, so that pages with its indices stay as they are.
// A dictionary that is half full of what may be in use no more is made anew instead.
func (e *encoder) adopt(old *vector) {
	if e.dict == nil || e.adopted || len(e.dict.hashes) > 0 || old.plainBytes() > dictMaxBytes/2 {
		return
	}
	e.dict.add(nil, old, 0, old.len())
	e.adopted = e.dict.values.len() == old.len()
}

// takesRaw says whether the page may follow those that are finished.
func (e *encoder) takesRaw(d *decoded) bool {
	if e.rows > 0 || d.page.typ != dataPage {
		return false
	}
	if d.indices != nil {
		return e.dict != nil && e.adopted
	}
	return d.page.encoding == e.coding.encoding
}

// appendRaw adds a page as it is in the old file. The encoder has no page begun.
func (e *encoder) appendRaw(d *decoded) {
	p := donePage{
		bytes: slices.Clone(d.raw), length: len(d.raw), header: len(d.raw) - len(d.page.body),
		uncompressed: d.page.uncompressed, rows: d.rows, nulls: d.rows - d.countPresent(0, d.rows),
	}
	switch {
	case d.indices != nil:
		e.indices = append(e.indices[:0], d.indices...)
		p.bounds = e.dictBounds()
		e.indices = e.indices[:0]
		e.dictPages++
		e.legacy = e.legacy || d.page.encoding == encPlainDictionary
	case p.nulls < p.rows:
		p.bounds = vectorBounds(d.values, e.column.Type)
	}
	e.pages, e.bytes = append(e.pages, p), e.bytes+p.size()
}

// settle ends a page that is large enough where a page of the old file ends, so that the next one may stay as it is.
func (e *encoder) settle() error {
	if e.rows < pageRows/4 && e.values.plainBytes() < pageBytes/4 {
		return nil
	}
	return e.flush()
}
