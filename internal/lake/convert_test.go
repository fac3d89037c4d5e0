package lake_test

import (
	"errors"
	"math"
	"math/big"
	"testing"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/deprecated"
	"pgregory.net/rapid"

	"sluice/internal/lake"
	"sluice/internal/parquetedit"
)

// Types that the tables below speak of.
var (
	typeInt    = parquetedit.Type{Physical: parquet.Int32}
	typeBigint = parquetedit.Type{Physical: parquet.Int64}
	typeShort  = integer(parquet.Int32, 16, true)
	typeUint32 = integer(parquet.Int32, 32, false)
	typeUint64 = integer(parquet.Int64, 64, false)
	typeString = parquetedit.Type{Physical: parquet.ByteArray, Logical: parquetedit.String}
	typeJSON   = parquetedit.Type{Physical: parquet.ByteArray, Logical: parquetedit.JSON}
	typeBytes  = parquetedit.Type{Physical: parquet.ByteArray}
	typeUUID   = parquetedit.Type{Physical: parquet.FixedLenByteArray, Length: 16, Logical: parquetedit.UUID}
	typeFloat  = parquetedit.Type{Physical: parquet.Float}
	typeDouble = parquetedit.Type{Physical: parquet.Double}
	typeBool   = parquetedit.Type{Physical: parquet.Boolean}
	typeDate   = parquetedit.Type{Physical: parquet.Int32, Logical: parquetedit.Date}
	typeTimeMs = parquetedit.Type{Physical: parquet.Int32, Logical: parquetedit.Time, Unit: parquetedit.Millis}
	typeTimeUs = parquetedit.Type{Physical: parquet.Int64, Logical: parquetedit.Time, Unit: parquetedit.Micros}
	typeInt96  = parquetedit.Type{Physical: parquet.Int96}
	typeMs     = timestamp(parquetedit.Millis)
	typeUs     = timestamp(parquetedit.Micros)
	typeNs     = timestamp(parquetedit.Nanos)
)

func integer(physical parquet.Kind, bits int, signed bool) parquetedit.Type {
	return parquetedit.Type{Physical: physical, Logical: parquetedit.Integer, Bits: bits, Signed: signed}
}

func timestamp(unit parquetedit.Unit) parquetedit.Type {
	return parquetedit.Type{Physical: parquet.Int64, Logical: parquetedit.Timestamp, Unit: unit, UTC: true}
}

func decimalIn(physical parquet.Kind, length, precision, scale int) parquetedit.Type {
	return parquetedit.Type{Physical: physical, Length: length, Logical: parquetedit.Decimal, Precision: precision, Scale: scale}
}

func text(s string) parquet.Value { return parquet.ByteArrayValue([]byte(s)) }

func fixed(b ...byte) parquet.Value { return parquet.FixedLenByteArrayValue(b) }

// unscaled makes a decimal or integer value with math/big alone.
func unscaled(t parquetedit.Type, x *big.Int) parquet.Value {
	switch {
	case t.Physical == parquet.Int32:
		return parquet.Int32Value(int32(x.Int64()))
	case t.Physical == parquet.Int64 && x.Sign() >= 0:
		return parquet.Int64Value(int64(x.Uint64()))
	case t.Physical == parquet.Int64:
		return parquet.Int64Value(x.Int64())
	case t.Physical == parquet.FixedLenByteArray:
		return parquet.FixedLenByteArrayValue(twosComplement(x, t.Length))
	}
	return parquet.ByteArrayValue(twosComplement(x, x.BitLen()/8+1))
}

func twosComplement(x *big.Int, length int) []byte {
	if x.Sign() < 0 {
		x = new(big.Int).Add(x, new(big.Int).Lsh(big.NewInt(1), uint(8*length)))
	}
	return x.FillBytes(make([]byte, length))
}

// int96 is a timestamp as Spark writes it: nanoseconds of the day and Julian day.
func int96(julianDay int32, nanos uint64) parquet.Value {
	return parquet.Int96Value(deprecated.Int96{uint32(nanos), uint32(nanos >> 32), uint32(julianDay)})
}

