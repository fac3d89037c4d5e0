package lake

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"math"

	"github.com/parquet-go/parquet-go"

	"sluice/internal/parquetedit"
)

// The first byte of an encoded value.
const (
	keyNull  = 0x00
	keyValue = 0x01
)

const signBit = 1 << 63

// AppendKey appends the canonical encoding of a value to dst. A key over several
// columns is the concatenation of its columns' encodings.
//
// The encoding is canonical: equal values of t give equal bytes (−0 is +0, every
// NaN is one NaN, decimals in bytes ignore redundant sign bytes, INT96 days and nanoseconds are
// normalised). Values of other types are first brought to the table's type with
// [Converter]; encodings of different types are not comparable. It is self-delimiting, and
// it keeps order: bytes.Compare of two encodings is the order of the values, NULL
// lowest, then false < true, numbers by value with NaN highest, text and binary by bytes.
func AppendKey(dst []byte, t parquetedit.Type, v parquet.Value) []byte {
	if v.IsNull() {
		return append(dst, keyNull)
	}
	dst = append(dst, keyValue)
	if x, ok := IntKey(t, v); ok {
		return binary.BigEndian.AppendUint64(dst, uint64(x)^signBit)
	}
	switch familyOf(t) {
	case famBool:
		if v.Boolean() {
			return append(dst, 1)
		}
		return append(dst, 0)
	case famFloat:
		return binary.BigEndian.AppendUint64(dst, floatBits(floatOf(v)))
	case famNumber:
		return appendWide(dst, trim(v.ByteArray()))
	case famTimestamp:
		i := instantOf(t, v)
		dst = binary.BigEndian.AppendUint64(dst, uint64(i.seconds)^signBit)
		return binary.BigEndian.AppendUint32(dst, uint32(i.nanos))
	case famBytes, famUUID, famDate, famTime, famOther:
	}
	return appendEscaped(dst, v.Bytes())
}

// floatBits maps floats to integers in the same order: negative numbers are
// inverted, positive ones get the sign bit. −0 is +0, and NaN is the one above +Inf.
func floatBits(f float64) uint64 {
	if math.IsNaN(f) {
		return math.MaxUint64
	}
	bits := math.Float64bits(f + 0) // −0 + 0 = +0
	if bits&signBit != 0 {
		return ^bits
	}
	return bits | signBit
}

// appendWide encodes a trimmed two's complement integer: its length, which is the
// magnitude, raised above the middle for a positive and lowered for a negative number, then its bytes.
func appendWide(dst, b []byte) []byte {
	const middle = 1 << 31
	if len(b) == 0 {
		b = []byte{0}
	}
	if b[0] >= 0x80 {
		dst = binary.BigEndian.AppendUint32(dst, middle-uint32(len(b)))
	} else {
		dst = binary.BigEndian.AppendUint32(dst, middle+uint32(len(b)))
	}
	return append(dst, b...)
}

// appendEscaped encodes bytes so that they end in 00 01 and hold no other 00 but as 00 FF.
func appendEscaped(dst, b []byte) []byte {
	for {
		i := bytes.IndexByte(b, 0)
		if i < 0 {
			dst = append(dst, b...)
			return append(dst, 0, 1)
		}
		dst = append(dst, b[:i]...)
		dst = append(dst, 0, 0xFF)
		b = b[i+1:]
	}
}

// IntKey returns the value of an integer, an INT32 or INT64 decimal, a date, a time or
// an INT64 timestamp as an integer in the order of [AppendKey] (unsigned 64-bit ones minus 2^63). It
// returns false for NULL and for other types.
func IntKey(t parquetedit.Type, v parquet.Value) (int64, bool) {
	switch v.Kind() {
	case parquet.Int32:
		if t.Logical == parquetedit.Integer && !t.Signed {
			return int64(v.Uint32()), true
		}
		return int64(v.Int32()), true
	case parquet.Int64:
		if t.Logical == parquetedit.Integer && !t.Signed {
			return int64(v.Uint64() ^ signBit), true
		}
		return v.Int64(), true
	case parquet.Boolean, parquet.Int96, parquet.Float, parquet.Double, parquet.ByteArray, parquet.FixedLenByteArray:
	}
	return 0, false
}

// DecodeIntKey returns the [IntKey] of an encoding that [AppendKey] made of one
// value of t. It returns false for NULL and for types that IntKey does not take.
func DecodeIntKey(t parquetedit.Type, key string) (int64, bool) {
	if !isInt(t) || len(key) != 9 || key[0] != keyValue {
		return 0, false
	}
	return int64(binary.BigEndian.Uint64([]byte(key[1:])) ^ signBit), true
}

// Compare orders two values of an order column: negative when a is lower. NULL and
// empty text are both lowest and equal to each other, as a row of a full load has either
// in place of DMS's $AR_H_CHANGE_SEQ; else the order is that of [AppendKey].
func Compare(t parquetedit.Type, a, b parquet.Value) int {
	if lowA, lowB := lowest(t, a), lowest(t, b); lowA || lowB {
		return rank(!lowA) - rank(!lowB)
	}
	if x, ok := IntKey(t, a); ok {
		y, _ := IntKey(t, b)
		return cmp.Compare(x, y)
	}
	switch familyOf(t) {
	case famBool:
		return rank(a.Boolean()) - rank(b.Boolean())
	case famFloat:
		return cmp.Compare(floatBits(floatOf(a)), floatBits(floatOf(b)))
	case famNumber:
		return bytes.Compare(appendWide(nil, trim(a.ByteArray())), appendWide(nil, trim(b.ByteArray())))
	case famTimestamp:
		return instantOf(t, a).compare(instantOf(t, b))
	case famBytes, famUUID, famDate, famTime, famOther:
	}
	return bytes.Compare(a.Bytes(), b.Bytes())
}

func lowest(t parquetedit.Type, v value) bool {
	return v.IsNull() || v.Kind() == parquet.ByteArray && t.Logical != parquetedit.Decimal && len(v.ByteArray()) == 0
}

func rank(b bool) int {
	if b {
		return 1
	}
	return 0
}

// Equal says whether b in place of a would change nothing that a reader sees. Floats
// are compared by their bits, so −0 is not +0, but every NaN is the same; decimals in bytes and
// INT96 are compared by value; NULL equals NULL only, and empty text is not NULL.
func Equal(t parquetedit.Type, a, b parquet.Value) bool {
	if a.IsNull() || b.IsNull() {
		return a.IsNull() && b.IsNull()
	}
	switch a.Kind() {
	case parquet.Boolean:
		return a.Boolean() == b.Boolean()
	case parquet.Int32:
		return a.Int32() == b.Int32()
	case parquet.Int64:
		return a.Int64() == b.Int64()
	case parquet.Int96:
		return instantOf(t, a) == instantOf(t, b)
	case parquet.Float, parquet.Double:
		x, y := floatOf(a), floatOf(b)
		return math.Float64bits(x) == math.Float64bits(y) || math.IsNaN(x) && math.IsNaN(y)
	case parquet.ByteArray, parquet.FixedLenByteArray:
	}
	if t.Logical == parquetedit.Decimal {
		return bytes.Equal(trim(a.ByteArray()), trim(b.ByteArray()))
	}
	return bytes.Equal(a.ByteArray(), b.ByteArray())
}
