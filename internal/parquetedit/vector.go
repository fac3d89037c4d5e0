package parquetedit

import (
	"encoding/binary"
	"math"
	"slices"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/deprecated"
)

// vector holds values of one physical type, no NULLs. Only the slice of that type is used.
type vector struct {
	kind  parquet.Kind
	width int      // bytes of a value in raw: 1 for Boolean, 12 for Int96, the length for FixedLenByteArray
	i32   []int32  // Int32, and the bits of Float
	i64   []int64  // Int64, and the bits of Double
	raw   []byte   // Boolean (0 or 1 each), Int96, FixedLenByteArray; all bytes of a ByteArray
	ends  []uint32 // ByteArray: value i is raw[ends[i]:ends[i+1]]; ends[0] is 0
}

func newVector(t Type) vector {
	v := vector{kind: t.Physical}
	switch t.Physical {
	case parquet.Boolean:
		v.width = 1
	case parquet.Int96:
		v.width = 12
	case parquet.FixedLenByteArray:
		v.width = t.Length
	case parquet.ByteArray:
		v.ends = []uint32{0}
	case parquet.Int32, parquet.Int64, parquet.Float, parquet.Double:
	}
	return v
}

func (v *vector) len() int {
	switch v.kind {
	case parquet.Int32, parquet.Float:
		return len(v.i32)
	case parquet.Int64, parquet.Double:
		return len(v.i64)
	case parquet.ByteArray:
		return len(v.ends) - 1
	case parquet.Boolean, parquet.Int96, parquet.FixedLenByteArray:
	}
	return len(v.raw) / v.width
}

// plainBytes is the size of the values in the PLAIN encoding.
func (v *vector) plainBytes() int {
	switch v.kind {
	case parquet.ByteArray:
		return len(v.raw) + 4*v.len()
	case parquet.Boolean:
		return (len(v.raw) + 7) / 8
	case parquet.Int32, parquet.Int64, parquet.Int96, parquet.Float, parquet.Double, parquet.FixedLenByteArray:
	}
	return len(v.raw) + 4*len(v.i32) + 8*len(v.i64)
}

func (v *vector) reset() {
	v.i32, v.i64, v.raw = v.i32[:0], v.i64[:0], v.raw[:0]
	if v.kind == parquet.ByteArray {
		v.ends = append(v.ends[:0], 0)
	}
}

// clipped is the vector without room behind its values: what is appended to it does not show in the other.
func (v *vector) clipped() vector {
	c := *v
	c.i32, c.i64, c.raw, c.ends = slices.Clip(v.i32), slices.Clip(v.i64), slices.Clip(v.raw), slices.Clip(v.ends)
	return c
}

// bytes is value i of a Boolean, Int96, FixedLenByteArray or ByteArray vector.
func (v *vector) bytes(i int) []byte {
	if v.kind == parquet.ByteArray {
		return v.raw[v.ends[i]:v.ends[i+1]:v.ends[i+1]]
	}
	return v.raw[i*v.width : (i+1)*v.width : (i+1)*v.width]
}

// value is value i; its bytes alias the vector.
func (v *vector) value(i int) parquet.Value {
	switch v.kind {
	case parquet.Boolean:
		return parquet.BooleanValue(v.raw[i] != 0)
	case parquet.Int32:
		return parquet.Int32Value(v.i32[i])
	case parquet.Int64:
		return parquet.Int64Value(v.i64[i])
	case parquet.Float:
		return parquet.FloatValue(math.Float32frombits(uint32(v.i32[i])))
	case parquet.Double:
		return parquet.DoubleValue(math.Float64frombits(uint64(v.i64[i])))
	case parquet.Int96:
		b := v.bytes(i)
		return parquet.Int96Value(deprecated.Int96{
			binary.LittleEndian.Uint32(b), binary.LittleEndian.Uint32(b[4:]), binary.LittleEndian.Uint32(b[8:]),
		})
	case parquet.FixedLenByteArray:
		return parquet.FixedLenByteArrayValue(v.bytes(i))
	case parquet.ByteArray:
		return parquet.ByteArrayValue(v.bytes(i))
	}
	return parquet.Value{}
}

