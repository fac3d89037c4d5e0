package lake_test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sluice/internal/lake"
	"sluice/internal/parquetedit"
)

func TestMain(m *testing.M) {
	flag.Bool("update", false, "write the plans of testdata/plan as they are")
	os.Exit(m.Run())
}

// scene is a lake and changes to it; its plan is testdata/plan/<name>.txt.
type scene struct {
	schema  lake.Schema
	order   string
	target  int64 // bytes; 0 = 1 MiB
	files   []sceneFile
	changes sheet
}

type sceneFile struct {
	key   string // with its directory
	sheet sheet
}

func scenes() map[string]scene {
	byDay := lake.Schema{Columns: cols("id int, day int, v string"), Key: []string{"id"}, Partition: []string{"day"}, Op: true}
	flat := lake.Schema{Columns: cols("id int, v string"), Key: []string{"id"}, Op: true}
	ours := func(rows ...[]any) sheet { return sheet{columns: cols("Op string, id int, v string"), rows: rows} }
	return map[string]scene{
		"move": {
			schema:  byDay,
			files:   []sceneFile{{"day=1/a.parquet", ours([]any{"I", 1, "one"}, []any{"I", 2, "two"})}, {"day=2/b.parquet", ours([]any{"I", 3, "three"})}},
			changes: changesSheet("id int, day int, v string", []any{"U", 1, 2, "one"}, []any{"U", 3, 1, "three"}, []any{"I", 4, 2, "new"}),
		},
		"duplicates": {
			schema: byDay,
			files: []sceneFile{
				{"day=1/a.parquet", ours([]any{"I", 1, "x"}, []any{"I", 1, "y"}, []any{"I", 2, "x"})},
				{"day=2/b.parquet", ours([]any{"I", 1, "z"}, []any{"I", 2, "y"}, []any{"I", 3, "x"}, []any{"I", 3, "x"})},
			},
			changes: changesSheet("id int, day int, v string", []any{"U", 1, 2, "new"}, []any{"D", 2, nil, nil}, []any{"I", 3, 2, "x"}),
		},
		"insert-placement": {
			schema: byDay, target: 700,
			files: []sceneFile{
				{"day=1/big.parquet", ours([]any{"I", 1, "x"}, []any{"I", 2, strings.Repeat("much text, ", 9)}, []any{"I", 3, "other text, that compresses no better: 4711 0815 2718281828 3141592653 1618033988"})},
				{"day=2/small.parquet", ours([]any{"I", 11, "x"})},
				{"day=2/touched.parquet", ours([]any{"I", 12, "x"}, []any{"I", 13, "longer than the other"})},
				{"day=3/required.parquet", sheet{columns: func() (c []parquetedit.Column) { c = cols("id int, v string"); c[0].Required = true; return c }(), rows: [][]any{{21, "x"}}}},
				{"day=5/small.parquet", ours([]any{"I", 31, "x"})},
			},
			changes: changesSheet("id int, day int, v string", []any{"I", 4, 1, "beside a big file"}, []any{"D", 12, nil, nil}, []any{"I", 14, 2, "into the file that is rewritten anyway"},
				[]any{"I", 22, 3, "beside a file that takes no NULL"}, []any{"I", 23, 4, "a new partition"}, []any{"I", 32, 5, "into a small file"}, []any{"I", 33, nil, "no partition"}),
		},
		"insert-sorted": {
			schema: flat,
			files:  sortedFiles(ours),
			changes: changesSheet("id int, v string", []any{"U", 11, "new"}, []any{"I", 5, "below all"}, []any{"I", 15, "among the first"}, []any{"I", 25, "behind the second, which nothing else touches"},
				[]any{"U", 31, "new"}, []any{"I", 99, "above all"}),
		},
		"insert-sorted-nowhere-near": {
			schema:  flat,
			files:   sortedFiles(ours),
			changes: changesSheet("id int, v string", []any{"U", 11, "new"}, []any{"I", 24, "for the second"}, []any{"I", 34, "for the third: two more files to write are too many"}),
		},
		"insert-sorted-full": {
			schema: flat, target: 700,
			files:   append(sortedFiles(ours)[:2], sceneFile{"c.parquet", ours([]any{"I", 31, strings.Repeat("much text, ", 9)}, []any{"I", 33, "other text, that compresses no better: 4711 0815 2718281828 3141592653 1618033988"})}),
			changes: changesSheet("id int, v string", []any{"U", 11, "new"}, []any{"I", 34, "behind a full file, the last"}, []any{"I", 35, "too"}),
		},
		"emptied-file": {
			schema:  flat,
			files:   []sceneFile{{"a.parquet", ours([]any{"I", 1, "x"}, []any{"I", 2, "y"})}, {"b.parquet", ours([]any{"I", 3, "z"})}},
			changes: changesSheet("id int, v string", []any{"D", 1, nil}, []any{"D", 2, nil}, []any{"D", 9, nil}),
		},
		"nothing-new": {
			schema:  flat,
			files:   []sceneFile{{"a.parquet", ours([]any{"I", 1, "x"}, []any{"U", 2, nil})}},
			changes: changesSheet("id int, v string", []any{"I", 1, "x"}, []any{"U", 2, nil}, []any{"D", 3, nil}),
		},
		"op-differs": {
			schema:  flat,
			files:   []sceneFile{{"a.parquet", ours([]any{"I", 1, "x"})}, {"without-op.parquet", sheet{columns: cols("v string, id int"), rows: [][]any{{"y", 2}}}}},
			changes: changesSheet("id int, v string", []any{"U", 1, "x"}, []any{"U", 2, "y"}),
		},
		"new-column": {
			schema:  lake.Schema{Columns: cols("id int, v string, n int"), Key: []string{"id"}, Op: true},
			files:   []sceneFile{{"a.parquet", sheet{columns: cols("id int, v string, Op string"), rows: [][]any{{1, "x", "I"}, {2, "y", "I"}, {3, "z", "I"}}}}},
			changes: changesSheet("id int, n int, v string", []any{"U", 2, 7, "y"}, []any{"I", 1, nil, "x"}),
		},
		"stale": {
			schema: lake.Schema{Columns: cols("id int, seq string, v string"), Key: []string{"id"}}, order: "seq",
			files:   []sceneFile{{"a.parquet", sheet{columns: cols("id int, seq string, v string"), rows: [][]any{{1, "b", "x"}, {2, "b", "y"}, {3, nil, "z"}, {4, "b", "u"}}}}},
			changes: changesSheet("id int, seq string, v string", []any{"U", 1, "a", "older"}, []any{"U", 2, "b", "as old"}, []any{"U", 3, "a", "newer"}, []any{"D", 4, "a", nil}),
		},
		"key-is-the-partition": {
			schema:  lake.Schema{Columns: cols("day int, v string"), Key: []string{"day"}, Partition: []string{"day"}, Op: true},
			files:   []sceneFile{{"day=1/a.parquet", sheet{columns: cols("Op string, v string"), rows: [][]any{{"I", "x"}}}}, {"day=2/b.parquet", sheet{columns: cols("Op string, v string"), rows: [][]any{{"I", "y"}}}}},
			changes: changesSheet("day int, v string", []any{"U", 1, "new"}, []any{"I", 3, "z"}),
		},
		"key-less": {
			schema:  lake.Schema{Columns: cols("v string")},
			files:   []sceneFile{{"a.parquet", sheet{columns: cols("v string"), rows: [][]any{{"x"}}}}},
			changes: changesSheet("v string", []any{"I", "x"}, []any{"U", "y"}, []any{"I", "x"}),
		},
	}
}

