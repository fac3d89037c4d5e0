package parquetedit

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"math"
	"slices"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/encoding/bytestreamsplit"
	"github.com/parquet-go/parquet-go/encoding/delta"
	"github.com/parquet-go/parquet-go/encoding/plain"
	"github.com/parquet-go/parquet-go/encoding/rle"
)

// encodeLevels appends the definition levels to the body, behind their length in a V1 page.
func (e *encoder) encodeLevels() error {
	at := len(e.body)
	if !e.v2 {
		e.body = append(e.body, 0, 0, 0, 0)
	}
	if e.nulls == 0 {
		e.body = append(binary.AppendUvarint(e.body, uint64(e.rows)<<1), 1)
	} else {
		levels := rle.Encoding{BitWidth: 1}
		b, err := levels.EncodeLevels(e.scratch, e.present)
		if err != nil {
			return err
		}
		e.scratch, e.body = b, append(e.body, b...)
	}
	if !e.v2 {
		binary.LittleEndian.PutUint32(e.body[at:], uint32(len(e.body)-at-4))
	}
	return nil
}

func (e *encoder) encodeIndices(indices []int32) error {
	width := e.dict.width()
	e.body = append(e.body, byte(width))
	x := rle.Encoding{BitWidth: width}
	b, err := x.EncodeInt32(e.scratch, indices)
	if err != nil {
		return err
	}
	e.scratch, e.body = b, append(e.body, b...)
	return nil
}

// dictBounds gives the bounds of the dictionary entries that are used.
func (e *encoder) dictBounds(indices []int32) bounds {
	if e.column.Type.order() == noOrder || len(indices) == 0 {
		return bounds{}
	}
	entries := &e.dict.values
	e.seen = slices.Grow(e.seen[:0], entries.len())[:entries.len()]
	clear(e.seen)
	seen := e.seen
	for _, i := range indices {
		seen[i] = 1
	}
	if e.used.kind != e.values.kind || e.used.width != e.values.width {
		e.used = newVector(e.column.Type)
	}
	e.used.reset()
	for i := 0; i < len(seen); {
		from := i + bytes.IndexByte(seen[i:], 1)
		if from < i {
			break
		}
		i = from + 1
		for i < len(seen) && seen[i] == 1 {
			i++
		}
		e.used.appendFrom(entries, from, i)
	}
	return vectorBounds(&e.used, e.column.Type)
}

// encodeValues appends the values of the page to the body.
func (e *encoder) encodeValues(encoding int64) error {
	at := len(e.body)
	e.body = slices.Grow(e.body, e.values.plainBytes()+64) // so that most are encoded in their place
	b, err := encodeVector(e.body[at:], &e.values, encoding)
	if err != nil {
		return fmt.Errorf("column %q: %w", e.column.Name, err)
	}
	if end := at + len(b); end <= cap(e.body) && len(b) > 0 && &e.body[:end][at] == &b[0] {
		e.body = e.body[:end]
	} else {
		e.body = append(e.body, b...)
	}
	return nil
}

// encodeVector writes the values over dst[:0].
func encodeVector(dst []byte, v *vector, encoding int64) ([]byte, error) {
	switch encoding {
	case encPlain:
		return plainVector(dst, v)
	case encDelta:
		var x delta.BinaryPackedEncoding
		if v.kind == parquet.Int32 {
			return x.EncodeInt32(dst, v.i32)
		}
		return x.EncodeInt64(dst, v.i64)
	case encDeltaLength:
		var x delta.LengthByteArrayEncoding
		return x.EncodeByteArray(dst, v.raw, v.ends)
	case encDeltaBytes:
		var x delta.ByteArrayEncoding
		if v.kind == parquet.FixedLenByteArray {
			return x.EncodeFixedLenByteArray(dst, v.raw, v.width)
		}
		return x.EncodeByteArray(dst, v.raw, v.ends)
	case encByteStreamSplit:
		var x bytestreamsplit.Encoding
		switch v.kind {
		case parquet.Int32, parquet.Float:
			return x.EncodeInt32(dst, v.i32)
		case parquet.Int64, parquet.Double:
			return x.EncodeInt64(dst, v.i64)
		case parquet.Boolean, parquet.Int96, parquet.ByteArray, parquet.FixedLenByteArray:
			return x.EncodeFixedLenByteArray(dst, v.raw, v.width)
		}
	}
	return nil, fmt.Errorf("%w: %d", ErrEncoding, encoding)
}

