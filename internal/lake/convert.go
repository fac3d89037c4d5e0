package lake

import (
	"encoding/hex"
	"fmt"
	"math"
	"unicode/utf8"

	"github.com/parquet-go/parquet-go"

	"sluice/internal/parquetedit"
)

// TypeError is returned when no value of one type can be one of another.
type TypeError struct {
	From, To parquetedit.Type
}

// Error names both types.
func (e *TypeError) Error() string {
	return fmt.Sprintf("%s is never %s", TypeName(e.From), TypeName(e.To))
}

// ValueError is returned when a value cannot be held exactly. It is never rounded, cut or wrapped.
type ValueError struct {
	Value    parquet.Value
	From, To parquetedit.Type
}

// Error names both types, never the value: it goes into logs and messages, where rows have no business.
func (e *ValueError) Error() string {
	return fmt.Sprintf("%s does not fit %s exactly", unnamed(e.Value, e.From), TypeName(e.To))
}

// unnamed speaks of a value without saying it: its type, and the length where it has one.
func unnamed(v value, t parquetedit.Type) string {
	if kind := v.Kind(); kind == parquet.ByteArray || kind == parquet.FixedLenByteArray {
		return fmt.Sprintf("%s value of %d bytes", TypeName(t), len(v.ByteArray()))
	}
	return TypeName(t) + " value"
}

// Converter returns the exact conversion of values of one type to another, or a
// [*TypeError] when there is none. A nil function means that the values are
// the same as they are. NULL stays NULL. The function returns a [*ValueError] for a
// value that the target does not hold exactly.
//
// Converted are: integers of any width and sign and decimals of any form,
// precision and scale among each other; integers and FLOAT, DOUBLE; times, and
// timestamps, of any unit, INT96 too, whatever their zone flag; text, JSON and
// binary, where text must be UTF-8; UUIDs and their text, in either case of letters.
func Converter(from, to parquetedit.Type) (func(parquet.Value) (parquet.Value, error), error) {
	if from == to {
		return nil, nil
	}
	exact, err := exactly(from, to)
	if err != nil || exact == nil {
		return nil, err
	}
	return func(v value) (value, error) {
		if v.IsNull() {
			return v, nil
		}
		out, ok := exact(v)
		if !ok {
			return v, &ValueError{Value: v, From: from, To: to}
		}
		return out, nil
	}, nil
}

// exactFunc converts a value that is not NULL; ok is false when it does not fit.
type exactFunc = func(value) (out value, ok bool)

func exactly(from, to parquetedit.Type) (exactFunc, error) {
	a, b := familyOf(from), familyOf(to)
	switch {
	case a == famOther || b == famOther:
	case a != b:
		if f := across(from, to); f != nil {
			return f, nil
		}
	case a == famNumber:
		if r := newRescale(from, to); !sameForm(from, to) || from.Scale != to.Scale || !r.to.holds(&r.from) {
			return r.apply, nil
		}
		return nil, nil
	case a == famFloat:
		return floats(to), nil
	case a == famTime || a == famTimestamp:
		return instants(from, to), nil
	case a == famBytes:
		return bytesTo(from, to)
	default: // boolean, date, uuid: one form each
		return nil, nil
	}
	return nil, &TypeError{From: from, To: to}
}

// across converts between families.
func across(from, to parquetedit.Type) exactFunc {
	a, b := familyOf(from), familyOf(to)
	switch {
	case a == famNumber && b == famFloat && from.Logical != parquetedit.Decimal:
		return intToFloat(from, to)
	case a == famFloat && b == famNumber && to.Logical != parquetedit.Decimal:
		return floatToInt(to)
	case a == famUUID && b == famBytes && to.Physical == parquet.ByteArray && to.Logical != parquetedit.BSON:
		return func(v value) (value, bool) { return parquet.ByteArrayValue(uuidText(v.ByteArray())), true }
	case a == famBytes && b == famUUID && from.Physical == parquet.ByteArray && from.Logical != parquetedit.BSON:
		return func(v value) (value, bool) {
			b, ok := parseUUID(v.ByteArray())
			return parquet.FixedLenByteArrayValue(b), ok
		}
	case (a == famUUID || b == famUUID) && sameForm(from, to) && from.Logical != parquetedit.BSON && to.Logical != parquetedit.BSON:
		return func(v value) (value, bool) { return v, true }
	}
	return nil
}

