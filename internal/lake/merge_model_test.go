package lake_test

import (
	"bytes"
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"sluice/internal/lake"
	"sluice/internal/parquetedit"
)

// rewriting is a file to be rewritten and the slice of changes for it.
type rewriting struct {
	file  *lakeFile
	slice *lake.Slice
}

// rewritten is the file that a rewrite makes, known as the plan foretells it.
func rewritten(t *rapid.T, m *lake.Merge, r *lake.Rewrite, w rewriting) *lakeFile {
	t.Helper()
	var body bytes.Buffer
	open := openBody(t, w.file.body)
	src := parquetedit.ReaderAt{ReaderAt: bytes.NewReader(w.file.body), N: int64(len(w.file.body))}
	stats, err := w.slice.Rewrite(t.Context(), open, parquetedit.NewOutput(src, &body), lake.FileOptions{Metadata: map[string]string{"by": "test"}})
	if err != nil {
		t.Fatal(err)
	}
	f := &lakeFile{File: w.file.File, body: body.Bytes()}
	f.Rows = w.file.Rows - int64(len(r.Deletes)) + r.Appends()
	f.Size = int64(body.Len())
	f.Columns = m.ColumnsAfter(&w.file.File, r)
	f.Min, f.Max = m.BoundsAfter(&w.file.File, r)
	if stats.Rows != f.Rows {
		t.Fatalf("%s: %d rows written, %d planned", f.Key, stats.Rows, f.Rows)
	}
	asForetold(t, f)
	return f
}

// created is the file that a create makes, known as the plan foretells it.
func created(t *rapid.T, m *lake.Merge, c *lake.Create, slice *lake.Slice) *lakeFile {
	t.Helper()
	var body bytes.Buffer
	rows, err := slice.Create(&body, lake.FileOptions{Compression: "none"})
	if err != nil {
		t.Fatal(err)
	}
	if rows != c.Rows() {
		t.Fatalf("create in %q: %d rows written, %d planned", c.Dir, rows, c.Rows())
	}
	f := &lakeFile{File: lake.File{Dir: c.Dir, Rows: rows, Size: int64(body.Len()), Columns: m.Schema.FileColumns()}, body: body.Bytes()}
	f.Min, f.Max = m.Bounds(c)
	asForetold(t, f)
	return f
}

// asForetold compares a new file with what is known of it unopened.
func asForetold(t *rapid.T, f *lakeFile) {
	t.Helper()
	open := openBody(t, f.body)
	if open.NumRows() != f.Rows {
		t.Fatalf("%s has %d rows, planned are %d", f.Key, open.NumRows(), f.Rows)
	}
	if !slices.Equal(open.Columns(), f.Columns) {
		t.Fatalf("%s has the columns %v, planned are %v", f.Key, open.Columns(), f.Columns)
	}
}

// oracle is what a run of changes does to the rows of a lake, worked out naively.
type oracle struct {
	kept   map[string]int    // "row|op" of rows nobody touches, and how often
	upsert map[string]string // row of each upsert, and its op
	counts lake.MergeCounts
	net    map[string]modelChange // by key
}

// fold keeps the last change of each key.
func (m *model) fold(run []modelChange) map[string]modelChange {
	net := map[string]modelChange{}
	put := func(c modelChange) {
		if old, ok := net[m.key(c.cells)]; ok && m.compare(c, old.cells) < 0 {
			return
		}
		net[m.key(c.cells)] = c
	}
	for _, c := range run {
		old := slices.Clone(c.cells)
		for k, n := range c.before {
			if n != null {
				old[k] = n
			}
		}
		if (c.op == "U" || c.silent) && m.key(old) != m.key(c.cells) {
			put(modelChange{cells: old, op: "D", input: c.input})
		}
		if c.op == "" {
			c.op = "I"
		}
		put(c)
	}
	return net
}

// compare orders a change and a row by the order column; without one they are equal.
func (m *model) compare(c modelChange, row []int) int {
	at := m.schema.Index(m.order)
	if at < 0 {
		return 0
	}
	t := m.schema.Columns[at].Type
	return lake.Compare(t, sample(t, c.cells[at]), sample(t, row[at]))
}

func (m *model) predict(run []modelChange) *oracle {
	o := &oracle{kept: map[string]int{}, upsert: map[string]string{}, net: m.fold(run)}
	byKey := map[string][]modelRow{}
	dirs := map[string][]string{}
	for _, f := range m.files {
		for _, row := range f.rows {
			key := m.key(row.cells)
			if _, changed := o.net[key]; !changed {
				o.kept[m.line(row.cells)+"|"+row.op]++
				continue
			}
			byKey[key], dirs[key] = append(byKey[key], row), append(dirs[key], f.Dir)
		}
	}
	for key, c := range o.net {
		o.settle(m, c, byKey[key])
	}
	return o
}

// settle works out one key, given the lake's rows of it.
func (o *oracle) settle(m *model, c modelChange, rows []modelRow) {
	same := false
	for _, row := range rows {
		if m.compare(c, row.cells) < 0 {
			o.counts.Stale++
			for _, row := range rows {
				o.kept[m.line(row.cells)+"|"+row.op]++
			}
			return
		}
		same = same || m.line(row.cells) == m.line(c.cells) && (row.op == "" || row.op == c.op)
	}
	o.counts.Duplicates += max(int64(len(rows))-1, 0)
	switch {
	case c.op == "D" && len(rows) > 0:
		o.counts.Deletes++
	case c.op == "D":
	case len(rows) == 0:
		o.counts.Inserts++
	case same:
		o.counts.Noops++
	default:
		o.counts.Updates++
	}
	if c.op != "D" {
		o.upsert[m.line(c.cells)] = c.op
	}
}

