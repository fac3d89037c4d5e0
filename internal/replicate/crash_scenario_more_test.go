package replicate_test

import (
	"strings"
	"testing"
	"time"

	"sluice/internal/object"
	"sluice/internal/replicate"
	"sluice/scripts/dmsgen"
	"sluice/statestore"
)

// lateFile has a change file come late, which counts only for keys that no later file mentions.
func lateFile(t testing.TB) *bench {
	t.Helper()
	b := partitioned(t)
	b.change(update(1, "A", "x"))
	b.must(b.settle())
	held := b.now().Add(30 * time.Second)
	b.change(update(2, "B", "y"), insert(6, "f", "x"))
	b.must(b.settle())
	before := b.rows()
	key, err := b.writer(b.writes).WriteChanges(t.Context(), b.table, held,
		update(1, "AA", "y"), update(2, "outranked", "z"), remove(5, "e", "z"), insert(11, "k", "new"), remove(6, "f", "x"))
	b.must(err)
	b.must(b.raw.SetLastModified(key, b.now()))
	b.oracle.Apply(update(1, "AA", "y"), remove(5, "e", "z"), insert(11, "k", "new"))
	return b.keep(before)
}

func keylessReload(t testing.TB) *bench {
	t.Helper()
	b := keylessPartitioned(t)
	b.change(insert(4, "d", "new"))
	b.must(b.settle())
	before := b.rows()
	b.load(2, []any{1, "a", "x"}, []any{4, "d", "new"}, []any{5, "e", "y"})
	loaded := b.wanted()
	b.change(insert(6, "f", "y"))
	return b.keep(before, loaded)
}

// orderColumn has changes that are stale, in the batch and in the lake.
func orderColumn(t testing.TB) *bench {
	t.Helper()
	table := product()
	table.Columns = append(table.Columns, dmsgen.Column{Name: "version", Type: "int"})
	b := newBench(t, table)
	b.load(10, []any{1, "a", "x", 5}, []any{2, "b", "x", 5}, []any{3, "c", "y", 5}, []any{4, "d", "y", nil})
	b.begin("id", "dept")
	order := "version"
	_, err := b.engineOn(b.lake, b.state).Activate(t.Context(), "store.product", replicate.Activation{OrderColumn: &order})
	b.must(err)
	b.must(b.settle())
	before := b.rows()
	counts := []dmsgen.Change{update(1, "A", "x", 7), update(3, "C", "y", 6), update(4, "D", "y", 1), insert(6, "f", "new", 2)}
	b.change(counts...)
	b.change(update(1, "stale", "x", 6), remove(2, "b", "x", 4), update(3, "stale", "y", 5), remove(6, "f", "new", 1))
	oracle := dmsgen.NewOracle(table)
	oracle.Load([]any{1, "a", "x", 5}, []any{2, "b", "x", 5}, []any{3, "c", "y", 5}, []any{4, "d", "y", nil})
	oracle.Apply(counts...)
	b.oracle = oracle
	return b.keep(before)
}

// keyUpdate has updates that change the key, told by before-image columns; rows move with it.
func keyUpdate(t testing.TB) *bench {
	t.Helper()
	b := newBench(t, product())
	b.writes.BeforeImages = dmsgen.KeyImages
	partitionedOf(b)
	before := b.rows()
	rekey := func(was int, row ...any) dmsgen.Change {
		return dmsgen.Change{Op: dmsgen.Update, Row: row, Before: []any{was, "", ""}}
	}
	b.change(rekey(1, 21, "a", "x"), rekey(3, 23, "c", "x"), insert(1, "again", "y"), rekey(4, 4, "D", "y"))
	return b.keep(before)
}

