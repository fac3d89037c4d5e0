package lake_test

import (
	"bytes"
	"fmt"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/parquet-go/parquet-go"

	"sluice/internal/lake"
	"sluice/internal/parquetedit"
)

// stored is a sheet as a lake file that was never looked into, but for its rows and columns.
func stored(t *testing.T, key, dir string, s sheet) *lakeFile {
	t.Helper()
	body := s.body(t)
	f := &lakeFile{File: lake.File{Key: key, Dir: dir, ETag: "1", Size: int64(len(body))}, body: body}
	f.Observe(openBody(t, body), &lake.Schema{})
	return f
}

// keyOf is a whole key, or its first columns.
func keyOf(s *lake.Schema, values ...any) []byte {
	var key []byte
	for i, v := range values {
		t := s.Columns[s.Index(s.Key[i])].Type
		key = lake.AppendKey(key, t, cell(t, v))
	}
	return key
}

func TestFile_Observe(t *testing.T) {
	s := &lake.Schema{Columns: cols("id int, b string, v string"), Key: []string{"id", "b"}}
	names := &lake.Schema{Columns: cols("id string"), Key: []string{"id"}}
	doubles := &lake.Schema{Columns: cols("id double"), Key: []string{"id"}}
	byDay := &lake.Schema{Columns: cols("day date, id int"), Key: []string{"day", "id"}, Partition: []string{"day"}}
	nan := lake.AppendKey(nil, typeDouble, parquet.DoubleValue(math.NaN()))
	uuids := &lake.Schema{Columns: []parquetedit.Column{col("id", typeUUID)}, Key: []string{"id"}}
	for name, c := range map[string]struct {
		schema   *lake.Schema
		dir      string
		in       sheet
		min, max []byte
	}{
		"over row groups":           {s, "", sheet{columns: cols("id int, b string"), rows: [][]any{{5, "x"}, {7, "y"}, {-3, "z"}}, groups: []int{2}}, keyOf(s, -3), keyOf(s, 7)},
		"column of another type":    {s, "", sheet{columns: cols("id bigint, b string"), rows: [][]any{{5, "x"}}}, keyOf(s, 5), keyOf(s, 5)},
		"NULLs are no keys":         {s, "", sheet{columns: cols("id int, b string"), rows: [][]any{{nil, "x"}, {4, "y"}}}, keyOf(s, 4), keyOf(s, 4)},
		"key column missing":        {s, "", sheet{columns: cols("b string"), rows: [][]any{{"x"}}}, nil, nil},
		"no rows":                   {s, "", sheet{columns: cols("id int, b string")}, nil, nil},
		"bounds the type refuses":   {s, "", sheet{columns: cols("id bigint, b string"), rows: [][]any{{math.MaxInt32 + 1, "x"}}}, nil, nil},
		"text":                      {names, "", sheet{columns: cols("id string"), rows: [][]any{{"b"}, {""}, {"é"}}}, keyOf(names, ""), keyOf(names, "é")},
		"INT96, which has no order": {&lake.Schema{Columns: cols("id us"), Key: []string{"id"}}, "", sheet{columns: []parquetedit.Column{col("id", typeInt96)}, rows: [][]any{{int96(2_440_588, 0)}}}, nil, nil},
		"floats: NaN is left out of statistics and the highest key":        {doubles, "", sheet{columns: cols("id double"), rows: [][]any{{1}, {parquet.DoubleValue(math.NaN())}, {3}}}, keyOf(doubles, 1), nan},
		"text of UUIDs in letters of either case, which has another order": {uuids, "", sheet{columns: cols("id string"), rows: [][]any{{"B0000000-0000-0000-0000-000000000000"}, {"a0000000-0000-0000-0000-000000000000"}}}, nil, nil},
		"a first key column that is the directory":                         {byDay, "day=1970-01-11/", sheet{columns: cols("id int"), rows: [][]any{{4}}}, keyOf(byDay, 10), keyOf(byDay, 10)},
		"key-less": {&lake.Schema{Columns: cols("id int")}, "", sheet{columns: cols("id int"), rows: [][]any{{5}}}, nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			f := lake.File{Dir: c.dir, Min: []byte("old"), Max: []byte("old")}
			f.Observe(c.in.open(t), c.schema)
			if !bytes.Equal(f.Min, c.min) || !bytes.Equal(f.Max, c.max) {
				t.Errorf("got %x … %x, want %x … %x", f.Min, f.Max, c.min, c.max)
			}
			if f.Rows != int64(len(c.in.rows)) || len(f.Columns) != len(c.in.columns) {
				t.Errorf("got %d rows, %d columns", f.Rows, len(f.Columns))
			}
		})
	}
}

