package contract

import (
	"math"
	"math/big"
	"regexp"
	"strings"
	"time"

	"github.com/parquet-go/parquet-go"

	"sluice/internal/lake"
	"sluice/internal/parquetedit"
)

// rounding says which value stands for a literal that a type does not have.
type rounding int

const (
	up    rounding = iota // the least value that is not below it
	down                  // the greatest value that is not above it
	exact                 // none
)

// most digits that a number may have, so that a bound takes no time.
const maxDigits = 80

// rational reads a number: digits and at most a point.
func (v literal) rational() (*big.Rat, bool) {
	if len(v.text) > maxDigits || !regexp.MustCompile(`^[-+]?[0-9]+(\.[0-9]+)?$`).MatchString(v.text) {
		return nil, false
	}
	return new(big.Rat).SetString(v.text)
}

// round returns an integer for a fraction.
func round(x *big.Rat, how rounding) (*big.Int, bool) {
	q, rest := new(big.Int).DivMod(x.Num(), x.Denom(), new(big.Int)) // towards the lower one
	switch {
	case rest.Sign() == 0 || how == down:
		return q, true
	case how == up:
		return q.Add(q, big.NewInt(1)), true
	}
	return nil, false
}

// pow10 is a power of ten.
func pow10(n int) *big.Rat {
	return new(big.Rat).SetInt(new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(n)), nil))
}

// ticks returns the literal as the integer that a value of the type is; ok is false when it is none of that kind.
func (v literal) ticks(t parquetedit.Type, how rounding) (x *big.Int, ok bool) {
	switch kindOf(t) {
	case number:
		r, ok := v.rational()
		if !ok {
			return nil, false
		}
		return round(r.Mul(r, pow10(t.Scale)), how)
	case date:
		at, err := time.Parse(time.DateOnly, v.text)
		return big.NewInt(at.Unix() / 86400), err == nil
	case clock:
		at, err := time.Parse(time.TimeOnly, v.text)
		if at.Nanosecond()%1000 != 0 {
			return nil, false
		}
		return v.micros(at.Sub(at.Truncate(24*time.Hour)).Microseconds(), t, how, err)
	case timestamp:
		at, err := parseTimestamp(v.text)
		return v.micros(at.UnixMicro(), t, how, err)
	case other, boolean, float, text, uuid:
	}
	return nil, false
}

func parseTimestamp(s string) (at time.Time, err error) {
	s = strings.TrimSuffix(strings.Replace(s, "T", " ", 1), "Z")
	for _, layout := range []string{time.DateTime, time.DateOnly} {
		if at, err = time.Parse(layout, s); err == nil && at.Nanosecond()%1000 == 0 {
			return at, nil
		}
	}
	return at, &Error{Text: "no timestamp"}
}

// micros brings microseconds to the type's unit.
func (v literal) micros(n int64, t parquetedit.Type, how rounding, err error) (*big.Int, bool) {
	if err != nil {
		return nil, false
	}
	per := map[parquetedit.Unit]int64{parquetedit.Millis: 1_000, parquetedit.Micros: 1_000_000, parquetedit.Nanos: 1_000_000_000}[t.Unit]
	if t.Physical == parquet.Int96 {
		per = 1_000_000
	}
	x := new(big.Rat).SetFrac64(1, 1_000_000)
	x.Mul(x, new(big.Rat).SetInt64(n))
	return round(x.Mul(x, new(big.Rat).SetInt64(per)), how)
}

// order returns how values of the type lie to a bound: negative below, positive above. ok is false when the literal is no
// bound of that type. NaN lies on neither side: see outside.
func (v literal) order(t parquetedit.Type, how rounding) (compare func(parquet.Value) int, ok bool) {
	if kindOf(t) == float {
		return v.floatOrder()
	}
	x, ok := v.ticks(t, how)
	if !ok {
		return nil, false
	}
	if t.Physical == parquet.Int96 || t.Physical == parquet.ByteArray || t.Physical == parquet.FixedLenByteArray {
		bound, ok := wideValue(t, x)
		return func(v parquet.Value) int { return lake.Compare(t, v, bound) }, ok
	}
	x = intKey(t, x)
	if !x.IsInt64() {
		return func(parquet.Value) int { return -x.Sign() }, true // beyond every value
	}
	bound := x.Int64()
	return func(v parquet.Value) int {
		switch key, _ := lake.IntKey(t, v); {
		case key < bound:
			return -1
		case key > bound:
			return 1
		}
		return 0
	}, true
}

// intKey is an integer as lake.IntKey has it.
func intKey(t parquetedit.Type, x *big.Int) *big.Int {
	if t.Logical == parquetedit.Integer && !t.Signed && t.Physical == parquet.Int64 {
		return new(big.Int).Sub(x, new(big.Int).Lsh(big.NewInt(1), 63))
	}
	return x
}

// wideValue is a bound in the form of a decimal in bytes, or of an INT96 timestamp.
func wideValue(t parquetedit.Type, x *big.Int) (parquet.Value, bool) {
	if t.Physical == parquet.Int96 {
		convert, err := lake.Converter(parquetedit.Type{Physical: parquet.Int64, Logical: parquetedit.Timestamp, Unit: parquetedit.Micros}, t)
		if err != nil || !x.IsInt64() {
			return parquet.Value{}, false
		}
		v, err := convert(parquet.Int64Value(x.Int64()))
		return v, err == nil
	}
	width := x.BitLen()/8 + 1
	if x.Sign() < 0 {
		x = new(big.Int).Add(x, new(big.Int).Lsh(big.NewInt(1), uint(8*width)))
	}
	return parquet.ByteArrayValue(x.FillBytes(make([]byte, width))), true
}

// floatOrder compares with the float that is nearest to the literal: what DMS writes for that number.
func (v literal) floatOrder() (func(parquet.Value) int, bool) {
	r, ok := v.rational()
	if !ok {
		return nil, false
	}
	wide, _ := r.Float64()
	narrow, _ := r.Float32()
	return func(v parquet.Value) int {
		f, bound := floatOf(v), wide
		if v.Kind() == parquet.Float {
			bound = float64(narrow)
		}
		switch {
		case f < bound:
			return -1
		case f > bound:
			return 1
		}
		return 0
	}, true
}

func floatOf(v parquet.Value) float64 {
	if v.Kind() == parquet.Float {
		return float64(v.Float())
	}
	return v.Double()
}

func isNaN(v parquet.Value) bool {
	return (v.Kind() == parquet.Float || v.Kind() == parquet.Double) && math.IsNaN(floatOf(v))
}
