package lake_test

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/parquet-go/parquet-go"

	"sluice/internal/lake"
	"sluice/internal/parquetedit"
)

// changesSheet is a file of changes whose first column is Op.
func changesSheet(spec string, rows ...[]any) sheet {
	return sheet{columns: append(cols("Op string"), cols(spec)...), rows: rows}
}

func TestFold(t *testing.T) {
	product := &lake.Schema{Columns: cols("id int, name string, n bigint"), Key: []string{"id"}}
	composite := &lake.Schema{Columns: cols("a string, b int, v string"), Key: []string{"a", "b"}}
	full := "id int, name string, n bigint"
	moved := "id int, BI_id int, name string"
	for name, c := range map[string]struct {
		schema *lake.Schema
		inputs []sheet
		want   []string
	}{
		"nothing":                         {product, nil, []string{}},
		"an input without rows":           {product, []sheet{changesSheet(full)}, []string{}},
		"insert":                          {product, []sheet{changesSheet(full, []any{"I", 1, "ada", 5})}, []string{"I 1 ada 5"}},
		"delete then insert":              {product, []sheet{changesSheet(full, []any{"D", 1, nil, nil}, []any{"I", 1, "b", 2})}, []string{"I 1 b 2"}},
		"insert, update, delete":          {product, []sheet{changesSheet(full, []any{"I", 1, "a", 1}, []any{"U", 1, "b", 2}, []any{"D", 1, "b", 2})}, []string{"D 1 NULL NULL"}},
		"the same over three files":       {product, []sheet{changesSheet(full, []any{"I", 1, "a", 1}), changesSheet(full, []any{"U", 1, "b", 2}), changesSheet(full, []any{"D", 1, "b", 2})}, []string{"D 1 NULL NULL"}},
		"insert, delete, insert":          {product, []sheet{changesSheet(full, []any{"I", 1, "a", 1}, []any{"D", 1, "a", 1}, []any{"I", 1, "c", 3})}, []string{"I 1 c 3"}},
		"update of a key never seen":      {product, []sheet{changesSheet(full, []any{"U", 9, "x", 1})}, []string{"U 9 x 1"}},
		"delete of a key never seen":      {product, []sheet{changesSheet(full, []any{"D", 9, nil, nil})}, []string{"D 9 NULL NULL"}},
		"two updates, the last one holds": {product, []sheet{changesSheet(full, []any{"U", 1, "a", 1}, []any{"U", 1, nil, 2})}, []string{"U 1 NULL 2"}},
		"NULL and empty op are inserts":   {product, []sheet{changesSheet(full, []any{nil, 1, "a", 1}, []any{"", 2, "b", 1})}, []string{"I 1 a 1", "I 2 b 1"}},
		"no column Op":                    {product, []sheet{{columns: cols(full), rows: [][]any{{2, "a", 1}, {1, "b", 1}}}}, []string{"I 1 b 1", "I 2 a 1"}},
		"absent columns are NULL":         {product, []sheet{changesSheet(full, []any{"I", 1, "a", 1}), changesSheet("id int, n bigint", []any{"U", 1, 7})}, []string{"U 1 NULL 7"}},
		"columns in another order":        {product, []sheet{changesSheet("n bigint, id int, name string", []any{"I", 3, 1, "a"})}, []string{"I 1 a 3"}},
		"deletes carry the key alone":     {product, []sheet{changesSheet("id int", []any{"D", 1})}, []string{"D 1 NULL NULL"}},
		"keys of another type":            {product, []sheet{changesSheet("id bigint, n int", []any{"I", 1, 7}), changesSheet(full, []any{"U", 1, "a", 8})}, []string{"U 1 a 8"}},
		"sorted by value, not by text":    {product, []sheet{changesSheet("id int", []any{"I", 10}, []any{"I", -1}, []any{"I", 9})}, []string{"I -1 NULL NULL", "I 9 NULL NULL", "I 10 NULL NULL"}},
		"composite keys differ in either part": {
			composite,
			[]sheet{changesSheet("a string, b int, v string", []any{"I", "x", 1, "p"}, []any{"I", "x", 2, "q"}, []any{"I", "y", 1, "r"}, []any{"U", "x", 1, "s"}, []any{"D", "x", 2, nil})},
			[]string{"U x 1 s", "I y 1 r", "D x 2 NULL"},
		},
		"composite keys do not run together": {composite, []sheet{changesSheet("a string, b int", []any{"I", "x\x00", 1}, []any{"I", "x", 1})}, []string{"I x 1 NULL", "I x\x00 1 NULL"}},
		"a key that changes":                 {product, []sheet{changesSheet(moved, []any{"U", 2, 1, "a"})}, []string{"U 2 a NULL", "D 1 NULL NULL"}},
		"a before image without change":      {product, []sheet{changesSheet(moved, []any{"U", 2, nil, "a"}, []any{"U", 3, 3, "b"})}, []string{"U 2 a NULL", "U 3 b NULL"}},
		"a before image of an insert or a delete counts for nothing": {
			product,
			[]sheet{changesSheet(moved, []any{"I", 2, 1, "a"}, []any{"D", 4, 3, "a"})},
			[]string{"I 2 a NULL", "D 4 NULL NULL"},
		},
		"chain of keys 1→2→3":            {product, []sheet{changesSheet(moved, []any{"U", 2, 1, "a"}, []any{"U", 3, 2, "b"})}, []string{"U 3 b NULL", "D 1 NULL NULL", "D 2 NULL NULL"}},
		"there and back":                 {product, []sheet{changesSheet(moved, []any{"U", 2, 1, "a"}, []any{"U", 1, 2, "b"})}, []string{"U 1 b NULL", "D 2 NULL NULL"}},
		"swap of two keys over a third":  {product, []sheet{changesSheet(moved, []any{"U", 0, 1, "a"}, []any{"U", 1, 2, "b"}, []any{"U", 2, 0, "a"})}, []string{"U 1 b NULL", "U 2 a NULL", "D 0 NULL NULL"}},
		"a key given up and taken again": {product, []sheet{changesSheet(moved, []any{"U", 2, 1, "a"}, []any{"I", 1, nil, "new"})}, []string{"I 1 new NULL", "U 2 a NULL"}},
		"one part of a composite key changes": {
			composite,
			[]sheet{changesSheet("a string, BI_a string, b int, BI_b int, v string", []any{"U", "y", "x", 1, nil, "p"}, []any{"U", "y", nil, 3, 2, "q"})},
			[]string{"U y 1 p", "U y 3 q", "D x 1 NULL", "D y 2 NULL"},
		},
		"a before image in another type":  {product, []sheet{changesSheet("id bigint, BI_id bigint", []any{"U", 2, 1})}, []string{"U 2 NULL NULL", "D 1 NULL NULL"}},
		"NULLs of a type that never fits": {product, []sheet{changesSheet("id int, n date", []any{"I", 1, nil})}, []string{"I 1 NULL NULL"}},
		"key-less: every insert, in order": {
			&lake.Schema{Columns: cols("v string")},
			[]sheet{changesSheet("v string", []any{"I", "b"}, []any{"U", "x"}, []any{"I", "a"}, []any{"D", "x"}, []any{"I", "b"})},
			[]string{"I b", "I a", "I b"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, netLines(t, folded(t, c.schema, c.inputs...))); diff != "" {
				t.Error("−want +got:\n", diff)
			}
		})
	}
}

