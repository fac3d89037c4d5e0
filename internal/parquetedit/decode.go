package parquetedit

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/encoding/bytestreamsplit"
	"github.com/parquet-go/parquet-go/encoding/delta"
)

// decoded is a data page taken apart. The vectors belong to the decoder and change with the next page.
type decoded struct {
	rows    int
	present []byte  // a byte per row, 1 for a value, 0 for NULL; nil when no row is NULL
	values  *vector // the values of the page, or of the dictionary
	indices []int32 // for a dictionary page: value k is values[indices[k]]
}

// decoder reads the pages of one column chunk. It is not safe for concurrent use.
type decoder struct {
	column Column
	codec  codec
	k      *decompressor
	budget int64 // bytes that may still be decompressed

	buf     []byte
	present []byte
	indices []int32
	values  vector
	dict    vector
	hasDict bool
	later   *page // the dictionary, until the first page that needs it
}

func newDecoder(column Column, c *chunk, k *decompressor) *decoder {
	// Writers count differently what a chunk is uncompressed, but not by more than this.
	x := &decoder{column: column, codec: c.codec, k: k, budget: 2*c.uncompressed + 1<<20, values: newVector(column.Type)}
	x.buf, x.present, x.indices = k.buf, k.present, k.indices
	x.values.i32, x.values.i64, x.values.raw = k.values.i32[:0], k.values.i64[:0], k.values.raw[:0]
	if x.values.ends != nil {
		x.values.ends = append(k.values.ends[:0], 0)
	}
	return x
}

// end leaves the memory of the pages to the next decoder, and says so to whoever has the decompressor.
func (x *decoder) end() *decompressor {
	ends := x.k.values.ends
	x.k.buf, x.k.present, x.k.indices, x.k.values = x.buf, x.present, x.indices, x.values
	if x.values.ends == nil {
		x.k.values.ends = ends
	}
	return x.k
}

// next reads the page at the start of b. d is nil when it is no data page.
func (x *decoder) next(b []byte) (d *decoded, n int, err error) {
	p, n, err := readPage(b)
	switch {
	case err != nil:
		return nil, 0, err
	case p.typ == dictPage:
		if err := x.setDict(&p); err != nil {
			return nil, 0, err
		}
		return nil, n, x.takeDict() // b may change
	case p.isData():
		d, err = x.take(&p)
		return d, n, err
	}
	return nil, n, nil
}

// setDict is the dictionary for the pages that follow. It is taken apart when one of them needs it.
func (x *decoder) setDict(p *page) error {
	if x.hasDict || x.later != nil || !isDictionary(p.encoding) && p.encoding != encPlain {
		return corrupt("dictionary page")
	}
	x.later = p
	return nil
}

// opened is a data page whose levels were read, and whose values lie in its body as its encoding has them.
type opened struct {
	rows, n int    // of these are values, the others NULL
	present []byte // as decoded has it
	body    []byte // decompressed; it belongs to the decoder, or to the page itself
	levels  int    // bytes of it before the values
}

// take takes a data page apart.
func (x *decoder) take(p *page) (*decoded, error) {
	o, err := x.open(p)
	if err != nil {
		return nil, err
	}
	return x.decode(p, &o)
}

// open reads the levels of a data page.
func (x *decoder) open(p *page) (o opened, err error) {
	if p.hasIndices() {
		if err := x.takeDict(); err != nil {
			return o, err
		}
	}
	if o.body, err = x.body(p); err != nil {
		return o, err
	}
	o.rows = p.values
	rest, n, err := x.levels(p, &o)
	o.n, o.levels = n, len(o.body)-len(rest)
	return o, err
}

// takeDict takes the dictionary apart, unless it was or there is none.
func (x *decoder) takeDict() error {
	if x.later == nil {
		return nil
	}
	p := x.later
	x.later = nil
	body, err := x.body(p)
	if err != nil {
		return err
	}
	x.dict, x.hasDict = newVector(x.column.Type), true
	return plainValues(&x.dict, body, p.values)
}

// body checks a page and decompresses it.
func (x *decoder) body(p *page) ([]byte, error) {
	if p.hasCRC && crc32.ChecksumIEEE(p.body) != p.crc {
		return nil, corrupt("page checksum")
	}
	if x.budget -= int64(p.uncompressed); x.budget < 0 {
		return nil, corrupt("the pages hold more bytes than the footer declares")
	}
	return x.decompress(p)
}

// decompress gives the body of the page with room behind it for the bit unpacking. The levels of a V2
// page are never compressed.
func (x *decoder) decompress(p *page) ([]byte, error) {
	if x.codec == codecNone || p.plain {
		if len(p.body) != p.uncompressed {
			return nil, corrupt("page of %d bytes, its header says %d", len(p.body), p.uncompressed)
		}
		return p.body, nil
	}
	const room = 64
	if cap(x.buf) < p.uncompressed+room {
		x.buf = make([]byte, p.uncompressed+p.uncompressed/8+room)
	}
	body := x.buf[:p.uncompressed]
	levels := p.defBytes + p.repBytes
	if levels > len(p.body) || levels > len(body) {
		return nil, corrupt("levels of %d bytes in a page of %d", levels, len(p.body))
	}
	copy(body, p.body[:levels])
	return body, x.k.decompress(x.codec, body[levels:], p.body[levels:])
}

