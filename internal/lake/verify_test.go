package lake_test

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/parquet-go/parquet-go"
	"pgregory.net/rapid"

	"sluice/internal/dms"
	"sluice/internal/lake"
)

// claimed is a claim over sheets in memory. Lake files are named by their directory.
type claimed struct {
	key, partition, order string
	load, changes         []sheet
	lake                  []lakeSheet
	op                    bool
	parts                 int
}

type lakeSheet struct {
	dir string
	sheet
}

func (c claimed) claim(tb rapid.TB, columns string) *lake.Claim {
	tb.Helper()
	list := func(text string) []string {
		if text == "" {
			return nil
		}
		return strings.Split(text, ",")
	}
	claim := &lake.Claim{
		Schema:      &lake.Schema{Columns: cols(columns), Key: list(c.key), Partition: list(c.partition)},
		OrderColumn: c.order, MemoryBytes: lake.MinVerifyBytes, Parallel: 2, Differences: 10, CompareOp: c.op, Parts: c.parts,
	}
	file := func(name, dir string, s sheet) lake.ClaimFile {
		body := s.body(tb)
		return lake.ClaimFile{Name: name, Dir: dir, Rows: int64(len(s.rows)), Open: func(context.Context) (dms.Columnar, error) {
			return openBody(tb, body), nil //nolint:contextcheck // it lies in memory
		}}
	}
	for i, s := range c.load {
		claim.Load = append(claim.Load, file(fmt.Sprintf("LOAD%d", i+1), "", s))
	}
	for i, s := range c.changes {
		claim.Changes = append(claim.Changes, file(fmt.Sprintf("change%d", i+1), "", s))
	}
	for i, s := range c.lake {
		claim.Lake = append(claim.Lake, file(fmt.Sprintf("%spart%d", s.dir, i+1), s.dir, s.sheet))
	}
	return claim
}

func (c claimed) verify(tb rapid.TB, columns string) *lake.Verdict {
	tb.Helper()
	v, err := c.claim(tb, columns).Verify(context.Background())
	if err != nil {
		tb.Fatal(err)
	}
	return v
}

func inputOf(columns string, rows ...[]any) sheet { return sheet{columns: cols(columns), rows: rows} }

func at(dir, columns string, rows ...[]any) lakeSheet {
	return lakeSheet{dir, inputOf(columns, rows...)}
}

