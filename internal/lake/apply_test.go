package lake_test

import (
	"bytes"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/parquet-go/parquet-go"

	"sluice/internal/lake"
	"sluice/internal/parquetedit"
)

// applied plans changes into one lake file, carries the rewrite out and returns the file.
func applied(t *testing.T, s *lake.Schema, f *lakeFile, changes sheet) *parquetedit.File {
	t.Helper()
	m := planned(t, folded(t, s, changes), []*lakeFile{f})
	if len(m.Creates) != 0 || len(m.Rewrites) != 1 {
		t.Fatalf("%d creates, %d rewrites", len(m.Creates), len(m.Rewrites))
	}
	if err := m.Check(t.Context(), []*lake.File{&f.File}); err != nil {
		t.Fatal(err)
	}
	var object, body bytes.Buffer
	spans, err := m.WriteChanges(t.Context(), &object)
	if err != nil {
		t.Fatal(err)
	}
	slice, err := lake.ReadSlice(t.Context(), openBody(t, object.Bytes()), s, spans[0])
	if err != nil {
		t.Fatal(err)
	}
	src := parquetedit.ReaderAt{ReaderAt: bytes.NewReader(f.body), N: int64(len(f.body))}
	if _, err := slice.Rewrite(t.Context(), openBody(t, f.body), parquetedit.NewOutput(src, &body), lake.FileOptions{Metadata: map[string]string{"commit": "7"}}); err != nil {
		t.Fatal(err)
	}
	after := openBody(t, body.Bytes())
	if commit, _ := after.Metadata("commit"); commit != "7" {
		t.Errorf("the footer has the commit %q", commit)
	}
	return after
}

// Files of other writers keep their own column order and types; rows keep their place.
func TestSlice_Rewrite_filesOfOtherWriters(t *testing.T) {
	dec := decimalIn(parquet.FixedLenByteArray, 7, 15, 2)
	s := &lake.Schema{Columns: append(cols("id bigint, at us"), col("price", dec), col("note", typeString)), Key: []string{"id"}, Op: true}
	spark := []parquetedit.Column{
		col("at", typeInt96), {Name: "id", Type: typeInt, Required: true}, col("price", decimalIn(parquet.Int32, 0, 9, 2)), col("Op", typeString),
	}
	midnight := int96(2_440_588, 0)
	f := stored(t, "spark.parquet", "", sheet{columns: spark, rows: [][]any{{midnight, 1, 100, "I"}, {midnight, 2, 200, "I"}, {nil, 3, nil, "I"}, {midnight, 4, 400, "U"}}, groups: []int{2}})
	changes := sheet{columns: append(cols("Op string"), s.Columns...), rows: [][]any{
		{"U", 2, 1_500_000, 250, nil}, {"D", 3, nil, nil, nil}, {"U", 4, nil, nil, "new column"},
	}}
	after := applied(t, s, f, changes)
	want := []string{
		"1970-01-01 00:00:00 1 1.00 I NULL",
		"1970-01-01 00:00:01.5 2 2.50 U NULL",
		"NULL 4 NULL U new column",
	}
	if diff := cmp.Diff(want, lines(t, after)); diff != "" {
		t.Error("−want +got:\n", diff)
	}
	if diff := cmp.Diff(append(spark, col("note", typeString)), after.Columns()); diff != "" {
		t.Error("columns, −want +got:\n", diff)
	}
}

// A commit must be possible to finish: what a file cannot hold is found before it.
func TestMerge_Check(t *testing.T) {
	s := &lake.Schema{Columns: cols("id int, n bigint, v string"), Key: []string{"id"}}
	narrow := sheet{columns: cols("id int, n int, v string"), rows: [][]any{{1, 1, "x"}}}
	strict := sheet{columns: cols("id int, n bigint, v string"), rows: [][]any{{1, 1, "x"}}}
	strict.columns[2].Required = true
	for name, c := range map[string]struct {
		file    sheet
		changes sheet
		want    error
		text    string
	}{
		"what fits": {narrow, changesSheet("id int, n bigint, v string", []any{"U", 1, math.MaxInt32, "y"}), nil, ""},
		"deletes":   {narrow, changesSheet("id int", []any{"D", 1}), nil, ""},
		"NULL":      {narrow, changesSheet("id int", []any{"U", 1}), nil, ""},
		"a wider number": {
			narrow, changesSheet("id int, n bigint", []any{"U", 1, math.MaxInt32 + 1}),
			&lake.SchemaError{File: "one", Column: "n", Got: "the bigint value", Want: "type int", Widen: true},
			`one: column "n": the bigint value does not fit the lake's type int; acknowledge with --accept schema to rewrite the table to a wider type`,
		},
		"NULL where the file has none": {
			strict, changesSheet("id int, n bigint", []any{"U", 1, 5}),
			&lake.SchemaError{File: "one", Column: "v", Got: "NULL", Want: "column, which is REQUIRED", Widen: true}, "",
		},
		"a wider number in a new row": {
			narrow, changesSheet("id int, n bigint", []any{"I", 2, math.MaxInt32 + 1}),
			&lake.SchemaError{File: "one", Column: "n", Got: "the bigint value", Want: "type int", Widen: true}, "",
		},
		"a new row goes elsewhere": {strict, changesSheet("id int, n bigint", []any{"I", 2, math.MaxInt32 + 1}), nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			f := stored(t, "one", "", c.file)
			m := planned(t, folded(t, s, c.changes), []*lakeFile{f})
			err := m.Check(t.Context(), []*lake.File{&f.File})
			if diff := cmp.Diff(c.want, dataError(err)); diff != "" {
				t.Error("−want +got:\n", diff)
			}
			if c.text != "" && err.Error() != c.text {
				t.Errorf("got %q, want %q", err, c.text)
			}
		})
	}
}

