package dms

import (
	"encoding/hex"
	"math/big"
	"strconv"
	"strings"
	"unsafe"

	"github.com/parquet-go/parquet-go"

	"sluice/internal/parquetedit"
)

func textType() parquetedit.Type {
	return parquetedit.Type{Physical: parquet.ByteArray, Logical: parquetedit.String}
}

// csvType is the type that a field is read as which is to become a value of a type of the lake. The lake converts what is
// left to convert, exactly.
func csvType(t parquetedit.Type) parquetedit.Type {
	switch t.Logical {
	case parquetedit.Integer, parquetedit.Date, parquetedit.UUID, parquetedit.JSON, parquetedit.BSON:
		return t
	case parquetedit.Time, parquetedit.Timestamp:
		if t.Physical == parquet.Int32 || t.Physical == parquet.Int64 {
			return t
		}
	case parquetedit.Decimal:
		if t.Physical != parquet.ByteArray {
			return t
		}
		return parquetedit.Type{Physical: parquet.FixedLenByteArray, Length: decimalBytes(t.Precision), Logical: parquetedit.Decimal, Precision: t.Precision, Scale: t.Scale}
	case parquetedit.None:
		switch t.Physical {
		case parquet.Int96:
			return parquetedit.Type{Physical: parquet.Int64, Logical: parquetedit.Timestamp, Unit: parquetedit.Micros}
		case parquet.Boolean, parquet.Int32, parquet.Int64, parquet.Float, parquet.Double, parquet.ByteArray, parquet.FixedLenByteArray:
			return t
		}
	case parquetedit.String, parquetedit.Float16, parquetedit.Interval:
	}
	return textType()
}

// decimalBytes is how many bytes hold every decimal of so many digits.
func decimalBytes(precision int) int {
	return new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(precision)), nil).BitLen()/8 + 1
}

// decimalType is the form that Spark gives a decimal, but never in fewer bytes than four.
func decimalType(precision, scale int) parquetedit.Type {
	t := parquetedit.Type{Physical: parquet.FixedLenByteArray, Logical: parquetedit.Decimal, Precision: precision, Scale: scale}
	switch {
	case precision <= 9:
		t.Physical = parquet.Int32
	case precision <= 18:
		t.Physical = parquet.Int64
	default:
		t.Length = decimalBytes(precision)
	}
	return t
}

// digitsBefore and digitsBehind count the digits of a number on both sides of its point.
func digitsBefore(text []byte) int {
	whole, _, _ := strings.Cut(strings.TrimPrefix(textOf(text), "-"), ".")
	return len(strings.TrimLeft(whole, "0"))
}

func digitsBehind(text []byte) int {
	_, fraction, _ := strings.Cut(textOf(text), ".")
	return len(strings.TrimRight(fraction, "0"))
}

// parser makes a value of the text of a field that is not NULL; false when it is none of the type's.
type parser func(text []byte) (parquet.Value, bool)

// parserOf returns how fields of a type are read.
func parserOf(t parquetedit.Type) parser {
	switch t.Logical {
	case parquetedit.Date:
		return parseDate
	case parquetedit.Time:
		return parseTime(t)
	case parquetedit.Timestamp:
		return parseTimestamp(t)
	case parquetedit.Decimal:
		return parseDecimal(t)
	case parquetedit.UUID:
		return parseUUID
	case parquetedit.BSON:
		return parseHex(t)
	case parquetedit.None, parquetedit.Integer, parquetedit.String, parquetedit.JSON, parquetedit.Float16, parquetedit.Interval:
	}
	switch t.Physical {
	case parquet.Boolean:
		return parseBoolean
	case parquet.Int32, parquet.Int64:
		return parseInteger(t)
	case parquet.Float, parquet.Double:
		return parseFloat(t)
	case parquet.ByteArray, parquet.FixedLenByteArray, parquet.Int96:
	}
	if t.Logical == parquetedit.None {
		return parseHex(t)
	}
	return func(text []byte) (parquet.Value, bool) { return parquet.ByteArrayValue(text), true }
}

// isTextual says whether an empty field of a type is a value.
func isTextual(t parquetedit.Type) bool { return t.Physical == parquet.ByteArray }

