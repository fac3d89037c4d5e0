package parquetedit

import (
	"fmt"
	"math/bits"

	"github.com/parquet-go/parquet-go"
)

// schemaElements encodes a flat schema: the root and the columns.
func schemaElements(columns []Column) [][]byte {
	root := tree{binaryField(elemName, "schema"), i32Field(elemChildren, int64(len(columns)))}
	elems := [][]byte{root.encode(nil)}
	for _, c := range columns {
		elems = append(elems, c.element().encode(nil))
	}
	return elems
}

// element is the column's SchemaElement, annotated in the new way and in the legacy way.
func (c Column) element() tree {
	t := tree{i32Field(elemType, int64(c.Type.Physical))}
	if c.Type.Physical == parquet.FixedLenByteArray {
		t = append(t, i32Field(elemLength, int64(c.Type.Length)))
	}
	r := int64(optional)
	if c.Required {
		r = required
	}
	t = append(t, i32Field(elemRepetition, r), binaryField(elemName, c.Name))
	if ct, ok := c.Type.converted(); ok {
		t = append(t, i32Field(elemConverted, ct))
	}
	if c.Type.Logical == Decimal {
		t = append(t, i32Field(elemScale, int64(c.Type.Scale)), i32Field(elemPrecision, int64(c.Type.Precision)))
	}
	if l, ok := c.Type.logical(); ok {
		t = append(t, structField(elemLogical, tree{l}))
	}
	return t
}

// converted is the legacy annotation, where there is one that says the same: there is none for
// nanoseconds, and those for times mean UTC.
func (t Type) converted() (int64, bool) {
	switch t.Logical {
	case String:
		return convertedUTF8, true
	case JSON:
		return convertedJSON, true
	case BSON:
		return convertedBSON, true
	case Decimal:
		return convertedDecimal, true
	case Date:
		return convertedDate, true
	case Interval:
		return convertedInterval, true
	case Integer:
		base := int64(convertedUint8)
		if t.Signed {
			base = convertedInt8
		}
		return base + int64(bits.TrailingZeros(uint(t.Bits)/8)), true
	case Time:
		return convertedTime(t, convertedTimeMillis, convertedTimeMicros)
	case Timestamp:
		return convertedTime(t, convertedTimestampMillis, convertedTimestampMicros)
	case None, UUID, Float16:
		return 0, false
	}
	return 0, false
}

func convertedTime(t Type, millis, micros int64) (int64, bool) {
	switch {
	case t.UTC && t.Unit == Millis:
		return millis, true
	case t.UTC && t.Unit == Micros:
		return micros, true
	default:
		return 0, false
	}
}

// logical is the member of the LogicalType union.
func (t Type) logical() (field, bool) {
	switch t.Logical {
	case String:
		return structField(logicalString, nil), true
	case JSON:
		return structField(logicalJSON, nil), true
	case BSON:
		return structField(logicalBSON, nil), true
	case UUID:
		return structField(logicalUUID, nil), true
	case Float16:
		return structField(logicalFloat16, nil), true
	case Date:
		return structField(logicalDate, nil), true
	case Decimal:
		return structField(logicalDecimal, tree{i32Field(1, int64(t.Scale)), i32Field(2, int64(t.Precision))}), true
	case Integer:
		return structField(logicalInteger, tree{i8Field(1, int8(t.Bits)), boolField(2, t.Signed)}), true
	case Time, Timestamp:
		if _, ok := t.converted(); ok && t.Legacy {
			return field{}, false
		}
		if t.Logical == Time {
			return structField(logicalTime, t.timeTree()), true
		}
		return structField(logicalTimestamp, t.timeTree()), true
	case None, Interval:
		return field{}, false
	}
	return field{}, false
}

func (t Type) timeTree() tree {
	unit := int16(1)
	switch t.Unit {
	case Millis:
	case Micros:
		unit = 2
	case Nanos:
		unit = 3
	}
	return tree{boolField(1, t.UTC), structField(2, tree{structField(unit, nil)})}
}

// validate says why a column cannot be written.
func (c Column) validate() error {
	t := c.Type
	bad := func(format string, args ...any) error {
		return fmt.Errorf("%w: column %q: %s", ErrScript, c.Name, fmt.Sprintf(format, args...))
	}
	if c.Name == "" {
		return bad("no name")
	}
	if t.Physical < parquet.Boolean || t.Physical > parquet.FixedLenByteArray {
		return bad("physical type %d", t.Physical)
	}
	if t.Physical == parquet.FixedLenByteArray && (t.Length <= 0 || t.Length > 1<<20) {
		return bad("length %d", t.Length)
	}
	switch t.Logical {
	case Integer:
		if t.Bits != 8 && t.Bits != 16 && t.Bits != 32 && t.Bits != 64 {
			return bad("integer of %d bits", t.Bits)
		}
	case Decimal:
		if t.Precision <= 0 || t.Scale < 0 || t.Scale > t.Precision {
			return bad("decimal(%d,%d)", t.Precision, t.Scale)
		}
	case Time, Timestamp:
		if t.Unit != Millis && t.Unit != Micros && t.Unit != Nanos {
			return bad("unit %q", t.Unit)
		}
	case None, String, JSON, BSON, UUID, Date, Float16, Interval:
	default:
		return bad("annotation %q", t.Logical)
	}
	return nil
}
