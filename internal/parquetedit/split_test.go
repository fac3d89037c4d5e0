package parquetedit_test

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/parquet-go/parquet-go"

	"sluice/internal/parquetedit"
)

// metered is a Source that counts the bytes it gives and remembers the longest read.
type metered struct {
	parquetedit.ReaderAt
	mu         sync.Mutex
	sum, reads int
	longest    int
}

// ReadRange implements parquetedit.Source.
func (m *metered) ReadRange(ctx context.Context, p []byte, off int64) error {
	m.mu.Lock()
	m.sum, m.reads, m.longest = m.sum+len(p), m.reads+1, max(m.longest, len(p))
	m.mu.Unlock()
	return m.ReaderAt.ReadRange(ctx, p, off)
}

// TestLargeRowGroupIsSplit: Spark writes a file as one row group. Rewriting it makes row groups of the usual size, and
// holds no column of the whole row group: not even where its first rows are ten times as long as the last.
func TestLargeRowGroupIsSplit(t *testing.T) {
	const rows = 100_000
	columns := []parquetedit.Column{column("n", parquetedit.Type{Physical: parquet.Int64}), column("s", textType()), column("few", textType())}
	vs := make([][]parquet.Value, len(columns))
	for i := range rows {
		x := uint64(i) * 0x9e3779b97f4a7c15
		vs[0] = append(vs[0], parquet.Int64Value(int64(x>>20)))
		vs[1] = append(vs[1], text(strings.Repeat(fmt.Sprintf("%x", x), 10-9*(i/(rows/2))))...)
		vs[2] = append(vs[2], text([]string{"one", "two", "three"}[i%3])...)
	}
	b := write(t, columns, vs, parquetedit.WriterOptions{Compression: "none", MaxRowGroupRows: rows, MaxRowGroupBytes: 1 << 30})
	if n := len(open(t, b).RowGroups()); n != 1 {
		t.Fatalf("%d row groups are no test", n)
	}
	s := parquetedit.Script{MaxRowGroupRows: 20_000, Parallel: 1, Add: []parquetedit.Column{column("new", textType())}}
	for row := int64(0); row < rows; row += 1000 {
		s.Deletes, s.Replaces = append(s.Deletes, row), append(s.Replaces, row+1)
	}
	for row := int64(39_500); row < 60_500; row++ { // all of the third new row group
		s.Deletes = append(s.Deletes, row)
	}
	s = sorted(s)
	for c := range columns {
		s.Replace = append(s.Replace, vs[c][:len(s.Replaces)])
	}
	s.Replace = append(s.Replace, vs[2][:len(s.Replaces)])
	src := &metered{ReaderAt: source(b)}
	f, err := parquetedit.Open(t.Context(), src)
	if err != nil {
		t.Fatal(err)
	}
	src.sum, src.reads, src.longest = 0, 0, 0
	var out bytes.Buffer
	stats, err := parquetedit.Rewrite(t.Context(), f, s, parquetedit.NewOutput(src, &out))
	if err != nil {
		t.Fatal(err)
	}
	want := apply(showAll(vs), s)
	if d := firstDiff(want, read(t, open(t, out.Bytes()))); d != "" {
		t.Error(d)
	}
	if d := firstDiff(want, readOther(t, out.Bytes())); d != "" {
		t.Error("parquet-go:", d)
	}
	if stats.RowGroupsRewritten != 4 || len(open(t, out.Bytes()).RowGroups()) != 4 {
		t.Errorf("%+v, want four row groups of 20,000 rows at most; the fifth has lost all of them", stats)
	}
	if src.longest > len(b)/4 || src.sum > 2*len(b) || src.reads > 60 {
		t.Errorf("%d reads, the longest of %d bytes, %d in all, in a file of %d", src.reads, src.longest, src.sum, len(b))
	}
}

// sorted puts the rows of a script in order; a row that is deleted is not replaced.
func sorted(s parquetedit.Script) parquetedit.Script {
	deleted := map[int64]bool{}
	for _, r := range s.Deletes {
		deleted[r] = true
	}
	replaces := map[int64]bool{}
	for _, r := range s.Replaces {
		replaces[r] = !deleted[r]
	}
	s.Deletes, s.Replaces = nil, nil
	for r := range int64(1 << 20) {
		if deleted[r] {
			s.Deletes = append(s.Deletes, r)
		} else if replaces[r] {
			s.Replaces = append(s.Replaces, r)
		}
	}
	return s
}

// TestRowGroupOfOnePageAChunkStaysWhole: DuckDB writes a chunk as one page. A row group of a million rows that was divided had each of its
// pages read and taken apart for every new row group, 31 times for 1 GiB.
func TestRowGroupOfOnePageAChunkStaysWhole(t *testing.T) {
	var out bytes.Buffer
	w := parquet.NewGenericWriter[struct {
		N int64   `parquet:"n"`
		S string  `parquet:"s"`
		F float64 `parquet:"f"`
	}](&out, parquet.PageBufferSize(64<<20))
	buffer := make([]parquet.Row, 0, 1000)
	const rows = 60_000
	for i := range rows {
		buffer = append(buffer, parquet.Row{
			parquet.Int64Value(int64(i)).Level(0, 0, 0), parquet.ByteArrayValue(fmt.Appendf(nil, "%x", i*i)).Level(0, 0, 1), parquet.DoubleValue(float64(i)).Level(0, 0, 2),
		})
		if len(buffer) == cap(buffer) {
			if _, err := w.WriteRows(buffer); err != nil {
				t.Fatal(err)
			}
			buffer = buffer[:0]
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	src := &metered{ReaderAt: source(out.Bytes())}
	f, err := parquetedit.Open(t.Context(), src)
	if err != nil {
		t.Fatal(err)
	}
	old := read(t, f)
	src.sum = 0
	s := parquetedit.Script{Deletes: every(100, rows), MaxRowGroupRows: 5000}
	var got bytes.Buffer
	stats, err := parquetedit.Rewrite(t.Context(), f, s, parquetedit.NewOutput(src, &got))
	if err != nil {
		t.Fatal(err)
	}
	if src.sum > out.Len()*3/2 || stats.RowGroupsRewritten > 2 {
		t.Errorf("%d bytes read of %d for %d row groups", src.sum, out.Len(), stats.RowGroupsRewritten)
	}
	if d := firstDiff(apply(old, s), read(t, open(t, got.Bytes()))); d != "" {
		t.Error(d)
	}
}
