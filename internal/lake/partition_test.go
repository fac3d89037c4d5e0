package lake_test

import (
	"errors"
	"math/big"
	"slices"
	"testing"

	"github.com/parquet-go/parquet-go"
	"pgregory.net/rapid"

	"sluice/internal/lake"
	"sluice/internal/parquetedit"
)

func TestFormatPartition(t *testing.T) {
	dec := decimalIn(parquet.FixedLenByteArray, 16, 38, 2)
	for name, c := range map[string]struct {
		typ  parquetedit.Type
		v    parquet.Value
		want string
	}{
		"NULL":                     {typeInt, parquet.NullValue(), "__HIVE_DEFAULT_PARTITION__"},
		"empty text":               {typeString, text(""), "__HIVE_DEFAULT_PARTITION__"},
		"text":                     {typeString, text("a b/ä"), "a b/ä"},
		"int":                      {typeInt, parquet.Int32Value(-7), "-7"},
		"uint64":                   {typeUint64, parquet.Int64Value(-1), "18446744073709551615"},
		"bool":                     {typeBool, parquet.BooleanValue(true), "true"},
		"decimal":                  {dec, unscaled(dec, big.NewInt(500)), "5.00"},
		"small negative decimal":   {dec, unscaled(dec, big.NewInt(-5)), "-0.05"},
		"date":                     {typeDate, parquet.Int32Value(0), "1970-01-01"},
		"date before 1970":         {typeDate, parquet.Int32Value(-719_162), "0001-01-01"},
		"last date of four digits": {typeDate, parquet.Int32Value(2_932_896), "9999-12-31"},
		"date behind that":         {typeDate, parquet.Int32Value(2_932_897), "+10000-01-01"},
		"date before the year 0":   {typeDate, parquet.Int32Value(-719_529), "-0001-12-31"},
		"timestamp":                {typeMs, parquet.Int64Value(0), "1970-01-01 00:00:00"},
		"timestamp with fraction":  {typeMs, parquet.Int64Value(1_500), "1970-01-01 00:00:01.5"},
		"microsecond before 1970":  {typeUs, parquet.Int64Value(-1), "1969-12-31 23:59:59.999999"},
		"INT96":                    {typeInt96, int96(2_440_588, 3_600_000_000_000), "1970-01-01 01:00:00"},
		"nanoseconds":              {typeNs, parquet.Int64Value(1), "1970-01-01 00:00:00.000000001"},
		"time":                     {typeTimeMs, parquet.Int32Value(86_399_000), "23:59:59"},
		"UUID":                     {typeUUID, fixed(make([]byte, 16)...), "00000000-0000-0000-0000-000000000000"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := lake.FormatPartition(c.typ, c.v)
			if err != nil || got != c.want {
				t.Fatalf("got %q, %v, want %q", got, err, c.want)
			}
			back, err := lake.ParsePartition(c.typ, got)
			if c.want == lake.NullPartition {
				c.v = parquet.NullValue()
			}
			if err != nil || !lake.Equal(c.typ, back, c.v) {
				t.Errorf("back: got %v, %v, want %v", back, err, c.v)
			}
		})
	}
}

func TestFormatPartition_refuses(t *testing.T) {
	for _, typ := range []parquetedit.Type{typeFloat, typeDouble, typeBytes, {Physical: parquet.FixedLenByteArray, Length: 2}} {
		if _, err := lake.FormatPartition(typ, parquet.NullValue()); !errors.Is(err, lake.ErrPartitionType) {
			t.Errorf("format %s: got %v", lake.TypeName(typ), err)
		}
		if _, err := lake.ParsePartition(typ, "1"); !errors.Is(err, lake.ErrPartitionType) {
			t.Errorf("parse %s: got %v", lake.TypeName(typ), err)
		}
	}
}