func plainVector(dst []byte, v *vector) ([]byte, error) {
	var x plain.Encoding
	switch v.kind {
	case parquet.Boolean:
		dst = dst[:0]
		for i, b := range v.raw {
			if i&7 == 0 {
				dst = append(dst, 0)
			}
			dst[i>>3] |= b << (i & 7)
		}
		return dst, nil
	case parquet.Int32, parquet.Float:
		return x.EncodeInt32(dst, v.i32)
	case parquet.Int64, parquet.Double:
		return x.EncodeInt64(dst, v.i64)
	case parquet.ByteArray:
		return x.EncodeByteArray(dst, v.raw, v.ends)
	case parquet.Int96, parquet.FixedLenByteArray:
	}
	return append(dst[:0], v.raw...), nil
}

// finishData ends a data page. Its body begins with so many bytes of levels.
func (e *encoder) finishData(body []byte, levels int, p donePage) error {
	var err error
	if e.v2 {
		p.version = dataPageV2
		err = e.finishPage(&p, e.dataPageV2Header(&p, levels), body, levels)
	} else {
		p.version = dataPage
		err = e.finishPage(&p, dataPageHeader(p.rows, p.encoding), body, 0)
	}
	if err == nil {
		e.pages, e.bytes = append(e.pages, p), e.bytes+int64(len(p.bytes))
	}
	return err
}

// finishPage compresses the body, but for its first bytes, and puts the header before it.
func (e *encoder) finishPage(p *donePage, h tree, body []byte, first int) error {
	b, err := e.k.compress(e.coding.codec, e.scratch, body[first:])
	if err != nil {
		return fmt.Errorf("column %q: %w", e.column.Name, err)
	}
	e.scratch = b
	if len(b) > 1<<31-1 || len(body) > 1<<31-1 {
		return fmt.Errorf("column %q: %w: page of %d bytes", e.column.Name, ErrTooLarge, len(body))
	}
	crc := crc32.Update(crc32.ChecksumIEEE(body[:first]), crc32.IEEETable, b)
	h = h.with(
		i32Field(pageUncompressed, int64(len(body))),
		i32Field(pageCompressed, int64(first+len(b))),
		i32Field(pageCRC, int64(int32(crc))),
	)
	e.header = h.encode(e.header[:0])
	p.header = len(e.header)
	p.bytes = append(append(append(e.space(p.header+first+len(b)), e.header...), body[:first]...), b...)
	p.length = len(p.bytes)
	p.uncompressed = len(body)
	return nil
}

func dataPageHeader(values int, encoding int64) tree {
	return tree{i32Field(pageType, dataPage), structField(pageData, tree{
		i32Field(1, int64(values)), i32Field(2, encoding), i32Field(3, encRLE), i32Field(4, encRLE),
	})}
}

// dataPageV2Header is the header of a page whose levels, of so many bytes, are not compressed.
func (e *encoder) dataPageV2Header(p *donePage, levels int) tree {
	return tree{i32Field(pageType, dataPageV2), structField(pageDataV2, tree{
		i32Field(1, int64(p.rows)), i32Field(2, int64(p.nulls)), i32Field(3, int64(p.rows)), i32Field(4, p.encoding),
		i32Field(5, int64(levels)), i32Field(6, 0), boolField(7, e.coding.codec != codecNone),
	})}
}

// appendPlain appends a value in the PLAIN encoding of the columns that are not BOOLEAN.
func appendPlain(dst []byte, v parquet.Value) []byte {
	le := binary.LittleEndian
	switch v.Kind() {
	case parquet.Int32:
		return le.AppendUint32(dst, uint32(v.Int32()))
	case parquet.Float:
		return le.AppendUint32(dst, math.Float32bits(v.Float()))
	case parquet.Int64:
		return le.AppendUint64(dst, uint64(v.Int64()))
	case parquet.Double:
		return le.AppendUint64(dst, math.Float64bits(v.Double()))
	case parquet.Int96:
		for _, u := range v.Int96() {
			dst = le.AppendUint32(dst, u)
		}
		return dst
	case parquet.ByteArray:
		dst = le.AppendUint32(dst, uint32(len(v.ByteArray())))
	case parquet.Boolean, parquet.FixedLenByteArray:
	}
	return append(dst, v.ByteArray()...)
}
