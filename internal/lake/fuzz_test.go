package lake_test

import (
	"testing"

	"github.com/parquet-go/parquet-go"

	"sluice/internal/lake"
	"sluice/internal/parquetedit"
)

// partitionTypes are types of partition columns, one of each form.
func partitionTypes() []parquetedit.Type {
	decimal := func(physical parquet.Kind, length, precision, scale int) parquetedit.Type {
		return parquetedit.Type{Physical: physical, Length: length, Logical: parquetedit.Decimal, Precision: precision, Scale: scale}
	}
	return []parquetedit.Type{
		{Physical: parquet.ByteArray, Logical: parquetedit.String},
		{Physical: parquet.Int32},
		{Physical: parquet.Int64, Logical: parquetedit.Integer, Bits: 64},
		{Physical: parquet.Int32, Logical: parquetedit.Integer, Bits: 8, Signed: true},
		{Physical: parquet.Boolean},
		{Physical: parquet.Int32, Logical: parquetedit.Date},
		{Physical: parquet.Int64, Logical: parquetedit.Time, Unit: parquetedit.Micros},
		{Physical: parquet.Int64, Logical: parquetedit.Timestamp, Unit: parquetedit.Millis},
		{Physical: parquet.Int64, Logical: parquetedit.Timestamp, Unit: parquetedit.Nanos, UTC: true},
		{Physical: parquet.Int96},
		{Physical: parquet.FixedLenByteArray, Length: 16, Logical: parquetedit.UUID},
		decimal(parquet.Int64, 0, 15, 2), decimal(parquet.FixedLenByteArray, 16, 38, 0), decimal(parquet.ByteArray, 0, 76, 38),
	}
}

// FuzzPartitionDir: a partition directory that is understood is written again as one that means the same, and its values, whatever
// the column's type, become the same text again.
func FuzzPartitionDir(f *testing.F) {
	for i, dir := range []string{
		"", "a=1/", "day=2026-03-14/", "day=__HIVE_DEFAULT_PARTITION__/", "a b=c%2Fd/x%3Dy==/", "a=%e9%zz%/", "n=-0.50/", "t=2026-03-14 00:00:00.5/", "y=+12026-01-01/",
		"u=0f0e0d0c-0b0a-0908-0706-050403020100/", "=1/", "a=1", "/", "a=18446744073709551615/",
	} {
		f.Add(dir, byte(i))
	}
	types := partitionTypes()
	f.Fuzz(func(t *testing.T, dir string, which byte) {
		parts, err := lake.ParsePartitionDir(dir)
		if err != nil {
			return
		}
		names, values := make([]string, len(parts)), make([]string, len(parts))
		for i, p := range parts {
			names[i], values[i] = p.Name, p.Value
		}
		again, err := lake.ParsePartitionDir(lake.PartitionDir(names, values))
		if err != nil || len(again) != len(parts) {
			t.Fatalf("%q: %v, then %v (%v)", dir, parts, again, err)
		}
		typ := types[int(which)%len(types)]
		for i, p := range parts {
			if p.Value == "" {
				p.Value = lake.NullPartition
			}
			if again[i] != p {
				t.Fatalf("%q: %+v, then %+v", dir, p, again[i])
			}
			sameText(t, typ, p.Value)
		}
	})
}

// sameText: a value read from a text is written as a text that is read as the same value.
func sameText(t *testing.T, typ parquetedit.Type, text string) {
	t.Helper()
	v, err := lake.ParsePartition(typ, text)
	if err != nil {
		return
	}
	written, err := lake.FormatPartition(typ, v)
	if err != nil {
		t.Fatalf("%q as %s is %v, which is not written: %v", text, lake.TypeName(typ), v, err)
	}
	again, err := lake.ParsePartition(typ, written)
	if err != nil || !parquet.Equal(v, again) {
		t.Fatalf("%q as %s is %v, written %q, then %v (%v)", text, lake.TypeName(typ), v, written, again, err)
	}
}
