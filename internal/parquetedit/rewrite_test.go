package parquetedit_test

import (
	"bytes"
	"encoding/binary"
	"testing"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/format"
	"pgregory.net/rapid"

	"sluice/internal/parquetedit"
)

// apply is the naive Rewrite: it walks over all rows.
func apply(old table, s parquetedit.Script) table {
	replace, add := showAll(s.Replace), showAll(s.Append)
	width := len(old) + len(s.Add)
	out := make(table, width)
	deleted, replaced := map[int64]bool{}, map[int64]int{}
	for _, r := range s.Deletes {
		deleted[r] = true
	}
	for i, r := range s.Replaces {
		replaced[r] = i
	}
	for row := range int64(old.rows()) {
		if deleted[row] {
			continue
		}
		i, ok := replaced[row]
		for c := range out {
			switch {
			case ok:
				out[c] = append(out[c], replace[c][i])
			case c < len(old):
				out[c] = append(out[c], old[c][row])
			default:
				out[c] = append(out[c], "NULL")
			}
		}
	}
	if len(s.Append) > 0 {
		for c := range out {
			out[c] = append(out[c], add[c]...)
		}
	}
	return out
}

func drawScript(t *rapid.T, columns []parquetedit.Column, rows int) parquetedit.Script {
	s := parquetedit.Script{
		Deletes:         drawOrdinals(t, rows, "deletes"),
		Metadata:        map[string]string{"new": "pair"},
		MaxRowGroupRows: int64(rapid.SampledFrom([]int{100, 1000, 50_000}).Draw(t, "group")),
	}
	deleted := map[int64]bool{}
	for _, r := range s.Deletes {
		deleted[r] = true
	}
	for _, r := range drawOrdinals(t, rows, "replaces") {
		if !deleted[r] {
			s.Replaces = append(s.Replaces, r)
		}
	}
	if rapid.IntRange(0, 3).Draw(t, "add") == 0 {
		s.Add = drawColumns(t, "n", 1, 2, true)
	}
	all := append(append([]parquetedit.Column{}, columns...), s.Add...)
	if len(s.Replaces) > 0 {
		s.Replace = drawRows(t, all, len(s.Replaces))
	}
	if rapid.Bool().Draw(t, "append") {
		s.Append = drawRows(t, all, rapid.SampledFrom([]int{1, 40, 1500}).Draw(t, "appended"))
	}
	return s
}

// TestRewriteModel: a rewrite is what walking over all rows would give, for any schema and script.
func TestRewriteModel(t *testing.T) { rapid.Check(t, rewriteModel(t, usual)) }

func rewriteModel(t *testing.T, depth depth) func(*rapid.T) {
	t.Helper()
	return func(rt *rapid.T) {
		columns := drawColumns(rt, "c", 1, 5, false)
		rows := depth.drawRowCount(rt, 21_000)
		vs := drawRows(rt, columns, rows)
		b := write(rt, columns, vs, depth.drawOptions(rt, rows))
		s := drawScript(rt, columns, rows)
		got, stats := rewrite(t, b, s)
		old := showAll(vs)
		want := apply(old, s)
		f := open(t, got)
		if d := firstDiff(want, read(t, f)); d != "" {
			rt.Fatal(d)
		}
		if d := firstDiff(want, readOther(t, got)); d != "" {
			rt.Fatal("parquet-go:", d)
		}
		for _, g := range f.RowGroups()[stats.RowGroupsCopied:] {
			const page = 20_000 // a row group of less is not divided between the rows of its pages
			if stats.RowGroupsCopied == 0 && g.Rows > max(s.MaxRowGroupRows, page) {
				rt.Fatalf("a new row group of %d rows, at most %d", g.Rows, max(s.MaxRowGroupRows, page))
			}
		}
		if v, _ := f.Metadata("new"); v != "pair" {
			rt.Fatalf("metadata new = %q", v)
		}
		if v, _ := f.Metadata("k"); v != "v" {
			rt.Fatalf("metadata k = %q", v)
		}
		if stats.Rows != f.NumRows() || stats.RowGroupsCopied+stats.RowGroupsRewritten != len(f.RowGroups()) ||
			stats.BytesCopied+stats.BytesWritten != int64(len(got)) {
			rt.Fatalf("stats %+v: %d rows, %d row groups, %d bytes", stats, f.NumRows(), len(f.RowGroups()), len(got))
		}
		sameGroups(rt, b, got, s)
	}
}

func rewrite(tb testing.TB, b []byte, s parquetedit.Script) ([]byte, parquetedit.Stats) {
	tb.Helper()
	var out bytes.Buffer
	src := source(b)
	stats, err := parquetedit.Rewrite(tb.Context(), open(tb, b), s, parquetedit.NewOutput(src, &out))
	if err != nil {
		tb.Fatal(err)
	}
	return out.Bytes(), stats
}

