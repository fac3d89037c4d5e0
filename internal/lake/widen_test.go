package lake_test

import (
	"testing"

	"github.com/parquet-go/parquet-go"
	"pgregory.net/rapid"

	"sluice/internal/lake"
	"sluice/internal/parquetedit"
)

func TestWiden(t *testing.T) {
	const fixedKind = parquet.FixedLenByteArray
	for name, c := range map[string]struct {
		a, b parquetedit.Type
		want string // "" = none
	}{
		"same":                       {typeDate, typeDate, "date"},
		"int and bigint":             {typeInt, typeBigint, "bigint"},
		"bigint and int":             {typeBigint, typeInt, "bigint"},
		"int and uint32":             {typeInt, typeUint32, "bigint"},
		"bigint and uint64":          {typeBigint, typeUint64, "decimal(20,0)"},
		"int and decimal":            {typeInt, decimalIn(parquet.Int64, 0, 10, 2), "decimal(12,2)"},
		"smallint and decimal":       {typeShort, decimalIn(parquet.Int64, 0, 10, 2), "decimal(10,2)"},
		"decimals":                   {decimalIn(parquet.Int32, 0, 9, 0), decimalIn(parquet.Int32, 0, 9, 9), "decimal(18,9)"},
		"decimals beyond 38 digits":  {decimalIn(fixedKind, 16, 38, 0), decimalIn(fixedKind, 16, 38, 10), ""},
		"float and double":           {typeFloat, typeDouble, "double"},
		"int and float":              {typeInt, typeFloat, "double"},
		"bigint and double":          {typeBigint, typeDouble, ""},
		"ms and us":                  {typeMs, typeUs, "timestamp(us)"},
		"us and INT96":               {typeUs, typeInt96, "timestamp(int96)"},
		"times":                      {typeTimeMs, typeTimeUs, "time(us)"},
		"text and JSON":              {typeJSON, typeString, "string"},
		"text and binary":            {typeString, typeBytes, "binary"},
		"text and UUID":              {typeUUID, typeString, "string"},
		"fixed bytes of two lengths": {parquetedit.Type{Physical: fixedKind, Length: 2}, parquetedit.Type{Physical: fixedKind, Length: 3}, "binary"},
		"date and timestamp":         {typeDate, typeUs, ""},
		"int and text":               {typeInt, typeString, ""},
	} {
		t.Run(name, func(t *testing.T) {
			wide, ok := lake.Widen(c.a, c.b)
			if got := lake.TypeName(wide); ok != (c.want != "") || ok && got != c.want {
				t.Errorf("got %s, %v, want %q", got, ok, c.want)
			}
		})
	}
}

// What Widen returns takes every number of both types.
func TestWiden_holdsBoth(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := numbers().Draw(t, "a"), numbers().Draw(t, "b")
		wide, ok := lake.Widen(a, b)
		if !ok {
			return
		}
		for _, from := range []parquetedit.Type{a, b} {
			if _, err := convert(from, wide, unscaled(from, unscaledIn(t, from))); err != nil {
				t.Fatalf("%s and %s to %s: %v", lake.TypeName(a), lake.TypeName(b), lake.TypeName(wide), err)
			}
		}
	})
}