// sortedFiles are three files that divide the keys among them.
func sortedFiles(ours func(rows ...[]any) sheet) []sceneFile {
	return []sceneFile{
		{"a.parquet", ours([]any{"I", 11, "x"}, []any{"I", 19, "y"})},
		{"b.parquet", ours([]any{"I", 21, "x"}, []any{"I", 23, "y"})},
		{"c.parquet", ours([]any{"I", 31, "x"}, []any{"I", 33, "y"})},
	}
}

func TestChanges_PlanMerge_plansAsText(t *testing.T) {
	for name, s := range scenes() {
		t.Run(name, func(t *testing.T) {
			got := s.describe(t, 0)
			path := filepath.Join("testdata", "plan", name+".txt")
			if flag.Lookup("update").Value.String() == "true" {
				if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Error("−want +got:\n", diff)
			}
			for parts := range 4 {
				if diff := cmp.Diff(string(want), s.describe(t, 1+parts)); diff != "" {
					t.Errorf("in %d parts, −want +got:\n%s", 1+parts, diff)
				}
			}
		})
	}
}

// describe plans the scene and writes down lake, changes and plan. With parts the changes are folded in so many.
func (s scene) describe(t *testing.T, parts int) string {
	t.Helper()
	var text strings.Builder
	var files []*lakeFile
	for _, f := range s.files {
		dir, _ := filepath.Split(f.key)
		files = append(files, stored(t, f.key, dir, f.sheet))
		fmt.Fprintf(&text, "lake  %s: %s\n", f.key, names(f.sheet.columns))
		for i, row := range lines(t, openBody(t, files[len(files)-1].body)) {
			fmt.Fprintf(&text, "      %d  %s\n", i, shorten(row))
		}
	}
	fmt.Fprintf(&text, "\nchanges: %s\n", names(s.changes.columns))
	for _, row := range lines(t, s.changes.open(t)) {
		fmt.Fprintf(&text, "      %s\n", shorten(row))
	}
	describePlan(t, &text, s.plan(t, files, parts), files)
	return text.String()
}

