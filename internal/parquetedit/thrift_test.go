package parquetedit_test

import (
	"encoding/binary"
	"math"
)

// record is a Thrift struct as the compact protocol has it: int64, float64, bool, []byte, []any and record by field number.
// A field that is not in it was not in the file. Reading one shares no code with what wrote it, and panics where the bytes end.
type record map[int16]any

func (r record) int(field int16) int64 { v, _ := r[field].(int64); return v }

func (r record) has(field int16) bool { _, ok := r[field]; return ok }

func (r record) record(field int16) record { v, _ := r[field].(record); return v }

func (r record) list(field int16) []any { v, _ := r[field].([]any); return v }

func (r record) bytes(field int16) []byte { v, _ := r[field].([]byte); return v }

// readRecord reads the struct at the start of b, and says how many bytes it takes.
func readRecord(b []byte) (record, int) {
	r := thriftReader{b: b}
	return r.record(), r.at
}

type thriftReader struct {
	b  []byte
	at int
}

func (r *thriftReader) byte() byte {
	r.at++
	return r.b[r.at-1]
}

func (r *thriftReader) uvarint() uint64 {
	v, n := binary.Uvarint(r.b[r.at:])
	if n <= 0 {
		panic("varint")
	}
	r.at += n
	return v
}

func (r *thriftReader) varint() int64 {
	v := r.uvarint()
	return int64(v>>1) ^ -int64(v&1)
}

func (r *thriftReader) record() record {
	out := record{}
	for field := int16(0); ; {
		h := r.byte()
		if h == 0 {
			return out
		}
		if h>>4 == 0 {
			field = int16(r.varint())
		} else {
			field += int16(h >> 4)
		}
		switch h & 15 {
		case 1, 2:
			out[field] = h&15 == 1
		default:
			out[field] = r.value(h & 15)
		}
	}
}

// value reads a value of a type of the compact protocol; a boolean as lists have it.
func (r *thriftReader) value(typ byte) any {
	switch typ {
	case 1, 2:
		return r.byte() == 1
	case 3:
		return int64(int8(r.byte()))
	case 4, 5, 6:
		return r.varint()
	case 7:
		r.at += 8
		return math.Float64frombits(binary.LittleEndian.Uint64(r.b[r.at-8:]))
	case 8:
		n := int(r.uvarint())
		r.at += n
		return r.b[r.at-n : r.at : r.at]
	case 9, 10:
		h := r.byte()
		n := uint64(h >> 4)
		if n == 15 {
			n = r.uvarint()
		}
		out := make([]any, n)
		for i := range out {
			out[i] = r.value(h & 15)
		}
		return out
	case 12:
		return r.record()
	}
	panic("a type that no Parquet file has")
}
