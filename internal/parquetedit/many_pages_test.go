package parquetedit_test

import (
	"bytes"
	"fmt"
	"maps"
	"math"
	"slices"
	"testing"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/compress"
)

// manyColumn is a column of the files that parquet-go writes, one for each encoding that it has.
type manyColumn struct {
	node  parquet.Node
	value func(i int) parquet.Value
}

// manyColumns are in the order of their names, which is that of a parquet.Group.
func manyColumns() (schema parquet.Group, order []manyColumn) {
	text := func(format string, args ...any) parquet.Value {
		return parquet.ByteArrayValue(fmt.Appendf(nil, format, args...))
	}
	columns := map[string]manyColumn{
		"bool":  {parquet.Optional(parquet.Leaf(parquet.BooleanType)), func(i int) parquet.Value { return parquet.BooleanValue(i%3 == 0) }},
		"dec":   {parquet.Optional(parquet.Decimal(2, 15, parquet.Int64Type)), func(i int) parquet.Value { return parquet.Int64Value(int64(i*1001 - 300_000)) }},
		"delta": {parquet.Encoded(parquet.Optional(parquet.Int(32)), &parquet.DeltaBinaryPacked), func(i int) parquet.Value { return parquet.Int32Value(int32(i / 3)) }},
		"few":   {parquet.Encoded(parquet.Optional(parquet.String()), &parquet.RLEDictionary), func(i int) parquet.Value { return text("few %d", i%9) }},
		"fix":   {parquet.UUID(), func(i int) parquet.Value { return parquet.FixedLenByteArrayValue(fmt.Appendf(nil, "%016d", i)) }},
		"front": {parquet.Encoded(parquet.Optional(parquet.String()), &parquet.DeltaByteArray), func(i int) parquet.Value { return text("front-%05d", i) }},
		"id":    {parquet.Encoded(parquet.Int(64), &parquet.DeltaBinaryPacked), func(i int) parquet.Value { return parquet.Int64Value(int64(i)) }},
		"len":   {parquet.Encoded(parquet.Optional(parquet.String()), &parquet.DeltaLengthByteArray), func(i int) parquet.Value { return text("%*d", i%20, i) }},
		"split": {parquet.Encoded(parquet.Optional(parquet.Leaf(parquet.FloatType)), &parquet.ByteStreamSplit), func(i int) parquet.Value { return parquet.FloatValue(float32(i-200) / 3) }},
		"text":  {parquet.Optional(parquet.String()), func(i int) parquet.Value { return text("%d-xxxxxxxxxx", i) }},
		"time": {
			parquet.Encoded(parquet.Optional(parquet.Timestamp(parquet.Microsecond)), &parquet.RLEDictionary),
			func(i int) parquet.Value { return parquet.Int64Value(int64(i%40) * 1_000_003) },
		},
		"twice": {
			parquet.Encoded(parquet.Optional(parquet.Leaf(parquet.DoubleType)), &parquet.RLEDictionary),
			func(i int) parquet.Value {
				return parquet.DoubleValue([]float64{float64(i%20) / 7, math.NaN()}[i%50/49])
			},
		},
		"word": {parquet.Optional(parquet.Uint(32)), func(i int) parquet.Value { return parquet.Int32Value(int32(i * 0x9e3779)) }},
	}
	schema = parquet.Group{}
	for _, name := range slices.Sorted(maps.Keys(columns)) {
		schema[name] = columns[name].node
		order = append(order, columns[name])
	}
	return schema, order
}

// manyRows are 400 rows; what is optional is NULL in rows 80 to 129.
func manyRows(columns []manyColumn) []parquet.Row {
	rows := make([]parquet.Row, 400)
	for i := range rows {
		for c, column := range columns {
			v := column.value(i).Level(0, 0, c)
			if column.node.Optional() {
				v = v.Level(0, 1, c)
				if i%7 == 3 || i >= 80 && i < 130 {
					v = parquet.NullValue().Level(0, 0, c)
				}
			}
			rows[i] = append(rows[i], v)
		}
	}
	return rows
}

// parquetGo gives files that parquet-go writes, with pages of some forty rows.
func parquetGo(tb testing.TB) map[string][]byte {
	tb.Helper()
	schema, columns := manyColumns()
	files := map[string][]byte{}
	for name, c := range map[string]struct {
		version int
		codec   compress.Codec
		more    []parquet.WriterOption
	}{
		"parquetgo_v1_snappy": {1, &parquet.Snappy, []parquet.WriterOption{parquet.SkipPageBounds("delta"), parquet.SkipPageBounds("text")}},
		"parquetgo_v2_zstd":   {2, &parquet.Zstd, []parquet.WriterOption{parquet.MaxRowsPerRowGroup(170), parquet.DataPageStatistics(true)}},
		"parquetgo_v2_none": {2, &parquet.Uncompressed, []parquet.WriterOption{
			parquet.BloomFilters(parquet.SplitBlockFilter(10, "id"), parquet.SplitBlockFilter(10, "text")), parquet.MaxRowsPerRowGroup(250),
		}},
		"parquetgo_v1_gzip": {1, &parquet.Gzip, []parquet.WriterOption{
			parquet.MaxRowsPerRowGroup(150), parquet.SortingWriterConfig(parquet.SortingColumns(parquet.Ascending("id"))),
		}},
	} {
		var b bytes.Buffer
		options := append([]parquet.WriterOption{
			parquet.NewSchema("many", schema), parquet.DataPageVersion(c.version), parquet.Compression(c.codec), parquet.PageBufferSize(128),
		}, c.more...)
		w := parquet.NewGenericWriter[any](&b, options...)
		for rows := range slices.Chunk(manyRows(columns), 10) {
			if _, err := w.WriteRows(rows); err != nil {
				tb.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			tb.Fatal(err)
		}
		files[name] = b.Bytes()
	}
	return files
}

// subjects are the files that are edited in every way: those of other programs, those that parquet-go writes here and now, and those made by hand.
func subjects(tb testing.TB) (map[string][]byte, []string) {
	tb.Helper()
	files := foreign(tb)
	maps.Copy(files, parquetGo(tb))
	maps.Copy(files, emptyPages(tb))
	return files, slices.Sorted(maps.Keys(files))
}
