package parquetedit

import "github.com/parquet-go/parquet-go"

// Logical says how the physical values of a column are to be read.
// The names follow the LogicalType union of the Parquet format
// (https://github.com/apache/parquet-format/blob/master/LogicalTypes.md);
// a legacy ConvertedType is mapped to the same constants.
type Logical string

// The annotations that a flat column can carry.
const (
	None      Logical = ""          // no annotation: the physical type alone
	String    Logical = "string"    // UTF-8 text in a byte array; ENUM too
	JSON      Logical = "json"      // UTF-8 text that is a JSON document
	BSON      Logical = "bson"      // bytes
	UUID      Logical = "uuid"      // 16 fixed bytes
	Integer   Logical = "integer"   // Bits wide, Signed or not
	Decimal   Logical = "decimal"   // unscaled integer, Precision digits, Scale of them fractional
	Date      Logical = "date"      // days since 1970-01-01
	Time      Logical = "time"      // Unit since midnight
	Timestamp Logical = "timestamp" // Unit since 1970-01-01, UTC or local
	Float16   Logical = "float16"   // two fixed bytes
	Interval  Logical = "interval"  // twelve fixed bytes
)

// Unit is the resolution of a Time or Timestamp.
type Unit string

// The resolutions that the Parquet format knows.
const (
	Millis Unit = "ms"
	Micros Unit = "us"
	Nanos  Unit = "ns"
)

// Type is what the values of a column are. It is comparable, and goes through JSON unchanged.
type Type struct {
	Physical  parquet.Kind `json:"physical"`            // parquet.Boolean … parquet.FixedLenByteArray
	Length    int          `json:"length,omitempty"`    // bytes of one value, for parquet.FixedLenByteArray
	Logical   Logical      `json:"logical,omitempty"`   // None when there is no annotation
	Bits      int          `json:"bits,omitempty"`      // 8, 16, 32, 64, for Integer
	Signed    bool         `json:"signed,omitempty"`    // for Integer
	Precision int          `json:"precision,omitempty"` // decimal digits, for Decimal
	Scale     int          `json:"scale,omitempty"`     // decimal digits behind the point, for Decimal
	Unit      Unit         `json:"unit,omitempty"`      // for Time and Timestamp
	UTC       bool         `json:"utc,omitempty"`       // adjusted to UTC, for Time and Timestamp
	Legacy    bool         `json:"legacy,omitempty"`    // declared by a ConvertedType alone, for Time and Timestamp
}

// Column is one leaf column of a flat schema.
type Column struct {
	Name     string `json:"name"`
	Type     Type   `json:"type"`
	Required bool   `json:"required,omitempty"` // holds no NULL
}
