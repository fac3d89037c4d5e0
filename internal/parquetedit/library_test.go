package parquetedit_test

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"slices"
	"testing"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/compress/gzip"
)

// The tests of this file show that parquet-go still does what this package works around. One that fails after an upgrade
// says that a workaround may go.

// oneColumn is a file of one column that parquet-go writes.
func oneColumn(tb testing.TB, node parquet.Node, values []parquet.Value, options ...parquet.WriterOption) []byte {
	tb.Helper()
	var b bytes.Buffer
	w := parquet.NewGenericWriter[any](&b, append(options, parquet.NewSchema("one", parquet.Group{"a": node}))...)
	for _, v := range values {
		if _, err := w.WriteRows([]parquet.Row{{v.Level(0, 0, 0)}}); err != nil {
			tb.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		tb.Fatal(err)
	}
	return b.Bytes()
}

// TestLibraryPitfall1BloomFilterDeniesValues: once the dictionary of a column is given up, its bloom filter lacks what the dictionary
// held. Ours has none then, and that of another file is copied with its row group or not at all.
func TestLibraryPitfall1BloomFilterDeniesValues(t *testing.T) {
	var values []parquet.Value
	for i := range 3000 {
		values = append(values, text(fmt.Sprint("value ", i))...)
	}
	b := oneColumn(t, parquet.Encoded(parquet.String(), &parquet.RLEDictionary), values,
		parquet.BloomFilters(parquet.SplitBlockFilter(10, "a")), parquet.DictionaryMaxBytes(1000), parquet.PageBufferSize(256))
	filter, denied := metadata(t, b).RowGroups()[0].ColumnChunks()[0].BloomFilter(), 0
	for _, v := range values {
		if ok, err := filter.Check(v); err != nil {
			t.Fatal(err)
		} else if !ok {
			denied++
		}
	}
	if denied == 0 {
		t.Error("no value is denied any more")
	}
	t.Logf("%d of %d values that are there are denied", denied, len(values))
}

// TestLibraryPitfall2OptionalValuesLoseTheirNulls: rows of a struct with optional fields that are no pointers lose NULLs, depending on how
// many are written at a time. We write values, never structs.
func TestLibraryPitfall2OptionalValuesLoseTheirNulls(t *testing.T) {
	type row struct {
		A int64 `parquet:"a,optional"`
	}
	rows, want, rng := make([]row, 1000), 0, rand.New(rand.NewPCG(1, 2))
	for i := range rows {
		if rng.IntN(2) == 0 {
			rows[i].A = int64(i) + 1
		} else {
			want++
		}
	}
	var b bytes.Buffer
	w := parquet.NewGenericWriter[row](&b)
	for some := range slices.Chunk(rows, 7) {
		if _, err := w.Write(some); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	got := 0
	for _, v := range readOther(t, b.Bytes())[0] {
		if v == "NULL" {
			got++
		}
	}
	if got == want {
		t.Error("every NULL is written now")
	}
	t.Logf("%d of %d NULLs were written", got, want)
}

// TestLibraryPitfall3Lz4RawIsMisread: what pyarrow wrote with LZ4_RAW reads as something else.
func TestLibraryPitfall3Lz4RawIsMisread(t *testing.T) {
	b, err := os.ReadFile("testdata/refused/lz4raw.parquet")
	if err != nil {
		t.Fatal(err)
	}
	want := make(table, 2)
	for i := range 1000 {
		want[0], want[1] = append(want[0], fmt.Sprint(i)), append(want[1], `"`+string(bytes.Repeat(fmt.Appendf(nil, "v%d", i), 1+i%5))+`"`)
	}
	if firstDiff(want, readOther(t, b)) == "" {
		t.Error("LZ4_RAW reads right now")
	}
}

// TestLibraryPitfall4DecimalsOfBytesAreOrderedUnsigned: -2 is written as the maximum of -2 and 1.
func TestLibraryPitfall4DecimalsOfBytesAreOrderedUnsigned(t *testing.T) {
	b := oneColumn(t, parquet.Decimal(1, 4, parquet.FixedLenByteArrayType(2)), []parquet.Value{
		parquet.FixedLenByteArrayValue([]byte{0xff, 0xfe}), parquet.FixedLenByteArrayValue([]byte{0, 1}),
	})
	if s := metadata(t, b).Metadata().RowGroups[0].Columns[0].MetaData.Statistics; !bytes.Equal(s.MaxValue, []byte{0xff, 0xfe}) {
		t.Errorf("bounds %x and %x are signed now", s.MinValue, s.MaxValue)
	}
}

// TestLibraryPitfall5SchemaOfAFileIsAnother: written again with the schema that parquet-go gives, pyarrow's file of V2 pages is an error, and the
// legacy timestamps of DMS get a LogicalType.
func TestLibraryPitfall5SchemaOfAFileIsAnother(t *testing.T) {
	again := func(name string) ([]byte, error) {
		f := metadata(t, foreign(t)[name])
		var b bytes.Buffer
		w := parquet.NewGenericWriter[any](&b, f.Schema())
		if _, err := parquet.CopyRows(w, f.RowGroups()[0].Rows()); err != nil {
			return nil, err
		}
		err := w.Close()
		return b.Bytes(), err
	}
	if _, err := again("pages_arrow_v2_snappy.parquet"); err == nil {
		t.Error("the schema of a file can be written now")
	}
	b, err := again("dms_test_table_LOAD00000001.parquet")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range metadata(t, b).Metadata().Schema {
		if e.Name == "my_timestamp" && e.LogicalType.Value == nil {
			t.Error("a legacy timestamp stays one now")
		}
	}
}

// TestLibraryPitfall6MergeSortsColumns: the columns of merged row groups are in the order of their names.
func TestLibraryPitfall6MergeSortsColumns(t *testing.T) {
	type row struct{ Z, A int64 }
	var groups []parquet.RowGroup
	for i := range int64(2) {
		var b bytes.Buffer
		if err := parquet.Write(&b, []row{{i, 1}, {i + 2, 1}}); err != nil {
			t.Fatal(err)
		}
		groups = append(groups, metadata(t, b.Bytes()).RowGroups()...)
	}
	merged, err := parquet.MergeRowGroups(groups, parquet.SortingRowGroupConfig(parquet.SortingColumns(parquet.Ascending("Z"))))
	if err != nil {
		t.Fatal(err)
	}
	if got := merged.Schema().Columns()[0][0]; got != "A" {
		t.Errorf("the first column is %s: they keep their order now", got)
	}
}

// TestLibraryPitfall7RowGroupsAreNotCopied: WriteRowGroup encodes what others wrote again, and drops the sorting columns of what it copies and
// the key/value pairs of the file.
func TestLibraryPitfall7RowGroupsAreNotCopied(t *testing.T) {
	copied := func(b []byte) *parquet.File {
		f := metadata(t, b)
		var out bytes.Buffer
		w := parquet.NewGenericWriter[any](&out, f.Schema(), parquet.Compression(&parquet.Gzip), parquet.DataPageVersion(1))
		if _, err := w.WriteRowGroup(f.RowGroups()[0]); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		return metadata(t, out.Bytes())
	}
	sorted := parquetGo(t)["parquetgo_v1_gzip"]
	if len(metadata(t, sorted).RowGroups()[0].SortingColumns()) == 0 {
		t.Fatal("no sorting columns are no test")
	}
	if len(copied(sorted).RowGroups()[0].SortingColumns()) > 0 {
		t.Error("sorting columns stay now")
	}
	arrow := metadata(t, foreign(t)["pages_arrow_v1_snappy.parquet"])
	again := copied(foreign(t)["pages_arrow_v1_snappy.parquet"])
	if len(again.Metadata().KeyValueMetadata) == len(arrow.Metadata().KeyValueMetadata) {
		t.Error("key/value pairs stay now")
	}
	if a, b := arrow.Metadata().RowGroups[0], again.Metadata().RowGroups[0]; a.Columns[0].MetaData.TotalCompressedSize == b.Columns[0].MetaData.TotalCompressedSize {
		t.Error("a chunk of another writer is copied now")
	}
}

// reads is a reader that counts its calls and remembers the longest.
type reads struct {
	io.ReaderAt
	calls, longest int
}

func (r *reads) ReadAt(p []byte, off int64) (int, error) {
	r.calls, r.longest = r.calls+1, max(r.longest, len(p))
	return r.ReaderAt.ReadAt(p, off)
}

// TestLibraryPitfall8ReadsAreSmall: a bloom filter is read once for every key, and pages by 4 KiB. We read ranges, and filters not at all.
func TestLibraryPitfall8ReadsAreSmall(t *testing.T) {
	b := parquetGo(t)["parquetgo_v2_none"]
	src := &reads{ReaderAt: bytes.NewReader(b)}
	f, err := parquet.OpenFile(src, int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	chunk := f.RowGroups()[0].ColumnChunks()[6] // id
	src.calls = 0
	for i := range int64(50) {
		if ok, err := chunk.BloomFilter().Check(parquet.Int64Value(i)); err != nil || !ok {
			t.Fatal(i, ok, err)
		}
	}
	if src.calls < 50 {
		t.Errorf("%d reads for 50 keys: a filter is read at once now", src.calls)
	}
	src.longest = 0
	pages := chunk.Pages()
	for err == nil {
		_, err = pages.ReadPage()
	}
	if err := pages.Close(); err != nil {
		t.Fatal(err)
	}
	if src.longest > 4096 {
		t.Errorf("reads of %d bytes: the buffer is larger now", src.longest)
	}
}

// TestLibraryPitfall9CodecsPanic: broken gzip is a panic. We have decompressors of our own, and recover at one place.
func TestLibraryPitfall9CodecsPanic(t *testing.T) {
	var k gzip.Codec
	good, err := k.Encode(nil, bytes.Repeat([]byte("hello world "), 100))
	if err != nil {
		t.Fatal(err)
	}
	panics := 0
	for n := range good {
		func() {
			defer func() {
				if recover() != nil {
					panics++
				}
			}()
			_, _ = k.Decode(nil, good[:n])
		}()
	}
	if panics == 0 {
		t.Error("broken gzip is an error now")
	}
}

// TestLibraryPanicsAtAnEmptyPage: a V2 page of no rows is a panic. We read it.
func TestLibraryPanicsAtAnEmptyPage(t *testing.T) {
	b := emptyPages(t)["empty_pages_v2"]
	if n := read(t, open(t, b)).rows(); n != 95 {
		t.Errorf("%d rows, want 95", n)
	}
	defer func() {
		if recover() == nil {
			t.Error("a page of no rows is read now")
		}
	}()
	readOther(t, b)
}