func TestFold_countsRowsAndAnomalies(t *testing.T) {
	keyless := &lake.Schema{Columns: cols("v string")}
	c := folded(t, keyless, changesSheet("v string", []any{"I", "b"}, []any{"U", "x"}, []any{"D", "x"}), changesSheet("v string", []any{"U", "y"}))
	if c.Read != 4 || c.Anomalies != 3 || c.Len() != 1 {
		t.Errorf("got %d rows read, %d anomalies, %d changes", c.Read, c.Anomalies, c.Len())
	}
}

func TestFold_orderColumn(t *testing.T) {
	s := &lake.Schema{Columns: cols("id int, seq string, v string"), Key: []string{"id"}}
	for name, c := range map[string]struct {
		rows [][]any
		want []string
	}{
		"a lower one behind is left out":      {[][]any{{"I", 1, "b", "new"}, {"U", 1, "a", "old"}}, []string{"I 1 b new"}},
		"an equal one behind counts":          {[][]any{{"I", 1, "b", "first"}, {"U", 1, "b", "second"}}, []string{"U 1 b second"}},
		"NULL is lowest":                      {[][]any{{"I", 1, "a", "x"}, {"U", 1, nil, "y"}}, []string{"I 1 a x"}},
		"empty is as low as NULL":             {[][]any{{"I", 1, nil, "x"}, {"U", 1, "", "y"}}, []string{`U 1 "" y`}},
		"a lower delete is left out":          {[][]any{{"I", 1, "b", "x"}, {"D", 1, "a", nil}}, []string{"I 1 b x"}},
		"an upsert below a delete":            {[][]any{{"D", 1, "b", nil}, {"I", 1, "a", "x"}}, []string{"D 1 b NULL"}},
		"other keys have orders of their own": {[][]any{{"I", 1, "b", "x"}, {"I", 2, "a", "y"}}, []string{"I 1 b x", "I 2 a y"}},
	} {
		t.Run(name, func(t *testing.T) {
			fold, err := lake.NewFold(s, lake.FoldOptions{OrderColumn: "seq"})
			if err != nil {
				t.Fatal(err)
			}
			if err := fold.Add(t.Context(), lake.Input{Reader: changesSheet("id int, seq string, v string", c.rows...).reader(t)}); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, netLines(t, ended(t, fold))); diff != "" {
				t.Error("−want +got:\n", diff)
			}
		})
	}
}

