package lake

import (
	"github.com/parquet-go/parquet-go"

	"sluice/internal/parquetedit"
)

// CheckPartitionType returns an error wrapping [ErrPartitionType] when values
// of the type cannot name a directory: floats, because they do not read back
// as written, and binary.
func CheckPartitionType(t parquetedit.Type) error {
	_, err := FormatPartition(t, sampleValue(t))
	return err
}

// sampleValue is some value of the type.
func sampleValue(t parquetedit.Type) value {
	switch t.Physical {
	case parquet.Boolean:
		return parquet.BooleanValue(false)
	case parquet.Int32:
		return parquet.Int32Value(0)
	case parquet.Int64:
		return parquet.Int64Value(0)
	case parquet.Int96:
		return parquet.ZeroValue(parquet.Int96)
	case parquet.Float:
		return parquet.FloatValue(0)
	case parquet.Double:
		return parquet.DoubleValue(0)
	case parquet.ByteArray:
		return parquet.ByteArrayValue([]byte{'0'})
	case parquet.FixedLenByteArray:
		return parquet.FixedLenByteArrayValue(make([]byte, t.Length))
	}
	return value{}
}
