package parquetedit

import (
	"encoding/binary"
	"fmt"
	"math"

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
	default:
		return len(v.raw) / v.width
	}
}

// plainBytes is the size of the values in the PLAIN encoding.
func (v *vector) plainBytes() int {
	switch v.kind {
	case parquet.ByteArray:
		return len(v.raw) + 4*v.len()
	case parquet.Boolean:
		return (len(v.raw) + 7) / 8
	default:
		return len(v.raw) + 4*len(v.i32) + 8*len(v.i64)
	}
}

func (v *vector) reset() {
	v.i32, v.i64, v.raw = v.i32[:0], v.i64[:0], v.raw[:0]
	if v.kind == parquet.ByteArray {
		v.ends = append(v.ends[:0], 0)
	}
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

// check says whether a value that is not NULL can be appended.
func (v *vector) check(x *parquet.Value) error {
	if x.Kind() != v.kind {
		return fmt.Errorf("%w: %v given, %v wanted", ErrValue, x.Kind(), v.kind)
	}
	if v.kind == parquet.FixedLenByteArray && len(x.ByteArray()) != v.width {
		return fmt.Errorf("%w: %d bytes given, %d wanted", ErrValue, len(x.ByteArray()), v.width)
	}
	return nil
}

// append adds a value that check accepted.
func (v *vector) append(x *parquet.Value) {
	switch v.kind {
	case parquet.Boolean:
		v.raw = append(v.raw, bit(x.Boolean()))
	case parquet.Int32:
		v.i32 = append(v.i32, x.Int32())
	case parquet.Int64:
		v.i64 = append(v.i64, x.Int64())
	case parquet.Float:
		v.i32 = append(v.i32, int32(math.Float32bits(x.Float())))
	case parquet.Double:
		v.i64 = append(v.i64, int64(math.Float64bits(x.Double())))
	case parquet.Int96:
		i := x.Int96()
		for _, u := range i {
			v.raw = binary.LittleEndian.AppendUint32(v.raw, u)
		}
	case parquet.FixedLenByteArray:
		v.raw = append(v.raw, x.ByteArray()...)
	case parquet.ByteArray:
		v.appendBytes(x.ByteArray())
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
