package lake

import (
	"fmt"

	"github.com/parquet-go/parquet-go"

	"sluice/internal/parquetedit"
)

// hiveDigits is how many digits a decimal of Hive and Athena holds
// (https://docs.aws.amazon.com/athena/latest/ug/data-types.html).
const hiveDigits = 38

// HiveType returns the type under which Athena, Spark and Hive read a column of lake files: the names of
// https://docs.aws.amazon.com/athena/latest/ug/data-types.html, chosen so that every value of the column fits.
// An unsigned integer has the next wider signed type, as AWS SDK for pandas declares it
// (awswrangler, _data_types.py, pyarrow2athena), and one of 64 bits, which has none, decimal(20,0). Hive has no time of
// day: its integer is shown. What Hive cannot express at all is binary.
func HiveType(t parquetedit.Type) string {
	switch familyOf(t) {
	case famBool:
		return "boolean"
	case famNumber:
		return hiveNumber(t)
	case famFloat:
		if t.Physical == parquet.Float {
			return "float"
		}
		return "double"
	case famDate:
		return "date"
	case famTime:
		if t.Physical == parquet.Int32 {
			return "int"
		}
		return "bigint"
	case famTimestamp:
		return "timestamp"
	case famBytes:
		if isText(t) {
			return "string"
		}
		return "binary"
	case famUUID, famOther:
	}
	return "binary"
}

func hiveNumber(t parquetedit.Type) string {
	if t.Logical == parquetedit.Decimal {
		if t.Precision < 1 || t.Precision > hiveDigits || t.Scale > t.Precision {
			return "binary"
		}
		return fmt.Sprintf("decimal(%d,%d)", t.Precision, t.Scale)
	}
	n := numberOf(t)
	if n.unsigned {
		return map[int]string{8: "smallint", 16: "int", 32: "bigint", 64: "decimal(20,0)"}[n.bits]
	}
	return map[int]string{8: "tinyint", 16: "smallint", 32: "int", 64: "bigint"}[n.bits]
}

// HivePartitionType returns the type of a partition column, whose values are texts in directory names, as
// [FormatPartition] writes them: times of day and UUIDs are what they look like.
func HivePartitionType(t parquetedit.Type) string {
	switch familyOf(t) {
	case famTime, famUUID:
		return "string"
	case famOther, famBool, famNumber, famFloat, famDate, famTimestamp, famBytes:
	}
	return HiveType(t)
}
