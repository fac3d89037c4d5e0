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
	precision, scale int // of numeric
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
	precision, scale, _ := strings.Cut(strings.TrimSuffix(arguments, ")"), ",")
	var err error
	if t.precision, err = strconv.Atoi(precision); err != nil {
		return t, fmt.Errorf("type %q: precision: %w", s, err)
	}
	if scale != "" {
		if t.scale, err = strconv.Atoi(strings.TrimSpace(scale)); err != nil {
			return t, fmt.Errorf("type %q: scale: %w", s, err)
		}
	}
	if t.precision < 1 || t.precision > 38 || t.scale < 0 || t.scale > t.precision {
		return t, fmt.Errorf("type %q: numeric(p,s) wants 1 ≤ p ≤ 38 and 0 ≤ s ≤ p", s)
	}
	return t, nil
}

// node returns the Parquet type that DMS gives the column, nil for an unknown
// one. Everything is optional, keys too.
func (t sourceType) node(milliseconds bool) parquet.Node {
	switch t.name {
	case "bigint":
		return parquet.Leaf(parquet.Int64Type)
	case "int":
		return parquet.Leaf(parquet.Int32Type)
	case "smallint":
		return parquet.Int(16)
	case "numeric":
		return parquet.Decimal(t.scale, t.precision, parquet.FixedLenByteArrayType(t.width()))
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

// width returns the fewest bytes that hold every unscaled value of a numeric.
func (t sourceType) width() int {
	largest := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(t.precision)), nil)
	return (largest.BitLen() + 1 + 7) / 8
}