// A late input counts only for keys that no later consumed one mentions.
func TestFold_context(t *testing.T) {
	s := &lake.Schema{Columns: cols("id int, v string"), Key: []string{"id"}}
	late := changesSheet("id int, v string", []any{"U", 1, "late"}, []any{"D", 2, nil}, []any{"U", 3, "late"}, []any{"U", 4, "late"})
	consumed := changesSheet("id int, BI_id int, v string", []any{"U", 1, nil, "done"}, []any{"I", 2, nil, "done"}, []any{"U", 5, 4, "done"}, []any{"I", 6, nil, "done"})
	for name, c := range map[string]struct {
		inputs []lake.Input
		want   []string
	}{
		"behind the late one":      {[]lake.Input{{Reader: late.reader(t)}, {Reader: consumed.reader(t), Context: true}}, []string{"U 3 late"}},
		"between two late ones":    {[]lake.Input{{Reader: late.reader(t)}, {Reader: consumed.reader(t), Context: true}, {Reader: changesSheet("id int", []any{"D", 1}).reader(t)}}, []string{"U 3 late", "D 1 NULL"}},
		"nothing but consumed":     {[]lake.Input{{Reader: consumed.reader(t), Context: true}}, []string{}},
		"consumed before the late": {[]lake.Input{{Reader: consumed.reader(t), Context: true}, {Reader: late.reader(t)}}, []string{"U 1 late", "U 3 late", "U 4 late", "D 2 NULL"}},
	} {
		t.Run(name, func(t *testing.T) {
			fold, err := lake.NewFold(s, lake.FoldOptions{})
			if err != nil {
				t.Fatal(err)
			}
			for _, in := range c.inputs {
				if err := fold.Add(t.Context(), in); err != nil {
					t.Fatal(err)
				}
			}
			if diff := cmp.Diff(c.want, netLines(t, ended(t, fold))); diff != "" {
				t.Error("−want +got:\n", diff)
			}
		})
	}
}

