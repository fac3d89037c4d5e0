package parquetedit

import (
	"encoding/binary"
	"math"

	"github.com/parquet-go/parquet-go"
)

// Bounds are what the statistics of a column chunk say about its values. Every value that is not NULL
// lies between Min and Max; neither needs to occur. Both are NULL when the chunk holds only NULLs.
// Unsigned integers are bounded in their unsigned order, byte arrays bytewise.
type Bounds struct {
	Min, Max  parquet.Value
	NullCount int64 // -1 when unknown
}

// Bounds gives the bounds of a column chunk, and false when the file has none that can be trusted:
// decimals in byte arrays and INT96 are ordered differently by different writers, the bounds of old
// files mean something only for signed integers, and NaN bounds nothing.
func (f *File) Bounds(rg, col int) (Bounds, bool) {
	c := &f.groups[rg].chunks[col]
	t := f.columns[col].Type
	b := Bounds{NullCount: -1}
	_, meta, err := c.trees()
	if err != nil {
		return b, false
	}
	s, ok, err := meta.sub(colStatistics)
	if !ok || err != nil {
		return b, false
	}
	if n, ok := s.int(statNulls); ok && n >= 0 && n <= c.values {
		b.NullCount = n
	}
	lo, hi, ok := f.encodedBounds(s, t)
	if b.NullCount == c.values {
		if len(lo) > 0 { // the least of no values
			b.NullCount = -1
		}
		return b, len(lo) == 0
	}
	if !ok {
		return b, false
	}
	b.Min, b.Max = statValue(lo, t), statValue(hi, t)
	if b.Min.IsNull() || b.Max.IsNull() || compareStat(lo, hi, t) > 0 {
		b.Min, b.Max = parquet.Value{}, parquet.Value{}
		return b, false
	}
	return b, true
}

// encodedBounds picks the pair of fields that means something for the type.
func (f *File) encodedBounds(s tree, t Type) (lo, hi []byte, ok bool) {
	if t.order() == noOrder {
		return nil, nil, false
	}
	lo, okLo := s.bytes(statMin)
	hi, okHi := s.bytes(statMax)
	if okLo && okHi {
		return lo, hi, true
	}
	lo, okLo = s.bytes(statLegacyMin)
	hi, okHi = s.bytes(statLegacyMax)
	return lo, hi, okLo && okHi && t.order() == signedOrder
}

// statValue decodes a bound; NULL when it cannot be one.
func statValue(b []byte, t Type) parquet.Value {
	switch t.Physical {
	case parquet.Boolean:
		if len(b) == 1 {
			return parquet.BooleanValue(b[0] != 0)
		}
	case parquet.Int32:
		if len(b) == 4 {
			return parquet.Int32Value(int32(binary.LittleEndian.Uint32(b)))
		}
	case parquet.Int64:
		if len(b) == 8 {
			return parquet.Int64Value(int64(binary.LittleEndian.Uint64(b)))
		}
	case parquet.Float:
		if len(b) == 4 {
			if f := math.Float32frombits(binary.LittleEndian.Uint32(b)); !math.IsNaN(float64(f)) {
				return parquet.FloatValue(f)
			}
		}
	case parquet.Double:
		if len(b) == 8 {
			if f := math.Float64frombits(binary.LittleEndian.Uint64(b)); !math.IsNaN(f) {
				return parquet.DoubleValue(f)
			}
		}
	case parquet.ByteArray:
		return parquet.ByteArrayValue(b)
	case parquet.FixedLenByteArray:
		return parquet.FixedLenByteArrayValue(b)
	case parquet.Int96:
	}
	return parquet.Value{}
}