func TestConverter(t *testing.T) {
	dec := decimalIn
	const fixedKind, int32Kind, int64Kind = parquet.FixedLenByteArray, parquet.Int32, parquet.Int64
	huge, _ := new(big.Int).SetString("-99999999999999999999999999999999999999", 10) // 38 digits
	dec38, dec38Bytes := dec(fixedKind, 16, 38, 0), dec(parquet.ByteArray, 0, 38, 0)
	for name, c := range map[string]struct {
		from, to parquetedit.Type
		in, want parquet.Value
	}{
		"int to bigint":                     {typeInt, typeBigint, parquet.Int32Value(-5), parquet.Int64Value(-5)},
		"bigint to int":                     {typeBigint, typeInt, parquet.Int64Value(math.MinInt32), parquet.Int32Value(math.MinInt32)},
		"NULL":                              {typeBigint, typeInt, parquet.NullValue(), parquet.NullValue()},
		"unsigned int with the top bit":     {typeUint32, typeBigint, parquet.Int32Value(-1), parquet.Int64Value(math.MaxUint32)},
		"uint64 above 2^63 to decimal(20)":  {typeUint64, dec(fixedKind, 9, 20, 0), parquet.Int64Value(-1), fixed(0, 255, 255, 255, 255, 255, 255, 255, 255)},
		"decimal(20) to uint64":             {dec(fixedKind, 9, 20, 0), typeUint64, fixed(0, 255, 255, 255, 255, 255, 255, 255, 255), parquet.Int64Value(-1)},
		"int to decimal with scale":         {typeInt, dec(int64Kind, 0, 10, 2), parquet.Int32Value(-7), parquet.Int64Value(-700)},
		"decimal with zero fraction to int": {dec(fixedKind, 5, 10, 2), typeInt, fixed(0, 0, 0, 1, 244), parquet.Int32Value(5)},
		"decimal FLBA to INT64":             {dec(fixedKind, 7, 15, 2), dec(int64Kind, 0, 15, 2), fixed(255, 255, 255, 255, 255, 255, 255), parquet.Int64Value(-1)},
		"decimal INT32 to long FLBA":        {dec(int32Kind, 0, 9, 1), dec(fixedKind, 16, 38, 2), parquet.Int32Value(-1), unscaled(dec38, big.NewInt(-10))},
		"decimal of 38 digits to bytes":     {dec38, dec38Bytes, unscaled(dec38, huge), unscaled(dec38Bytes, huge)},
		"decimal bytes with spare zeros":    {dec38Bytes, typeInt, parquet.ByteArrayValue(append(make([]byte, 20), 7)), parquet.Int32Value(7)},
		"empty decimal bytes":               {dec38Bytes, typeInt, parquet.ByteArrayValue(nil), parquet.Int32Value(0)},
		"float to double":                   {typeFloat, typeDouble, parquet.FloatValue(1.5), parquet.DoubleValue(1.5)},
		"double that is a float":            {typeDouble, typeFloat, parquet.DoubleValue(-0.25), parquet.FloatValue(-0.25)},
		"infinity":                          {typeDouble, typeFloat, parquet.DoubleValue(math.Inf(-1)), parquet.FloatValue(float32(math.Inf(-1)))},
		"int to double":                     {typeInt, typeDouble, parquet.Int32Value(3), parquet.DoubleValue(3)},
		"double to int":                     {typeDouble, typeInt, parquet.DoubleValue(-3), parquet.Int32Value(-3)},
		"ms to us":                          {typeMs, typeUs, parquet.Int64Value(-1), parquet.Int64Value(-1000)},
		"us to ms before 1970":              {typeUs, typeMs, parquet.Int64Value(-1_001_000), parquet.Int64Value(-1001)},
		"earliest us to ns and no further":  {typeNs, typeNs, parquet.Int64Value(math.MinInt64), parquet.Int64Value(math.MinInt64)},
		"INT96 epoch to us":                 {typeInt96, typeUs, int96(2_440_588, 0), parquet.Int64Value(0)},
		"us before 1970 to INT96":           {typeUs, typeInt96, parquet.Int64Value(-1), int96(2_440_587, 86_399_999_999_000)},
		"INT96 of year 9999 to ms":          {typeInt96, typeMs, int96(5_373_484, 86_399_999_000_000), parquet.Int64Value(253_402_300_799_999)},
		"INT96 beyond its day":              {typeInt96, typeMs, int96(2_440_587, 86_400_000_000_000), parquet.Int64Value(0)},
		"time ms to us":                     {typeTimeMs, typeTimeUs, parquet.Int32Value(86_399_999), parquet.Int64Value(86_399_999_000)},
		"time us to ms":                     {typeTimeUs, typeTimeMs, parquet.Int64Value(1000), parquet.Int32Value(1)},
		"text to binary":                    {typeString, typeBytes, text("é"), text("é")},
		"binary that is text":               {typeBytes, typeString, text("é"), text("é")},
		"text to JSON":                      {typeString, typeJSON, text("{}"), text("{}")},
		"UUID to text":                      {typeUUID, typeString, fixed(0x12, 0x3e, 0x45, 0x67, 0xe8, 0x9b, 0x12, 0xd3, 0xa4, 0x56, 0x42, 0x66, 0x14, 0x17, 0x40, 0x00), text("123e4567-e89b-12d3-a456-426614174000")},
		"text to UUID":                      {typeString, typeUUID, text("123E4567-E89B-12D3-A456-426614174000"), fixed(0x12, 0x3e, 0x45, 0x67, 0xe8, 0x9b, 0x12, 0xd3, 0xa4, 0x56, 0x42, 0x66, 0x14, 0x17, 0x40, 0x00)},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := convert(c.from, c.to, c.in)
			if err != nil {
				t.Fatal(err)
			}
			if !parquet.Equal(got, c.want) {
				t.Errorf("got %#v, want %#v", got, c.want)
			}
		})
	}
}

