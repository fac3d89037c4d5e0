package parquetedit_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"runtime"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/parquet-go/parquet-go"

	"sluice/internal/parquetedit"
)

func text(ss ...string) []parquet.Value {
	vs := make([]parquet.Value, len(ss))
	for i, s := range ss {
		vs[i] = parquet.ByteArrayValue([]byte(s))
	}
	return vs
}

func column(name string, t parquetedit.Type) parquetedit.Column {
	return parquetedit.Column{Name: name, Type: t}
}

func textType() parquetedit.Type {
	return parquetedit.Type{Physical: parquet.ByteArray, Logical: parquetedit.String}
}

func metadata(tb testing.TB, b []byte) *parquet.File {
	tb.Helper()
	f, err := parquet.OpenFile(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		tb.Fatal(err)
	}
	return f
}

// TestPitfall1NoBloomFilter: with a dictionary that falls back, bloom filters deny values that are
// there. We write none.
func TestPitfall1NoBloomFilter(t *testing.T) {
	var vs []parquet.Value
	for i := range 60_000 { // the dictionary is full in the second page
		vs = append(vs, text(fmt.Sprintf("%060d", (i%20_000)/2+i/20_000*5_000))...)
	}
	b := write(t, []parquetedit.Column{column("a", textType())}, [][]parquet.Value{vs}, parquetedit.WriterOptions{})
	if f := metadata(t, b).Metadata().RowGroups[0].Columns[0].MetaData; f.BloomFilterOffset != 0 || len(f.Encoding) < 3 {
		t.Errorf("bloom filter at %d, encodings %v", f.BloomFilterOffset, f.Encoding)
	}
	if d := firstDiff(showAll([][]parquet.Value{vs}), readOther(t, b)); d != "" {
		t.Error(d)
	}
}

// TestPitfall4ByteDecimalsHaveNoBounds: parquet-go compares decimals in byte arrays unsigned. We neither
// write nor believe bounds for them.
func TestPitfall4ByteDecimalsHaveNoBounds(t *testing.T) {
	columns := []parquetedit.Column{
		column("fixed", parquetedit.Type{Physical: parquet.FixedLenByteArray, Length: 2, Logical: parquetedit.Decimal, Precision: 4, Scale: 1}),
		column("bytes", parquetedit.Type{Physical: parquet.ByteArray, Logical: parquetedit.Decimal, Precision: 4, Scale: 1}),
	}
	vs := [][]parquet.Value{
		{parquet.FixedLenByteArrayValue([]byte{0xff, 0xfe}), parquet.FixedLenByteArrayValue([]byte{0, 1})},
		text("\xff\xfe", "\x01"),
	}
	b := write(t, columns, vs, parquetedit.WriterOptions{})
	f := open(t, b)
	for c := range columns {
		if x, ok := f.Bounds(0, c); ok || x.NullCount != 0 {
			t.Errorf("column %d: %+v, %v", c, x, ok)
		}
		s := metadata(t, b).Metadata().RowGroups[0].Columns[c].MetaData.Statistics
		if len(s.MinValue)+len(s.MaxValue)+len(s.Min)+len(s.Max) > 0 {
			t.Errorf("column %d: bounds in the file: %+v", c, s)
		}
	}
	files := foreign(t)
	for _, name := range []string{"arrow_default.parquet", "spark_like.parquet", "dms_test_table_LOAD00000001.parquet"} {
		f := open(t, files[name])
		for c, column := range f.Columns() {
			_, ok := f.Bounds(0, c)
			byteDecimal := column.Type.Logical == parquetedit.Decimal && column.Type.Physical == parquet.FixedLenByteArray
			if ok && (byteDecimal || column.Type.Physical == parquet.Int96) {
				t.Errorf("%s: column %s has bounds", name, column.Name)
			}
		}
	}
}