// check compares the rows of all files with what was foretold.
func (o *oracle) check(t *rapid.T, m *model, files []*lakeFile) {
	t.Helper()
	kept, upsert := map[string]int{}, map[string]int{}
	for _, f := range files {
		rows, ops := m.contents(t, f)
		for i, row := range rows {
			op, ok := o.upsert[row]
			switch {
			case ok && (ops[i] == op || ops[i] == "") && upsert[row] == 0:
				upsert[row]++
			default:
				kept[row+"|"+ops[i]]++
			}
		}
	}
	if len(upsert) != len(o.upsert) {
		t.Fatalf("%d of %d upserted rows are there", len(upsert), len(o.upsert))
	}
	if got, want := fmt.Sprint(kept), fmt.Sprint(o.kept); got != want {
		t.Fatalf("other rows:\n got %s\nwant %s", got, want)
	}
}

// inMemory are the files of the model as the plan is given them.
func (m *model) inMemory() []*lakeFile {
	files := make([]*lakeFile, len(m.files))
	for i, f := range m.files {
		files[i] = f.lakeFile
	}
	return files
}

// A merge of random changes into random lake files leaves the rows that a naive
// map leaves, also when the next merge starts from what the plan foretold of the files.
func TestMerge_equalsANaiveMap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := drawModel(t)
		for range 2 {
			run, inputs := m.drawChanges(t)
			files := m.inMemory()
			want := m.predict(run)
			changes := m.changes(t, inputs, nil)
			if changes.Read != int64(len(run)) || changes.Len() != len(want.net) {
				t.Fatalf("%d of %d changes read, %d of %d keys", changes.Read, len(run), changes.Len(), len(want.net))
			}
			merge := m.plan(t, changes, files)
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

func (m *model) plan(t *rapid.T, changes *lake.Changes, files []*lakeFile) *lake.Merge {
	for _, f := range files {
		f.opened = 0
	}
	known, open := opener(files)
	target := rapid.SampledFrom([]int64{1, 2_000, 1 << 20}).Draw(t, "target bytes")
	merge, err := changes.PlanMerge(t.Context(), known, open, lake.Limits{TargetFileBytes: target, Parallel: 1})
	if err != nil {
		t.Fatal(err)
	}
	if err := merge.Check(t.Context(), known); err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if f.opened > 1 {
			t.Fatalf("%s was opened %d times", f.Key, f.opened)
		}
	}
	return merge
}

// checkPlan checks the form of a plan: rows ascending and disjoint, files in order, none without a reason.
func (m *model) checkPlan(t *rapid.T, merge *lake.Merge, want *oracle) {
	last := -1
	for _, r := range merge.Rewrites {
		if r.File <= last {
			t.Fatalf("file %d behind file %d", r.File, last)
		}
		last = r.File
		touched := slices.Concat(r.Deletes, r.Replaces)
		if slices.Sort(touched); len(slices.Compact(slices.Clone(touched))) != len(touched) {
			t.Fatalf("a row is edited twice: %v %v", r.Deletes, r.Replaces)
		}
		if !slices.IsSorted(r.Deletes) || !slices.IsSorted(r.Replaces) {
			t.Fatalf("rows are not ascending: %v %v", r.Deletes, r.Replaces)
		}
		for _, row := range touched {
			if _, changed := want.net[m.key(m.files[r.File].rows[row].cells)]; !changed {
				t.Fatalf("file %d, row %d: nobody changed it", r.File, row)
			}
		}
		if len(touched) == 0 && r.Appends() == 0 {
			t.Fatalf("file %d is rewritten for nothing", r.File)
		}
	}
}

// checkMoves checks that a row which changed its file lies in a created one.
func (m *model) checkMoves(t *rapid.T, want *oracle, after []*lakeFile) {
	before := map[string][]int{}
	for i, f := range m.files {
		for _, row := range f.rows {
			before[m.key(row.cells)] = append(before[m.key(row.cells)], i)
		}
	}
	keys := map[string]string{}
	for key, c := range want.net {
		keys[m.line(c.cells)] = key
	}
	for i, f := range after[:len(m.files)] {
		rows, _ := m.contents(t, f)
		for _, row := range rows {
			key, ok := keys[row]
			if ok && len(before[key]) > 0 && !slices.Contains(before[key], i) {
				t.Fatalf("a row moved to file %d, which was there before", i)
			}
		}
	}
}

// adopt makes the files behind a merge the model's own. The rows come from the bodies, since
// where a row lies is the plan's choice; their keys are found among those that the model knows.
func (m *model) adopt(t *rapid.T, run []modelChange, after []*lakeFile) {
	known := map[string][]int{}
	for _, f := range m.files {
		for _, row := range f.rows {
			known[m.line(row.cells)] = row.cells
		}
	}
	for _, c := range run {
		known[m.line(c.cells)] = c.cells
	}
	m.files = nil
	for _, f := range after {
		file := &modelFile{lakeFile: f}
		rows, ops := m.contents(t, f)
		for i, row := range rows {
			file.rows = append(file.rows, modelRow{known[row], ops[i]})
		}
		m.files = append(m.files, file)
	}
}
