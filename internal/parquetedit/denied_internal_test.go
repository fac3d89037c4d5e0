package parquetedit

import (
	"bytes"
	"testing"

	"github.com/parquet-go/parquet-go"
)

// saying gives the file whose first chunk says other statistics.
func saying(t *testing.T, b []byte, statistics tree) (*File, Source) {
	t.Helper()
	src := ReaderAt{ReaderAt: bytes.NewReader(b), N: int64(len(b))}
	f, err := Open(t.Context(), src)
	if err != nil {
		t.Fatal(err)
	}
	c := &f.groups[0].chunks[0]
	outer, meta, err := c.trees()
	if err != nil {
		t.Fatal(err)
	}
	c.raw = outer.with(structField(chunkMeta, meta.with(structField(colStatistics, statistics)))).encode(nil)
	return f, src
}

// numbers is a file of one column whose pages of 20,000 rows hold their numbers, with a NULL in every third row.
func numbers(t *testing.T, rows int) []byte {
	t.Helper()
	values := make([]parquet.Value, rows)
	for i := range values {
		if i%3 != 0 {
			values[i] = parquet.Int64Value(int64(i))
		}
	}
	var b bytes.Buffer
	w, err := NewWriter(&b, []Column{{Name: "n", Type: Type{Physical: parquet.Int64}}}, WriterOptions{Compression: "snappy"})
	if err == nil {
		err = w.Write([][]parquet.Value{values})
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestNullsThatTheFooterDenies: a footer that went through the structs of parquet-go says null_count = 0 where it said nothing. What the
// page index counts is counted in the new file, too, and so is what is counted in a page that is taken apart and stays.
func TestNullsThatTheFooterDenies(t *testing.T) {
	const rows, nulls = 60_000, 20_000
	lo, hi := bounds64(1, rows).min, bounds64(1, rows).max
	f, src := saying(t, numbers(t, rows), tree{i64Field(statNulls, 0), binaryField(statMax, hi), binaryField(statMin, lo)})
	var out bytes.Buffer
	s := Script{Replaces: []int64{1, 50_000}, Replace: [][]parquet.Value{{parquet.Int64Value(1), parquet.Int64Value(7)}}}
	if _, err := Rewrite(t.Context(), f, s, NewOutput(src, &out)); err != nil {
		t.Fatal(err)
	}
	g, err := Open(t.Context(), ReaderAt{ReaderAt: bytes.NewReader(out.Bytes()), N: int64(out.Len())})
	if err != nil {
		t.Fatal(err)
	}
	if b, ok := g.Bounds(0, 0); !ok || b.NullCount != nulls {
		t.Errorf("%d NULLs, want %d", b.NullCount, nulls)
	}
	o, err := g.pageIndex(t.Context(), 0, 0)
	if err != nil || len(o.pages) != 3 {
		t.Fatal(len(o.pages), err)
	}
	for i := range o.pages {
		if got := o.pages[i].facts.nulls; got < 6_666 || got > 6_667 {
			t.Errorf("page %d: %d NULLs", i, got)
		}
	}
}

// TestBoundsOfNothingButNulls: a chunk that has a least value is not one of NULLs alone, whatever it counts: it may hold a key.
func TestBoundsOfNothingButNulls(t *testing.T) {
	const rows = 600
	lo, hi := bounds64(1, rows).min, bounds64(1, rows).max
	b := numbers(t, rows)
	f, _ := saying(t, b, tree{i64Field(statNulls, rows), binaryField(statMax, hi), binaryField(statMin, lo)})
	if x, ok := f.Bounds(0, 0); ok || x.NullCount != -1 {
		t.Errorf("%+v, %t of a chunk that contradicts itself", x, ok)
	}
	f, _ = saying(t, b, tree{i64Field(statNulls, rows)})
	if x, ok := f.Bounds(0, 0); !ok || x.NullCount != rows {
		t.Errorf("%+v, %t of a chunk of NULLs", x, ok)
	}
}
