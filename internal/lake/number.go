package lake

import (
	"encoding/binary"
	"math"
	"math/big"

	"github.com/parquet-go/parquet-go"

	"sluice/internal/parquetedit"
)

// number is a type whose values are integers times a power of ten: every width
// and sign of integer, and decimals in INT32, INT64 or big-endian two's complement bytes
// (https://github.com/apache/parquet-format/blob/master/LogicalTypes.md#decimal).
type number struct {
	physical  parquet.Kind
	length    int // bytes, for FixedLenByteArray
	bits      int // of an integer
	unsigned  bool
	scale     int
	low, high *big.Int // unscaled, both included
	low64     int64    // the same, cut to int64
	high64    int64
}

// maxDigits bounds the decimals of files that leave out the precision: 32 bytes hold 76 digits.
const maxDigits = 76

// numberOf describes a type of famNumber.
func numberOf(t parquetedit.Type) number {
	n := number{physical: t.Physical, length: t.Length, scale: t.Scale, bits: 32}
	if t.Physical == parquet.Int64 {
		n.bits = 64
	}
	if t.Logical == parquetedit.Integer {
		n.unsigned = !t.Signed
		if t.Bits > 0 && t.Bits < n.bits {
			n.bits = t.Bits
		}
	}
	n.low, n.high = intLimits(n.bits, n.unsigned)
	if t.Logical == parquetedit.Decimal {
		n.low, n.high = decimalLimits(t)
	}
	n.low64, n.high64 = math.MinInt64, math.MaxInt64
	if n.low.IsInt64() {
		n.low64 = n.low.Int64()
	}
	if n.high.IsInt64() {
		n.high64 = n.high.Int64()
	}
	return n
}

func intLimits(bits int, unsigned bool) (low, high *big.Int) {
	one := big.NewInt(1)
	if unsigned {
		return new(big.Int), new(big.Int).Sub(new(big.Int).Lsh(one, uint(bits)), one)
	}
	half := new(big.Int).Lsh(one, uint(bits-1))
	return new(big.Int).Neg(half), new(big.Int).Sub(half, one)
}

func decimalLimits(t parquetedit.Type) (low, high *big.Int) {
	digits := t.Precision
	if digits < 1 || digits > maxDigits {
		digits = maxDigits
	}
	high = new(big.Int).Sub(pow10(digits), big.NewInt(1))
	low = new(big.Int).Neg(high)
	bits := map[parquet.Kind]int{parquet.Int32: 32, parquet.Int64: 64, parquet.FixedLenByteArray: 8 * t.Length}[t.Physical]
	if bits == 0 {
		return low, high
	}
	if least, most := intLimits(bits, false); most.Cmp(high) < 0 {
		return least, most
	}
	return low, high
}

func pow10(n int) *big.Int { return new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(n)), nil) }

// small returns a value's unscaled integer where it fits 64 bits, whatever the width of its form.
func (n *number) small(v value) (int64, bool) {
	switch {
	case n.physical == parquet.Int64:
		return v.Int64(), !n.unsigned || v.Int64() >= 0
	case n.physical != parquet.Int32:
		return smallBytes(trim(v.ByteArray()))
	case n.unsigned:
		return int64(v.Uint32()), true
	}
	return int64(v.Int32()), true
}

// smallBytes reads a trimmed two's complement integer of at most 64 bits.
func smallBytes(b []byte) (int64, bool) {
	if len(b) > 8 {
		return 0, false
	}
	var x int64
	if len(b) > 0 && b[0] >= 0x80 {
		x = -1
	}
	for _, c := range b {
		x = x<<8 | int64(c)
	}
	return x, true
}

// big returns a value's unscaled integer.
func (n *number) big(v value) *big.Int {
	if x, ok := n.small(v); ok {
		return big.NewInt(x)
	}
	if n.physical == parquet.Int64 {
		return new(big.Int).SetUint64(v.Uint64())
	}
	b := v.ByteArray()
	x := new(big.Int).SetBytes(b)
	if b[0] >= 0x80 {
		x.Sub(x, new(big.Int).Lsh(big.NewInt(1), uint(8*len(b))))
	}
	return x
}