// decode reads the values of a page.
func (x *decoder) decode(p *page, o *opened) (*decoded, error) {
	d := &decoded{rows: o.rows, present: o.present}
	body, n := o.body[o.levels:], o.n
	x.values.reset()
	d.values = &x.values
	if n == 0 {
		return d, nil // some writers then leave out the dictionary, and the header of the encoding
	}
	if p.hasIndices() {
		if err := x.unpack(d, body, n); err != nil {
			return nil, err
		}
		return d, d.check()
	}
	if err := decodeValues(&x.values, p.encoding, body, n); err != nil {
		return nil, err
	}
	if x.values.len() != n {
		return nil, corrupt("%d values in a page of %d", x.values.len(), n)
	}
	return d, nil
}

// levels reads the definition levels, gives what is behind them and the number of values.
func (x *decoder) levels(p *page, o *opened) ([]byte, int, error) {
	body := o.body
	if p.typ == dataPageV2 {
		body = body[p.repBytes:]
	}
	if x.column.Required {
		return body[p.defBytes:], p.values, nil
	}
	var err error
	n := 0
	switch {
	case p.typ == dataPageV2 && allPresent(body[:p.defBytes], p.values):
		return body[p.defBytes:], p.values, nil
	case p.typ == dataPageV2:
		x.present, n, err = presence(x.present, body[:p.defBytes], p.values)
		body = body[p.defBytes:]
	case p.levels == encBitPacked:
		x.present, n, err = bitPresence(x.present, body, p.values)
		body = body[min(len(body), (p.values+7)/8):]
	case p.levels == encRLE:
		if len(body) < 4 || uint64(binary.LittleEndian.Uint32(body)) > uint64(len(body)-4) {
			return nil, 0, corrupt("definition levels beyond the page")
		}
		size := int(binary.LittleEndian.Uint32(body))
		if allPresent(body[4:4+size], p.values) {
			return body[4+size:], p.values, nil
		}
		x.present, n, err = presence(x.present, body[4:4+size], p.values)
		body = body[4+size:]
	default:
		return nil, 0, fmt.Errorf("%w: definition levels in %d", ErrEncoding, p.levels)
	}
	if n < p.values {
		o.present = x.present
	}
	return body, n, err
}

// unpack reads indices, of whatever dictionary.
func (x *decoder) unpack(d *decoded, body []byte, n int) error {
	if !x.hasDict {
		return corrupt("dictionary indices without a dictionary")
	}
	d.values = &x.dict
	var err error
	if len(body) == 0 {
		return corrupt("dictionary indices without width")
	}
	x.indices, err = hybrid(x.indices, body[1:], int(body[0]), n)
	d.indices = x.indices
	return err
}

// check says whether every index is one of the dictionary.
func (d *decoded) check() error {
	size := uint32(d.values.len())
	for _, i := range d.indices {
		if uint32(i) >= size {
			return corrupt("dictionary index %d of %d", uint32(i), size)
		}
	}
	return nil
}

// decodeValues reads n values into an empty vector.
func decodeValues(v *vector, encoding int64, b []byte, n int) error {
	switch encoding {
	case encPlain:
		return plainValues(v, b, n)
	case encDelta:
		return deltaValues(v, b, n)
	case encDeltaLength:
		return deltaLengthValues(v, b, n)
	case encDeltaBytes:
		return deltaByteValues(v, b, n)
	case encByteStreamSplit:
		return splitValues(v, b, n)
	case encRLE:
		if v.kind == parquet.Boolean && len(b) >= 4 {
			return rleBooleans(v, b[4:], n)
		}
	}
	return fmt.Errorf("%w: %d for %v", ErrEncoding, encoding, v.kind)
}

func rleBooleans(v *vector, b []byte, n int) error {
	var err error
	v.raw, _, err = presence(v.raw, b, n)
	return err
}

func splitValues(v *vector, b []byte, n int) error {
	var e bytestreamsplit.Encoding
	var err error
	switch v.kind {
	case parquet.Int32, parquet.Float:
		if len(b) != 4*n {
			return corrupt("byte stream split: %d bytes for %d values", len(b), n)
		}
		v.i32, err = e.DecodeInt32(v.i32, b)
	case parquet.Int64, parquet.Double:
		if len(b) != 8*n {
			return corrupt("byte stream split: %d bytes for %d values", len(b), n)
		}
		v.i64, err = e.DecodeInt64(v.i64, b)
	case parquet.FixedLenByteArray:
		if len(b) != v.width*n {
			return corrupt("byte stream split: %d bytes for %d values", len(b), n)
		}
		v.raw, err = e.DecodeFixedLenByteArray(v.raw, b, v.width)
	case parquet.Boolean, parquet.Int96, parquet.ByteArray:
		return fmt.Errorf("%w: byte stream split for %v", ErrEncoding, v.kind)
	}
	if err != nil {
		return corrupt("%v", err)
	}
	return nil
}

func deltaValues(v *vector, b []byte, n int) error {
	var e delta.BinaryPackedEncoding
	bits := 64
	if v.kind == parquet.Int32 {
		bits = 32
	}
	if _, err := deltaSize(b, n, bits); err != nil {
		return err
	}
	var err error
	switch v.kind {
	case parquet.Int32:
		v.i32, err = e.DecodeInt32(v.i32, b)
	case parquet.Int64:
		v.i64, err = e.DecodeInt64(v.i64, b)
	case parquet.Boolean, parquet.Int96, parquet.Float, parquet.Double, parquet.ByteArray, parquet.FixedLenByteArray:
		return fmt.Errorf("%w: delta for %v", ErrEncoding, v.kind)
	}
	if err != nil {
		return corrupt("%v", err)
	}
	return nil
}