// TestVerify has a lake that is right, or wrong in one way.
func TestVerify(t *testing.T) {
	const columns, changed = "id int, v string", "Op string, id int, v string"
	load := []sheet{inputOf(columns, []any{1, "a"}, []any{2, "b"}, []any{3, nil})}
	changes := []sheet{inputOf(changed, []any{"U", 1, "A"}, []any{"I", 4, "d"}), inputOf(changed, []any{"D", 2, nil}, []any{"U", 4, "D"})}
	right := [][]any{{1, "A"}, {3, nil}, {4, "D"}}
	for name, tc := range map[string]struct {
		lake []lakeSheet
		want string // counts of missing, surplus, duplicates, different
		show string // of the differences
	}{
		"right":         {[]lakeSheet{at("", columns, right...)}, "0 0 0 0", ""},
		"in many files": {[]lakeSheet{at("", columns, right[2]), at("", columns), at("", columns, right[0], right[1])}, "0 0 0 0", ""},
		"other column order, and a column that is not there": {
			[]lakeSheet{at("", "v string, id int", []any{"A", 1}, []any{"D", 4}), at("", "id int", []any{3})}, "0 0 0 0", "",
		},
		"a row of the load is missing": {[]lakeSheet{at("", columns, right[0], right[2])}, "1 0 0 0", "missing id=3 [id 3/ v NULL/] LOAD1"},
		"a changed row is missing":     {[]lakeSheet{at("", columns, right[0], right[1])}, "1 0 0 0", "missing id=4 [id 4/ v \"D\"/] change2"},
		"a deleted row came back":      {[]lakeSheet{at("", columns, append(right, []any{2, "b"})...)}, "0 1 0 0", "surplus id=2 [id /2 v /\"b\"] part1 change2"},
		"a row of nowhere":             {[]lakeSheet{at("", columns, append(right, []any{9, "x"})...)}, "0 1 0 0", "surplus id=9 [id /9 v /\"x\"] part1"},
		"an old value":                 {[]lakeSheet{at("", columns, right[0], right[1], []any{4, "d"})}, "0 0 0 1", "different id=4 [v \"D\"/\"d\"] part1 change2"},
		"a value of the load":          {[]lakeSheet{at("", columns, right[0], []any{3, "c"}, right[2])}, "0 0 0 1", "different id=3 [v NULL/\"c\"] part1 LOAD1"},
		"a row twice":                  {[]lakeSheet{at("", columns, right...), at("", columns, right[1])}, "0 0 1 0", "duplicate id=3 [] part1 LOAD1"},
		"a row twice, once old":        {[]lakeSheet{at("", columns, right...), at("", columns, []any{1, "a"})}, "0 0 1 0", "duplicate id=1 [v \"A\"/\"a\"] part2 change1"},
		"values exchanged":             {[]lakeSheet{at("", columns, []any{1, "D"}, right[1], []any{4, "A"})}, "0 0 0 2", "different id=1 [v \"A\"/\"D\"] part1 change1, different id=4 [v \"D\"/\"A\"] part1 change2"},
		"nothing is there":             {nil, "3 0 0 0", "missing id=1 [id 1/ v \"A\"/] change1, missing id=3 [id 3/ v NULL/] LOAD1, missing id=4 [id 4/ v \"D\"/] change2"},
	} {
		t.Run(name, func(t *testing.T) {
			for _, parts := range []int{1, 7} {
				v := claimed{key: "id", load: load, changes: changes, lake: tc.lake, parts: parts}.verify(t, columns)
				if got := countsText(v); got != tc.want {
					t.Errorf("%d parts: got %s, want %s", parts, got, tc.want)
				}
				if diff := gocmp.Diff(tc.show, showText(v)); diff != "" {
					t.Errorf("%d parts (-want +got):\n%s", parts, diff)
				}
				if v.RowsRaw != 3 {
					t.Errorf("%d parts: the fold has %d rows, want 3", parts, v.RowsRaw)
				}
			}
		})
	}
}

func countsText(v *lake.Verdict) string {
	return fmt.Sprint(v.Missing, v.Surplus, v.Duplicates, v.Different)
}

func showText(v *lake.Verdict) string {
	var texts []string
	for _, d := range v.Differences {
		var columns []string
		for _, c := range d.Columns {
			columns = append(columns, c.Column+" "+c.Raw+"/"+c.Lake)
		}
		texts = append(texts, strings.Join(strings.Fields(fmt.Sprint(d.Kind, " ", d.Key, " ", columns, " ", d.LakeFile, " ", d.Input)), " "))
	}
	return strings.Join(texts, ", ")
}

