package dmsgen

import (
	"encoding/binary"
	"fmt"
	"math/big"
	"strings"
	"time"

	"github.com/parquet-go/parquet-go"
)

// Unscaled is a numeric as an integer: 1250 in a numeric(10,2) is 12.50.
type Unscaled int64

// Days is a date as days since 1970-01-01.
type Days int32

// The forms of dates, times and timestamps in rows, as text.
const (
	dateForm      = "2006-01-02"
	timeForm      = "15:04:05.000000"
	timestampForm = "2006-01-02 15:04:05.000000"
)

// value encodes one Go value of a row. It takes what Read returns and what
// people write down: every integer type, strings for numeric, date, time and
// timestamp, time.Time for the latter three, Unscaled and Days.
func (t sourceType) value(v any, milliseconds bool) (parquet.Value, error) {
	switch t.name {
	case "bigint", "int", "smallint", "tinyint":
		return t.integer(v)
	case "bigint unsigned", "int unsigned", "smallint unsigned", "tinyint unsigned":
		return t.natural(v)
	case "numeric":
		return t.numeric(v)
	case "real", "double":
		return t.float(v)
	case "text", "bytea":
		return t.bytes(v)
	case "date":
		return t.date(v)
	case "time":
		return t.time(v)
	case "timestamp":
		return t.timestamp(v, milliseconds)
	case "boolean":
		if b, ok := v.(bool); ok {
			return parquet.BooleanValue(b), nil
		}
	}
	return parquet.Value{}, t.misfit(v)
}

func (t sourceType) misfit(v any) error {
	return fmt.Errorf("value %v (%T) does not fit type %s", v, v, t.name)
}

func (t sourceType) integer(v any) (parquet.Value, error) {
	n, ok := wholeNumber(v)
	if !ok {
		return parquet.Value{}, t.misfit(v)
	}
	bits := t.bits()
	if bits == 64 {
		return parquet.Int64Value(n), nil
	}
	if n>>(bits-1) != 0 && n>>(bits-1) != -1 {
		return parquet.Value{}, t.misfit(v)
	}
	return parquet.Int32Value(int32(n)), nil
}

// natural encodes what has no sign; what is beyond 2^63 is a uint64 in rows.
func (t sourceType) natural(v any) (parquet.Value, error) {
	n, ok := v.(uint64)
	if !ok {
		whole, known := wholeNumber(v)
		if n, ok = uint64(whole), known && whole >= 0; !ok {
			return parquet.Value{}, t.misfit(v)
		}
	}
	if t.bits() == 64 {
		return parquet.Int64Value(int64(n)), nil
	}
	if n>>t.bits() != 0 {
		return parquet.Value{}, t.misfit(v)
	}
	return parquet.Int32Value(int32(uint32(n))), nil
}

func wholeNumber(v any) (int64, bool) {
	switch n := v.(type) {
	case int:
		return int64(n), true
	case int16:
		return int64(n), true
	case int32:
		return int64(n), true
	case int64:
		return n, true
	}
	return 0, false
}

func (t sourceType) numeric(v any) (parquet.Value, error) {
	if u, ok := v.(Unscaled); ok && t.physical == "" && t.width() <= 8 {
		var b [8]byte
		binary.BigEndian.PutUint64(b[:], uint64(u))
		return parquet.FixedLenByteArrayValue(b[8-t.width():]), nil
	}
	text, ok := v.(string)
	if !ok {
		n, whole := wholeNumber(v)
		if !whole {
			return parquet.Value{}, t.misfit(v)
		}
		text = fmt.Sprint(n)
	}
	whole, fraction, _ := strings.Cut(text, ".")
	if len(fraction) > t.scale {
		return parquet.Value{}, t.misfit(v)
	}
	unscaled, ok := new(big.Int).SetString(whole+fraction+strings.Repeat("0", t.scale-len(fraction)), 10)
	if !ok || len(strings.TrimPrefix(unscaled.String(), "-")) > t.precision {
		return parquet.Value{}, t.misfit(v)
	}
	return t.unscaled(unscaled), nil
}

// unscaled encodes the digits of a numeric; in bytes of any length they take as few as they need.
func (t sourceType) unscaled(n *big.Int) parquet.Value {
	switch t.physical {
	case "int32":
		return parquet.Int32Value(int32(n.Int64()))
	case "int64":
		return parquet.Int64Value(n.Int64())
	case "bytes":
		return parquet.ByteArrayValue(twosComplement(n, n.BitLen()/8+1))
	}
	return parquet.FixedLenByteArrayValue(twosComplement(n, t.width()))
}

// twosComplement returns n as width bytes, big end first.
func twosComplement(n *big.Int, width int) []byte {
	if n.Sign() < 0 {
		n = new(big.Int).Add(n, new(big.Int).Lsh(big.NewInt(1), uint(width)*8))
	}
	return n.FillBytes(make([]byte, width))
}

func (t sourceType) float(v any) (parquet.Value, error) {
	var f float64
	switch n := v.(type) {
	case float32:
		f = float64(n)
	case float64:
		f = n
	default:
		return parquet.Value{}, t.misfit(v)
	}
	if t.name == "real" {
		return parquet.FloatValue(float32(f)), nil
	}
	return parquet.DoubleValue(f), nil
}

func (t sourceType) bytes(v any) (parquet.Value, error) {
	switch b := v.(type) {
	case string:
		return parquet.ByteArrayValue([]byte(b)), nil
	case []byte:
		return parquet.ByteArrayValue(b), nil
	}
	return parquet.Value{}, t.misfit(v)
}

func (t sourceType) date(v any) (parquet.Value, error) {
	switch d := v.(type) {
	case Days:
		return parquet.Int32Value(int32(d)), nil
	case time.Time:
		return parquet.Int32Value(daysOf(d)), nil
	case string:
		at, err := time.Parse(dateForm, d)
		return parquet.Int32Value(daysOf(at)), err
	}
	return parquet.Value{}, t.misfit(v)
}

// daysOf counts the days of a time's date; dates before 1970 are negative.
func daysOf(at time.Time) int32 {
	const day = 24 * 60 * 60
	year, month, d := at.Date()
	return int32(time.Date(year, month, d, 0, 0, 0, 0, time.UTC).Unix() / day)
}

// time encodes a time of day in milliseconds, the unit of TIME32; what is finer is cut off.
func (t sourceType) time(v any) (parquet.Value, error) {
	at, ok := v.(time.Time)
	if text, isText := v.(string); isText {
		var err error
		if at, err = time.Parse("15:04:05", text); err != nil { // a fraction is accepted too
			return parquet.Value{}, err
		}
	} else if !ok {
		return parquet.Value{}, t.misfit(v)
	}
	hour, minute, second := at.Clock()
	return parquet.Int32Value(int32(((hour*60+minute)*60+second)*1000 + at.Nanosecond()/1e6)), nil
}

func (t sourceType) timestamp(v any, milliseconds bool) (parquet.Value, error) {
	at, ok := v.(time.Time)
	if text, isText := v.(string); isText {
		var err error
		if at, err = time.Parse("2006-01-02 15:04:05", text); err != nil { // a fraction is accepted too
			return parquet.Value{}, err
		}
	} else if !ok {
		return parquet.Value{}, t.misfit(v)
	}
	if milliseconds {
		return parquet.Int64Value(at.UnixMilli()), nil
	}
	return parquet.Int64Value(at.UnixMicro()), nil
}
