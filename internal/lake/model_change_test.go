package lake_test

import (
	"bytes"
	"fmt"
	"slices"

	"pgregory.net/rapid"

	"sluice/internal/dms"
	"sluice/internal/lake"
)

// modelChange is one change: a row, an op, and the key before.
type modelChange struct {
	cells  []int
	op     string
	silent bool  // the input has no ops
	before []int // by key column, null = unchanged
	input  int   // the input it comes in
}

// drawChanges draws a run of changes and the inputs it comes in.
func (m *model) drawChanges(t *rapid.T) ([]modelChange, []sheet) {
	var run []modelChange
	var inputs []sheet
	for input := range rapid.IntRange(0, 3).Draw(t, "inputs") {
		l := m.drawLayout(t, func(int) bool { return true })
		images := rapid.Bool().Draw(t, "before images")
		for range rapid.IntRange(0, 6).Draw(t, "changes") {
			c := m.drawChange(t, l, images)
			c.input = input
			l.add(m, c.cells, c.op)
			if images {
				l.addImages(m, c.before)
			}
			run = append(run, c)
		}
		if images {
			for i, c := range l.of {
				if c >= 0 && m.isKey(c) {
					l.columns = append(l.columns, col("BI_"+l.columns[i].Name, l.columns[i].Type))
				}
			}
		}
		l.groups = rapid.SliceOfN(rapid.IntRange(1, 3), 0, 1).Draw(t, "row groups")
		inputs = append(inputs, l.sheet)
	}
	return run, inputs
}

func (m *model) drawChange(t *rapid.T, l *layout, images bool) modelChange {
	c := modelChange{op: "I", cells: m.drawCells(t, func(c int) bool { return slices.Contains(l.of, c) })}
	if slices.Contains(l.of, -1) {
		c.op = rapid.SampledFrom([]string{"I", "U", "D", ""}).Draw(t, "op")
	} else {
		c.silent = true
	}
	for range m.schema.Key {
		n := null
		if images {
			n = rapid.IntRange(null, 4).Draw(t, "before")
		}
		c.before = append(c.before, n)
	}
	for i := range c.cells {
		if c.op == "D" && !m.isKey(i) && m.schema.Columns[i].Name != m.order {
			c.cells[i] = null
		}
	}
	return c
}

// addImages appends the before images of the key to the last row.
func (l *layout) addImages(m *model, before []int) {
	last := len(l.rows) - 1
	for i, c := range l.of {
		if c >= 0 && m.isKey(c) {
			l.rows[last] = append(l.rows[last], in(l.columns[i].Type, m.schema.Columns[c].Type, before[c]))
		}
	}
}

// changes folds inputs; those of context are in the lake already.
func (m *model) changes(t *rapid.T, inputs []sheet, context map[int]bool) *lake.Changes {
	fold, err := lake.NewFold(&m.schema, lake.FoldOptions{OrderColumn: m.order})
	if err != nil {
		t.Fatal(err)
	}
	for i, s := range inputs {
		reader, err := dms.Open(openBody(t, s.body(t)), dms.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if err := fold.Add(t.Context(), lake.Input{Name: fmt.Sprint(i), Reader: reader, Context: context[i]}); err != nil {
			t.Fatal(err)
		}
	}
	return ended(t, fold)
}

// apply carries a merge out and returns the files behind it, created ones last.
func (m *model) apply(t *rapid.T, merge *lake.Merge, files []*lakeFile) []*lakeFile {
	var object bytes.Buffer
	spans, err := merge.WriteChanges(t.Context(), &object)
	if err != nil {
		t.Fatal(err)
	}
	changes := openBody(t, object.Bytes())
	slice := func(n int) *lake.Slice {
		s, err := lake.ReadSlice(t.Context(), changes, &m.schema, spans[n])
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	after := slices.Clone(files)
	for i := range merge.Rewrites {
		r := &merge.Rewrites[i]
		after[r.File] = rewritten(t, merge, r, rewriting{files[r.File], slice(len(merge.Creates) + i)})
	}
	for i := range merge.Creates {
		after = append(after, created(t, merge, &merge.Creates[i], slice(i)))
	}
	for i, f := range after[len(files):] {
		f.Key = fmt.Sprintf("new-%d-%d", len(files), i)
	}
	return after
}
