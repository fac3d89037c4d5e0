package parquetedit_test

import (
	"bytes"
	"fmt"
	"slices"
	"testing"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/format"

	"sluice/internal/parquetedit"
)

// pagesFile is a file of one row group with a column of each physical type, few and many distinct values in turn, and
// with three pages of each.
func pagesFile(tb testing.TB) ([]parquetedit.Column, [][]parquet.Value, []byte) {
	tb.Helper()
	const rows = 45_000
	var columns []parquetedit.Column
	var vs [][]parquet.Value
	for i, typ := range types() {
		if i > 0 && types()[i-1].Physical == typ.Physical {
			continue
		}
		for _, spread := range []uint64{3, 1 << 40} {
			columns = append(columns, column(fmt.Sprint("c", i, "_", spread), typ))
			values := make([]parquet.Value, rows)
			for row := range values {
				if x := uint64(row+i) * 0x9e3779b97f4a7c15 >> 7; x%11 > 0 {
					values[row] = valueOf(typ, x%spread)
				}
			}
			vs = append(vs, values)
		}
	}
	return columns, vs, write(tb, columns, vs, parquetedit.WriterOptions{MaxRowGroupBytes: 1 << 30})
}

// replace replaces rows by what is in the rows at a distance.
func replace(s *parquetedit.Script, vs [][]parquet.Value, distance int, rows ...int64) {
	s.Replaces = append(s.Replaces, rows...)
	s.Replace = make([][]parquet.Value, len(vs))
	for c := range vs {
		for _, row := range s.Replaces {
			s.Replace[c] = append(s.Replace[c], vs[c][int(row)+distance])
		}
	}
}

func span(from, to int64) []int64 {
	var rows []int64
	for row := from; row < to; row++ {
		rows = append(rows, row)
	}
	return rows
}

// keptPages counts the data pages of the old file whose bytes are in the new one.
func keptPages(tb testing.TB, before, after []byte) (kept, all int) {
	tb.Helper()
	now := map[string]bool{}
	eachPage(tb, after, func(page []byte) { now[string(page)] = true })
	eachPage(tb, before, func(page []byte) {
		all++
		if now[string(page)] {
			kept++
		}
	})
	return kept, all
}

// eachPage gives the bytes of every data page, header included.
func eachPage(tb testing.TB, b []byte, yield func(page []byte)) {
	tb.Helper()
	for _, group := range metadata(tb, b).RowGroups() {
		for _, chunk := range group.ColumnChunks() {
			index, err := chunk.OffsetIndex()
			if err != nil {
				tb.Fatal(err)
			}
			for i := range index.NumPages() {
				from := index.Offset(i)
				yield(b[from : from+index.CompressedPageSize(i)])
			}
		}
	}
}

// TestPagesStay: pages in which nothing changes keep their bytes, and the file reads as if all had been made anew.
func TestPagesStay(t *testing.T) {
	columns, vs, file := pagesFile(t)
	n, old := len(columns), showAll(vs)
	_, all := keptPages(t, file, file)
	unseen := make([][]parquet.Value, n)
	for c := range unseen {
		unseen[c] = []parquet.Value{valueOf(columns[c].Type, 1<<41+7)}
	}
	for name, c := range map[string]struct {
		edit func(s *parquetedit.Script)
		kept int // pages at least
	}{
		"equal values":         {func(s *parquetedit.Script) { replace(s, vs, 0, 0, 19_999, 20_000, 41_000, 44_999) }, all},
		"one page":             {func(s *parquetedit.Script) { replace(s, vs, 7, span(25_000, 25_100)...) }, all - 2*n},
		"a new value":          {func(s *parquetedit.Script) { s.Replaces, s.Replace = []int64{20_001}, unseen }, all - 2*n},
		"the first row of all": {func(s *parquetedit.Script) { s.Replaces, s.Replace = []int64{0}, unseen }, all - 2*n},
		"deletes":              {func(s *parquetedit.Script) { s.Deletes = []int64{3, 44_000, 44_001} }, all / 4},
		"a whole page":         {func(s *parquetedit.Script) { s.Deletes = span(20_000, 40_000) }, all / 4},
		"all but a few rows":   {func(s *parquetedit.Script) { s.Deletes = span(10, 44_990) }, 0},
		"deletes and equals":   {func(s *parquetedit.Script) { replace(s, vs, 0, 41_000); s.Deletes = []int64{3} }, all / 4},
		"rows behind":          {func(s *parquetedit.Script) { s.Append = unseen }, all},
	} {
		s := parquetedit.Script{}
		c.edit(&s)
		got, _ := rewrite(t, file, s)
		want := apply(old, s)
		if d := firstDiff(want, read(t, open(t, got))); d != "" {
			t.Errorf("%s: %s", name, d)
		}
		if d := firstDiff(want, readOther(t, got)); d != "" {
			t.Errorf("%s: parquet-go: %s", name, d)
		}
		if kept, _ := keptPages(t, file, got); kept < c.kept {
			t.Errorf("%s: %d pages of %d stayed as they were, want at least %d", name, kept, all, c.kept)
		}
	}
}

