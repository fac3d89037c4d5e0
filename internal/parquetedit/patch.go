package parquetedit

import (
	"bytes"
	"encoding/binary"
	"math"

	"github.com/parquet-go/parquet-go"
)

// spot is a replaced row that had a value and has one again.
type spot struct {
	k    int // the value's number among those of the page
	with int // the new one's among those of the splicer
	at   int // where a value of varying length lies
}

// patch takes over a page that keeps its rows, with the new values put where the old ones lie: nothing else of it is
// decoded or encoded. It stays as it is when every value is there already. patch says whether it did: not where a row
// begins or ceases to be NULL, and not in encodings whose values depend on each other.
func (x *splicer) patch(p *pageAt, o *opened) (bool, error) {
	replaced, ok := x.find(p, o)
	if !ok {
		return false, nil
	}
	var done bool
	var err error
	switch kind := x.e.values.kind; {
	case p.hasIndices():
		done, err = x.patchIndices(p, o)
	case p.encoding != encPlain || kind == parquet.Boolean:
	case kind == parquet.ByteArray:
		done, err = x.patchBytes(p, o)
	default:
		done, err = true, x.patchFixed(p, o)
	}
	if done {
		x.ri += replaced
	}
	return done, err
}

// find finds the values to replace, and counts the rows to replace. It is false for a page that cannot be patched.
func (x *splicer) find(p *pageAt, o *opened) (replaced int, ok bool) {
	end := p.first + int64(o.rows) + x.edits.first
	switch {
	case x.di < len(x.edits.deletes) && x.edits.deletes[x.di] < end:
		return 0, false
	case o.rows > pageRows || len(o.body) > 2*pageBytes || p.repBytes > 0: // is to be divided, or nested
		return 0, false
	case p.typ == dataPage && !x.e.column.Required && p.levels != encRLE:
		return 0, false
	}
	x.spots = x.spots[:0]
	row, k := 0, 0
	for _, r := range x.edits.replaces[x.ri:] {
		if r >= end {
			break
		}
		at := int(r - x.edits.first - p.first)
		k += countPresent(o.present, row, at)
		row = at
		null := o.present != nil && o.present[at] == 0
		if null != x.with[x.ri+replaced].IsNull() {
			return 0, false
		}
		if !null {
			x.spots = append(x.spots, spot{k: k, with: x.ri + replaced})
		}
		replaced++
	}
	return replaced, true
}

// patchIndices is patch for a page of indices into the dictionary that the chunk keeps.
func (x *splicer) patchIndices(p *pageAt, o *opened) (bool, error) {
	d, err := p.unpack(o)
	if err != nil {
		return false, err
	}
	if err := x.e.setPlain(false); err != nil {
		return false, err
	}
	x.e.loadDict(&p.x.dict)
	changed, size := false, d.values.len()
	for _, s := range x.spots {
		i := int(uint32(d.indices[s.k]))
		changed = changed || i >= size || !d.values.is(i, x.with[s.with])
	}
	if !changed {
		return true, x.stay(p, o, nil)
	}
	if err := d.check(); err != nil {
		return false, err
	}
	for _, s := range x.spots {
		if !x.e.room() {
			return false, nil
		}
		d.indices[s.k] = x.e.dict.addValue(x.with[s.with])
	}
	e := x.e
	e.body = append(e.body[:0], o.body[:o.levels]...)
	if err := e.encodeIndices(d.indices); err != nil {
		return false, err
	}
	e.dictPages++
	return true, e.finishData(e.body, o.levels, donePage{
		encoding: encDictionary, rows: o.rows, pageFacts: pageFacts{nulls: o.rows - o.n, bounds: e.dictBounds(d.indices), bounded: true},
	})
}

// patchFixed is patch for values of one size.
func (x *splicer) patchFixed(p *pageAt, o *opened) error {
	e, width := x.e, x.e.values.fixedBytes()
	values := o.body[o.levels:]
	if len(values)/width < o.n {
		return corrupt("%d bytes for %d values", len(values), o.n)
	}
	values = values[:o.n*width]
	changed := false
	for _, s := range x.spots {
		x.plain = appendPlain(x.plain[:0], x.with[s.with])
		if old := values[s.k*width:][:width]; !bytes.Equal(old, x.plain) {
			copy(old, x.plain)
			changed = true
		}
	}
	if !changed {
		return x.stay(p, o, nil)
	}
	return e.finishData(o.body[:o.levels+len(values)], o.levels, donePage{
		encoding: encPlain, rows: o.rows, pageFacts: pageFacts{nulls: o.rows - o.n, bounds: e.fixedBounds(values), bounded: true},
	})
}

