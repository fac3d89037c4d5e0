package parquetedit

import (
	"bytes"
	"math"

	"github.com/parquet-go/parquet-go"
)

// start decides, at the first page of the old chunk, whether the new one keeps its dictionary, so that pages with indices
// may stay as they are. A dictionary that is half full of what may be in use no more is made anew instead, when most
// pages are.
func (x *splicer) start(dict *dictAt) {
	e := x.e
	if e.begun {
		return
	}
	e.begun = true
	if e.dict != nil && dict != nil && (dict.uncompressed <= dictMaxBytes/2 || !x.edits.most()) {
		e.oldDict, e.adopted = dict, true
	}
}

// most says whether there is an edit in most pages, were all of them of the usual size.
func (e *edits) most() bool {
	touched, last := int64(0), int64(-1)
	for _, rows := range [][]int64{e.deletes, e.replaces} {
		for _, r := range rows {
			if page := r / pageRows; page != last {
				touched, last = touched+1, page
			}
		}
	}
	return 2*touched > (e.to-e.from)/pageRows
}

// keepRaw takes over the bytes of a page whose rows are all kept and in which no edit changes anything: neither
// encoding nor compression is done again. It says whether it did.
func (x *splicer) keepRaw(p *pageAt, o *opened, d *decoded) (bool, error) {
	replaced, same := x.unchanged(p.first, d)
	if !same {
		return false, nil
	}
	x.ri += replaced
	return true, x.stay(p, o, d)
}

// stay takes over the bytes of a page. Its values are only looked at when nobody tells their bounds; d is nil when they have
// not been so far.
func (x *splicer) stay(p *pageAt, o *opened, d *decoded) error {
	known, _ := x.old.known(p)
	if nulls := o.rows - o.n; known.nulls != nulls {
		known.nulls, known.bounded = nulls, false
	}
	if !known.bounded {
		if d == nil {
			var err error
			if d, err = p.decode(o); err != nil {
				return err
			}
		}
		known.bounds, known.bounded = x.e.decodedBounds(d), true
	}
	x.e.appendRaw(p, known)
	return nil
}

// decodedBounds are the bounds of the values that the page holds.
func (e *encoder) decodedBounds(d *decoded) bounds {
	if d.indices == nil {
		return vectorBounds(d.values, e.column.Type)
	}
	return e.dictBounds(d.indices)
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
		k += countPresent(d.present, row, at)
		row = at
		if !d.is(at, k, x.with[x.ri+replaced]) {
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
	return d.values.is(k, v)
}

// is says whether value k is exactly v.
func (o *vector) is(k int, v parquet.Value) bool {
	switch o.kind {
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

// loadDict gives the chunk's dictionary the values of the old one, when a page needs them.
func (e *encoder) loadDict(old *vector) {
	if e.dict.values.len() == 0 {
		e.dict.take(*old)
	}
}

// takesRaw says whether the page may follow those that are finished.
func (e *encoder) takesRaw(p *page) bool {
	switch {
	case e.rows > 0:
		return false
	case p.hasIndices():
		return e.adopted
	}
	return p.encoding >= encPlain && p.encoding <= encByteStreamSplit
}

// appendRaw adds a page as it is in the old file. The encoder has no page begun.
func (e *encoder) appendRaw(p *pageAt, known pageFacts) {
	done := donePage{
		bytes: p.raw, length: len(p.raw), header: len(p.raw) - len(p.body), uncompressed: p.uncompressed,
		version: p.typ, encoding: p.encoding, rows: p.values, pageFacts: known,
	}
	if p.hasIndices() {
		e.dictPages++
	}
	e.hold(p.block)
	e.pages, e.bytes = append(e.pages, done), e.bytes+done.size()
}

// small says whether rows that follow go into the page.
func (p *page) small() bool { return p.values < pageRows/4 && p.uncompressed < pageBytes/4 }

// settle ends the page begun where a page of the old file ends, of which so many rows were taken, so that the next one may
// stay as it is. What is left of a page that lost most of its rows goes together with the next.
func (e *encoder) settle(taken int) error {
	if e.rows < pageRows/4 && e.values.plainBytes() < pageBytes/4 && 2*e.rows < taken {
		return nil
	}
	return e.flush()
}

// setPlain says whether the pages from here on do without the dictionary that the chunk keeps.
func (e *encoder) setPlain(plain bool) error {
	if e.plain == plain {
		return nil
	}
	if err := e.flush(); err != nil {
		return err
	}
	e.plain = plain
	return nil
}