func TestParsePartition(t *testing.T) {
	for name, c := range map[string]struct {
		typ  parquetedit.Type
		text string
		ok   bool
	}{
		"leading zero":           {typeInt, "01", true},
		"int out of range":       {typeShort, "40000", false},
		"int with letters":       {typeInt, "1x", false},
		"int with underscore":    {typeInt, "1_0", false},
		"plus":                   {typeInt, "+1", false},
		"no digits":              {typeInt, "-", false},
		"decimal cut":            {decimalIn(parquet.Int64, 0, 9, 1), "1.20", true},
		"decimal too fine":       {decimalIn(parquet.Int64, 0, 9, 1), "1.25", false},
		"bool":                   {typeBool, "True", false},
		"impossible date":        {typeDate, "2023-02-29", false},
		"date too short":         {typeDate, "2023-2-9", false},
		"date with sign":         {typeDate, "--2023-02-09", false},
		"date out of range":      {typeDate, "+99999999-01-01", false},
		"timestamp without time": {typeUs, "2023-02-09", false},
		"timestamp too fine":     {typeMs, "2023-02-09 00:00:00.0001", false},
		"bare point":             {typeMs, "2023-02-09 00:00:00.", false},
		"fraction with sign":     {typeMs, "2023-02-09 00:00:00.-1", false},
		"UUID":                   {typeUUID, "0", false},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := lake.ParsePartition(c.typ, c.text)
			if errors.Is(err, lake.ErrPartitionValue) == c.ok {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestFormatPartition_roundTrips(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := typedPairs().Filter(func(p typed) bool { return p.typ != typeFloat && p.typ != typeDouble && p.typ != typeBytes }).Draw(t, "pair")
		s, err := lake.FormatPartition(p.typ, p.a)
		if err != nil {
			t.Fatal(err)
		}
		back, err := lake.ParsePartition(p.typ, s)
		if err != nil || lake.Compare(p.typ, back, p.a) != 0 {
			t.Fatalf("%q: got %v, %v, want %v", s, back, err, p.a)
		}
	})
}

func TestEscapePath(t *testing.T) {
	for name, c := range map[string]struct{ in, want string }{
		"plain":        {"abc", "abc"},
		"space, ä":     {"a b ä }", "a b ä }"},
		"every escape": {"\"#%'*/:=?\\{[]^\x7f\x01\x1f\n", "%22%23%25%27%2A%2F%3A%3D%3F%5C%7B%5B%5D%5E%7F%01%1F%0A"},
		"not escaped":  {"}<>|&+,;@!$()~`\x00", "}<>|&+,;@!$()~`\x00"},
		"timestamp":    {"2021-11-23 01:38:30.5", "2021-11-23 01%3A38%3A30.5"},
	} {
		if got := lake.EscapePath(c.in); got != c.want {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
		if got := lake.UnescapePath(c.want); got != c.in {
			t.Errorf("%s back: got %q, want %q", name, got, c.in)
		}
	}
	for in, want := range map[string]string{"%": "%", "%4": "%4", "%zz%41": "%zzA", "a%2fb": "a/b", "%%41": "%A", "%E9": "é"} {
		if got := lake.UnescapePath(in); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}

func TestPartitionDir(t *testing.T) {
	got := lake.PartitionDir([]string{"a", "b c", "d"}, []string{"1", "x=y/z", ""})
	if want := "a=1/b c=x%3Dy%2Fz/d=__HIVE_DEFAULT_PARTITION__/"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	for _, dir := range []string{"a", "a/", "a=1", "=1/", "a=1//"} {
		if _, err := lake.ParsePartitionDir(dir); !errors.Is(err, lake.ErrPartitionValue) {
			t.Errorf("%q: got %v", dir, err)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		names := rapid.SliceOfN(rapid.StringN(1, 5, -1), 0, 3).Draw(t, "names")
		values := rapid.SliceOfN(rapid.StringN(1, 5, -1), len(names), len(names)).Draw(t, "values")
		dir := lake.PartitionDir(names, values)
		parts, err := lake.ParsePartitionDir(dir)
		var want []lake.DirValue
		for i := range names {
			want = append(want, lake.DirValue{Name: names[i], Value: values[i]})
		}
		if err != nil || !slices.Equal(parts, want) {
			t.Fatalf("%q: got %v, %v, want %v", dir, parts, err, want)
		}
	})
}
