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
	s := parquetedit.Script{MaxRowGroupRows: 15_000, Parallel: 1, Add: []parquetedit.Column{column("new", textType())}}
	for row := int64(0); row < rows; row += 1000 {
		s.Deletes, s.Replaces = append(s.Deletes, row), append(s.Replaces, row+1)
	}
	for row := int64(28_500); row < 43_000; row++ { // all of the third new row group
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
	if stats.RowGroupsRewritten != 6 || len(open(t, out.Bytes()).RowGroups()) != 6 {
		t.Errorf("%+v, want six row groups of 14,286 rows at most; the seventh has lost all of them", stats)
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
