package lake_test

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"sluice/internal/dms"
	"sluice/internal/lake"
	"sluice/internal/parquetedit"
)

// planner is changes that a merge is planned from: in memory, or a batch that is folded in parts.
type planner = func(files []*lake.File, open lake.Opener, l lake.Limits) (*lake.Merge, error)

// whole and inParts fold the same inputs.
func (m *model) whole(t *rapid.T, inputs []lake.Input) planner {
	fold, err := lake.NewFold(&m.schema, lake.FoldOptions{OrderColumn: m.order})
	if err != nil {
		t.Fatal(err)
	}
	for _, in := range inputs {
		if err := fold.Add(t.Context(), in); err != nil {
			t.Fatal(err)
		}
	}
	changes := ended(t, fold)
	return func(files []*lake.File, open lake.Opener, l lake.Limits) (*lake.Merge, error) {
		return changes.PlanMerge(t.Context(), files, open, l)
	}
}

func (m *model) inParts(t *rapid.T, inputs []lake.Input) planner {
	b := &lake.Batch{
		Schema: &m.schema, Options: lake.FoldOptions{OrderColumn: m.order}, Inputs: slices.Clone(inputs),
		Parts: rapid.IntRange(1, 12).Draw(t, "parts"),
	}
	return func(files []*lake.File, open lake.Opener, l lake.Limits) (*lake.Merge, error) {
		return b.PlanMerge(t.Context(), files, open, l)
	}
}

// planOf plans onto the model's files as they are, and returns the plan as text, and the changes object.
func (m *model) planOf(t *rapid.T, plan planner, target int64) (merge *lake.Merge, text string, object []byte) {
	files := m.inMemory()
	for i, f := range files {
		fresh := *f
		files[i] = &fresh
	}
	known, open := opener(files)
	merge, err := plan(known, open, lake.Limits{TargetFileBytes: target, Parallel: 1})
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "read %d, anomalies %d, %+v\nfits %v\n", merge.Read, merge.Anomalies, merge.Counts, merge.Check(t.Context(), known))
	for i := range merge.Creates {
		c := &merge.Creates[i]
		low, high := merge.Bounds(c)
		fmt.Fprintf(&b, "create %q %d %x %x\n", c.Dir, c.Rows(), low, high)
	}
	for i := range merge.Rewrites {
		r := &merge.Rewrites[i]
		low, high := merge.BoundsAfter(known[r.File], r)
		fmt.Fprintf(&b, "rewrite %d %v %v %d %x %x %v\n", r.File, r.Deletes, r.Replaces, r.Appends(), low, high, merge.ColumnsAfter(known[r.File], r))
	}
	for _, f := range known {
		fmt.Fprintf(&b, "file %+v\n", *f)
	}
	var body bytes.Buffer
	spans, err := merge.WriteChanges(t.Context(), &body)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(&b, "spans %v\n", spans)
	return merge, b.String(), body.Bytes()
}

func (m *model) samePlan(t *rapid.T, whole, parts planner) (*lake.Merge, []byte) {
	target := rapid.SampledFrom([]int64{1, 100, 2_000, 1 << 20}).Draw(t, "target bytes")
	_, want, object := m.planOf(t, whole, target)
	merge, got, again := m.planOf(t, parts, target)
	if diff := cmp.Diff(strings.Split(want, "\n"), strings.Split(got, "\n")); diff != "" {
		t.Fatal("plan, −whole +in parts:\n", diff)
	}
	if !bytes.Equal(object, again) {
		t.Fatal("changes object, −whole +in parts:\n", cmp.Diff(lines(t, openBody(t, object)), lines(t, openBody(t, again))))
	}
	return merge, object
}

func asInputs(t *rapid.T, sheets []sheet, context map[int]bool) []lake.Input {
	inputs := make([]lake.Input, len(sheets))
	for i, s := range sheets {
		reader, err := dms.Open(openBody(t, s.body(t)), dms.Options{})
		if err != nil {
			t.Fatal(err)
		}
		inputs[i] = lake.Input{Name: fmt.Sprint(i), Reader: reader, Context: context[i]}
	}
	return inputs
}

// A batch that is folded in parts gives the plan, the counts and the changes object of one that is not, byte by byte: with keys
// that move, before images, an order column, partitions, NULL among them, and inputs that only outrank late ones. So it does
// when a plan takes the place of another, and its changes come from the changes object.
func TestBatch_plansAsAFoldOfAllDoes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := drawModel(t)
		run, sheets := m.drawChanges(t)
		context := map[int]bool{}
		for i := range sheets {
			context[i] = rapid.IntRange(0, 5).Draw(t, "context") == 0
		}
		inputs := asInputs(t, sheets, context)
		merge, object := m.samePlan(t, m.whole(t, inputs), m.inParts(t, inputs))
		if len(context) == 0 {
			if want := m.predict(run); merge.Counts != want.counts {
				t.Fatalf("counts: got %+v, want %+v", merge.Counts, want.counts)
			}
		}
		in, err := lake.ChangesInput(openBody(t, object), nil)
		if err != nil {
			t.Fatal(err)
		}
		m.samePlan(t, m.whole(t, []lake.Input{in}), m.inParts(t, []lake.Input{in}))
	})
}

