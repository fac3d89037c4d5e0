package lake_test

import (
	"bytes"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sluice/internal/dms"
	"sluice/internal/lake"
)

// body is a sink of one output.
type body struct{ bytes.Buffer }

func (b *body) Open(int) (io.Writer, lake.FileOptions, error) {
	return b, lake.FileOptions{Compression: "zstd"}, nil
}
func (b *body) Close(int) error { return nil }

// TestLoad_oneFile: row groups that can be copied by column and those that
// have to be read as rows give the same lake file.
func TestLoad_oneFile(t *testing.T) {
	plain := sheet{columns: cols("id bigint, name string"), rows: [][]any{{1, "a"}, {2, nil}, {3, "c"}}, groups: []int{2}}
	for name, c := range map[string]struct {
		inputs []sheet
		want   []string
		err    string
	}{
		"no Op":               {inputs: []sheet{plain}, want: []string{"I 1 a", "I 2 NULL", "I 3 c"}},
		"Op is I":             {inputs: []sheet{changesSheet("id bigint, name string", []any{"I", 1, "a"}, []any{nil, 2, "b"})}, want: []string{"I 1 a", "I 2 b"}},
		"Op is U in one row":  {inputs: []sheet{changesSheet("id bigint, name string", []any{"I", 1, "a"}, []any{"U", 2, "b"})}, want: []string{"I 1 a", "U 2 b"}},
		"Op is D in one row":  {inputs: []sheet{changesSheet("id bigint, name string", []any{"I", 1, "a"}, []any{"D", 2, "b"})}, err: "Op is D"},
		"a narrower type":     {inputs: []sheet{plain, {columns: cols("id int, name string"), rows: [][]any{{4, "d"}}}}, want: []string{"I 1 a", "I 2 NULL", "I 3 c", "I 4 d"}},
		"a column is missing": {inputs: []sheet{plain, {columns: cols("id bigint"), rows: [][]any{{4}}}}, want: []string{"I 1 a", "I 2 NULL", "I 3 c", "I 4 NULL"}},
		"another order":       {inputs: []sheet{plain, {columns: cols("name string, id bigint"), rows: [][]any{{"d", 4}}}}, want: []string{"I 1 a", "I 2 NULL", "I 3 c", "I 4 d"}},
		"before images":       {inputs: []sheet{{columns: cols("BI_id bigint, id bigint, name string"), rows: [][]any{{nil, 1, "a"}}}}, want: []string{"I 1 a"}},
	} {
		schema := &lake.Schema{Columns: cols("id bigint, name string"), Key: []string{"id"}, Op: true}
		load := &lake.Load{Schema: schema, Options: dms.Options{}}
		op := lake.LoadOp{Outputs: []lake.Output{{}}}
		for n, in := range c.inputs {
			load.Inputs = append(load.Inputs, lake.LoadFile{Name: "LOAD", Open: in.open(t)})
			part := lake.Part{File: n}
			for g := range load.Inputs[n].Open.RowGroups() {
				part.Groups = append(part.Groups, g)
			}
			op.Parts = append(op.Parts, part)
		}
		var out body
		err := load.Run(t.Context(), op, &out)
		switch {
		case c.err != "":
			if err == nil || !strings.Contains(err.Error(), c.err) {
				t.Errorf("%s: got %v, want %q", name, err, c.err)
			}
			continue
		case err != nil:
			t.Errorf("%s: %v", name, err)
			continue
		}
		if d := cmp.Diff(c.want, lines(t, openBody(t, out.Bytes()))); d != "" {
			t.Errorf("%s: %s", name, d)
		}
	}
}
