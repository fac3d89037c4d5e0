package lake_test

import (
	"testing"

	"github.com/parquet-go/parquet-go"

	"sluice/internal/lake"
	"sluice/internal/parquetedit"
)

func TestHiveType(t *testing.T) {
	integer := func(physical parquet.Kind, bits int, signed bool) parquetedit.Type {
		return parquetedit.Type{Physical: physical, Logical: parquetedit.Integer, Bits: bits, Signed: signed}
	}
	decimal := func(physical parquet.Kind, precision, scale int) parquetedit.Type {
		return parquetedit.Type{Physical: physical, Length: 16, Logical: parquetedit.Decimal, Precision: precision, Scale: scale}
	}
	unit := func(physical parquet.Kind, logical parquetedit.Logical, unit parquetedit.Unit) parquetedit.Type {
		return parquetedit.Type{Physical: physical, Logical: logical, Unit: unit}
	}
	plain := func(physical parquet.Kind, logical parquetedit.Logical) parquetedit.Type {
		return parquetedit.Type{Physical: physical, Logical: logical, Length: 16}
	}
	for name, c := range map[string]struct {
		of        parquetedit.Type
		column    string
		partition string // where it differs
	}{
		"BOOLEAN":              {of: plain(parquet.Boolean, parquetedit.None), column: "boolean"},
		"INT32":                {of: plain(parquet.Int32, parquetedit.None), column: "int"},
		"INT64":                {of: plain(parquet.Int64, parquetedit.None), column: "bigint"},
		"INT_8":                {of: integer(parquet.Int32, 8, true), column: "tinyint"},
		"INT_16":               {of: integer(parquet.Int32, 16, true), column: "smallint"},
		"INT_32":               {of: integer(parquet.Int32, 32, true), column: "int"},
		"INT_64":               {of: integer(parquet.Int64, 64, true), column: "bigint"},
		"UINT_8":               {of: integer(parquet.Int32, 8, false), column: "smallint"},
		"UINT_16":              {of: integer(parquet.Int32, 16, false), column: "int"},
		"UINT_32":              {of: integer(parquet.Int32, 32, false), column: "bigint"},
		"UINT_64":              {of: integer(parquet.Int64, 64, false), column: "decimal(20,0)"},
		"FLOAT":                {of: plain(parquet.Float, parquetedit.None), column: "float"},
		"DOUBLE":               {of: plain(parquet.Double, parquetedit.None), column: "double"},
		"DECIMAL(9,2) INT32":   {of: decimal(parquet.Int32, 9, 2), column: "decimal(9,2)"},
		"DECIMAL(38,4) fixed":  {of: decimal(parquet.FixedLenByteArray, 38, 4), column: "decimal(38,4)"},
		"DECIMAL(38,38) bytes": {of: decimal(parquet.ByteArray, 38, 38), column: "decimal(38,38)"},
		"DECIMAL(39,4)":        {of: decimal(parquet.ByteArray, 39, 4), column: "binary"},
		"DATE":                 {of: plain(parquet.Int32, parquetedit.Date), column: "date"},
		"TIME ms":              {of: unit(parquet.Int32, parquetedit.Time, parquetedit.Millis), column: "int", partition: "string"},
		"TIME us":              {of: unit(parquet.Int64, parquetedit.Time, parquetedit.Micros), column: "bigint", partition: "string"},
		"TIMESTAMP ms":         {of: unit(parquet.Int64, parquetedit.Timestamp, parquetedit.Millis), column: "timestamp"},
		"TIMESTAMP us":         {of: unit(parquet.Int64, parquetedit.Timestamp, parquetedit.Micros), column: "timestamp"},
		"TIMESTAMP ns":         {of: unit(parquet.Int64, parquetedit.Timestamp, parquetedit.Nanos), column: "timestamp"},
		"INT96":                {of: plain(parquet.Int96, parquetedit.None), column: "timestamp"},
		"STRING":               {of: plain(parquet.ByteArray, parquetedit.String), column: "string"},
		"JSON":                 {of: plain(parquet.ByteArray, parquetedit.JSON), column: "string"},
		"BSON":                 {of: plain(parquet.ByteArray, parquetedit.BSON), column: "binary"},
		"BYTE_ARRAY":           {of: plain(parquet.ByteArray, parquetedit.None), column: "binary"},
		"FIXED(16)":            {of: plain(parquet.FixedLenByteArray, parquetedit.None), column: "binary"},
		"UUID":                 {of: plain(parquet.FixedLenByteArray, parquetedit.UUID), column: "binary", partition: "string"},
		"FLOAT16":              {of: plain(parquet.FixedLenByteArray, parquetedit.Float16), column: "binary"},
		"INTERVAL":             {of: plain(parquet.FixedLenByteArray, parquetedit.Interval), column: "binary"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := lake.HiveType(c.of); got != c.column {
				t.Errorf("column: got %s, want %s", got, c.column)
			}
			want := c.partition
			if want == "" {
				want = c.column
			}
			if got := lake.HivePartitionType(c.of); got != want {
				t.Errorf("partition column: got %s, want %s", got, want)
			}
		})
	}
}
