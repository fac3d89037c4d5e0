package dmsgen

import (
	"fmt"
	"math/big"
	"strconv"
	"strings"

	"github.com/parquet-go/parquet-go"
)

// sourceType is a parsed Column.Type.
type sourceType struct {
	name             string
	precision, scale int    // of numeric
	physical         string // of numeric: "", int32, int64 or bytes; empty = fixed-length bytes, as DMS writes it
}

// parseType parses a Column.Type.
func parseType(s string) (sourceType, error) {
	name, arguments, parameterised := strings.Cut(s, "(")
	t := sourceType{name: name}
	if name != "numeric" {
		if t.node(false) == nil || parameterised {
			return t, fmt.Errorf("type %q is not known", s)
		}
		return t, nil
	}
	arguments, physical, _ := strings.Cut(arguments, ")")
	t.physical = strings.TrimSpace(physical)
	precision, scale, _ := strings.Cut(arguments, ",")
	var err error
	if t.precision, err = strconv.Atoi(precision); err != nil {
		return t, fmt.Errorf("type %q: precision: %w", s, err)
	}
	if scale != "" {
		if t.scale, err = strconv.Atoi(strings.TrimSpace(scale)); err != nil {
			return t, fmt.Errorf("type %q: scale: %w", s, err)
		}
	}
	most, known := map[string]int{"": 38, "bytes": 38, "int64": 18, "int32": 9}[t.physical]
	if !known || t.precision < 1 || t.precision > most || t.scale < 0 || t.scale > t.precision {
		return t, fmt.Errorf("type %q: numeric(p,s) wants 1 ≤ p ≤ 38 and 0 ≤ s ≤ p; p ≤ 9 with int32, p ≤ 18 with int64", s)
	}
	return t, nil
}

// node returns the Parquet type that DMS gives the column, nil for an unknown
// one (user guide, "Target data types for S3 Parquet"). Everything is optional, keys too.
func (t sourceType) node(milliseconds bool) parquet.Node {
	switch t.name {
	case "bigint":
		return parquet.Leaf(parquet.Int64Type)
	case "int":
		return parquet.Leaf(parquet.Int32Type)
	case "smallint":
		return parquet.Int(16)
	case "tinyint":
		return parquet.Int(8)
	case "tinyint unsigned", "smallint unsigned", "int unsigned", "bigint unsigned":
		return parquet.Uint(t.bits())
	case "numeric":
		return parquet.Decimal(t.scale, t.precision, t.decimal())
	case "real":
		return parquet.Leaf(parquet.FloatType)
	case "double":
		return parquet.Leaf(parquet.DoubleType)
	case "text":
		return parquet.String()
	case "bytea":
		return parquet.Leaf(parquet.ByteArrayType)
	case "date":
		return parquet.Date()
	case "time":
		return parquet.Time(parquet.Millisecond)
	case "timestamp":
		if milliseconds {
			return parquet.Timestamp(parquet.Millisecond)
		}
		return parquet.Timestamp(parquet.Microsecond)
	case "boolean":
		return parquet.Leaf(parquet.BooleanType)
	}
	return nil
}

// bits is the width of an integer type.
func (t sourceType) bits() int {
	name, _, _ := strings.Cut(t.name, " ")
	return map[string]int{"tinyint": 8, "smallint": 16, "int": 32, "bigint": 64}[name]
}

func (t sourceType) unsigned() bool { return strings.HasSuffix(t.name, " unsigned") }

// decimal is the physical type of a numeric.
func (t sourceType) decimal() parquet.Type {
	switch t.physical {
	case "int32":
		return parquet.Int32Type
	case "int64":
		return parquet.Int64Type
	case "bytes":
		return parquet.ByteArrayType
	}
	return parquet.FixedLenByteArrayType(t.width())
}

// width returns the fewest bytes that hold every unscaled value of a numeric.
func (t sourceType) width() int {
	largest := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(t.precision)), nil)
	return (largest.BitLen() + 1 + 7) / 8
}