// appendRun adds values of the vector's kind, none of them NULL, until raw holds so many bytes; it gives
// the number of those added.
func (v *vector) appendRun(xs []parquet.Value, rawBytes int) int {
	switch v.kind {
	case parquet.Int32:
		for i := range xs {
			v.i32 = append(v.i32, xs[i].Int32())
		}
	case parquet.Int64:
		for i := range xs {
			v.i64 = append(v.i64, xs[i].Int64())
		}
	case parquet.Float:
		for i := range xs {
			v.i32 = append(v.i32, int32(math.Float32bits(xs[i].Float())))
		}
	case parquet.Double:
		for i := range xs {
			v.i64 = append(v.i64, int64(math.Float64bits(xs[i].Double())))
		}
	case parquet.Boolean:
		for i := range xs {
			v.raw = append(v.raw, bit(xs[i].Boolean()))
		}
	case parquet.Int96:
		for i := range xs {
			for _, u := range xs[i].Int96() {
				v.raw = binary.LittleEndian.AppendUint32(v.raw, u)
			}
		}
	case parquet.FixedLenByteArray:
		for i := range xs {
			v.raw = append(v.raw, xs[i].ByteArray()...)
			if len(v.raw) >= rawBytes {
				return i + 1
			}
		}
	case parquet.ByteArray:
		for i := range xs {
			v.appendBytes(xs[i].ByteArray())
			if len(v.raw) >= rawBytes {
				return i + 1
			}
		}
	}
	return len(xs)
}

// fill sets dst to the values from value k on; their bytes alias the vector.
func (v *vector) fill(dst []parquet.Value, k int) {
	switch v.kind {
	case parquet.Int32:
		for i, x := range v.i32[k : k+len(dst)] {
			dst[i] = parquet.Int32Value(x)
		}
	case parquet.Int64:
		for i, x := range v.i64[k : k+len(dst)] {
			dst[i] = parquet.Int64Value(x)
		}
	case parquet.Double:
		for i, x := range v.i64[k : k+len(dst)] {
			dst[i] = parquet.DoubleValue(math.Float64frombits(uint64(x)))
		}
	case parquet.ByteArray:
		at := v.ends[k]
		for i, end := range v.ends[k+1 : k+1+len(dst)] {
			dst[i] = parquet.ByteArrayValue(v.raw[at:end:end])
			at = end
		}
	case parquet.Boolean, parquet.Int96, parquet.Float, parquet.FixedLenByteArray:
		for i := range dst {
			dst[i] = v.value(k + i)
		}
	}
}

func (v *vector) appendBytes(b []byte) {
	v.raw = append(v.raw, b...)
	v.ends = append(v.ends, uint32(len(v.raw)))
}

// appendFrom adds the values [i, j) of another vector of the same type.
func (v *vector) appendFrom(o *vector, i, j int) {
	switch v.kind {
	case parquet.Int32, parquet.Float:
		v.i32 = append(v.i32, o.i32[i:j]...)
	case parquet.Int64, parquet.Double:
		v.i64 = append(v.i64, o.i64[i:j]...)
	case parquet.ByteArray:
		shift := uint32(len(v.raw)) - o.ends[i]
		v.raw = append(v.raw, o.raw[o.ends[i]:o.ends[j]]...)
		for _, e := range o.ends[i+1 : j+1] {
			v.ends = append(v.ends, e+shift)
		}
	case parquet.Boolean, parquet.Int96, parquet.FixedLenByteArray:
		v.raw = append(v.raw, o.raw[i*v.width:j*v.width]...)
	}
}

func bit(b bool) byte {
	if b {
		return 1
	}
	return 0
}
