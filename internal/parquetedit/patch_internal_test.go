package parquetedit

import (
	"bytes"
	"context"
	"fmt"
	"testing"

	"github.com/parquet-go/parquet-go"
)

// laidRow has a column for each way that values lie in a page.
type laidRow struct {
	I32   int32    `parquet:"i32,plain"`
	I64   int64    `parquet:"i64,plain"`
	U32   uint32   `parquet:"u32,plain"`
	F     float32  `parquet:"f,plain"`
	D     float64  `parquet:"d,plain"`
	Text  string   `parquet:"text,plain"`
	Fixed [16]byte `parquet:"fixed,uuid,plain"`
	Few   string   `parquet:"few,dict"`
	FewI  int64    `parquet:"fewi,dict"`
	None  *int64   `parquet:"none,optional,plain"`
	Maybe *string  `parquet:"maybe,optional,plain"`
	FewM  *string  `parquet:"fewm,optional,dict"`
	Bool  bool     `parquet:"bool,plain"`
	Steps int64    `parquet:"steps,delta"`
}

func laid(i int) laidRow {
	text := fmt.Sprintf("%08d, more", 1000+i%37)
	r := laidRow{
		I32: int32(i%41 - 20), I64: int64(i%43 - 20), U32: uint32(i % 47), F: float32(i%31) - 15, D: float64(i%29) - 14,
		Text: text, Few: text[:8], FewI: int64(i % 5), Bool: i%3 == 0, Steps: int64(i),
	}
	r.Fixed[15] = byte(i % 51)
	if i%4 != 0 {
		r.Maybe, r.FewM = &text, &r.Few
	}
	return r
}

// extreme is above all that laid gives, or below.
func extreme(above bool) laidRow {
	text, n := "zz", int64(7)
	r := laidRow{I32: 1000, I64: 1000, U32: 1 << 31, F: 1000, D: 1000, Text: text, Few: text, FewI: 1000, Bool: true, Steps: 1 << 40}
	if !above {
		text = "-"
		r = laidRow{I32: -1000, I64: -1000, F: -1000, D: -1000, Text: text, Few: text, FewI: -1000, Steps: -1 << 40}
	} else {
		r.Fixed = [16]byte{255}
	}
	r.Maybe, r.FewM, r.None = &text, &text, &n
	return r
}