// adopted is a lake that the ancestor made: no bookkeeping, and an item with its attributes only.
func adopted(t testing.TB) *bench {
	t.Helper()
	b := partitioned(t)
	b.change(update(1, "A", "x"))
	b.must(b.settle())
	_, err := b.state.Update(t.Context(), statestore.Update{Path: benchPath, Remove: []string{
		statestore.Seq, statestore.Index, statestore.Ledger, statestore.Generation,
		statestore.LoadFingerprint, statestore.InputsDigest, statestore.ListedOn,
	}})
	b.must(err)
	for entry, err := range b.lake.List(t.Context(), object.ListInput{}) {
		b.must(err)
		body, _ := readObject(t, b.lake, entry.Key)
		b.must(b.lake.Delete(t.Context(), entry.Key, ""))
		if name, ok := strings.CutPrefix(entry.Key, "product/"); ok {
			_, err := b.lake.Put(t.Context(), "product/"+strings.Replace(name, "part-", "spark-", 1), body, object.PutInput{})
			b.must(err)
		}
	}
	before := b.rows()
	b.change(update(2, "B", "y"), insert(6, "f", "new"), remove(5, "e", "z"))
	return b.keep(before)
}

// vanishedThenReload has a halt over inputs that are gone, which a new full load ends.
func vanishedThenReload(t testing.TB) *bench {
	t.Helper()
	b := partitioned(t)
	b.change(update(1, "A", "x"))
	b.must(b.settle())
	gone := strings.TrimPrefix(b.watermark, "raw/")
	b.must(b.raw.Delete(t.Context(), gone, ""))
	if !b.halts("vanished") {
		t.Fatalf("not halted: %v", b.item())
	}
	before := b.rows()
	b.load(10, []any{1, "A2", "x"}, []any{2, "b", "y"}, []any{6, "f", "w"})
	loaded := b.wanted()
	b.change(update(6, "F", "w"))
	return b.keep(before, loaded)
}

// reloadAccepted has a reload that an operator let run.
func reloadAccepted(t testing.TB) *bench {
	t.Helper()
	b := partitioned(t)
	_, err := b.state.Update(t.Context(), statestore.Update{Path: benchPath, Set: map[string]string{statestore.ReloadPolicy: "fence"}})
	b.must(err)
	before := b.rows()
	b.load(10, []any{1, "a1", "x"}, []any{2, "b", "y"}, []any{9, "i", "w"})
	if !b.halts("reload") {
		t.Fatalf("not halted: %v", b.item())
	}
	b.acknowledge("reload")
	return b.keep(before)
}

// deactivateForARun lets an operator stop the table for one run, which only ends what was begun.
func deactivateForARun(b *bench) {
	e := b.engineOn(b.lake, b.state)
	_, err := e.Deactivate(b.t.Context(), "store.product")
	b.must(err)
	before := b.item()
	got := b.tickOn(b.lake, b.state)
	after := b.item()
	if after.Pending() || !before.Pending() && (got.Action != replicate.Inactive || after[statestore.Seq] != before[statestore.Seq]) {
		b.t.Errorf("a run of an inactive table: %s %s, %v", got.Action, got.Reason, after)
	}
	b.activate("id", "dept")
}

// changesOfTwoKeys has changes that mean the same by id and by name.
func changesOfTwoKeys(t testing.TB) *bench {
	t.Helper()
	b := partitioned(t)
	before := b.rows()
	b.change(update(1, "a", "y"), insert(6, "f", "new"), remove(3, "c", "y"))
	return b.keep(before)
}

// otherPrimaryKey lets an operator tell rows by their names from now on, and by
// name a change comes that would by id be another row's.
func otherPrimaryKey(b *bench) {
	b.activate("name", "dept")
	b.table.Key = []string{"name"}
	b.oracle = cloneOracle(b)
	before, between := b.rows(), b.wanted()
	b.change(update(77, "a", "z"), update(2, "b", "y"), insert(8, "h", "x"))
	b.keep(before, between)
}

// itemLost has the control item deleted: the table is registered anew over its lake.
func itemLost(t testing.TB) *bench {
	t.Helper()
	b := partitioned(t)
	b.change(update(1, "A", "x"), insert(6, "f", "new"))
	b.must(b.settle())
	b.state = statestore.NewMemory(b.now)
	loaded := dmsgen.NewOracle(b.table)
	loaded.Load([]any{1, "a", "x"}, []any{2, "b", "x"}, []any{3, "c", "y"}, []any{4, "d", "y"}, []any{5, "e", "z"})
	old := b.oracle
	b.oracle = loaded
	between := b.wanted()
	b.oracle = old
	return b.keep(b.rows(), between)
}

func activateAgain(b *bench) { b.activate("id", "dept") }