// patchBytes is patch for values that stand behind their lengths.
func (x *splicer) patchBytes(p *pageAt, o *opened) (bool, error) {
	values := o.body[o.levels:]
	changed, err := x.seek(values)
	if err != nil {
		return false, err
	}
	if !changed {
		return true, x.stay(p, o, nil)
	}
	e := x.e
	body, from := append(e.body[:0], o.body[:o.levels]...), 0
	for _, s := range x.spots {
		body = append(body, values[from:s.at]...)
		body = appendPlain(body, x.with[s.with])
		from = s.at + 4 + int(binary.LittleEndian.Uint32(values[s.at:]))
	}
	e.body = append(body, values[from:]...)
	if len(e.body) > 2*pageBytes {
		return false, nil
	}
	size, b, err := plainBounds(e.body[o.levels:], o.n, e.column.Type)
	if err != nil {
		return false, err
	}
	return true, e.finishData(e.body[:o.levels+size], o.levels, donePage{
		encoding: encPlain, rows: o.rows, pageFacts: pageFacts{nulls: o.rows - o.n, bounds: b, bounded: true},
	})
}

// seek finds where the values of the spots lie, and says whether one of them is another than it will be.
func (x *splicer) seek(values []byte) (changed bool, err error) {
	at, k := 0, 0
	for i := range x.spots {
		s := &x.spots[i]
		for ; k < s.k && len(values)-at >= 4; k++ {
			at += 4 + int(binary.LittleEndian.Uint32(values[at:]))
		}
		if at > len(values) {
			return false, corrupt("value beyond the page")
		}
		v, err := plainBytes(values[at:])
		if err != nil {
			return false, err
		}
		s.at = at
		changed = changed || string(v) != string(x.with[s.with].ByteArray())
	}
	return changed, nil
}

// plainBytes is the first of some byte arrays.
func plainBytes(b []byte) ([]byte, error) {
	if len(b) < 4 {
		return nil, corrupt("value beyond the page")
	}
	size := binary.LittleEndian.Uint32(b)
	if uint64(size) > uint64(len(b)-4) {
		return nil, corrupt("value of %d bytes, %d are left", size, len(b)-4)
	}
	return b[4 : 4+size], nil
}

// plainBounds gives the bounds of n byte arrays, none when they have no order, and how many bytes they take.
func plainBounds(b []byte, n int, t Type) (size int, bs bounds, err error) {
	var lo, hi []byte
	var loHead, hiHead uint64
	ordered := t.order() == bytesOrder
	for k := range n {
		v, err := plainBytes(b[size:])
		if err != nil {
			return 0, bs, err
		}
		size += 4 + len(v)
		if !ordered {
			continue
		}
		switch h := head(v); {
		case k == 0:
			lo, hi, loHead, hiHead = v, v, h, h
		case h <= loHead && bytes.Compare(v, lo) < 0:
			lo, loHead = v, h
		case h >= hiHead && bytes.Compare(v, hi) > 0:
			hi, hiHead = v, h
		}
	}
	if !ordered || n == 0 {
		return size, bs, nil
	}
	return size, bounds{ok: true, min: bytes.Clone(lo), max: bytes.Clone(hi)}, nil
}

// head is the first bytes as a number: that of the lesser of two is not the greater.
func head(b []byte) uint64 {
	if len(b) >= 8 {
		return binary.BigEndian.Uint64(b)
	}
	var first [8]byte
	copy(first[:], b)
	return binary.BigEndian.Uint64(first[:])
}

// fixedBounds gives the bounds of values of one size. The encoder has no page begun.
func (e *encoder) fixedBounds(b []byte) bounds {
	if len(b) == 0 || e.column.Type.order() == noOrder {
		return bounds{}
	}
	if v := &e.values; e.column.Type.order() == signedOrder {
		return signedBounds(b, v.fixedBytes())
	} else if v.kind != parquet.FixedLenByteArray {
		defer v.reset()
		if err := plainValues(v, b, len(b)/v.fixedBytes()); err != nil {
			return bounds{}
		}
		return vectorBounds(v, e.column.Type)
	}
	return vectorBounds(&vector{kind: e.values.kind, width: e.values.width, raw: b}, e.column.Type)
}

// signedBounds gives the bounds of integers of four or eight bytes.
func signedBounds(b []byte, width int) bounds {
	lo, hi := int64(math.MaxInt64), int64(math.MinInt64)
	if width == 4 {
		for ; len(b) >= 4; b = b[4:] {
			v := int64(int32(binary.LittleEndian.Uint32(b)))
			lo, hi = min(lo, v), max(hi, v)
		}
		return bounds32(uint32(lo), uint32(hi))
	}
	for ; len(b) >= 8; b = b[8:] {
		v := int64(binary.LittleEndian.Uint64(b))
		lo, hi = min(lo, v), max(hi, v)
	}
	return bounds64(uint64(lo), uint64(hi))
}

// fixedBytes is the size of a value in the PLAIN encoding, where it is the same for all.
func (v *vector) fixedBytes() int {
	switch v.kind {
	case parquet.Int32, parquet.Float:
		return 4
	case parquet.Int64, parquet.Double:
		return 8
	case parquet.Boolean, parquet.Int96, parquet.FixedLenByteArray, parquet.ByteArray:
	}
	return v.width
}
