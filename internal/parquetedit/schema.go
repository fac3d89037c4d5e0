package parquetedit

import (
	"fmt"
	"unicode/utf8"

	"github.com/parquet-go/parquet-go"
)

// The fields of a SchemaElement
// (https://github.com/apache/parquet-format/blob/master/src/main/thrift/parquet.thrift).
const (
	elemType       = 1
	elemLength     = 2
	elemRepetition = 3
	elemName       = 4
	elemChildren   = 5
	elemConverted  = 6
	elemScale      = 7
	elemPrecision  = 8
	elemLogical    = 10
)

// The members of the LogicalType union.
const (
	logicalString    = 1
	logicalEnum      = 4
	logicalDecimal   = 5
	logicalDate      = 6
	logicalTime      = 7
	logicalTimestamp = 8
	logicalInteger   = 10
	logicalJSON      = 12
	logicalBSON      = 13
	logicalUUID      = 14
	logicalFloat16   = 15
)

// The legacy ConvertedType.
const (
	convertedUTF8            = 0
	convertedEnum            = 4
	convertedDecimal         = 5
	convertedDate            = 6
	convertedTimeMillis      = 7
	convertedTimeMicros      = 8
	convertedTimestampMillis = 9
	convertedTimestampMicros = 10
	convertedUint8           = 11
	convertedUint64          = 14
	convertedInt8            = 15
	convertedInt64           = 18
	convertedJSON            = 19
	convertedBSON            = 20
	convertedInterval        = 21
)

const (
	required = 0
	optional = 1
)

// parseSchema reads the elements of a flat schema: the root, then one leaf per column.
func parseSchema(elems [][]byte) ([]Column, error) {
	if len(elems) == 0 {
		return nil, corrupt("no schema")
	}
	if len(elems)-1 > MaxColumns {
		return nil, fmt.Errorf("%w: %d columns, at most %d", ErrTooLarge, len(elems)-1, MaxColumns)
	}
	columns := make([]Column, 0, len(elems)-1)
	for i, e := range elems {
		t, _, err := readTree(e)
		if err != nil {
			return nil, fmt.Errorf("schema element %d: %w", i, err)
		}
		if i == 0 {
			if n, _ := t.int(elemChildren); n > int64(len(elems)-1) {
				return nil, corrupt("schema root has %d children, %d elements follow", n, len(elems)-1)
			}
			continue
		}
		c, err := parseColumn(t)
		if err != nil {
			return nil, fmt.Errorf("column %q: %w", c.Name, err)
		}
		columns = append(columns, c)
	}
	return columns, nil
}

func parseColumn(t tree) (Column, error) {
	name, _ := t.bytes(elemName)
	if len(name) > maxNameBytes {
		return Column{Name: string(name[:100])}, fmt.Errorf("%w: a name of %d bytes, at most %d", ErrTooLarge, len(name), maxNameBytes)
	}
	c := Column{Name: string(name)}
	if c.Name == "" || !utf8.Valid(name) {
		return c, corrupt("its name is empty or no UTF-8")
	}
	if n, _ := t.int(elemChildren); n > 0 {
		return c, ErrNested
	}
	kind, ok := t.int(elemType)
	if !ok {
		return c, ErrNested
	}
	if kind < 0 || kind > int64(parquet.FixedLenByteArray) {
		return c, corrupt("physical type %d", kind)
	}
	switch r, _ := t.int(elemRepetition); r {
	case required:
		c.Required = true
	case optional:
	default:
		return c, ErrNested
	}
	c.Type.Physical = parquet.Kind(kind)
	if c.Type.Physical == parquet.FixedLenByteArray {
		n, _ := t.int(elemLength)
		if n <= 0 || n > 1<<20 {
			return c, corrupt("fixed length %d", n)
		}
		c.Type.Length = int(n)
	}
	logical, ok, err := t.sub(elemLogical)
	if err != nil {
		return c, err
	}
	if !ok || !c.Type.readLogical(logical) {
		c.Type.readConverted(t)
	}
	if digits := max(c.Type.Precision, c.Type.Scale, -c.Type.Scale); digits > maxDigits {
		return c, fmt.Errorf("%w: a decimal of %d digits, at most %d", ErrTooLarge, digits, maxDigits)
	}
	return c, nil
}

// readLogical takes the annotation over; it is false when the union's member is none that it knows.
func (t *Type) readLogical(u tree) bool {
	if len(u) == 0 {
		return false
	}
	// What does not parse as a struct has no fields: the annotation then says as little as an empty one.
	m, _, _ := readTree(u[0].raw)
	switch u[0].id {
	case logicalString, logicalEnum:
		t.Logical = String
	case logicalDecimal:
		t.Logical = Decimal
		scale, _ := m.int(1)
		precision, _ := m.int(2)
		t.Scale, t.Precision = int(scale), int(precision)
	case logicalDate:
		t.Logical = Date
	case logicalTime, logicalTimestamp:
		t.Logical = Time
		if u[0].id == logicalTimestamp {
			t.Logical = Timestamp
		}
		t.UTC = m.bool(1, false)
		t.Unit = readUnit(m)
	case logicalInteger:
		bits, _ := m.int(1)
		t.Logical, t.Bits, t.Signed = Integer, int(bits), m.bool(2, false)
	case logicalJSON:
		t.Logical = JSON
	case logicalBSON:
		t.Logical = BSON
	case logicalUUID:
		t.Logical = UUID
	case logicalFloat16:
		t.Logical = Float16
	default:
		return false
	}
	return true
}

func readUnit(m tree) Unit {
	u, _, _ := m.sub(2)
	if len(u) == 0 {
		return ""
	}
	switch u[0].id {
	case 1:
		return Millis
	case 2:
		return Micros
	case 3:
		return Nanos
	default:
		return ""
	}
}

// readConverted maps the legacy annotation. Its times count from UTC, as the specification has it, but DuckDB reads
// them without a zone where there is no LogicalType: what is written for such a column has none either.
func (t *Type) readConverted(e tree) {
	ct, ok := e.int(elemConverted)
	if !ok {
		return
	}
	switch ct {
	case convertedUTF8, convertedEnum:
		t.Logical = String
	case convertedDecimal:
		scale, _ := e.int(elemScale)
		precision, _ := e.int(elemPrecision)
		t.Logical, t.Scale, t.Precision = Decimal, int(scale), int(precision)
	case convertedDate:
		t.Logical = Date
	case convertedTimeMillis:
		t.Logical, t.Unit, t.UTC, t.Legacy = Time, Millis, true, true
	case convertedTimeMicros:
		t.Logical, t.Unit, t.UTC, t.Legacy = Time, Micros, true, true
	case convertedTimestampMillis:
		t.Logical, t.Unit, t.UTC, t.Legacy = Timestamp, Millis, true, true
	case convertedTimestampMicros:
		t.Logical, t.Unit, t.UTC, t.Legacy = Timestamp, Micros, true, true
	case convertedJSON:
		t.Logical = JSON
	case convertedBSON:
		t.Logical = BSON
	case convertedInterval:
		t.Logical = Interval
	default:
		switch {
		case ct >= convertedUint8 && ct <= convertedUint64:
			t.Logical, t.Bits = Integer, 8<<(ct-convertedUint8)
		case ct >= convertedInt8 && ct <= convertedInt64:
			t.Logical, t.Bits, t.Signed = Integer, 8<<(ct-convertedInt8), true
		}
	}
}
