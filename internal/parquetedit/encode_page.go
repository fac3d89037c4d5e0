package parquetedit

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
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

func (e *encoder) encodeIndices() error {
	width := e.dict.width()
	e.body = append(e.body, byte(width))
	indices := rle.Encoding{BitWidth: width}
	b, err := indices.EncodeInt32(e.scratch, e.indices)
	if err != nil {
		return err
	}
	e.scratch, e.body = b, append(e.body, b...)
	return nil
}

// dictBounds gives the bounds of the dictionary entries that the page uses.
func (e *encoder) dictBounds() bounds {
	if e.column.Type.order() == noOrder || len(e.indices) == 0 {
		return bounds{}
	}
	e.seen = append(e.seen, make([]uint32, max(0, e.dict.values.len()-len(e.seen)))...)
	mark := uint32(e.dictPages + 1)
	if e.used.kind != e.values.kind || e.used.width != e.values.width {
		e.used = newVector(e.column.Type)
	}
	e.used.reset()
	if e.dictPages == 0 {
		clear(e.seen)
	}
	for _, i := range e.indices {
		if e.seen[i] != mark {
			e.seen[i] = mark
			e.used.appendFrom(&e.dict.values, int(i), int(i)+1)
		}
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

// finishPage compresses the body, but for its first bytes, and puts the header before it.
func (e *encoder) finishPage(p *donePage, h tree, first int) error {
	b, err := e.k.compress(e.coding.codec, e.scratch, e.body[first:])
	if err != nil {
		return fmt.Errorf("column %q: %w", e.column.Name, err)
	}
	e.scratch = b
	if len(b) > 1<<31-1 || len(e.body) > 1<<31-1 {
		return fmt.Errorf("column %q: %w: page of %d bytes", e.column.Name, ErrTooLarge, len(e.body))
	}
	crc := crc32.Update(crc32.ChecksumIEEE(e.body[:first]), crc32.IEEETable, b)
	h = h.with(
		i32Field(pageUncompressed, int64(len(e.body))),
		i32Field(pageCompressed, int64(first+len(b))),
		i32Field(pageCRC, int64(int32(crc))),
	)
	p.bytes = h.encode(make([]byte, 0, first+len(b)+64))
	p.header = len(p.bytes)
	p.bytes = append(append(p.bytes, e.body[:first]...), b...)
	p.length = len(p.bytes)
	p.uncompressed = len(e.body)
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