// TestVerify_rulings has claims that hold though not every value is the same text, and some that nearly do.
func TestVerify_rulings(t *testing.T) {
	nan, minusZero := parquet.DoubleValue(math.NaN()), parquet.DoubleValue(math.Copysign(0, -1))
	for name, tc := range map[string]struct {
		columns string
		claimed
		want string
	}{
		"ruling 12: a column that the file does not have is NULL": {"id int, v string", claimed{
			key: "id", load: []sheet{inputOf("id int, v string", []any{1, "a"})},
			changes: []sheet{inputOf("Op string, id int", []any{"U", 1})}, lake: []lakeSheet{at("", "id int, v string", []any{1, nil})},
		}, "0 0 0 0"},
		"ruling 13: the old key goes": {"id int, v string", claimed{
			key: "id", load: []sheet{inputOf("id int, v string", []any{1, "a"}, []any{2, "b"})},
			changes: []sheet{inputOf("Op string, BI_id int, id int, v string", []any{"U", 1, 3, "c"}, []any{"U", nil, 2, "B"}, []any{"U", 2, 2, "BB"})},
			lake:    []lakeSheet{at("", "id int, v string", []any{3, "c"}, []any{2, "BB"})},
		}, "0 0 0 0"},
		"ruling 13: a row that stays under the old key is surplus": {"id int, v string", claimed{
			key: "id", load: []sheet{inputOf("id int, v string", []any{1, "a"})},
			changes: []sheet{inputOf("Op string, BI_id int, id int, v string", []any{"U", 1, 3, "c"})},
			lake:    []lakeSheet{at("", "id int, v string", []any{3, "c"}, []any{1, "a"})},
		}, "0 1 0 0"},
		"ruling 15: types are those of the lake": {"id bigint, n dec, at us", claimed{
			key: "id", load: []sheet{inputOf("id int, n int, at ms", []any{1, 5, 1000})},
			lake: []lakeSheet{at("", "id bigint, n dec, at us", []any{1, 500, 1_000_000})},
		}, "0 0 0 0"},
		"ruling 15: a value that the lake cannot hold differs": {"id int, n int", claimed{
			key: "id", load: []sheet{inputOf("id int, n dec", []any{1, 501})}, lake: []lakeSheet{at("", "id int, n int", []any{1, 5})},
		}, "0 0 0 1"},
		"every NaN is the same": {"id int, f double", claimed{
			key: "id", load: []sheet{inputOf("id int, f double", []any{1, nan})}, lake: []lakeSheet{at("", "id int, f double", []any{1, parquet.DoubleValue(-math.NaN())})},
		}, "0 0 0 0"},
		"minus zero is not zero": {"id int, f double", claimed{
			key: "id", load: []sheet{inputOf("id int, f double", []any{1, minusZero})}, lake: []lakeSheet{at("", "id int, f double", []any{1, 0})},
		}, "0 0 0 1"},
		"minus zero is the key zero": {"f double, v string", claimed{
			key: "f", load: []sheet{inputOf("f double, v string", []any{0, "a"})}, changes: []sheet{inputOf("Op string, f double, v string", []any{"U", minusZero, "b"})},
			lake: []lakeSheet{at("", "f double, v string", []any{minusZero, "b"})},
		}, "0 0 0 0"},
		"empty text is not NULL": {"id int, v string", claimed{
			key: "id", load: []sheet{inputOf("id int, v string", []any{1, ""})}, lake: []lakeSheet{at("", "id int, v string", []any{1, nil})},
		}, "0 0 0 1"},
		"ruling 17: the load's duplicates stay until a change": {"id int, v string", claimed{
			key: "id", load: []sheet{inputOf("id int, v string", []any{1, "a"}, []any{1, "b"}, []any{2, "c"}, []any{2, "d"}, []any{3, "e"}, []any{3, "e"})},
			changes: []sheet{inputOf("Op string, id int, v string", []any{"U", 2, "x"}, []any{"D", 3, nil})},
			lake:    []lakeSheet{at("", "id int, v string", []any{1, "b"}, []any{2, "x"}, []any{1, "a"})},
		}, "0 0 0 0"},
		"ruling 17: duplicates with other values": {"id int, v string", claimed{
			key: "id", load: []sheet{inputOf("id int, v string", []any{1, "a"}, []any{1, "b"})}, lake: []lakeSheet{at("", "id int, v string", []any{1, "a"}, []any{1, "a"})},
		}, "0 0 0 2"},
		"ruling 18: without a key inserts alone count": {"id int, v string", claimed{
			load:    []sheet{inputOf("id int, v string", []any{1, "a"}, []any{1, "a"})},
			changes: []sheet{inputOf("Op string, id int, v string", []any{"I", 1, "a"}, []any{"U", 1, "b"}, []any{"D", 1, "a"}, []any{nil, 2, "c"})},
			lake:    []lakeSheet{at("", "id int, v string", []any{1, "a"}, []any{2, "c"}, []any{1, "a"}, []any{1, "a"})},
		}, "0 0 0 0"},
		"ruling 18: a row twice, one missing, one of nowhere": {"id int, v string", claimed{
			load: []sheet{inputOf("id int, v string", []any{1, "a"}, []any{2, "b"}, []any{2, "b"})},
			lake: []lakeSheet{at("", "id int, v string", []any{1, "a"}, []any{1, "a"}, []any{2, "b"}, []any{3, "c"})},
		}, "1 1 1 0"},
		"ruling 19: a partition of NULL and of empty text": {"id int, p string", claimed{
			key: "id", partition: "p", load: []sheet{inputOf("id int, p string", []any{1, nil}, []any{2, ""}, []any{3, "x y"})},
			lake: []lakeSheet{at("p=__HIVE_DEFAULT_PARTITION__/", "id int", []any{1}, []any{2}), at("p=x y/", "id int", []any{3})},
		}, "0 0 0 0"},
		"a row in the wrong partition": {"id int, p int", claimed{
			key: "id", partition: "p", load: []sheet{inputOf("id int, p int", []any{1, 1}, []any{2, 2})}, lake: []lakeSheet{at("p=1/", "id int", []any{1}, []any{2})},
		}, "0 0 0 1"},
		"ruling 20: a partition column in the key": {"id int, p int", claimed{
			key: "id,p", partition: "p", load: []sheet{inputOf("id int, p int", []any{1, 1}, []any{1, 2})}, lake: []lakeSheet{at("p=1/", "id int", []any{1}), at("p=2/", "id int", []any{1})},
		}, "0 0 0 0"},
		"a directory that is no partition": {"id int, p int", claimed{
			key: "id", partition: "p", load: []sheet{inputOf("id int, p int", []any{1, 1})}, lake: []lakeSheet{at("p=one/", "id int", []any{1})},
		}, "0 0 0 1"},
		"the op": {"id int, v string", claimed{
			key: "id", op: true, load: []sheet{inputOf("id int, v string", []any{1, "a"}, []any{2, "b"})}, changes: []sheet{inputOf("Op string, id int, v string", []any{"U", 1, "a"})},
			lake: []lakeSheet{at("", "Op string, id int, v string", []any{"U", 1, "a"}, []any{"I", 2, "b"})},
		}, "0 0 0 0"},
		"another op": {"id int, v string", claimed{
			key: "id", op: true, load: []sheet{inputOf("id int, v string", []any{1, "a"})}, changes: []sheet{inputOf("Op string, id int, v string", []any{"U", 1, "a"})},
			lake: []lakeSheet{at("", "Op string, id int, v string", []any{"I", 1, "a"})},
		}, "0 0 0 1"},
	} {
		t.Run(name, func(t *testing.T) {
			for _, parts := range []int{1, 7} {
				tc.parts = parts
				if got := countsText(tc.verify(t, tc.columns)); got != tc.want {
					t.Errorf("%d parts: got %s, want %s", parts, got, tc.want)
				}
			}
		})
	}
}