func convert(from, to parquetedit.Type, v parquet.Value) (parquet.Value, error) {
	f, err := lake.Converter(from, to)
	if err != nil || f == nil {
		return v, err
	}
	return f(v)
}

func TestConverter_refuses(t *testing.T) {
	dec := decimalIn
	for name, c := range map[string]struct {
		from, to parquetedit.Type
		in       parquet.Value
	}{
		"bigint above int":              {typeBigint, typeInt, parquet.Int64Value(math.MaxInt32 + 1)},
		"negative to unsigned":          {typeInt, typeUint64, parquet.Int32Value(-1)},
		"uint64 above 2^63 to bigint":   {typeUint64, typeBigint, parquet.Int64Value(-1)},
		"uint32 above 2^31 to int":      {typeUint32, typeInt, parquet.Int32Value(-1)},
		"int above smallint":            {typeInt, typeShort, parquet.Int32Value(40_000)},
		"fraction to integer":           {dec(parquet.Int64, 0, 10, 2), typeBigint, parquet.Int64Value(101)},
		"fraction to a smaller scale":   {dec(parquet.Int64, 0, 10, 2), dec(parquet.Int64, 0, 10, 1), parquet.Int64Value(101)},
		"digits above the precision":    {typeBigint, dec(parquet.Int64, 0, 5, 2), parquet.Int64Value(1000)},
		"scaling beyond 64 bits":        {typeBigint, dec(parquet.Int64, 0, 18, 2), parquet.Int64Value(math.MaxInt64)},
		"double that is no float":       {typeDouble, typeFloat, parquet.DoubleValue(0.1)},
		"double beyond float":           {typeDouble, typeFloat, parquet.DoubleValue(1e300)},
		"double with fraction to int":   {typeDouble, typeInt, parquet.DoubleValue(1.5)},
		"NaN to int":                    {typeDouble, typeInt, parquet.DoubleValue(math.NaN())},
		"minus zero to int":             {typeDouble, typeInt, parquet.DoubleValue(math.Copysign(0, -1))},
		"bigint that is no double":      {typeBigint, typeDouble, parquet.Int64Value(1<<53 + 1)},
		"largest bigint to double":      {typeBigint, typeDouble, parquet.Int64Value(math.MaxInt64)},
		"int that is no float":          {typeInt, typeFloat, parquet.Int32Value(1<<24 + 1)},
		"us to ms with a rest":          {typeUs, typeMs, parquet.Int64Value(-1)},
		"year 9999 to ns":               {typeMs, typeNs, parquet.Int64Value(253_402_300_799_999)},
		"INT96 with nanoseconds to us":  {typeInt96, typeUs, int96(2_440_588, 1)},
		"ms beyond the years of us":     {typeMs, typeUs, parquet.Int64Value(math.MaxInt64)},
		"ms beyond the days of INT96":   {typeMs, typeInt96, parquet.Int64Value(math.MinInt64)},
		"binary that is no text":        {typeBytes, typeString, text("\xff")},
		"text that is no UUID":          {typeString, typeUUID, text("123e4567-e89b-12d3-a456_426614174000")},
		"long time to ms in 32 bits":    {typeTimeUs, typeTimeMs, parquet.Int64Value(math.MaxInt64 / 1000 * 1000)},
		"bytes of the wrong length":     {typeBytes, parquetedit.Type{Physical: parquet.FixedLenByteArray, Length: 3}, text("ab")},
		"decimal beyond 64 bits to int": {dec(parquet.FixedLenByteArray, 16, 38, 0), typeInt, unscaled(dec(parquet.FixedLenByteArray, 16, 38, 0), new(big.Int).Lsh(big.NewInt(1), 100))},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := convert(c.from, c.to, c.in)
			var bad *lake.ValueError
			if !errors.As(err, &bad) {
				t.Fatalf("got %v, %v, want a ValueError", got, err)
			}
			if bad.From != c.from || bad.To != c.to || bad.Error() == "" {
				t.Errorf("got %+v", bad)
			}
		})
	}
}