// What a batch in parts makes of the lake is what a naive map makes of it.
func TestBatch_equalsANaiveMap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := drawModel(t)
		for range 2 {
			run, sheets := m.drawChanges(t)
			files := m.inMemory()
			want := m.predict(run)
			known, open := opener(files)
			merge, err := m.inParts(t, asInputs(t, sheets, nil))(known, open, lake.Limits{TargetFileBytes: 2_000, Parallel: 1})
			if err != nil {
				t.Fatal(err)
			}
			if err := merge.Check(t.Context(), known); err != nil {
				t.Fatal(err)
			}
			if merge.Counts != want.counts {
				t.Fatalf("counts: got %+v, want %+v", merge.Counts, want.counts)
			}
			m.checkPlan(t, merge, want)
			after := m.apply(t, merge, files)
			want.check(t, m, after)
			m.checkMoves(t, want, after)
			m.adopt(t, run, after)
		}
	})
}

// Without a key the parts are runs of rows.
func TestBatch_plansAsAFoldOfAllDoes_withoutAKey(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := drawModel(t)
		_, sheets := m.drawChanges(t)
		m.schema.Key, m.order = nil, ""
		inputs := asInputs(t, sheets, map[int]bool{})
		merge, object := m.samePlan(t, m.whole(t, inputs), m.inParts(t, inputs))
		var spans []lake.Span
		at := int64(0)
		for i := range merge.Creates {
			span := lake.Span{From: at, To: at + merge.Creates[i].Rows()}
			if at = span.To; rapid.Bool().Draw(t, "applied") {
				spans = append(spans, span)
			}
		}
		in, err := lake.ChangesInput(openBody(t, object), spans)
		if err != nil {
			t.Fatal(err)
		}
		m.samePlan(t, m.whole(t, []lake.Input{in}), m.inParts(t, []lake.Input{in}))
	})
}

// Where files divide the keys of a partition among them, new rows go to the same ones.
func TestBatch_placesNewRowsAmongSortedFilesAsAFoldOfAllDoes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := &model{schema: lake.Schema{Columns: cols("id string, p int, v int"), Key: []string{"id"}}}
		if rapid.Bool().Draw(t, "partitioned") {
			m.schema.Partition = []string{"p"}
		}
		key := func(n int) string { return fmt.Sprintf("%03d\xff", n)[:2+n%3] }
		at := 0
		for i := range rapid.IntRange(1, 5).Draw(t, "files") {
			in := sheet{columns: cols("id string, v int")}
			for range rapid.IntRange(1, 3).Draw(t, "rows") {
				at += rapid.IntRange(1, 40).Draw(t, "step")
				in.rows = append(in.rows, []any{fmt.Sprintf("%03d", at), 0})
			}
			f := &modelFile{lakeFile: &lakeFile{body: in.body(t)}}
			f.File = lake.File{Key: fmt.Sprint(i), Size: rapid.Int64Range(50, 200).Draw(t, "size")}
			if m.schema.Partition != nil {
				f.Dir = fmt.Sprintf("p=%d/", rapid.IntRange(0, 1).Draw(t, "p"))
			}
			f.Observe(openBody(t, f.body), &m.schema)
			m.files = append(m.files, f)
		}
		in := sheet{columns: cols("Op string, id string, p int, v int")}
		for range rapid.IntRange(0, 30).Draw(t, "changes") {
			n := rapid.IntRange(0, 400).Draw(t, "id")
			in.rows = append(in.rows, []any{rapid.SampledFrom([]string{"I", "U", "D"}).Draw(t, "op"), key(n), n % 2, 1})
		}
		inputs := asInputs(t, []sheet{in}, nil)
		m.samePlan(t, m.whole(t, inputs), m.inParts(t, inputs))
	})
}