func TestEmpty_leavesTheColumns(t *testing.T) {
	in := sheet{columns: cols("id int, v string"), rows: [][]any{{1, "x"}}}
	body := in.body(t)
	src := parquetedit.ReaderAt{ReaderAt: bytes.NewReader(body), N: int64(len(body))}
	for name, c := range map[string]struct{ given, want []parquetedit.Column }{
		"its own": {nil, in.columns},
		"others":  {cols("Op string, id bigint"), cols("Op string, id bigint")},
	} {
		var out bytes.Buffer
		if _, err := lake.Empty(t.Context(), openBody(t, body), parquetedit.NewOutput(src, &out), lake.FileOptions{Columns: c.given}); err != nil {
			t.Fatal(err)
		}
		f := openBody(t, out.Bytes())
		if diff := cmp.Diff(c.want, f.Columns()); diff != "" || f.NumRows() != 0 {
			t.Errorf("%s: %d rows, columns −want +got:\n%s", name, f.NumRows(), diff)
		}
	}
}

// A refreshed file has the same rows under another footer.
func TestRefresh_keepsRows(t *testing.T) {
	in := sheet{columns: cols("id int, v string"), rows: [][]any{{1, "x"}, {2, nil}}, groups: []int{1}}
	body := in.body(t)
	src := parquetedit.ReaderAt{ReaderAt: bytes.NewReader(body), N: int64(len(body))}
	var out bytes.Buffer
	if _, err := lake.Refresh(t.Context(), openBody(t, body), parquetedit.NewOutput(src, &out), lake.FileOptions{Metadata: map[string]string{"commit": "8"}}); err != nil {
		t.Fatal(err)
	}
	f := openBody(t, out.Bytes())
	if diff := cmp.Diff([]string{"1 x", "2 NULL"}, lines(t, f)); diff != "" {
		t.Error("−want +got:\n", diff)
	}
	if commit, _ := f.Metadata("commit"); commit != "8" {
		t.Errorf("the footer has the commit %q", commit)
	}
}

func TestNoRows_createsAFileWithoutRows(t *testing.T) {
	s := &lake.Schema{Columns: cols("id int, p int"), Partition: []string{"p"}, Op: true}
	var out bytes.Buffer
	rows, err := lake.NoRows(s).Create(&out, lake.FileOptions{})
	if rows != 0 || err != nil {
		t.Fatalf("got %d rows, %v", rows, err)
	}
	if diff := cmp.Diff(cols("Op string, id int"), openBody(t, out.Bytes()).Columns()); diff != "" {
		t.Error("−want +got:\n", diff)
	}
}

// Widening: an input brings columns; those of the table keep their place and type.
func TestSchema_Extend(t *testing.T) {
	for name, c := range map[string]struct {
		have, input, want string
		err               string
	}{
		"nothing new":          {"id int", "id bigint", "id int", ""},
		"new ones come last":   {"id int, v string", "n int, id int, v string, m int", "id int, v string, n int, m int", ""},
		"names differ by case": {"id int", "ID int", "id int", `f: column "ID": the name does not fit the lake's column "id", from which it differs only by case`},
		"an empty table":       {"", "b int, a int", "b int, a int", ""},
	} {
		s := lake.Schema{}
		if c.have != "" {
			s.Columns = cols(c.have)
		}
		input := cols(c.input)
		for i := range input {
			input[i].Required = true // of another file; the lake's may hold NULL
		}
		err := s.Extend(input, "f")
		if (err == nil) != (c.err == "") || err != nil && err.Error() != c.err {
			t.Errorf("%s: got %v", name, err)
		}
		if diff := cmp.Diff(cols(c.want), s.Columns); diff != "" {
			t.Errorf("%s: −want +got:\n%s", name, diff)
		}
	}
}