func TestConverter_types(t *testing.T) {
	all := []parquetedit.Type{typeInt, typeString, typeDouble, typeDate, typeTimeMs, typeMs, typeBool}
	for _, from := range all {
		for _, to := range all {
			_, err := lake.Converter(from, to)
			var bad *lake.TypeError
			numeric := from != to && (from == typeInt && to == typeDouble || from == typeDouble && to == typeInt)
			if want := from != to && !numeric; errors.As(err, &bad) != want {
				t.Errorf("%s to %s: got %v", lake.TypeName(from), lake.TypeName(to), err)
			}
		}
	}
	for name, pair := range map[string][2]parquetedit.Type{
		"same":                     {typeInt, typeInt},
		"smallint in INT32 to int": {typeShort, typeInt},
		"wider decimal":            {decimalIn(parquet.Int64, 0, 10, 2), decimalIn(parquet.Int64, 0, 12, 2)},
		"zone flag":                {typeMs, {Physical: parquet.Int64, Logical: parquetedit.Timestamp, Unit: parquetedit.Millis}},
		"INT96 with annotation":    {typeInt96, {Physical: parquet.Int96, Logical: parquetedit.Timestamp, Unit: parquetedit.Nanos}},
		"JSON to text":             {typeJSON, typeString},
	} {
		if f, err := lake.Converter(pair[0], pair[1]); f != nil || err != nil {
			t.Errorf("%s: the conversion is not free: %v", name, err)
		}
	}
}

// numbers draws a number type.
func numbers() *rapid.Generator[parquetedit.Type] {
	return rapid.Custom(func(t *rapid.T) parquetedit.Type {
		switch rapid.IntRange(0, 4).Draw(t, "form") {
		case 0:
			return rapid.SampledFrom([]parquetedit.Type{typeInt, typeBigint, typeShort, typeUint32, typeUint64, integer(parquet.Int32, 8, false)}).Draw(t, "int")
		case 1:
			p := rapid.IntRange(1, 9).Draw(t, "precision")
			return decimalIn(parquet.Int32, 0, p, rapid.IntRange(0, p).Draw(t, "scale"))
		case 2:
			p := rapid.IntRange(1, 18).Draw(t, "precision")
			return decimalIn(parquet.Int64, 0, p, rapid.IntRange(0, p).Draw(t, "scale"))
		}
		p := rapid.IntRange(1, 38).Draw(t, "precision")
		kind := rapid.SampledFrom([]parquet.Kind{parquet.FixedLenByteArray, parquet.ByteArray}).Draw(t, "kind")
		length := 0
		if kind == parquet.FixedLenByteArray {
			length = 16
		}
		return decimalIn(kind, length, p, rapid.IntRange(0, p).Draw(t, "scale"))
	})
}

