package dmsgen

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"math/big"
	"strings"
	"time"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/deprecated"
	"github.com/parquet-go/parquet-go/format"
)

// Rows is the content of a Parquet file of flat columns. Values are in the
// canonical form: int64 for integers, uint64 for those beyond it, string for text, float32 and float64,
// bool, []byte for other bytes, "2006-01-02" for a date, "15:04:05.000000" for a time,
// "2006-01-02 15:04:05.000000" for a timestamp of any unit, decimals with all
// the digits of their scale ("12.50"), nil for NULL.
type Rows struct {
	Columns []string
	Rows    [][]any
}

// Column returns the position of a column, or -1.
func (r *Rows) Column(name string) int {
	return Table{Columns: asColumns(r.Columns)}.Index(name)
}

func asColumns(names []string) []Column {
	columns := make([]Column, len(names))
	for i, name := range names {
		columns[i].Name = name
	}
	return columns
}

// Read decodes a whole Parquet file.
func Read(body []byte) (*Rows, error) {
	file, err := parquet.OpenFile(bytes.NewReader(body), int64(len(body)), parquet.SkipPageIndex(true), parquet.SkipBloomFilters(true), parquet.ReadBufferSize(1<<10))
	if err != nil {
		return nil, fmt.Errorf("read Parquet: %w", err)
	}
	read := &Rows{}
	decoders := []func(parquet.Value) any{}
	for _, column := range file.Root().Columns() {
		if !column.Leaf() {
			return nil, fmt.Errorf("read Parquet: column %s is nested", column.Name())
		}
		read.Columns = append(read.Columns, column.Name())
		decoders = append(decoders, decoder(column.Type()))
	}
	for _, group := range file.RowGroups() {
		if err := read.appendGroup(group, decoders); err != nil {
			return nil, fmt.Errorf("read Parquet: %w", err)
		}
	}
	return read, nil
}

func (r *Rows) appendGroup(group parquet.RowGroup, decoders []func(parquet.Value) any) error {
	rows := group.Rows()
	buffer := make([]parquet.Row, min(group.NumRows(), 256)+1)
	for {
		n, err := rows.ReadRows(buffer)
		for _, row := range buffer[:n] {
			decoded := make([]any, len(decoders))
			for _, v := range row {
				if !v.IsNull() {
					decoded[v.Column()] = decoders[v.Column()](v)
				}
			}
			r.Rows = append(r.Rows, decoded)
		}
		if errors.Is(err, io.EOF) {
			return rows.Close()
		}
		if err != nil {
			return errors.Join(err, rows.Close())
		}
	}
}

// decoder returns the function that makes a column's values canonical.
func decoder(t parquet.Type) func(parquet.Value) any {
	if logical := t.LogicalType(); logical != nil {
		switch l := logical.Value.(type) {
		case *format.StringType, *format.JsonType, *format.EnumType:
			return func(v parquet.Value) any { return string(v.ByteArray()) }
		case *format.DateType:
			return func(v parquet.Value) any { return canonicalDate(v.Int32()) }
		case *format.TimeType:
			return canonicalClock
		case *format.IntType:
			if !l.IsSigned {
				return canonicalNatural
			}
		case *format.TimestampType:
			return func(v parquet.Value) any { return canonicalTime(v.Int64(), l.Unit) }
		case *format.DecimalType:
			return func(v parquet.Value) any { return canonicalDecimal(v, int(l.Scale)) }
		}
	}
	switch t.Kind() {
	case parquet.Boolean:
		return func(v parquet.Value) any { return v.Boolean() }
	case parquet.Int32:
		return func(v parquet.Value) any { return int64(v.Int32()) }
	case parquet.Int64:
		return func(v parquet.Value) any { return v.Int64() }
	case parquet.Int96:
		return func(v parquet.Value) any { return canonicalInt96(v.Int96()) }
	case parquet.Float:
		return func(v parquet.Value) any { return v.Float() }
	case parquet.Double:
		return func(v parquet.Value) any { return v.Double() }
	case parquet.ByteArray, parquet.FixedLenByteArray:
	}
	return func(v parquet.Value) any { return bytes.Clone(v.ByteArray()) }
}

// canonicalNatural reads an integer without a sign.
func canonicalNatural(v parquet.Value) any {
	if v.Kind() == parquet.Int32 {
		return int64(v.Uint32())
	}
	if n := v.Uint64(); n > math.MaxInt64 {
		return n
	}
	return v.Int64()
}

// canonicalClock reads a time of day, which is in milliseconds where it has 32 bits and in microseconds where it has 64.
func canonicalClock(v parquet.Value) any {
	unit, n := time.Microsecond, int64(0)
	if v.Kind() == parquet.Int32 {
		unit, n = time.Millisecond, int64(v.Int32())
	} else {
		n = v.Int64()
	}
	return time.Unix(0, 0).UTC().Add(time.Duration(n) * unit).Format(timeForm)
}

func canonicalDate(days int32) string {
	return time.Unix(0, 0).UTC().AddDate(0, 0, int(days)).Format(dateForm)
}

func canonicalTime(n int64, unit format.TimeUnit) string {
	switch unit.Value.(type) {
	case *format.MilliSeconds:
		return time.UnixMilli(n).UTC().Format(timestampForm)
	case *format.NanoSeconds:
		return time.Unix(0, n).UTC().Format(timestampForm)
	}
	return time.UnixMicro(n).UTC().Format(timestampForm)
}

// canonicalInt96 reads Spark's old timestamps: nanoseconds of the day, then the Julian day.
func canonicalInt96(n deprecated.Int96) string {
	const epoch = 2_440_588 // Julian day of 1970-01-01
	nanos := int64(n[1])<<32 | int64(n[0])
	at := time.Unix(0, 0).UTC().AddDate(0, 0, int(n[2])-epoch)
	return at.Add(time.Duration(nanos)).Format(timestampForm)
}

func canonicalDecimal(v parquet.Value, scale int) string {
	var unscaled *big.Int
	if kind := v.Kind(); kind == parquet.Int32 {
		unscaled = big.NewInt(int64(v.Int32()))
	} else if kind == parquet.Int64 {
		unscaled = big.NewInt(v.Int64())
	} else {
		unscaled = fromTwosComplement(v.ByteArray())
	}
	digits := new(big.Int).Abs(unscaled).String()
	if missing := scale + 1 - len(digits); missing > 0 {
		digits = strings.Repeat("0", missing) + digits
	}
	if scale > 0 {
		digits = digits[:len(digits)-scale] + "." + digits[len(digits)-scale:]
	}
	if unscaled.Sign() < 0 {
		return "-" + digits
	}
	return digits
}

func fromTwosComplement(b []byte) *big.Int {
	n := new(big.Int).SetBytes(b)
	if len(b) > 0 && b[0]&0x80 != 0 {
		n.Sub(n, new(big.Int).Lsh(big.NewInt(1), uint(len(b))*8))
	}
	return n
}
