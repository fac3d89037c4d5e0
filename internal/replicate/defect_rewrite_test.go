package replicate_test

import (
	"testing"

	"sluice/scripts/dmsgen"
	"sluice/statestore"
)

// A table that was written again to a wider type lost the values of a lake column whose name looks like that of a
// before image: the lake's own files were read as inputs are. It was a column like any other when it was loaded; the
// prefix was set later.
func TestDefect_ARewriteLostColumnsThatAreNamedLikeBeforeImages(t *testing.T) {
	t.Parallel()
	table := product()
	table.Columns = append(table.Columns, dmsgen.Column{Name: "OLD_name", Type: "text"})
	b := newBench(t, table)
	b.load(10, []any{1, "a", "x", "kept"}, []any{2, "b", "y", "kept, too"})
	b.begin("id", "")
	b.must(b.settle())
	b.attributes(map[string]string{statestore.BeforeImagePrefix: "OLD_"})
	b.table.Columns[0].Type = "bigint"
	b.change(insert(5_000_000_000, "big", "x", nil))
	if !b.halts("schema") {
		t.Fatalf("not halted: %v", b.item())
	}
	b.acknowledge("schema")
	b.must(b.settle())
	b.must(b.wrong())
}
