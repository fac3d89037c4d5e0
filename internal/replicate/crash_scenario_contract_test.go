package replicate_test

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"sluice/internal/object"
	"sluice/internal/replicate"
	"sluice/scripts/dmsgen"
	"sluice/statestore"
)

// shouting is a contract: names with an exclamation mark go to the quarantine.
const shouting = "on_violation: quarantine\nrules:\n  - {column: name, pattern: '[^!]*'}\n"

// bad says whether the contract keeps a change out.
func bad(c dmsgen.Change) bool {
	name, _ := c.Row[1].(string)
	return c.Op != dmsgen.Delete && strings.Contains(name, "!")
}

// loadRuled writes a full load, of which the oracle takes the good rows.
func (b *bench) loadRuled(rowsPerFile int, rows ...[]any) {
	b.load(rowsPerFile, rows...)
	var good [][]any
	for _, row := range rows {
		if bad(insert(row...)) {
			b.kept = append(b.kept, fmt.Sprint(row[1], " I"))
		} else {
			good = append(good, row)
		}
	}
	b.oracle.Load(good...)
}

// changeRuled writes a change file, of which the oracle takes the good changes.
func (b *bench) changeRuled(changes ...dmsgen.Change) {
	oracle := b.oracle
	b.oracle = cloneOracle(b)
	b.change(changes...)
	b.oracle = oracle
	b.takeRuled(changes...)
}

func (b *bench) takeRuled(changes ...dmsgen.Change) {
	for _, c := range changes {
		if bad(c) {
			b.kept = append(b.kept, fmt.Sprint(c.Row[1], " ", c.Op))
		} else {
			b.oracle.Apply(c)
		}
	}
}

func (b *bench) contracted(text string) {
	b.t.Helper()
	_, err := b.engineOn(b.lake, b.state).Activate(b.t.Context(), "store.product", replicate.Activation{Contract: &text})
	b.must(err)
}

// contractedLoad is a partitioned load with bad rows: one alone in its file, some beside others.
func contractedLoad(t testing.TB) *bench {
	t.Helper()
	b := newBench(t, product())
	b.loadRuled(2, []any{1, "a", "x"}, []any{2, "b!", "y"}, []any{3, "c", "y"}, []any{4, "d", "z"}, []any{5, "e!", "x"}, []any{6, "f!", "new"}, []any{7, "g", "x"})
	b.begin("id", "dept")
	b.contracted(shouting)
	return b
}

// contractedMerge has changes that are kept out: the lake keeps the last good row of their keys.
func contractedMerge(t testing.TB) *bench {
	t.Helper()
	b := contractedLoad(t)
	b.must(b.settle())
	before := b.rows()
	b.changeRuled(insert(8, "h", "new"), update(1, "A!", "x"), remove(3, "c!", "y"), insert(2, "b2", "y"), insert(9, "i!", "z"))
	b.changeRuled(update(8, "H!", "new"), update(9, "I", "z"), update(4, "D", "z"), insert(6, "f!!", "x"))
	return b.keep(before)
}

func contractedReload(t testing.TB) *bench {
	t.Helper()
	b := contractedReloadAlone(t)
	before, loaded := b.rows(), b.wanted()
	b.changeRuled(update(4, "d!", "y"), update(9, "i2", "y"))
	return b.keep(before, loaded)
}

func contractedReloadAlone(t testing.TB) *bench {
	t.Helper()
	b := contractedLoad(t)
	b.changeRuled(insert(9, "i!", "x"), update(1, "a1", "x"))
	b.must(b.settle())
	before := b.rows()
	b.loadRuled(2, []any{1, "a2", "x"}, []any{2, "b!", "y"}, []any{4, "d", "y"}, []any{9, "i", "w"}, []any{7, "g2", "x"}, []any{10, "j!", "x"}, []any{11, "k", "x"})
	return b.keep(before)
}

// contractedLate has a late file: a change that was kept out of a later file outranks nothing.
func contractedLate(t testing.TB) *bench {
	t.Helper()
	b := contractedLoad(t)
	b.must(b.settle())
	held := b.now().Add(30 * time.Second)
	b.changeRuled(update(1, "A!", "x"), update(4, "D", "z"))
	b.must(b.settle())
	before := b.rows()
	late := []dmsgen.Change{update(1, "A", "y"), update(4, "outranked", "z"), update(7, "G!", "z")}
	key, err := b.writer(b.writes).WriteChanges(t.Context(), b.table, held, late...)
	b.must(err)
	b.must(b.raw.SetLastModified(key, b.now()))
	b.takeRuled(late[0], late[2])
	return b.keep(before)
}

// contractedRebuild makes the table anew by another contract, which lets one row in and keeps another out.
func contractedRebuild(t testing.TB) *bench {
	t.Helper()
	b := contractedMerge(t)
	b.must(b.settle())
	b.contracted("on_violation: quarantine\nrules:\n  - {column: name, pattern: '[^!]*|e!'}\n  - {column: id, max: 8}\n")
	b.oracle.Apply(insert(5, "e!", "x"), remove(9, "I", "z"))
	again := slices.DeleteFunc(slices.Clone(b.kept), func(row string) bool { return row == "e! I" })
	b.kept = slices.Concat(b.kept, again, []string{"I U"})
	b.do = rebuildOnce
	return b
}

// wrongQuarantine holds the quarantine against what was kept out: nothing is lost, and nothing there twice.
func (b *bench) wrongQuarantine(item statestore.Item) error {
	var got []string
	for entry, err := range b.lake.List(b.t.Context(), object.ListInput{Prefix: "_sluice/product/quarantine/"}) {
		b.must(err)
		body, _ := readObject(b.t, b.lake, entry.Key)
		file, err := dmsgen.Read(body)
		b.must(err)
		name, op := file.Column("name"), file.Column("_sluice_op")
		for _, row := range file.Rows {
			got = append(got, fmt.Sprint(row[name], " ", row[op]))
		}
	}
	want := slices.Sorted(slices.Values(b.kept))
	if slices.Sort(got); len(got) > len(want) && b.overtaken != nil {
		want = slices.Sorted(slices.Values(slices.Concat(b.kept, b.overtaken)))
	}
	if !slices.Equal(got, want) {
		return fmt.Errorf("the quarantine has %q, want %q", got, want)
	}
	if count := item[statestore.Quarantined]; len(want) > 0 && count != strconv.Itoa(len(want)) {
		return fmt.Errorf("the item counts %s rows in the quarantine, want %d", count, len(want))
	}
	return nil
}