// sameGroups: the column chunks of row groups without edits are the same bytes, in the same order, and
// their page indexes point to the same pages.
func sameGroups(t *rapid.T, before, after []byte, s parquetedit.Script) {
	old, err := parquet.OpenFile(bytes.NewReader(before), int64(len(before)))
	if err != nil {
		t.Fatal(err)
	}
	now, err := parquet.OpenFile(bytes.NewReader(after), int64(len(after)))
	if err != nil {
		t.Fatal(err)
	}
	touched := append(append([]int64{}, s.Deletes...), s.Replaces...)
	row, next := int64(0), 0
	for i, g := range old.Metadata().RowGroups {
		n := within(touched, row, row+g.NumRows)
		row += g.NumRows
		if i == len(old.Metadata().RowGroups)-1 {
			break // what is appended may lie in it
		}
		if n > 0 {
			for left := g.NumRows - within(s.Deletes, row-g.NumRows, row); left > 0; next++ {
				left -= now.Metadata().RowGroups[next].NumRows
			}
			continue
		}
		h := now.Metadata().RowGroups[next]
		for c := range g.Columns {
			x, y := g.Columns[c].MetaData, h.Columns[c].MetaData
			a, b := x.DataPageOffset, y.DataPageOffset
			if x.DictionaryPageOffset > 0 {
				a, b = x.DictionaryPageOffset, y.DictionaryPageOffset
			}
			if !bytes.Equal(before[a:a+x.TotalCompressedSize], after[b:b+y.TotalCompressedSize]) {
				t.Fatalf("row group %d, column %d: other bytes", i, c)
			}
			width := len(old.Metadata().RowGroups[0].Columns)
			wide := len(h.Columns)
			for p, l := range old.OffsetIndexes()[i*width+c].PageLocations {
				m := now.OffsetIndexes()[next*wide+c].PageLocations[p]
				if l.FirstRowIndex != m.FirstRowIndex || m.Offset-l.Offset != b-a {
					t.Fatalf("row group %d, column %d, page %d: at %+v, was %+v", i, c, p, m, l)
				}
			}
			// By the footer's own pointers: parquet-go shows no column index at all when the first chunk of
			// the file has none.
			index := func(b []byte, c *format.ColumnChunk) []byte {
				return b[c.ColumnIndexOffset : c.ColumnIndexOffset+int64(c.ColumnIndexLength)]
			}
			if !bytes.Equal(index(before, &g.Columns[c]), index(after, &h.Columns[c])) {
				t.Fatalf("row group %d, column %d: another column index", i, c)
			}
		}
		next++
	}
}

// within counts the rows in [from, to).
func within(rows []int64, from, to int64) int64 {
	n := int64(0)
	for _, r := range rows {
		if r >= from && r < to {
			n++
		}
	}
	return n
}

// TestFooterLongerThanTheFirstRead: a file of thousands of row groups, whose footer takes Open a second read, is
// read and rewritten like any other.
func TestFooterLongerThanTheFirstRead(t *testing.T) {
	columns := []parquetedit.Column{column("n", parquetedit.Type{Physical: parquet.Int64}), column("s", textType())}
	vs := [][]parquet.Value{nil, nil}
	for i := range 6000 {
		vs[0], vs[1] = append(vs[0], parquet.Int64Value(int64(i))), append(vs[1], text("twenty bytes or more")...)
	}
	b := write(t, columns, vs, parquetedit.WriterOptions{MaxRowGroupRows: 3})
	if n := binary.LittleEndian.Uint32(b[len(b)-8:]); n < 256<<10 {
		t.Fatalf("a footer of %d bytes is no test", n)
	}
	s := parquetedit.Script{Deletes: []int64{3000}}
	got, stats := rewrite(t, b, s)
	want := apply(showAll(vs), s)
	if d := firstDiff(want, read(t, open(t, got))); d != "" {
		t.Error(d)
	}
	if d := firstDiff(want, readOther(t, got)); d != "" {
		t.Error("parquet-go:", d)
	}
	if stats.RowGroupsCopied != 1999 {
		t.Errorf("%+v", stats)
	}
}

// TestAllRowGroupsHaveAnOrdinalOrNone: Arrow and DuckDB write none. A row group behind two of theirs had one, and parquet-go opened the
// file no more.
func TestAllRowGroupsHaveAnOrdinalOrNone(t *testing.T) {
	for name, want := range map[string]bool{"arrow_required.parquet": false, "polars_zstd.parquet": true} {
		x := newSubject(t, name, foreign(t)[name])
		s := parquetedit.Script{Append: make([][]parquet.Value, len(x.columns)), MaxRowGroupRows: 10}
		for c := range s.Append {
			s.Append[c] = x.values[c][:3]
		}
		got, stats := rewrite(t, x.body, s)
		if stats.RowGroupsRewritten != 1 || stats.RowGroupsCopied < 2 {
			t.Fatalf("%s: %+v is no test", name, stats)
		}
		for i, g := range layoutOf(got).groups {
			if g.about.has(7) != want || g.about.int(7) != int64(i) && want {
				t.Errorf("%s: row group %d has ordinal %v", name, i, g.about[7])
			}
		}
		metadata(t, got) // by parquet-go
	}
}