// A file whose bound was a first key column alone took a row of the same first column;
// the bound became that row's whole key, and rows of higher keys were no longer found.
func TestMerge_BoundsAfter_aWholeKeyDoesNotNarrowAFirstColumn(t *testing.T) {
	s := &lake.Schema{Columns: cols("a int, b int, v string"), Key: []string{"a", "b"}}
	f := stored(t, "one", "", sheet{columns: cols("a int, b int, v string"), rows: [][]any{{5, 1, "x"}, {5, 9, "y"}}})
	f.Observe(openBody(t, f.body), s)
	m := planned(t, folded(t, s, changesSheet("a int, b int, v string", []any{"U", 5, 1, "z"}, []any{"I", 5, 3, "new"})), []*lakeFile{f})
	if len(m.Rewrites) != 1 || m.Rewrites[0].Appends() != 1 {
		t.Fatalf("got %+v", m.Rewrites)
	}
	f.Min, f.Max = m.BoundsAfter(&f.File, &m.Rewrites[0])
	if got, want := fmt.Sprintf("%x %x", f.Min, f.Max), fmt.Sprintf("%x %x", keyOf(s, 5), keyOf(s, 5)); got != want {
		t.Errorf("bounds: got %s, want %s", got, want)
	}
	m = planned(t, folded(t, s, changesSheet("a int, b int", []any{"D", 5, 9})), []*lakeFile{f})
	if m.Counts.Deletes != 1 {
		t.Errorf("row (5, 9) is not found: %+v", m.Counts)
	}
}

func TestMerge_BoundsAfter(t *testing.T) {
	s := &lake.Schema{Columns: cols("a int, b int"), Key: []string{"a", "b"}}
	f := stored(t, "one", "", sheet{columns: cols("a int, b int"), rows: [][]any{{5, 1}}})
	m := planned(t, folded(t, s, changesSheet("a int, b int", []any{"I", 7, 2}, []any{"I", 3, 2}, []any{"I", 3, 1})), []*lakeFile{f})
	for name, c := range map[string]struct{ min, max, wantMin, wantMax []byte }{
		"wider on both sides":        {keyOf(s, 5), keyOf(s, 5), keyOf(s, 3, 1), keyOf(s, 7, 2)},
		"as wide":                    {keyOf(s, 1), keyOf(s, 9), keyOf(s, 1), keyOf(s, 9)},
		"the same first columns":     {keyOf(s, 3), keyOf(s, 7), keyOf(s, 3), keyOf(s, 7)},
		"whole keys, inside":         {keyOf(s, 3, 5), keyOf(s, 7, 1), keyOf(s, 3, 1), keyOf(s, 7, 2)},
		"unknown stays unknown":      {nil, nil, nil, nil},
		"half unknown stays unknown": {keyOf(s, 3), nil, nil, nil},
	} {
		known := f.File
		known.Min, known.Max = c.min, c.max
		low, high := m.BoundsAfter(&known, &m.Rewrites[0])
		if diff := cmp.Diff([][]byte{c.wantMin, c.wantMax}, [][]byte{low, high}); diff != "" {
			t.Errorf("%s: −want +got:\n%s", name, diff)
		}
	}
}

