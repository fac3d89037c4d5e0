package dmsgen

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"time"
)

// value returns a random value of a type, now and then NULL, now and then one that careless readers get wrong.
func (s *Stream) value(columnType string) any {
	t, err := parseType(columnType)
	if err != nil || s.rng.IntN(12) == 0 {
		return nil
	}
	if odd := oddValues(t); s.rng.IntN(8) == 0 && len(odd) > 0 {
		return odd[s.rng.IntN(len(odd))]
	}
	switch t.name {
	case "numeric":
		return s.numeric(t)
	case "real":
		return float32(s.rng.NormFloat64())
	case "double":
		return s.rng.NormFloat64()
	case "text":
		return s.text()
	case "bytea":
		return someBytes(s.rng)
	case "date":
		return canonicalDate(int32(s.rng.IntN(60_000)) - 20_000)
	case "time":
		return time.UnixMilli(s.rng.Int64N(24 * 60 * 60 * 1000)).UTC().Format(timeForm)
	case "timestamp":
		return time.UnixMilli(s.rng.Int64N(4e12) - 1e12).UTC().Format(timestampForm)
	case "boolean":
		return s.rng.IntN(2) == 0
	}
	return s.integer(t)
}

// integer returns an integer of the type's width.
func (s *Stream) integer(t sourceType) any {
	n := s.rng.Uint64() >> (64 - t.bits())
	switch {
	case !t.unsigned():
		return int64(n<<(64-t.bits())) >> (64 - t.bits())
	case n > math.MaxInt64:
		return n
	}
	return int64(n)
}

// numeric returns as many digits as the type has, or fewer, a third of them negative.
func (s *Stream) numeric(t sourceType) string {
	digits := make([]byte, 1+s.rng.IntN(t.precision))
	for i := range digits {
		digits[i] = byte('0' + s.rng.IntN(10))
	}
	text := strings.TrimLeft(string(digits), "0")
	if missing := t.scale + 1 - len(text); missing > 0 {
		text = strings.Repeat("0", missing) + text
	}
	if t.scale > 0 {
		text = text[:len(text)-t.scale] + "." + text[len(text)-t.scale:]
	}
	if s.rng.IntN(3) == 0 && strings.Trim(text, "0.") != "" {
		return "-" + text
	}
	return text
}

// text returns what breaks careless readers as often as what does not.
func (s *Stream) text() string {
	odd := []string{"", "NULL", "a/b=c", "quote\"d", "naïve ünïcode", "tab\tand\nline", " ", "日本", "comma, and|bar", "\r\n", `"`, `\N`}
	if s.BadText && s.rng.IntN(10) == 0 {
		return "bad \xff\xfe text"
	}
	if s.rng.IntN(4) == 0 && !s.Plain {
		return odd[s.rng.IntN(len(odd))]
	}
	return fmt.Sprintf("text %d", s.rng.IntN(1000))
}

// someBytes returns up to eight bytes of any value.
func someBytes(rng *rand.Rand) []byte {
	some := make([]byte, rng.IntN(9))
	for i := range some {
		some[i] = byte(rng.Uint32())
	}
	return some
}

// oddValues are the ends of a type's range, and what lies beyond numbers.
func oddValues(t sourceType) []any {
	switch t.name {
	case "numeric":
		nines := strings.Repeat("9", t.precision)
		if t.scale > 0 {
			nines = nines[:t.precision-t.scale] + "." + nines[t.precision-t.scale:]
		}
		if t.scale == t.precision {
			nines = "0" + nines
		}
		return []any{nines, "-" + nines}
	case "real":
		negative := float32(math.Copysign(0, -1))
		return []any{float32(math.NaN()), float32(math.Inf(1)), float32(math.Inf(-1)), negative, float32(0), float32(math.MaxFloat32)}
	case "double":
		return []any{math.NaN(), math.Inf(1), math.Inf(-1), math.Copysign(0, -1), 0.0, math.MaxFloat64, math.SmallestNonzeroFloat64}
	case "date":
		return []any{"1969-12-31", "1970-01-01", "0001-01-01", "9999-12-31", "1582-10-04"}
	case "time":
		return []any{"00:00:00.000000", "23:59:59.999000"}
	case "timestamp":
		return []any{"1969-12-31 23:59:59.999999", "0001-01-01 00:00:00.000000", "9999-12-31 23:59:59.999999", "2024-02-29 12:34:56.123456"}
	case "text", "bytea", "boolean":
		return nil
	}
	top := uint64(math.MaxUint64) >> (64 - t.bits())
	switch {
	case t.unsigned() && t.bits() == 64:
		return []any{int64(0), int64(math.MaxInt64), uint64(1 << 63), top}
	case t.unsigned():
		return []any{int64(0), int64(top)}
	}
	return []any{int64(top >> 1), -int64(top>>1) - 1, int64(0)}
}