func (s scene) plan(t *testing.T, files []*lakeFile, parts int) *lake.Merge {
	t.Helper()
	in, options := lake.Input{Reader: s.changes.reader(t)}, lake.FoldOptions{OrderColumn: s.order}
	limits := lake.Limits{TargetFileBytes: s.target, Parallel: 2}
	if s.target == 0 {
		limits.TargetFileBytes = 1 << 20
	}
	known, open := opener(files)
	if parts > 0 {
		b := &lake.Batch{Schema: &s.schema, Options: options, Inputs: []lake.Input{in}, Parts: parts}
		merge, err := b.PlanMerge(t.Context(), known, open, limits)
		if err != nil {
			t.Fatal(err)
		}
		return merge
	}
	fold, err := lake.NewFold(&s.schema, options)
	if err != nil {
		t.Fatal(err)
	}
	if err := fold.Add(t.Context(), in); err != nil {
		t.Fatal(err)
	}
	merge, err := ended(t, fold).PlanMerge(t.Context(), known, open, limits)
	if err != nil {
		t.Fatal(err)
	}
	return merge
}

// describePlan writes down a plan: the rows of each op as the changes object has them.
func describePlan(t *testing.T, text *strings.Builder, merge *lake.Merge, files []*lakeFile) {
	t.Helper()
	var object bytes.Buffer
	spans, err := merge.WriteChanges(t.Context(), &object)
	if err != nil {
		t.Fatal(err)
	}
	f := openBody(t, object.Bytes())
	rows, kinds := lines(t, f), readAll(t, f)[0]
	show := func(from, to int64) {
		for i := from; i < to; i++ {
			_, row, _ := strings.Cut(rows[i], " ")
			ordinal, row, _ := strings.Cut(row, " ")
			kind := []string{"delete " + ordinal, "replace " + ordinal, "add"}[kinds[i].Int32()]
			fmt.Fprintf(text, "      %-10s %s\n", kind, shorten(row))
		}
	}
	c := merge.Counts
	fmt.Fprintf(text, "\nplan  inserts %d, updates %d, deletes %d, noops %d, stale %d, duplicates %d; columns: %s\n",
		c.Inserts, c.Updates, c.Deletes, c.Noops, c.Stale, c.Duplicates, names(f.Columns()[2:]))
	for i, create := range merge.Creates {
		fmt.Fprintf(text, "create %s*.parquet: %d rows\n", create.Dir, create.Rows())
		show(spans[i].From, spans[i].To)
	}
	done := int64(0)
	for i, r := range merge.Rewrites {
		span := spans[len(merge.Creates)+i]
		was := files[r.File].Rows
		fmt.Fprintf(text, "rewrite %s: %d rows → %d\n", files[r.File].Key, was, was-int64(len(r.Deletes))+r.Appends())
		show(span.From, span.To)
	}
	if len(spans) > 0 {
		done = spans[len(spans)-1].To
	}
	if done < f.NumRows() {
		fmt.Fprintf(text, "no op\n")
		show(done, f.NumRows())
	}
}

func names(columns []parquetedit.Column) string {
	list := make([]string, len(columns))
	for i, c := range columns {
		list[i] = c.Name
	}
	return strings.Join(list, ", ")
}

func shorten(row string) string {
	if len(row) > 60 {
		return row[:60] + "…"
	}
	return row
}
