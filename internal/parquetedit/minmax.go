package parquetedit

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"math"
	"unicode/utf8"

	"github.com/parquet-go/parquet-go"
)

// maxStatBytes is the length to which the bounds of byte arrays are cut.
const maxStatBytes = 64

// order says how the values of a column compare, and so whether bounds may be written for it.
type order int

const (
	noOrder       order = iota // no bounds: readers disagree, or the format defines none
	signedOrder                // integers
	unsignedOrder              // integers
	floatOrder                 // NaN left out, both zeros counted
	bytesOrder                 // unsigned bytes
	boolOrder                  // false before true
)

// order leaves out decimals in byte arrays: parquet-go compares them unsigned, others signed.
func (t Type) order() order {
	switch t.Physical {
	case parquet.Int32, parquet.Int64:
		if t.Logical == Integer && !t.Signed {
			return unsignedOrder
		}
		return signedOrder
	case parquet.Float, parquet.Double:
		return floatOrder
	case parquet.ByteArray, parquet.FixedLenByteArray:
		switch t.Logical {
		case None, String, JSON, BSON, UUID:
			return bytesOrder
		case Integer, Decimal, Date, Time, Timestamp, Float16, Interval:
			return noOrder
		}
		return noOrder
	case parquet.Boolean:
		return boolOrder
	case parquet.Int96:
		return noOrder
	}
	return noOrder
}

// bounds are the smallest and largest value of a page or chunk in the PLAIN encoding of statistics:
// little endian, byte arrays without their length.
type bounds struct {
	ok             bool
	min, max       []byte
	cutMin, cutMax bool // the bound is no value of the column: it was cut, or it may be gone
}

// merge widens the bounds by others.
func (b *bounds) merge(o bounds, t Type) {
	if !o.ok {
		return
	}
	if !b.ok {
		*b = o
		return
	}
	if compareStat(o.min, b.min, t) < 0 {
		b.min, b.cutMin = o.min, o.cutMin
	}
	if compareStat(o.max, b.max, t) > 0 {
		b.max, b.cutMax = o.max, o.cutMax
	}
}

// orNone widens the bounds by others, and is none when those are.
func (b bounds) orNone(o bounds, t Type) bounds {
	if !o.ok {
		return bounds{}
	}
	b.merge(o, t)
	return b
}

// compareStat compares two encoded bounds of a column that has an order.
func compareStat(a, b []byte, t Type) int {
	switch t.Physical {
	case parquet.Int32:
		x, y := binary.LittleEndian.Uint32(a), binary.LittleEndian.Uint32(b)
		if t.order() == unsignedOrder {
			return cmp.Compare(x, y)
		}
		return cmp.Compare(int32(x), int32(y))
	case parquet.Int64:
		x, y := binary.LittleEndian.Uint64(a), binary.LittleEndian.Uint64(b)
		if t.order() == unsignedOrder {
			return cmp.Compare(x, y)
		}
		return cmp.Compare(int64(x), int64(y))
	case parquet.Float:
		x, y := binary.LittleEndian.Uint32(a), binary.LittleEndian.Uint32(b)
		return cmp.Compare(math.Float32frombits(x), math.Float32frombits(y))
	case parquet.Double:
		x, y := binary.LittleEndian.Uint64(a), binary.LittleEndian.Uint64(b)
		return cmp.Compare(math.Float64frombits(x), math.Float64frombits(y))
	case parquet.Boolean, parquet.Int96, parquet.ByteArray, parquet.FixedLenByteArray:
		return bytes.Compare(a, b)
	}
	return 0
}

// vectorBounds gives the bounds of all values, none when the column has no order.
func vectorBounds(v *vector, t Type) bounds {
	if v.len() == 0 {
		return bounds{}
	}
	switch t.order() {
	case signedOrder:
		return intBounds(v)
	case unsignedOrder:
		return uintBounds(v)
	case floatOrder:
		return floatBounds(v)
	case bytesOrder, boolOrder:
		lo, hi := v.bytes(0), v.bytes(0)
		for i := 1; i < v.len(); i++ {
			b := v.bytes(i)
			if bytes.Compare(b, lo) < 0 {
				lo = b
			} else if bytes.Compare(b, hi) > 0 {
				hi = b
			}
		}
		return bounds{ok: true, min: bytes.Clone(lo), max: bytes.Clone(hi)}
	case noOrder:
	}
	return bounds{}
}