// TestVerify_orderColumn has a key whose changes go up and down in the order column.
func TestVerify_orderColumn(t *testing.T) {
	const columns, changed = "id int, v string, o int", "Op string, id int, v string, o int"
	for name, tc := range map[string]struct {
		load, changes [][]any
		lake          [][]any
		want          string // counts, and how many keys are undecided
	}{
		"the higher wins":                  {[][]any{{1, "a", 5}}, [][]any{{"U", 1, "b", 6}}, [][]any{{1, "b", 6}}, "0 0 0 0 0"},
		"the equal wins":                   {[][]any{{1, "a", 5}}, [][]any{{"U", 1, "b", 5}}, [][]any{{1, "b", 5}}, "0 0 0 0 0"},
		"the lower is stale":               {[][]any{{1, "a", 5}}, [][]any{{"U", 1, "b", 4}}, [][]any{{1, "a", 5}}, "0 0 0 0 0"},
		"the lower must not win":           {[][]any{{1, "a", 5}}, [][]any{{"U", 1, "b", 4}}, [][]any{{1, "b", 4}}, "0 0 0 1 0"},
		"NULL is lowest":                   {[][]any{{1, "a", nil}}, [][]any{{"U", 1, "b", -7}, {"U", 1, "c", nil}}, [][]any{{1, "b", -7}}, "0 0 0 0 0"},
		"a stale delete":                   {[][]any{{1, "a", 5}}, [][]any{{"D", 1, "a", 4}}, [][]any{{1, "a", 5}}, "0 0 0 0 0"},
		"a delete":                         {[][]any{{1, "a", 5}}, [][]any{{"D", 1, "a", 5}}, nil, "0 0 0 0 0"},
		"one of the load's duplicates":     {[][]any{{1, "a", 5}, {1, "b", 9}}, [][]any{{"U", 1, "c", 7}}, [][]any{{1, "a", 5}, {1, "b", 9}}, "0 0 0 0 0"},
		"deleted, then lower: gone":        {nil, [][]any{{"I", 1, "a", 5}, {"D", 1, "a", 7}, {"I", 1, "b", 6}}, nil, "0 0 0 0 1"},
		"deleted, then lower: there":       {nil, [][]any{{"I", 1, "a", 5}, {"D", 1, "a", 7}, {"I", 1, "b", 6}}, [][]any{{1, "b", 6}}, "0 0 0 0 1"},
		"deleted, then lower, then higher": {nil, [][]any{{"D", 1, "a", 7}, {"I", 1, "b", 6}, {"U", 1, "c", 7}}, [][]any{{1, "c", 7}}, "0 0 0 0 0"},
		"a load above what was deleted":    {[][]any{{1, "a", 9}}, [][]any{{"D", 1, "a", 7}, {"I", 1, "b", 6}}, [][]any{{1, "a", 9}}, "0 0 0 0 0"},
	} {
		t.Run(name, func(t *testing.T) {
			c := claimed{key: "id", order: "o", load: []sheet{inputOf(columns, tc.load...)}, lake: []lakeSheet{at("", columns, tc.lake...)}}
			for _, change := range tc.changes {
				c.changes = append(c.changes, inputOf(changed, change))
			}
			v := c.verify(t, columns)
			if got := fmt.Sprint(countsText(v), " ", v.Undecided); got != tc.want {
				t.Errorf("got %s, want %s; %+v", got, tc.want, v.Differences)
			}
		})
	}
}

