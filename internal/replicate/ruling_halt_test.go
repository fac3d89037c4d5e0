package replicate_test

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/parquet-go/parquet-go"

	"sluice/internal/replicate"
)

func TestRuling16_OpIsInsertUnlessItSaysOtherwise(t *testing.T) {
	load := []string{rowsOf("id, name", "1, 'a'", "2, 'b'")}
	tests := map[string]story{
		"NULL": {
			key: "id", loads: load, changes: []string{rowsOf(`"Op", id, name`, "NULL::varchar, 1, 'A'", "NULL, 3, 'c'")},
			columns: "*", want: []string{"I 1 A", "I 2 b", "I 3 c"},
		},
		"empty": {
			key: "id", loads: load, changes: []string{rowsOf(`"Op", id, name`, "'', 1, 'A'", "'D', 2, 'b'")},
			columns: "*", want: []string{"I 1 A"},
		},
		"no column": {
			key: "id", loads: load, changes: []string{rowsOf(`id, name`, "1, 'A'", "3, 'c'")},
			columns: "*", want: []string{"I 1 A", "I 2 b", "I 3 c"},
		},
	}
	for name, s := range tests {
		t.Run(name, func(t *testing.T) { s.play(t) })
	}
}

func TestRuling16_InputsThatHalt(t *testing.T) {
	load := []string{rowsOf("id, name", "1, 'a'", "2, 'b'")}
	tests := map[string]struct {
		loads  []string
		change string
		code   string
		texts  []string
	}{
		"an unknown op":                   {load, rowsOf(`"Op", id, name`, "'I', 3, 'c'", "'X', 1, 'A'"), "input", []string{"20260314-", "Op", "X", "row 1"}},
		"a small letter":                  {load, rowsOf(`"Op", id, name`, "'u', 1, 'A'"), "input", []string{"u"}},
		"a word":                          {load, rowsOf(`"Op", id, name`, "'INSERT', 1, 'A'"), "input", nil},
		"an op that is a number":          {load, rowsOf(`"Op", id, name`, "1, 1, 'A'"), "input", []string{"Op"}},
		"the key is missing":              {load, rowsOf(`"Op", name`, "'U', 'A'"), "key", []string{"20260314-", `"id"`}},
		"the key is NULL":                 {load, rowsOf(`"Op", id, name`, "'U', 1, 'A'", "'U', NULL, 'A'"), "key", []string{"20260314-", `"id"`, "row 1"}},
		"a deleted key is NULL":           {load, rowsOf(`"Op", id, name`, "'D', NULL::int, 'A'"), "key", nil},
		"names differ by case from lake":  {load, rowsOf(`"Op", id, "NAME"`, "'U', 1, 'A'"), "schema", []string{"20260314-", `"NAME"`, `"name"`}},
		"the key differs by case":         {load, rowsOf(`"Op", "ID", name`, "'U', 1, 'A'"), "schema", []string{`"ID"`, `"id"`}},
		"an op in a full load is unknown": {[]string{rowsOf(`"Op", id, name`, "'I', 1, 'a'", "'Q', 2, 'b'")}, "", "input", []string{"LOAD00000001", "Q"}},
		"a full load deletes":             {[]string{rowsOf(`"Op", id, name`, "'I', 1, 'a'", "'D', 2, 'b'")}, "", "input", []string{"LOAD00000001"}},
		"the key of a load is NULL":       {[]string{rowsOf(`id, name`, "1, 'a'", "NULL, 'b'")}, "", "key", []string{"LOAD00000001", `"id"`, "row 1"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			for n, query := range tt.loads {
				w.loadOf(n+1, query)
			}
			w.run(storyTable, replicate.Registered)
			w.activate(storyTable, "id", "")
			if tt.change != "" {
				w.run(storyTable, replicate.Loaded)
				w.changeOf(tt.change)
			}
			before := w.rows(storyFolder, "*")
			got := w.wantHalt(tt.code, tt.texts...)
			if !got.NewlyHalted {
				t.Error("the run that recorded the halt does not say so")
			}
			if diff := cmp.Diff(before, w.rows(storyFolder, "*")); diff != "" {
				t.Errorf("a halt changed the lake:\n%s", diff)
			}
			if got := w.wantHalt(tt.code, tt.texts...); got.NewlyHalted {
				t.Error("the halt was notified twice")
			}
		})
	}
}

func TestRuling16_NamesThatDifferByCaseInOneFileHaltSchema(t *testing.T) {
	type row struct {
		ID   int32  `parquet:"id,optional"`
		Name string `parquet:"name,optional"`
		Also string `parquet:"NAME,optional"`
	}
	var body bytes.Buffer
	if err := parquet.Write(&body, []row{{1, "a", "b"}}); err != nil {
		t.Fatal(err)
	}
	t.Run("full load", func(t *testing.T) {
		w := newWorld(t)
		w.put("raw", "store/t/LOAD00000001.parquet", body.Bytes())
		w.run(storyTable, replicate.Registered)
		w.activate(storyTable, "", "")
		w.wantHalt("schema", "LOAD00000001.parquet", `"NAME"`, `"name"`)
	})
	t.Run("changes", func(t *testing.T) {
		w := newWorld(t)
		w.begin("id", "", rowsOf("id, name", "1, 'a'"))
		w.pass(1e9)
		w.put("raw", "store/t/20260314-130000000.parquet", body.Bytes())
		w.wantHalt("schema", "20260314-130000000.parquet", `"NAME"`, `"name"`)
	})
}