func limits(t parquetedit.Type) (low, high *big.Int) {
	one := big.NewInt(1)
	if t.Logical == parquetedit.Decimal {
		high = new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(t.Precision)), nil)
		high.Sub(high, one)
		return new(big.Int).Neg(high), high
	}
	bits := map[parquet.Kind]int{parquet.Int32: 32, parquet.Int64: 64}[t.Physical]
	if t.Logical == parquetedit.Integer {
		bits = t.Bits
	}
	if t.Logical == parquetedit.Integer && !t.Signed {
		return new(big.Int), new(big.Int).Sub(new(big.Int).Lsh(one, uint(bits)), one)
	}
	half := new(big.Int).Lsh(one, uint(bits-1))
	return new(big.Int).Neg(half), new(big.Int).Sub(half, one)
}

// unscaledIn draws an integer between the limits of a type, often near them or near powers of ten.
func unscaledIn(t *rapid.T, typ parquetedit.Type) *big.Int {
	low, high := limits(typ)
	x := new(big.Int).SetBytes(rapid.SliceOfN(rapid.Byte(), 0, 16).Draw(t, "bytes"))
	zeros := rapid.IntRange(0, 12).Draw(t, "zeros")
	x.Mul(x, new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(zeros)), nil))
	if rapid.Bool().Draw(t, "negative") {
		x.Neg(x)
	}
	if x.Cmp(low) < 0 {
		return low
	}
	if x.Cmp(high) > 0 {
		return high
	}
	return x
}

// A number is converted exactly or refused, and refused only when it does not fit, by math/big.
func TestConverter_numbersAreExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		from, to := numbers().Draw(t, "from"), numbers().Draw(t, "to")
		x := unscaledIn(t, from)
		in := unscaled(from, x)
		got, err := convert(from, to, in)

		ratio := new(big.Rat).SetFrac(x, pow10(from.Scale))
		ratio.Mul(ratio, new(big.Rat).SetInt(pow10(to.Scale)))
		low, high := limits(to)
		fits := ratio.IsInt() && ratio.Num().Cmp(low) >= 0 && ratio.Num().Cmp(high) <= 0
		if fits != (err == nil) {
			t.Fatalf("%s %v to %s: fits %v, got %v", lake.TypeName(from), x, lake.TypeName(to), fits, err)
		}
		if !fits {
			return
		}
		if want := unscaled(to, ratio.Num()); got.Kind() != want.Kind() || !lake.Equal(to, got, want) {
			t.Fatalf("%s %v to %s: got %#v, want %#v", lake.TypeName(from), x, lake.TypeName(to), got, want)
		}
		if back, err := convert(to, from, got); err != nil || !lake.Equal(from, back, in) {
			t.Fatalf("back: got %#v, %v, want %#v", back, err, in)
		}
	})
}

func pow10(n int) *big.Int { return new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(n)), nil) }

func TestConverter_timestampsRoundTrip(t *testing.T) {
	types := []parquetedit.Type{typeMs, typeUs, typeNs, typeInt96}
	per := map[parquetedit.Type]int64{typeMs: 1_000, typeUs: 1_000_000, typeNs: 1_000_000_000, typeInt96: 1_000_000_000}
	rapid.Check(t, func(t *rapid.T) {
		from, to := rapid.SampledFrom(types[:3]).Draw(t, "from"), rapid.SampledFrom(types).Draw(t, "to")
		ticks := rapid.Int64().Draw(t, "ticks")
		got, err := convert(from, to, parquet.Int64Value(ticks))
		exact := new(big.Rat).SetFrac(new(big.Int).Mul(big.NewInt(ticks), big.NewInt(per[to])), big.NewInt(per[from]))
		fits := exact.IsInt() && (exact.Num().IsInt64() || to == typeInt96)
		if to == typeInt96 {
			days := ticks / per[from] / 86_400
			fits = days > math.MinInt32 && days+2_440_588 < math.MaxInt32
		}
		if fits != (err == nil) {
			t.Fatalf("%s %d to %s: fits %v, got %v", lake.TypeName(from), ticks, lake.TypeName(to), fits, err)
		}
		if !fits {
			return
		}
		if to != typeInt96 && got.Int64() != exact.Num().Int64() {
			t.Fatalf("got %d, want %v", got.Int64(), exact)
		}
		if back, err := convert(to, from, got); err != nil || back.Int64() != ticks {
			t.Fatalf("back: got %d, %v, want %d", back.Int64(), err, ticks)
		}
	})
}