// A batch of one key, of none, and of more parts than keys.
func TestBatch_fewKeys(t *testing.T) {
	s := &lake.Schema{Columns: cols("id int, v string"), Key: []string{"id"}}
	for name, rows := range map[string][][]any{
		"one key": {{"I", 1, "a"}, {"U", 1, "b"}, {"U", 1, "c"}},
		"none":    nil,
	} {
		t.Run(name, func(t *testing.T) {
			in := changesSheet("id int, v string", rows...)
			b := &lake.Batch{Schema: s, Inputs: []lake.Input{{Reader: in.reader(t)}}, Parts: 9}
			merge, err := b.PlanMerge(t.Context(), nil, nil, lake.Limits{TargetFileBytes: 1 << 20})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(changesObject(t, planned(t, folded(t, s, in), nil)), changesObject(t, merge)); diff != "" {
				t.Error("changes object, −whole +in parts:\n", diff)
			}
		})
	}
}

// Values that a lake file cannot hold are found by reading the rows again, those that replace one and those that are added.
func TestBatch_Check_findsWhatAFileCannotHold(t *testing.T) {
	s := &lake.Schema{Columns: cols("id int, v bigint, w string"), Key: []string{"id"}}
	narrow := cols("id int, v int, w string")
	required := cols("id int, v bigint, w string")
	required[2].Required = true
	for name, c := range map[string]struct {
		columns []parquetedit.Column
		changes [][]any
		fits    bool
	}{
		"all fit":                   {narrow, [][]any{{"U", 1, 7, nil}, {"U", 2, 8, "x"}}, true},
		"a replaced row does not":   {narrow, [][]any{{"U", 1, 7, nil}, {"U", 2, 1 << 40, "x"}}, false},
		"an added row does not":     {narrow, [][]any{{"U", 1, 7, nil}, {"I", 3, 1 << 40, "x"}}, false},
		"a NULL does not":           {required, [][]any{{"U", 1, 7, "x"}, {"U", 2, 8, nil}}, false},
		"a deleted row is no value": {required, [][]any{{"U", 1, 7, "x"}, {"D", 2, nil, nil}}, true},
	} {
		t.Run(name, func(t *testing.T) {
			in := changesSheet("id int, v bigint, w string", c.changes...)
			f := stored(t, "f", "", sheet{columns: c.columns, rows: [][]any{{1, 1, "a"}, {2, 2, "b"}}})
			known := []*lake.File{&f.File}
			whole := planned(t, folded(t, s, in), []*lakeFile{f}).Check(t.Context(), known)
			known, open := opener([]*lakeFile{f})
			b := &lake.Batch{Schema: s, Inputs: []lake.Input{{Reader: in.reader(t)}}, Parts: 2}
			merge, err := b.PlanMerge(t.Context(), known, open, lake.Limits{TargetFileBytes: 1 << 20})
			if err != nil {
				t.Fatal(err)
			}
			if got := merge.Check(t.Context(), known); fmt.Sprint(got) != fmt.Sprint(whole) || (got == nil) != c.fits {
				t.Errorf("got %v, folded whole %v, want that it fits: %v", got, whole, c.fits)
			}
		})
	}
}

// Errors name file, column and row as those of a fold do.
func TestBatch_errors(t *testing.T) {
	s := &lake.Schema{Columns: cols("id int, v string"), Key: []string{"id"}}
	rows := func(last ...any) sheet {
		columns := append(cols("Op string"), col("id", parquetedit.Type{Physical: typeBigint.Physical}), cols("v string")[0])
		return sheet{columns: columns, rows: [][]any{{"I", 1, "a"}, {"I", 2, "b"}, {"U", 3, "c"}, last}, groups: []int{2}}
	}
	for name, c := range map[string]struct {
		in   sheet
		want string
	}{
		"a key that is NULL":        {rows("U", nil, "x"), `file: key column "id" is NULL in row 3`},
		"a key that does not fit":   {rows("U", 1<<40, "x"), `file: column "id": the bigint value in row 3 does not fit the lake's type int; acknowledge with --accept schema to rewrite the table to a wider type`},
		"an op that nobody knows":   {rows("X", 4, "x"), `read file: `},
		"a column that is not text": {sheet{columns: cols("Op string, id int, v double"), rows: [][]any{{"I", 1, nil}, {"I", 2, 5}}}, ``},
	} {
		t.Run(name, func(t *testing.T) {
			fold, err := lake.NewFold(s, lake.FoldOptions{})
			if err != nil {
				t.Fatal(err)
			}
			in := lake.Input{Name: "file", Reader: c.in.reader(t)}
			want := fold.Add(t.Context(), in)
			b := &lake.Batch{Schema: s, Inputs: []lake.Input{in}, Parts: 2}
			_, got := b.PlanMerge(t.Context(), nil, nil, lake.Limits{TargetFileBytes: 1 << 20})
			if want == nil || got == nil || want.Error() != got.Error() || !strings.HasPrefix(got.Error(), c.want) {
				t.Errorf("got %v\nfolded whole: %v\nwant %s", got, want, c.want)
			}
		})
	}
}