func extremes[T cmp.Ordered](vs []T) (lo, hi T) {
	lo, hi = vs[0], vs[0]
	for _, v := range vs {
		lo, hi = min(lo, v), max(hi, v)
	}
	return lo, hi
}

func intBounds(v *vector) bounds {
	if v.kind == parquet.Int32 {
		lo, hi := extremes(v.i32)
		return bounds32(uint32(lo), uint32(hi))
	}
	lo, hi := extremes(v.i64)
	return bounds64(uint64(lo), uint64(hi))
}

func uintBounds(v *vector) bounds {
	// Flipping the sign bit turns the unsigned order into the signed one.
	if v.kind == parquet.Int32 {
		lo, hi := v.i32[0]^math.MinInt32, v.i32[0]^math.MinInt32
		for _, x := range v.i32 {
			lo, hi = min(lo, x^math.MinInt32), max(hi, x^math.MinInt32)
		}
		return bounds32(uint32(lo^math.MinInt32), uint32(hi^math.MinInt32))
	}
	lo, hi := v.i64[0]^math.MinInt64, v.i64[0]^math.MinInt64
	for _, x := range v.i64 {
		lo, hi = min(lo, x^math.MinInt64), max(hi, x^math.MinInt64)
	}
	return bounds64(uint64(lo^math.MinInt64), uint64(hi^math.MinInt64))
}

// floatBounds leaves NaN out and takes a zero for both zeros, as the format asks.
func floatBounds(v *vector) bounds {
	lo, hi := math.Inf(1), math.Inf(-1)
	found := false
	each := func(f float64) {
		if !math.IsNaN(f) {
			lo, hi, found = min(lo, f), max(hi, f), true
		}
	}
	for _, x := range v.i32 {
		each(float64(math.Float32frombits(uint32(x))))
	}
	for _, x := range v.i64 {
		each(math.Float64frombits(uint64(x)))
	}
	if !found {
		return bounds{}
	}
	if lo == 0 {
		lo = math.Copysign(0, -1)
	}
	if hi == 0 {
		hi = 0
	}
	if v.kind == parquet.Float {
		return bounds32(math.Float32bits(float32(lo)), math.Float32bits(float32(hi)))
	}
	return bounds64(math.Float64bits(lo), math.Float64bits(hi))
}

func bounds32(lo, hi uint32) bounds {
	le := binary.LittleEndian
	return bounds{ok: true, min: le.AppendUint32(nil, lo), max: le.AppendUint32(nil, hi)}
}

func bounds64(lo, hi uint64) bounds {
	le := binary.LittleEndian
	return bounds{ok: true, min: le.AppendUint64(nil, lo), max: le.AppendUint64(nil, hi)}
}

// cut shortens the bounds of byte arrays. The minimum stays a lower bound and the maximum an upper
// one; text stays text. exactMin and exactMax say which is still a value of the column. A maximum that
// cannot be shortened takes the bounds away.
func (b bounds) cut(t Type) (c bounds, exactMin, exactMax bool) {
	c, exactMin, exactMax = b, !b.cutMin, !b.cutMax
	if t.Physical != parquet.ByteArray {
		return c, exactMin, exactMax
	}
	text := t.Logical == String || t.Logical == JSON
	if len(c.min) > maxStatBytes {
		c.min, exactMin = cutPrefix(c.min, text), false
	}
	if len(c.max) > maxStatBytes {
		c.max, exactMax = increment(cutPrefix(c.max, text), text), false
		if c.max == nil {
			return bounds{}, false, false
		}
	}
	return c, exactMin, exactMax
}

// cutPrefix cuts at maxStatBytes, for text at the start of a character.
func cutPrefix(b []byte, text bool) []byte {
	n := maxStatBytes
	for text && n > maxStatBytes-utf8.UTFMax && !utf8.RuneStart(b[n]) {
		n--
	}
	return b[:n]
}

// increment gives the shortest-by-one successor of b: greater than everything that starts with b.
func increment(b []byte, text bool) []byte {
	b = bytes.Clone(b)
	for i := len(b) - 1; i >= 0; i-- {
		// In text only ASCII is incremented: its successor is one byte, too.
		if text && b[i] < utf8.RuneSelf-1 || !text && b[i] < 0xff {
			b[i]++
			return b[:i+1]
		}
	}
	return nil
}