func TestFold_errors(t *testing.T) {
	s := &lake.Schema{Columns: cols("id int, n int, v string"), Key: []string{"id"}}
	for name, c := range map[string]struct {
		in   sheet
		want error
		text string
	}{
		"key column missing": {changesSheet("n int", []any{"I", 1}), &lake.KeyError{File: "x", Column: "id", Row: -1}, `x: key column "id" is missing`},
		"key NULL":           {changesSheet("id int", []any{"I", 1}, []any{"D", nil}), &lake.KeyError{File: "x", Column: "id", Row: 1}, `x: key column "id" is NULL in row 1`},
		"value that does not fit": {
			changesSheet("id int, n bigint", []any{"I", 1, 5}, []any{"U", 1, math.MaxInt32 + 1}),
			&lake.SchemaError{File: "x", Column: "n", Got: "the bigint value in row 1", Want: "type int", Widen: true},
			`x: column "n": the bigint value in row 1 does not fit the lake's type int; acknowledge with --accept schema to rewrite the table to a wider type`,
		},
		"before image that does not fit": {
			changesSheet("id bigint, BI_id bigint", []any{"U", 1, math.MinInt32 - 1}),
			&lake.SchemaError{File: "x", Column: "id", Got: "the bigint value in row 0", Want: "type int", Widen: true}, "",
		},
		"type that never fits": {
			changesSheet("id int, n date", []any{"I", 1, 1}),
			&lake.SchemaError{File: "x", Column: "n", Got: "the date value in row 0", Want: "type int"},
			`x: column "n": the date value in row 0 does not fit the lake's type int`,
		},
		"binary that is no text": {
			sheet{columns: []parquetedit.Column{col("id", typeInt), col("v", typeBytes)}, rows: [][]any{{1, parquet.ByteArrayValue([]byte{0xFF})}}},
			&lake.SchemaError{File: "x", Column: "v", Got: "the binary value of 1 bytes in row 0", Want: "type string", Widen: true}, "",
		},
	} {
		t.Run(name, func(t *testing.T) {
			fold, err := lake.NewFold(s, lake.FoldOptions{})
			if err != nil {
				t.Fatal(err)
			}
			err = fold.Add(t.Context(), lake.Input{Name: "x", Reader: c.in.reader(t)})
			if diff := cmp.Diff(c.want, dataError(err)); diff != "" {
				t.Error("−want +got:\n", diff)
			}
			if c.text != "" && fmt.Sprint(err) != c.text {
				t.Errorf("got %q, want %q", err, c.text)
			}
		})
	}
	for _, o := range []lake.FoldOptions{{OrderColumn: "seq"}} {
		if _, err := lake.NewFold(s, o); !errors.As(err, new(*lake.KeyError)) {
			t.Errorf("order column that is not there: got %v", err)
		}
	}
	if _, err := lake.NewFold(&lake.Schema{Key: []string{"id"}}, lake.FoldOptions{}); !errors.As(err, new(*lake.KeyError)) {
		t.Errorf("key column that is not there: got %v", err)
	}
}

// dataError returns the error of data in err.
func dataError(err error) error {
	if schema := (*lake.SchemaError)(nil); errors.As(err, &schema) {
		return schema
	}
	if key := (*lake.KeyError)(nil); errors.As(err, &key) {
		return key
	}
	return err
}

// A reason goes into logs, messages and the control item, where values of rows have no business.
func TestReasonsCarryNoValuesOfRows(t *testing.T) {
	const secret = "4111-1111-1111-1111"
	s := &lake.Schema{Columns: cols("id int, v boolean"), Key: []string{"id"}}
	fold, err := lake.NewFold(s, lake.FoldOptions{})
	if err != nil {
		t.Fatal(err)
	}
	err = fold.Add(t.Context(), lake.Input{Name: "x", Reader: changesSheet("id int, v string", []any{"I", 1, secret}).reader(t)})
	want := `x: column "v": the string value of 19 bytes in row 0 does not fit the lake's type boolean`
	if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "4111") {
		t.Errorf("got %v, want %s", err, want)
	}
}