// naive is a fold and a lake as lists of values by key.
type naive map[int][]string

func (n naive) sheets(t *rapid.T) []lakeSheet {
	files := make([]lakeSheet, 3)
	for i := range files {
		files[i] = at("", "id int, v string")
	}
	for id, values := range n {
		for _, v := range values {
			f := &files[rapid.IntRange(0, 2).Draw(t, "file")]
			f.rows = append(f.rows, []any{id, v})
		}
	}
	for i := range files {
		slices.SortFunc(files[i].rows, func(a, b []any) int { return cmp.Compare(fmt.Sprint(a...), fmt.Sprint(b...)) })
		files[i].groups = []int{1, 2}
	}
	return files
}

// counts says what verify has to find.
func (n naive) counts(lakeRows naive) string {
	var missing, surplus, duplicates, different int
	for id := range 30 {
		raw, there := slices.Sorted(slices.Values(n[id])), slices.Sorted(slices.Values(lakeRows[id]))
		switch {
		case len(raw) == 0:
			surplus += len(there)
		case len(there) < len(raw):
			missing += len(raw) - len(there)
		case len(there) > len(raw):
			duplicates += len(there) - len(raw)
		case !slices.Equal(raw, there):
			different += len(raw)
		}
	}
	return fmt.Sprint(missing, surplus, duplicates, different)
}