// Bounds decide which files a plan opens at all.
func TestChanges_PlanMerge_opensOnlyFilesThatMayHoldAChangedKey(t *testing.T) {
	s := &lake.Schema{Columns: cols("a int, b string"), Key: []string{"a", "b"}}
	byDay := &lake.Schema{Columns: cols("day int, id int"), Key: []string{"day", "id"}, Partition: []string{"day"}}
	names := &lake.Schema{Columns: cols("id string"), Key: []string{"id"}}
	for name, c := range map[string]struct {
		schema  *lake.Schema
		changes sheet
		files   []sheet
		dirs    []string
		known   bool // bounds are known before the plan
		want    []int
	}{
		"integers":             {s, changesSheet("a int, b string", []any{"I", 20, "x"}, []any{"I", 40, ""}), []sheet{span(1, 9), span(10, 20), span(21, 39), span(40, 50)}, nil, true, []int{0, 1, 0, 1}},
		"below and above all":  {s, changesSheet("a int, b string", []any{"I", -1, "x"}, []any{"I", 99, "x"}), []sheet{span(1, 9), span(10, 20)}, nil, true, []int{0, 0}},
		"bounds not known yet": {s, changesSheet("a int, b string", []any{"I", 20, "x"}), []sheet{span(1, 9), span(10, 20)}, nil, false, []int{1, 1}},
		"text that begins alike": {names, changesSheet("id string", []any{"I", "ab"}), []sheet{
			{columns: cols("id string"), rows: [][]any{{"a"}, {"aa"}}}, {columns: cols("id string"), rows: [][]any{{"a"}, {"abc"}}}, {columns: cols("id string"), rows: [][]any{{"ab\x00"}}},
		}, nil, true, []int{0, 1, 0}},
		"directories": {
			byDay, changesSheet("day int, id int", []any{"I", 2, 7}),
			[]sheet{{columns: cols("id int"), rows: [][]any{{7}}}, {columns: cols("id int"), rows: [][]any{{8}}}},
			[]string{"day=1/", "day=2/"},
			false,
			[]int{0, 1},
		},
		"no changes": {s, changesSheet("a int, b string"), []sheet{span(1, 9)}, nil, false, []int{0}},
	} {
		t.Run(name, func(t *testing.T) {
			var files []*lakeFile
			for i, in := range c.files {
				dir := ""
				if c.dirs != nil {
					dir = c.dirs[i]
				}
				f := stored(t, fmt.Sprint(dir, i), dir, in)
				if c.known {
					f.Observe(openBody(t, f.body), c.schema)
				}
				files = append(files, f)
			}
			planned(t, folded(t, c.schema, c.changes), files)
			var got []int
			for _, f := range files {
				got = append(got, f.opened)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error("times opened, −want +got:\n", diff)
			}
		})
	}
}

// span has the keys (low, "m") and (high, "m").
func span(low, high int) sheet {
	return sheet{columns: cols("a int, b string"), rows: [][]any{{low, "m"}, {high, "m"}}}
}

// Empty text and NULL share a directory. A row whose key was empty text there was not found again.
func TestChanges_PlanMerge_findsAnEmptyKeyInThePartitionOfNull(t *testing.T) {
	s := &lake.Schema{Columns: cols("p string, id int, v string"), Key: []string{"p", "id"}, Partition: []string{"p"}}
	f := stored(t, "p=__HIVE_DEFAULT_PARTITION__/one", "p="+lake.NullPartition+"/", sheet{columns: cols("id int, v string"), rows: [][]any{{1, "x"}}})
	m := planned(t, folded(t, s, changesSheet("p string, id int, v string", []any{"U", "", 1, "y"})), []*lakeFile{f})
	if got, want := m.Counts, (lake.MergeCounts{Updates: 1}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}
