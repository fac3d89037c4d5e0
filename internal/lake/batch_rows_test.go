package lake_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"sluice/internal/dms"
	"sluice/internal/lake"
)

// manyChanges is an input of more rows than are read at a time, in two row groups whose columns have pages of other rows each. Keys move, some
// of them out and back again.
func manyChanges(rng *rand.Rand, key func(n int) []any, keys string) sheet {
	in := sheet{columns: cols("Op string, " + keys + ", p int, v string, seq int"), groups: []int{18_000}}
	width := len(cols(keys))
	for _, c := range cols(keys) {
		in.columns = append(in.columns, col("BI_"+c.Name, c.Type))
	}
	for n := range 21_000 {
		row := append([]any{[]any{"I", "U", "U", "U", "D", nil}[rng.IntN(6)]}, key(rng.IntN(20_000))...)
		row = append(row, []any{nil, 1, 2}[rng.IntN(3)], fmt.Sprintf("%0*d", rng.IntN(60), n), rng.IntN(40_000))
		before := make([]any, width)
		if rng.IntN(4) == 0 {
			before = key(rng.IntN(20_000))
		}
		in.rows = append(in.rows, append(row, before...))
	}
	return in
}

// TestBatch_moreRowsThanAreReadAtATime: parts choose rows out of several batches and row groups, by keys of all kinds, and skip the rest of the
// other columns, whose pages end elsewhere. The merge is that of all rows at once.
func TestBatch_moreRowsThanAreReadAtATime(t *testing.T) {
	for name, c := range map[string]struct {
		keys string
		key  func(n int) []any
	}{
		"numbers": {"id int", func(n int) []any { return []any{n - 10_000} }},
		"texts": {"id string", func(n int) []any {
			return []any{fmt.Sprintf("%c\x00%d\xff%s", n%3, n, "long long long long long long long long long long long long long"[:n%60])}
		}},
		"long beginnings":    {"id string", func(n int) []any { return []any{fmt.Sprintf("%080d", n)} }},
		"two columns":        {"a string, b bigint", func(n int) []any { return []any{fmt.Sprint("a", n%50), n/50 - 200} }},
		"decimals and times": {"a dec, b us", func(n int) []any { return []any{n%150 - 75, n/150 - 60} }},
	} {
		t.Run(name, func(t *testing.T) {
			rng := rand.New(rand.NewPCG(3, 3))
			s := &lake.Schema{Columns: cols(c.keys + ", p int, v string, seq int"), Partition: []string{"p"}, Op: true}
			for _, k := range cols(c.keys) {
				s.Key = append(s.Key, k.Name)
			}
			var files []*lakeFile
			for i, dir := range []string{"p=1/", "p=2/", "p=" + lake.NullPartition + "/", "p=2/"} {
				in := sheet{columns: cols("Op string, " + c.keys + ", v string, seq int")}
				for n := i; n < 20_000; n += 7 + i {
					in.rows = append(in.rows, append(append([]any{"I"}, c.key(n)...), "old", rng.IntN(20_000)))
				}
				files = append(files, stored(t, fmt.Sprint("f", i), dir, in))
			}
			inputs := func() []lake.Input {
				rng := rand.New(rand.NewPCG(4, 4))
				var list []lake.Input
				for i := range 2 {
					reader, err := dms.Open(manyChanges(rng, c.key, c.keys).open(t), dms.Options{})
					if err != nil {
						t.Fatal(err)
					}
					list = append(list, lake.Input{Name: fmt.Sprint(i), Reader: reader})
				}
				return list
			}()
			o := lake.FoldOptions{OrderColumn: "seq"}
			fold, err := lake.NewFold(s, o)
			if err != nil {
				t.Fatal(err)
			}
			for _, in := range inputs {
				if err := fold.Add(t.Context(), in); err != nil {
					t.Fatal(err)
				}
			}
			l := lake.Limits{TargetFileBytes: 20_000, Parallel: 3}
			want, whole := outcome(t, files, func(files []*lake.File, open lake.Opener) (*lake.Merge, error) {
				return ended(t, fold).PlanMerge(t.Context(), files, open, l)
			})
			for _, none := range []string{"Inserts:0", "Updates:0", "Deletes:0", "Stale:0", "Duplicates:0"} {
				if strings.Contains(want, none) {
					t.Fatal(want, "is no test")
				}
			}
			b := &lake.Batch{Schema: s, Options: o, Inputs: inputs, Parts: 6}
			got, object := outcome(t, files, func(files []*lake.File, open lake.Opener) (*lake.Merge, error) {
				return b.PlanMerge(t.Context(), files, open, l)
			})
			if got != want {
				t.Errorf("in parts: %s\n   whole: %s", got, want)
			}
			if !bytes.Equal(whole, object) {
				t.Error("another changes object")
			}
		})
	}
}

// outcome is the counts of a merge into some files and the spans of its ops, and its changes object.
func outcome(t *testing.T, files []*lakeFile, plan func([]*lake.File, lake.Opener) (*lake.Merge, error)) (string, []byte) {
	t.Helper()
	fresh := make([]*lakeFile, len(files))
	for i, f := range files {
		fresh[i] = &lakeFile{File: f.File, body: f.body}
	}
	known, open := opener(fresh)
	merge, err := plan(known, open)
	if err != nil {
		t.Fatal(err)
	}
	if err := merge.Check(t.Context(), known); err != nil {
		t.Fatal(err)
	}
	var object bytes.Buffer
	spans, err := merge.WriteChanges(t.Context(), &object)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%+v, spans %v", merge.Counts, spans), object.Bytes()
}