// ofSmall makes a value of an unscaled integer between n.low64 and n.high64.
func (n *number) ofSmall(x int64) value {
	if n.physical == parquet.Int32 {
		return parquet.Int32Value(int32(x)) // an unsigned one wraps
	}
	if n.physical == parquet.Int64 {
		return parquet.Int64Value(x)
	}
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], uint64(x))
	return n.ofBytes(b[:])
}

// ofBig makes a value of an unscaled integer between n.low and n.high.
func (n *number) ofBig(x *big.Int) value {
	switch {
	case x.IsInt64():
		return n.ofSmall(x.Int64())
	case n.physical == parquet.Int64:
		return parquet.Int64Value(int64(x.Uint64()))
	case x.Sign() >= 0:
		return n.ofBytes(append([]byte{0}, x.Bytes()...))
	}
	width := x.BitLen()/8 + 1
	wrapped := new(big.Int).Add(x, new(big.Int).Lsh(big.NewInt(1), uint(8*width)))
	return n.ofBytes(wrapped.FillBytes(make([]byte, width)))
}

// ofBytes makes a value of two's complement bytes of any length: sign-extended
// to the fixed length, or the fewest bytes.
func (n *number) ofBytes(b []byte) value {
	b = trim(b)
	if n.physical == parquet.ByteArray {
		return parquet.ByteArrayValue(append([]byte(nil), b...))
	}
	full := make([]byte, n.length)
	if b[0] >= 0x80 {
		for i := range full[:n.length-len(b)] {
			full[i] = 0xFF
		}
	}
	copy(full[n.length-len(b):], b)
	return parquet.FixedLenByteArrayValue(full)
}

// trim cuts the leading bytes of a two's complement integer that only repeat its sign.
func trim(b []byte) []byte {
	for len(b) > 1 && (b[0] == 0 && b[1] < 0x80 || b[0] == 0xFF && b[1] >= 0x80) {
		b = b[1:]
	}
	return b
}

// holds says whether every value of from is one of n.
func (n *number) holds(from *number) bool {
	if n.scale < from.scale {
		return false
	}
	factor := pow10(n.scale - from.scale)
	return new(big.Int).Mul(from.low, factor).Cmp(n.low) >= 0 && new(big.Int).Mul(from.high, factor).Cmp(n.high) <= 0
}

// rescale is a conversion between two numbers. It changes the unscaled integer by
// a power of ten and refuses remainders and overflows.
type rescale struct {
	from, to number
	up       bool     // multiply, else divide
	factor   int64    // power of ten, 0 when it does not fit
	most     int64    // largest magnitude that may be multiplied by factor
	wide     *big.Int // the power of ten
}

func newRescale(from, to parquetedit.Type) *rescale {
	r := &rescale{from: numberOf(from), to: numberOf(to)}
	d := r.to.scale - r.from.scale
	r.up = d >= 0
	r.wide = pow10(max(d, -d))
	if r.wide.IsInt64() {
		r.factor = r.wide.Int64()
		r.most = math.MaxInt64 / r.factor
	}
	return r
}

// apply converts a value that is not NULL; ok is false when it does not fit exactly.
func (r *rescale) apply(v value) (out value, ok bool) {
	x, small := r.from.small(v)
	if !small || r.factor == 0 || r.up && (x > r.most || x < -r.most) {
		return r.applyBig(v)
	}
	if r.up {
		x *= r.factor
	} else if x%r.factor != 0 {
		return v, false
	} else {
		x /= r.factor
	}
	if x < r.to.low64 || x > r.to.high64 {
		return v, false
	}
	return r.to.ofSmall(x), true
}

func (r *rescale) applyBig(v value) (out value, ok bool) {
	x := r.from.big(v)
	if r.up {
		x.Mul(x, r.wide)
	} else if _, rest := x.QuoRem(x, r.wide, new(big.Int)); rest.Sign() != 0 {
		return v, false
	}
	if x.Cmp(r.to.low) < 0 || x.Cmp(r.to.high) > 0 {
		return v, false
	}
	return r.to.ofBig(x), true
}