// TestPagesStayOverManyRewrites: a dictionary does not fill up with values that are in use no more, and pages
// neither crumble nor pile up.
func TestPagesStayOverManyRewrites(t *testing.T) {
	const rows, rounds = 60_000, 60
	columns := []parquetedit.Column{column("s", textType())}
	values := make([]parquet.Value, rows)
	for i := range values {
		values[i] = parquet.ByteArrayValue([]byte("few"))
	}
	file := write(t, columns, [][]parquet.Value{values}, parquetedit.WriterOptions{})
	for round := range rounds {
		s := parquetedit.Script{Replace: make([][]parquet.Value, 1)}
		for i := range int64(300) {
			row := i * (rows / 300)
			values[row] = parquet.ByteArrayValue(fmt.Appendf(nil, "%0100d", int64(round)*1000+i))
			s.Replaces, s.Replace[0] = append(s.Replaces, row), append(s.Replace[0], values[row])
		}
		file, _ = rewrite(t, file, s)
	}
	f := open(t, file)
	if d := firstDiff(showAll([][]parquet.Value{values}), read(t, f)); d != "" {
		t.Fatal(d)
	}
	if _, size := f.ChunkBytes(0, 0); size > 1<<20 {
		t.Errorf("after %d rewrites of 300 values of 100 bytes the chunk has %d bytes", rounds, size)
	}
	chunk := metadata(t, file).Metadata().RowGroups[0].Columns[0].MetaData
	if !slices.ContainsFunc(chunk.EncodingStats, func(s format.PageEncodingStats) bool { return s.Encoding == format.RLEDictionary }) {
		t.Error("the column lost its dictionary")
	}
}

// TestPagesOfVersion2Stay: pages of version 2 keep their bytes where nothing changes, and are written as such where something does.
func TestPagesOfVersion2Stay(t *testing.T) {
	type row struct {
		N int64   `parquet:"n,delta"`
		S *string `parquet:"s,optional,dict"`
		P *string `parquet:"p,optional"`
	}
	var b bytes.Buffer
	w := parquet.NewGenericWriter[row](&b, parquet.DataPageVersion(2), parquet.PageBufferSize(2000), parquet.DataPageStatistics(true), parquet.Compression(&parquet.Snappy))
	var rows []row
	for i := range 5000 {
		r := row{N: int64(i)}
		if i%7 > 0 {
			s, p := fmt.Sprint("s", i%5), fmt.Sprint("p", i)
			r.S, r.P = &s, &p
		}
		rows = append(rows, r)
	}
	if _, err := w.Write(rows); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	file := b.Bytes()
	old := read(t, open(t, file))
	s := parquetedit.Script{
		Replaces: []int64{2500}, Deletes: []int64{2502, 2503},
		Replace: [][]parquet.Value{{parquet.Int64Value(-1)}, {parquet.ByteArrayValue([]byte("new"))}, {parquet.Value{}}},
	}
	got, _ := rewrite(t, file, s)
	if d := firstDiff(apply(old, s), read(t, open(t, got))); d != "" {
		t.Error(d)
	}
	if d := firstDiff(apply(old, s), readOther(t, got)); d != "" {
		t.Error("parquet-go:", d)
	}
	kept, all := keptPages(t, file, got)
	if all < 30 || kept != all-3 {
		t.Errorf("%d of %d pages stayed, want all but three", kept, all)
	}
	for _, c := range metadata(t, got).Metadata().RowGroups[0].Columns {
		for _, s := range c.MetaData.EncodingStats {
			if s.PageType == format.DataPage {
				t.Errorf("column %v has %d pages of version 1", c.MetaData.PathInSchema, s.Count)
			}
		}
	}
}