// textOf is the bytes as a string, which lives as long as they stay as they are.
func textOf(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// parseBoolean reads what DMS writes: true and false, t and f, 1 and 0.
func parseBoolean(text []byte) (parquet.Value, bool) {
	switch string(text) {
	case "true", "t", "1", "TRUE", "True", "T":
		return parquet.BooleanValue(true), true
	case "false", "f", "0", "FALSE", "False", "F":
		return parquet.BooleanValue(false), true
	}
	return parquet.Value{}, false
}

// parseHex reads binary, which DMS writes as hexadecimal digits.
func parseHex(t parquetedit.Type) parser {
	return func(text []byte) (parquet.Value, bool) {
		b := make([]byte, hex.DecodedLen(len(text)))
		_, err := hex.Decode(b, text)
		if t.Physical == parquet.FixedLenByteArray {
			return parquet.FixedLenByteArrayValue(b), err == nil && len(b) == t.Length
		}
		return parquet.ByteArrayValue(b), err == nil
	}
}

// parseUUID reads the 36 characters of RFC 9562.
func parseUUID(text []byte) (parquet.Value, bool) {
	if len(text) != 36 || text[8] != '-' || text[13] != '-' || text[18] != '-' || text[23] != '-' {
		return parquet.Value{}, false
	}
	b, err := hex.DecodeString(strings.ReplaceAll(string(text), "-", ""))
	return parquet.FixedLenByteArrayValue(b), err == nil && len(b) == 16
}

func parseInteger(t parquetedit.Type) parser {
	bits := 32
	if t.Physical == parquet.Int64 {
		bits = 64
	}
	wide := bits == 64
	if t.Logical == parquetedit.Integer && t.Bits > 0 {
		bits = min(bits, t.Bits)
	}
	valueOf := func(n int64) parquet.Value {
		if wide {
			return parquet.Int64Value(n)
		}
		return parquet.Int32Value(int32(n))
	}
	if t.Logical == parquetedit.Integer && !t.Signed {
		return func(text []byte) (parquet.Value, bool) {
			n, err := strconv.ParseUint(textOf(text), 10, bits)
			return valueOf(int64(n)), err == nil && text[0] != '+'
		}
	}
	return func(text []byte) (parquet.Value, bool) {
		n, ok := wholeOf(text)
		if !ok || n>>(bits-1) != n>>63 {
			return parquet.Value{}, false
		}
		return valueOf(n), true
	}
}

// wholeOf reads an integer of 64 bits.
func wholeOf(text []byte) (int64, bool) {
	if len(text) > 0 && len(text) < 19 {
		n, negative := int64(0), text[0] == '-'
		digits := text
		if negative {
			digits = text[1:]
		}
		for _, c := range digits {
			if !isDigit(c) {
				return 0, false
			}
			n = n*10 + int64(c-'0')
		}
		if negative {
			n = -n
		}
		return n, len(digits) > 0
	}
	n, err := strconv.ParseInt(textOf(text), 10, 64)
	return n, err == nil && text[0] != '+'
}

// parseFloat reads decimal text; what is none of the type's values is rounded to the nearest, as the source did when it wrote it.
func parseFloat(t parquetedit.Type) parser {
	if t.Physical == parquet.Float {
		return func(text []byte) (parquet.Value, bool) {
			f, err := strconv.ParseFloat(textOf(text), 32)
			return parquet.FloatValue(float32(f)), err == nil && floatText(text)
		}
	}
	return func(text []byte) (parquet.Value, bool) {
		f, err := strconv.ParseFloat(textOf(text), 64)
		return parquet.DoubleValue(f), err == nil && floatText(text)
	}
}

// floatText refuses forms that only Go reads: 0x1p-2 and 1_000.
func floatText(text []byte) bool { return !strings.ContainsAny(textOf(text), "xX_") }

// parseDecimal reads a number without exponent. Digits behind the scale have to be zeros.
func parseDecimal(t parquetedit.Type) parser {
	most := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(t.Precision)), nil)
	return func(text []byte) (parquet.Value, bool) {
		number := text
		negative := len(number) > 0 && number[0] == '-'
		if negative {
			number = number[1:]
		}
		digits, ok := scaled(number, t.Scale)
		if !ok {
			return parquet.Value{}, false
		}
		if len(digits) < 19 {
			n, _ := wholeOf(digits)
			if t.Precision < 19 && n >= most.Int64() {
				return parquet.Value{}, false
			}
			if negative {
				n = -n
			}
			return decimalOf(t, n), true
		}
		n, ok := new(big.Int).SetString(string(digits), 10)
		if !ok || n.Cmp(most) >= 0 || t.Physical != parquet.FixedLenByteArray {
			return parquet.Value{}, false
		}
		if negative {
			n.Neg(n)
		}
		return parquet.FixedLenByteArrayValue(twosComplement(n, t.Length)), true
	}
}

// scaled returns the digits of a number without sign times ten to the scale, without leading zeros but at least one digit.
func scaled(number []byte, scale int) ([]byte, bool) {
	point := len(number)
	digits := make([]byte, 0, len(number)+scale)
	for i, c := range number {
		switch {
		case c == '.' && point == len(number):
			point = i
		case !isDigit(c):
			return nil, false
		case point == len(number) || i-point <= scale:
			digits = append(digits, c)
		case c != '0':
			return nil, false
		}
	}
	if len(number) == 0 || point == 0 && len(number) == 1 {
		return nil, false
	}
	for behind := max(len(number)-point-1, 0); behind < scale; behind++ {
		digits = append(digits, '0')
	}
	for len(digits) > 1 && digits[0] == '0' {
		digits = digits[1:]
	}
	return digits, len(digits) > 0
}

func decimalOf(t parquetedit.Type, n int64) parquet.Value {
	switch t.Physical {
	case parquet.Int32:
		return parquet.Int32Value(int32(n))
	case parquet.Int64:
		return parquet.Int64Value(n)
	case parquet.Boolean, parquet.Int96, parquet.Float, parquet.Double, parquet.ByteArray, parquet.FixedLenByteArray:
	}
	b := make([]byte, t.Length)
	for i := len(b) - 1; i >= 0; i-- {
		b[i] = byte(n)
		n >>= 8
	}
	return parquet.FixedLenByteArrayValue(b)
}

func twosComplement(n *big.Int, width int) []byte {
	if n.Sign() < 0 {
		n = new(big.Int).Add(n, new(big.Int).Lsh(big.NewInt(1), uint(width)*8))
	}
	return n.FillBytes(make([]byte, width))
}