// TestVerify_anyDamage folds random loads and changes, damages the lake at random, and holds what verify
// counts against a naive map, in one part and in seven.
func TestVerify_anyDamage(t *testing.T) {
	const columns, changed = "id int, v string", "Op string, id int, v string"
	rapid.Check(t, func(t *rapid.T) {
		id, value := rapid.IntRange(0, 29), rapid.SampledFrom([]string{"", "a", "b", "c"})
		truth, c := naive{}, claimed{key: "id"}
		for range rapid.IntRange(0, 2).Draw(t, "load files") {
			s := inputOf(columns)
			for range rapid.IntRange(0, 20).Draw(t, "rows") {
				k, v := id.Draw(t, "id"), value.Draw(t, "value")
				s.rows, truth[k] = append(s.rows, []any{k, v}), append(truth[k], v)
			}
			s.groups = []int{3}
			c.load = append(c.load, s)
		}
		for range rapid.IntRange(0, 3).Draw(t, "change files") {
			s := inputOf(changed)
			for range rapid.IntRange(0, 10).Draw(t, "changes") {
				k, v, op := id.Draw(t, "id"), value.Draw(t, "value"), rapid.SampledFrom([]string{"I", "U", "D"}).Draw(t, "op")
				s.rows, truth[k] = append(s.rows, []any{op, k, v}), nil
				if op != "D" {
					truth[k] = []string{v}
				}
			}
			c.changes = append(c.changes, s)
		}
		damaged := naive{}
		for k, values := range truth {
			damaged[k] = slices.Clone(values)
		}
		for range rapid.IntRange(0, 4).Draw(t, "damages") {
			k := id.Draw(t, "id")
			switch list := damaged[k]; rapid.IntRange(0, 2).Draw(t, "damage") {
			case 0:
				damaged[k] = append(list, value.Draw(t, "value"))
			case 1:
				damaged[k] = list[:max(len(list)-1, 0)]
			case 2:
				for i := range list {
					list[i] = value.Draw(t, "value")
				}
			}
		}
		c.lake = damaged.sheets(t)
		want := truth.counts(damaged)
		for _, parts := range []int{1, 7} {
			c.parts = parts
			v := c.verify(t, columns)
			if got := countsText(v); got != want || v.Equal() != (want == "0 0 0 0") {
				t.Fatalf("%d parts: got %s, equal %v; want %s\ntruth %v\nlake %v", parts, got, v.Equal(), want, truth, damaged)
			}
		}
	})
}

// TestVerify_growsParts has more changed keys than the table was planned for, and than the memory holds.
func TestVerify_growsParts(t *testing.T) {
	const columns = "id int, v string"
	n := 200_000
	changes := sheet{columns: cols("Op string, BI_id int, id int, v string")}
	right := sheet{columns: cols(columns)}
	for i := range n {
		changes.rows = append(changes.rows, []any{"U", i, i + n, "x"})
		right.rows = append(right.rows, []any{i + n, "x"})
	}
	c := claimed{key: "id", changes: []sheet{changes}, lake: []lakeSheet{{"", right}}}
	v := c.verify(t, columns)
	if !v.Equal() || v.Parts < 2 || v.RowsRaw != int64(n) {
		t.Errorf("got equal %v, %d parts, %d rows; want equal, at least 2 parts, %d rows", v.Equal(), v.Parts, v.RowsRaw, n)
	}
	right.rows[7][1] = "y"
	c.lake = []lakeSheet{{"", right}}
	if v = c.verify(t, columns); countsText(v) != "0 0 0 1" || v.Differences[0].Key != fmt.Sprintf("id=%d", n+7) {
		t.Errorf("got %s, %+v", countsText(v), v.Differences)
	}
}

// TestVerify_ends ends with the first error and with its context.
func TestVerify_ends(t *testing.T) {
	const columns = "id int, v string"
	c := claimed{key: "id", load: []sheet{inputOf(columns, []any{1, "a"})}}.claim(t, columns)
	broken := fmt.Errorf("no such object")
	c.Lake = []lake.ClaimFile{{Name: "part1", Rows: 1, Open: func(context.Context) (dms.Columnar, error) { return nil, broken }}}
	if _, err := c.Verify(t.Context()); err != broken { //nolint:errorlint // it is returned as it is
		t.Errorf("got %v, want %v", err, broken)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	c.Lake = nil
	if _, err := c.Verify(ctx); err == nil {
		t.Error("got no error of a context that ended")
	}
	c.MemoryBytes--
	if _, err := c.Verify(t.Context()); err == nil {
		t.Error("got no error of too little memory")
	}
}