// laidFile writes rows in pages of about a hundred of them.
func laidFile(t *testing.T, rows []laidRow, version int, codec parquet.WriterOption) []byte {
	t.Helper()
	var b bytes.Buffer
	w := parquet.NewGenericWriter[laidRow](&b, parquet.DataPageVersion(version), parquet.PageBufferSize(1000), codec)
	for len(rows) > 0 {
		n := min(len(rows), 100)
		if _, err := w.Write(rows[:n]); err != nil {
			t.Fatal(err)
		}
		rows = rows[n:]
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestBoundsFollowWhatIsReplaced: rows get the least and the greatest values of all, then those are replaced as well. Each
// time every page tells its bounds as they are, and the file holds what one that is written anew holds.
func TestBoundsFollowWhatIsReplaced(t *testing.T) {
	for _, version := range []int{1, 2} {
		for name, codec := range map[string]parquet.WriterOption{"none": parquet.Compression(&parquet.Uncompressed), "snappy": parquet.Compression(&parquet.Snappy)} {
			t.Run(fmt.Sprintf("version %d, %s", version, name), func(t *testing.T) {
				rows := make([]laidRow, 1000)
				for i := range rows {
					rows[i] = laid(i)
				}
				b := laidFile(t, rows, version, codec)
				for _, step := range []func(i int) laidRow{
					func(i int) laidRow { return extreme(i%2 == 0) },
					func(i int) laidRow { return laid(i + 1) },
					func(i int) laidRow { return laid(i + 1) },
				} {
					var at []int64
					for i := 3; i < len(rows); i += 150 {
						at, rows[i] = append(at, int64(i)), step(i/150)
					}
					b = replacedBy(t, b, laidFile(t, rows, version, codec), at)
				}
			})
		}
	}
}

// replacedBy replaces rows of a file by those of another, which it then equals.
func replacedBy(t *testing.T, b, want []byte, at []int64) []byte {
	t.Helper()
	src := ReaderAt{ReaderAt: bytes.NewReader(b), N: int64(len(b))}
	f, err := Open(t.Context(), src)
	if err != nil {
		t.Fatal(err)
	}
	s := Script{Replaces: at}
	now, wanted := columnsOf(t, b), columnsOf(t, want)
	for c := range wanted {
		var with []parquet.Value
		for _, row := range at {
			with = append(with, wanted[c][row])
		}
		s.Replace = append(s.Replace, with)
	}
	var out bytes.Buffer
	if _, err := Rewrite(t.Context(), f, s, NewOutput(src, &out)); err != nil {
		t.Fatal(err)
	}
	got := columnsOf(t, out.Bytes())
	for c := range got {
		for row := range got[c] {
			if !parquet.Equal(got[c][row], wanted[c][row]) {
				t.Fatalf("column %q, row %d: %v, want %v, was %v", f.columns[c].Name, row, got[c][row], wanted[c][row], now[c][row])
			}
		}
	}
	checkTight(t, out.Bytes(), want)
	return out.Bytes()
}

// columnsOf reads all values.
func columnsOf(t *testing.T, b []byte) [][]parquet.Value {
	t.Helper()
	f, err := Open(t.Context(), ReaderAt{ReaderAt: bytes.NewReader(b), N: int64(len(b))})
	if err != nil {
		t.Fatal(err)
	}
	all := make([][]parquet.Value, len(f.columns))
	for c := range all {
		err := f.ReadColumn(t.Context(), 0, c, func(_ int64, vs []parquet.Value) error {
			for _, v := range vs {
				all[c] = append(all[c], v.Clone())
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return all
}

// checkTight holds the bounds of the pages against those of pages that hold the same and were written anew.
func checkTight(t *testing.T, b, anew []byte) {
	t.Helper()
	checkIndexes(t, b)
	got, want := pageFactsOf(t, b), pageFactsOf(t, anew)
	for c := range got {
		if len(got[c]) != len(want[c]) {
			t.Errorf("column %d: %d pages, want %d", c, len(got[c]), len(want[c]))
			continue
		}
		for i, p := range got[c] {
			w := want[c][i]
			if p.first != w.first || p.facts.nulls != w.facts.nulls || !bytes.Equal(p.facts.bounds.min, w.facts.bounds.min) || !bytes.Equal(p.facts.bounds.max, w.facts.bounds.max) {
				t.Errorf("column %d, page %d: row %d, %+v; want row %d, %+v", c, i, p.first, p.facts, w.first, w.facts)
			}
		}
	}
}

func pageFactsOf(t *testing.T, b []byte) [][]oldPage {
	t.Helper()
	f, err := Open(t.Context(), ReaderAt{ReaderAt: bytes.NewReader(b), N: int64(len(b))})
	if err != nil {
		t.Fatal(err)
	}
	all := make([][]oldPage, len(f.columns))
	for c := range all {
		o, err := f.pageIndex(context.Background(), 0, c)
		if err != nil || o.pages == nil {
			t.Fatalf("column %q: %v, %v", f.columns[c].Name, o.pages, err)
		}
		all[c] = o.pages
	}
	return all
}

// TestColumnSaidToStayIsNotLookedAt: its values of Replace are not even asked for.
func TestColumnSaidToStayIsNotLookedAt(t *testing.T) {
	rows := make([]laidRow, 300)
	for i := range rows {
		rows[i] = laid(i)
	}
	b := laidFile(t, rows, 1, parquet.Compression(&parquet.Snappy))
	src := ReaderAt{ReaderAt: bytes.NewReader(b), N: int64(len(b))}
	f, err := Open(t.Context(), src)
	if err != nil {
		t.Fatal(err)
	}
	before, with := columnsOf(t, b), columnsOf(t, laidFile(t, []laidRow{extreme(true)}, 1, parquet.Compression(&parquet.Snappy)))
	for name, edit := range map[string]Script{"": {}, "and rows go": {Deletes: []int64{0, 299}}} {
		t.Run("rows are replaced "+name, func(t *testing.T) {
			s := edit
			s.Replaces, s.Same = []int64{7, 150}, []int{1}
			s.ReplaceColumn = func(c, i, j int) ([]parquet.Value, error) {
				if c == 1 {
					t.Error("the values of a column that stays were asked for")
				}
				return []parquet.Value{with[c][0], with[c][0]}[:j-i], nil
			}
			var out bytes.Buffer
			if _, err := Rewrite(t.Context(), f, s, NewOutput(src, &out)); err != nil {
				t.Fatal(err)
			}
			first := 0
			if len(s.Deletes) > 0 {
				first = 1
			}
			after := columnsOf(t, out.Bytes())
			if n := len(rows) - len(s.Deletes); len(after[1]) != n || len(after[0]) != n {
				t.Fatalf("%d and %d rows, want %d", len(after[0]), len(after[1]), n)
			}
			for i, v := range after[1] {
				if !parquet.Equal(v, before[1][first+i]) {
					t.Fatalf("row %d: %v, want %v", i, v, before[1][first+i])
				}
			}
			if !parquet.Equal(after[0][7-first], with[0][0]) {
				t.Errorf("the other column has %v, want %v", after[0][7-first], with[0][0])
			}
		})
	}
}
