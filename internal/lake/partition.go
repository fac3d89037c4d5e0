package lake

import (
	"errors"
	"fmt"
	"math/big"
	"strconv"
	"strings"
	"time"

	"github.com/parquet-go/parquet-go"

	"sluice/internal/parquetedit"
)

// NullPartition is the directory value of NULL and of empty text (Hive's
// hive.exec.default.partition.name). It is read back as NULL.
const NullPartition = "__HIVE_DEFAULT_PARTITION__"

// ErrPartitionType is returned when values of a type cannot name a directory: floats and binary.
var ErrPartitionType = errors.New("the type cannot be a partition column")

// ErrPartitionValue is returned when a directory name is not of the form
// "a=1/b=x/", or its value is none of the column's type; and when a value cannot name a directory.
var ErrPartitionValue = errors.New("no value of the partition column")

const (
	dateLayout = "2006-01-02"
	timeLayout = "15:04:05"
)

// FormatPartition returns the text of a value in a directory name, not yet
// escaped, as Spark casts it to a string: integers and decimals plain, "true" and "false", dates
// YYYY-MM-DD, timestamps "YYYY-MM-DD HH:MM:SS" with the fraction of the second, if there is one,
// behind a point and without trailing zeros. NULL and "" give [NullPartition]. Times of day and UUIDs,
// which Spark does not know, have their usual form. It returns [ErrPartitionType] for floats and binary.
func FormatPartition(t parquetedit.Type, v parquet.Value) (string, error) {
	if err := CheckPartitionType(t); err != nil {
		return "", err
	}
	if v.IsNull() {
		return NullPartition, nil
	}
	switch familyOf(t) {
	case famBool:
		return strconv.FormatBool(v.Boolean()), nil
	case famNumber:
		n := numberOf(t)
		return formatDecimal(n.big(v), n.scale), nil
	case famDate:
		return formatDay(int64(v.Int32())), nil
	case famTime:
		return formatTime(instantOf(t, v)), nil
	case famTimestamp:
		i := instantOf(t, v)
		day, rest := floorDiv(i.seconds, secondsPerDay)
		return formatDay(day) + " " + formatTime(instant{rest, i.nanos}), nil
	case famUUID:
		return string(uuidText(v.ByteArray())), nil
	case famBytes, famFloat, famOther:
	}
	if len(v.ByteArray()) == 0 {
		return NullPartition, nil
	}
	return string(v.ByteArray()), nil
}

// CheckPartitionType returns [ErrPartitionType] for types whose values cannot name
// a directory: floats, which do not read back as written, and binary.
func CheckPartitionType(t parquetedit.Type) error {
	switch f := familyOf(t); {
	case f == famOther, f == famFloat, f == famBytes && (!isText(t) || t.Physical != parquet.ByteArray):
		return fmt.Errorf("%w: %s", ErrPartitionType, TypeName(t))
	}
	return nil
}

func formatDecimal(x *big.Int, scale int) string {
	digits := new(big.Int).Abs(x).String()
	if pad := scale + 1 - len(digits); pad > 0 {
		digits = strings.Repeat("0", pad) + digits
	}
	if scale > 0 {
		digits = digits[:len(digits)-scale] + "." + digits[len(digits)-scale:]
	}
	if x.Sign() < 0 {
		return "-" + digits
	}
	return digits
}

// formatDay prints a day since 1970-01-01; years behind 9999 begin with "+", as in Spark.
func formatDay(day int64) string {
	t := time.Unix(day*secondsPerDay, 0).UTC()
	if t.Year() > 9999 {
		return "+" + t.Format(dateLayout)
	}
	return t.Format(dateLayout)
}

func formatTime(i instant) string {
	text := time.Unix(i.seconds, 0).UTC().Format(timeLayout)
	if i.nanos == 0 {
		return text
	}
	return text + "." + strings.TrimRight(fmt.Sprintf("%09d", i.nanos), "0")
}

// ParsePartition is the inverse of [FormatPartition]. It takes integers with leading zeros too, and
// returns [ErrPartitionValue] for text that is no value of t, or not exactly one.
func ParsePartition(t parquetedit.Type, s string) (parquet.Value, error) {
	if err := CheckPartitionType(t); err != nil {
		return parquet.NullValue(), err
	}
	if s == NullPartition || s == "" {
		return parquet.NullValue(), nil
	}
	v, ok := parsePartition(t, s)
	if !ok {
		return parquet.NullValue(), fmt.Errorf("%w: %q is no %s", ErrPartitionValue, s, TypeName(t))
	}
	return v, nil
}

func parsePartition(t parquetedit.Type, s string) (value, bool) {
	switch familyOf(t) {
	case famBool:
		return parquet.BooleanValue(s == "true"), s == "true" || s == "false"
	case famNumber:
		return parseDecimal(numberOf(t), s)
	case famDate:
		day, ok := parseDay(s)
		return parquet.Int32Value(int32(day)), ok && int64(int32(day)) == day
	case famTime:
		i, ok := parseTime(s)
		if !ok {
			return value{}, false
		}
		return i.valueOf(t)
	case famTimestamp:
		day, clock, _ := strings.Cut(s, " ")
		days, ok := parseDay(day)
		i, timed := parseTime(clock)
		if !ok || !timed {
			return value{}, false
		}
		i.seconds += days * secondsPerDay
		return i.valueOf(t)
	case famUUID:
		b, ok := parseUUID([]byte(s))
		return parquet.FixedLenByteArrayValue(b), ok
	case famBytes, famFloat, famOther:
	}
	return parquet.ByteArrayValue([]byte(s)), true
}

func parseDecimal(n number, s string) (value, bool) {
	digits, fraction, _ := strings.Cut(s, ".")
	for len(fraction) > n.scale && strings.HasSuffix(fraction, "0") {
		fraction = fraction[:len(fraction)-1]
	}
	if len(fraction) > n.scale {
		return value{}, false
	}
	digits += fraction + strings.Repeat("0", n.scale-len(fraction))
	if strings.Trim(strings.TrimPrefix(digits, "-"), "0123456789") != "" {
		return value{}, false
	}
	x, ok := new(big.Int).SetString(digits, 10)
	if !ok || x.Cmp(n.low) < 0 || x.Cmp(n.high) > 0 {
		return value{}, false
	}
	return n.ofBig(x), true
}

// parseDay reads [+-]Y…YYYY-MM-DD with at least four digits of the year.
func parseDay(s string) (int64, bool) {
	if len(s) < len(dateLayout) {
		return 0, false
	}
	year, err := strconv.ParseInt(s[:len(s)-6], 10, 32)
	if err != nil || len(strings.TrimLeft(s[:len(s)-6], "+-")) < 4 {
		return 0, false
	}
	// The calendar repeats every 400 years of 146,097 days; package time parses four digits only.
	cycle, rest := floorDiv(year, 400)
	t, err := time.Parse(dateLayout, fmt.Sprintf("%04d%s", rest+2000, s[len(s)-6:]))
	if err != nil {
		return 0, false
	}
	return t.Unix()/secondsPerDay + (cycle-5)*146_097, true
}

func parseTime(s string) (instant, bool) {
	clock, fraction, dotted := strings.Cut(s, ".")
	t, err := time.Parse(timeLayout, clock)
	if err != nil || len(clock) != len(timeLayout) || dotted && fraction == "" || len(fraction) > 9 {
		return instant{}, false
	}
	nanos, err := strconv.ParseUint("0"+fraction+strings.Repeat("0", 9-len(fraction)), 10, 63)
	return instant{int64(t.Hour()*3600 + t.Minute()*60 + t.Second()), int64(nanos)}, err == nil
}