// TestPitfall5SchemaSurvives: a schema derived from a file loses its legacy annotations. We keep its bytes.
func TestPitfall5SchemaSurvives(t *testing.T) {
	for name, b := range foreign(t) {
		got, _ := rewrite(t, b, parquetedit.Script{Metadata: map[string]string{"x": "y"}})
		old, now := metadata(t, b).Metadata(), metadata(t, got).Metadata()
		if d := cmp.Diff(old.Schema, now.Schema); d != "" {
			t.Errorf("%s: %s", name, d)
		}
		if len(now.KeyValueMetadata) != len(old.KeyValueMetadata)+1 {
			t.Errorf("%s: %d key/value pairs, had %d", name, len(now.KeyValueMetadata), len(old.KeyValueMetadata))
		}
	}
}

// TestPitfall6ColumnOrder: parquet.Group sorts columns by name. We keep the order given.
func TestPitfall6ColumnOrder(t *testing.T) {
	columns := []parquetedit.Column{column("z", textType()), column("a", textType()), column("m", textType())}
	b := write(t, columns, [][]parquet.Value{text("1"), text("2"), text("3")}, parquetedit.WriterOptions{})
	var got []string
	for _, c := range metadata(t, b).Root().Columns() {
		got = append(got, c.Name())
	}
	if !slices.Equal(got, []string{"z", "a", "m"}) {
		t.Error(got)
	}
}

// TestPitfall9DeclaredSizes: a run length of 2^30 in five bytes is not believed.
func TestPitfall9DeclaredSizes(t *testing.T) {
	b := write(t, []parquetedit.Column{column("a", parquetedit.Type{Physical: parquet.Int64})},
		[][]parquet.Value{{parquet.Int64Value(1), {}}}, parquetedit.WriterOptions{Compression: "none"})
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for at := 4; at < len(b)-8; at++ {
		for _, x := range []byte{0x7f, 0xff} {
			bad := slices.Clone(b)
			bad[at] = x
			if err := readAll(t.Context(), source(bad)); err != nil && !known(err) {
				t.Errorf("byte %d = %#x: %v", at, x, err)
			}
		}
	}
	runtime.ReadMemStats(&after)
	if n := (after.TotalAlloc - before.TotalAlloc) / uint64(2*len(b)); n > 256<<10 {
		t.Errorf("%d bytes allocated per file of %d", n, len(b))
	}
}

// TestSmallWriterIsSmall: a writer of few rows costs little: many small files are written at once.
func TestSmallWriterIsSmall(t *testing.T) {
	columns, vs := make([]parquetedit.Column, 16), make([][]parquet.Value, 16)
	for c := range columns {
		columns[c] = column(fmt.Sprint("c", c), types()[c])
		for i := range 10 {
			vs[c] = append(vs[c], valueOf(columns[c].Type, uint64(i)))
		}
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	const files = 20
	for range files {
		w, err := parquetedit.NewWriter(io.Discard, columns, parquetedit.WriterOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(w.Write(vs), w.Close()); err != nil {
			t.Fatal(err)
		}
	}
	runtime.ReadMemStats(&after)
	if n := (after.TotalAlloc - before.TotalAlloc) / files; n > 8<<20 {
		t.Errorf("%d KiB allocated for a file of 10 rows", n>>10)
	} else {
		t.Logf("%d KiB allocated for a file of 10 rows", n>>10)
	}
}

// TestLongBounds: bounds of long texts are cut, stay bounds, and stay text.
func TestLongBounds(t *testing.T) {
	long := strings.Repeat("zoë", 40)
	b := write(t, []parquetedit.Column{column("a", textType())}, [][]parquet.Value{text(long, long+"a")}, parquetedit.WriterOptions{})
	x, ok := open(t, b).Bounds(0, 0)
	if !ok || string(x.Min.ByteArray()) > long || string(x.Max.ByteArray()) < long+"a" {
		t.Errorf("%q … %q, %v", x.Min.ByteArray(), x.Max.ByteArray(), ok)
	}
	if len(x.Max.ByteArray()) > 64 || !utf8.Valid(x.Max.ByteArray()) || !utf8.Valid(x.Min.ByteArray()) {
		t.Errorf("%q … %q", x.Min.ByteArray(), x.Max.ByteArray())
	}
}
