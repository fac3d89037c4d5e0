package parquetedit_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"testing"

	"github.com/parquet-go/parquet-go"

	"sluice/internal/parquetedit"
)

// TestFooterDoesNotGrow: a file that is rewritten every hour keeps a footer of the same size.
func TestFooterDoesNotGrow(t *testing.T) {
	b := foreign(t)["arrow_v2_zstd_index.parquet"]
	size := func() int { return int(binary.LittleEndian.Uint32(b[len(b)-8:])) }
	var first int
	for i := range 30 {
		f := open(t, b)
		one := rowsOf(t, f, 1)
		s := parquetedit.Script{
			Replaces: []int64{f.NumRows() / 2}, Deletes: []int64{f.NumRows() - 1}, Replace: one[:len(f.Columns())], Append: one[:len(f.Columns())],
			Metadata: map[string]string{"hour": fmt.Sprintf("%04d", i)},
		}
		if b, _ = rewrite(t, b, s); i == 1 {
			first = size()
		}
	}
	if n := size(); n > first+50 {
		t.Errorf("a footer of %d bytes, %d at first", n, first)
	}
}

// TestAddedColumnIsInNoOtherSchema: what repeats the schema for Arrow, Spark and Avro would hide an added column from
// them. It goes then, and only then.
func TestAddedColumnIsInNoOtherSchema(t *testing.T) {
	columns := []parquetedit.Column{column("s", textType())}
	keys := []string{"ARROW:schema", "org.apache.spark.sql.parquet.row.metadata", "parquet.avro.schema", "avro.schema"}
	meta := map[string]string{"org.apache.spark.version": "3.5.1"}
	for _, k := range keys {
		meta[k] = "the old schema"
	}
	b := write(t, columns, [][]parquet.Value{text("a", "b")}, parquetedit.WriterOptions{Metadata: meta})
	for name, s := range map[string]parquetedit.Script{
		"a column":       {Add: []parquetedit.Column{column("new", textType())}},
		"a row":          {Append: [][]parquet.Value{text("c")}},
		"another schema": {Empty: true, Columns: []parquetedit.Column{column("other", textType())}},
		"no rows":        {Empty: true},
	} {
		got, _ := rewrite(t, b, s)
		f := open(t, got)
		kept := s.Add == nil && s.Columns == nil
		for _, k := range keys {
			if _, ok := f.Metadata(k); ok != kept {
				t.Errorf("%s: %s there %v, want %v", name, k, ok, kept)
			}
		}
		if v, _ := f.Metadata("org.apache.spark.version"); v != "3.5.1" {
			t.Errorf("%s: spark version %q", name, v)
		}
	}
}

// TestSortingColumns: deleting rows keeps the order that a row group says it has; new rows and new values end it, for their
// row group alone.
func TestSortingColumns(t *testing.T) {
	type row struct {
		N int64 `parquet:"n,optional"`
	}
	var b bytes.Buffer
	w := parquet.NewSortingWriter[row](&b, 3, parquet.SortingWriterConfig(parquet.SortingColumns(parquet.Ascending("n"))), parquet.MaxRowsPerRowGroup(3))
	for i := range 9 {
		if _, err := w.Write([]row{{int64(i + 1)}}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	s := parquetedit.Script{
		Deletes: []int64{1}, Replaces: []int64{4}, Replace: [][]parquet.Value{ints(99)}, Append: [][]parquet.Value{ints(0)},
	}
	for name, tc := range map[string]struct {
		script parquetedit.Script
		want   []int
	}{
		"as it was":      {parquetedit.Script{}, []int{1, 1, 1}},
		"all edits":      {s, []int{1, 0, 0}},
		"split":          {parquetedit.Script{Deletes: []int64{1}, MaxRowGroupRows: 2}, []int{1, 1, 1, 1}},
		"added a column": {parquetedit.Script{Add: []parquetedit.Column{column("m", textType())}}, []int{1, 1, 1}},
	} {
		got, _ := rewrite(t, b.Bytes(), tc.script)
		groups := metadata(t, got).Metadata().RowGroups
		if len(groups) != len(tc.want) {
			t.Fatalf("%s: %d row groups, want %d", name, len(groups), len(tc.want))
		}
		for i, g := range groups {
			if len(g.SortingColumns) != tc.want[i] {
				t.Errorf("%s: row group %d has %d sorting columns, want %d", name, i, len(g.SortingColumns), tc.want[i])
			}
		}
	}
}