func floats(to parquetedit.Type) exactFunc {
	if to.Physical == parquet.Double {
		return func(v value) (value, bool) {
			if v.Kind() == parquet.Double {
				return v, true
			}
			return parquet.DoubleValue(float64(v.Float())), true
		}
	}
	return func(v value) (value, bool) {
		if v.Kind() == parquet.Float {
			return v, true
		}
		f := float32(v.Double())
		return parquet.FloatValue(f), float64(f) == v.Double() || math.IsNaN(v.Double())
	}
}

func intToFloat(from, to parquetedit.Type) exactFunc {
	n := numberOf(from)
	double := to.Physical == parquet.Double
	return func(v value) (value, bool) {
		x, ok := n.small(v)
		f := float64(x)
		if !double {
			f = float64(float32(x))
		}
		// 2^63 is where int64(f) would overflow; no int64 converts to it exactly.
		if !ok || f >= 1<<63 || int64(f) != x {
			return v, false
		}
		if double {
			return parquet.DoubleValue(f), true
		}
		return parquet.FloatValue(float32(f)), true
	}
}

func floatToInt(to parquetedit.Type) exactFunc {
	n := numberOf(to)
	return func(v value) (value, bool) {
		f := floatOf(v)
		if !(f >= math.MinInt64 && f < 1<<63) || f == 0 && math.Signbit(f) {
			return v, false
		}
		x := int64(f)
		if float64(x) != f || x < n.low64 || x > n.high64 {
			return v, false
		}
		return n.ofSmall(x), true
	}
}

// floatOf reads FLOAT or DOUBLE.
func floatOf(v value) float64 {
	if v.Kind() == parquet.Float {
		return float64(v.Float())
	}
	return v.Double()
}

func instants(from, to parquetedit.Type) exactFunc {
	if from.Physical == to.Physical && (from.Unit == to.Unit || from.Physical == parquet.Int96) {
		return nil
	}
	return func(v value) (value, bool) { return instantOf(from, v).valueOf(to) }
}

func bytesTo(from, to parquetedit.Type) (exactFunc, error) {
	if from.Logical != to.Logical && (from.Logical == parquetedit.BSON && isText(to) || isText(from) && to.Logical == parquetedit.BSON) {
		return nil, &TypeError{From: from, To: to}
	}
	mustCheck := isText(to) && !isText(from)
	if sameForm(from, to) && !mustCheck {
		return nil, nil
	}
	if from.Physical == parquet.FixedLenByteArray && to.Physical == parquet.FixedLenByteArray && from.Length != to.Length {
		return nil, &TypeError{From: from, To: to}
	}
	return func(v value) (value, bool) {
		b := v.ByteArray()
		if mustCheck && !utf8.Valid(b) {
			return v, false
		}
		if to.Physical == parquet.FixedLenByteArray {
			return parquet.FixedLenByteArrayValue(b), len(b) == to.Length
		}
		return parquet.ByteArrayValue(b), true
	}, nil
}

// uuidText returns the 36 characters of RFC 9562, in lower case.
func uuidText(b []byte) []byte {
	text := make([]byte, 0, 36)
	for i, c := range b {
		if i == 4 || i == 6 || i == 8 || i == 10 {
			text = append(text, '-')
		}
		text = hex.AppendEncode(text, []byte{c})
	}
	return text
}

func parseUUID(text []byte) ([]byte, bool) {
	if len(text) != 36 {
		return nil, false
	}
	digits := make([]byte, 0, 32)
	for i, c := range text {
		if i == 8 || i == 13 || i == 18 || i == 23 {
			if c != '-' {
				return nil, false
			}
			continue
		}
		digits = append(digits, c)
	}
	b := make([]byte, 16)
	_, err := hex.Decode(b, digits)
	return b, err == nil
}
