package replicate_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"sluice/internal/object"
	"sluice/scripts/dmsgen"
)

// scenarios are the worlds whose next run is broken at every effect.
func scenarios() []scenario {
	all := []scenario{
		{name: "big-load", make: bigLoad, big: true},
		{name: "load", make: partitionedLoad},
		{name: "merge", make: merge},
		{name: "partition-move", make: partitionMove, doubles: true},
		{name: "reload", make: reload, doubles: true},
		{name: "new-column", make: newColumn},
		{name: "keyless-append", make: keylessAppend},
		{name: "schema-rewrite", make: schemaRewrite, doubles: true},
		{name: "repartition", make: repartition, doubles: true},
		{name: "truncate", make: truncate},
		{name: "rebuild", make: rebuildOfALife, doubles: true, big: true},
		{name: "rebuild-damaged", make: rebuildOfADamagedLake, doubles: true, big: true},
		{name: "compact", make: compactScattered, doubles: true},
		{name: "compact-keyless", make: compactKeyless, doubles: true, big: true},
		{name: "compact-by-itself", make: compactBySelf, doubles: true, big: true},
		{name: "late-file", make: lateFile, doubles: true},
		{name: "keyless-reload", make: keylessReload, doubles: true},
		{name: "order-column", make: orderColumn},
		{name: "key-update", make: keyUpdate, doubles: true},
		{name: "adopted", make: adopted, doubles: true},
		{name: "vanished-then-reload", make: vanishedThenReload, doubles: true},
		{name: "reload-accepted", make: reloadAccepted, doubles: true},
		{name: "deactivated", make: merge, between: deactivateForARun},
		{name: "other-primary-key", make: changesOfTwoKeys, doubles: true, between: otherPrimaryKey, unsaid: true},
		{name: "item-lost", make: itemLost, doubles: true, between: activateAgain},
		{name: "contract-load", make: contractedLoad},
		{name: "contract-merge", make: contractedMerge},
		{name: "contract-reload", make: contractedReload, doubles: true},
		{name: "contract-late", make: contractedLate, doubles: true},
		{name: "contract-rebuild", make: contractedRebuild, doubles: true, big: true},
		{name: "janitor", make: muchToClean, first: janitor, between: cleanAfterARun},
	}
	for _, s := range all {
		switch s.name {
		case "load", "merge", "partition-move", "reload", "keyless-append", "schema-rewrite", "adopted", "truncate", "reload-accepted", "vanished-then-reload", "contract-load", "contract-merge":
			whole := s.make
			s.name, s.make = s.name+"+steps", func(t testing.TB) *bench {
				t.Helper()
				b := whole(t)
				b.do = tickInSteps
				return b
			}
			all = append(all, s)
		}
	}
	for _, s := range all {
		switch s.name {
		case "load", "merge", "partition-move", "reload", "keyless-append", "schema-rewrite", "truncate", "contract-load", "contract-merge":
			s.name, s.between, s.prompt = s.name+"+janitor", cleanMuchLater, true
			all = append(all, s)
		}
	}
	return all
}

// scenarioNamed finds a scenario, or a commit that is replaced after it died at one of its effects.
func scenarioNamed(t testing.TB, name string) (scenario, error) {
	t.Helper()
	for _, s := range scenarios() {
		if s.name == name {
			return s, nil
		}
	}
	for _, d := range disturbances() {
		if s, ok := d.named(t, name); ok {
			return s, nil
		}
	}
	return scenario{}, fmt.Errorf("there is no scenario %q", name)
}

// keylessProduct is the product table without a key.
func keylessProduct() dmsgen.Table {
	table := product()
	table.Key = nil
	return table
}

// wide is a text that no codec makes small.
func wide(seed uint64, bytes int) string {
	var text strings.Builder
	random := rand.New(rand.NewPCG(seed, seed))
	for text.Len() < bytes {
		text.WriteByte(byte('!' + random.IntN(90)))
	}
	return text.String()
}

// keep says that the keys which are there at every moment given and in the end must be
// seen all the time, with a row of any of these moments.
func (b *bench) keep(moments ...map[string][]string) *bench {
	b.always = map[string][]string{}
	for key, texts := range b.wanted() {
		texts, everywhere := slices.Clone(texts), true
		for _, rows := range moments {
			texts, everywhere = append(texts, rows[key]...), everywhere && len(rows[key]) > 0
		}
		if everywhere {
			b.always[key] = texts
		}
	}
	return b
}

// partitioned is a loaded table of three partitions.
func partitioned(t testing.TB) *bench {
	t.Helper()
	return partitionedOf(newBench(t, product()))
}

// partitionedOf loads b's table into three partitions.
func partitionedOf(b *bench) *bench {
	b.load(10, []any{1, "a", "x"}, []any{2, "b", "x"}, []any{3, "c", "y"}, []any{4, "d", "y"}, []any{5, "e", "z"})
	b.begin("id", "dept")
	b.must(b.settle())
	return b
}

func bigLoad(t testing.TB) *bench {
	t.Helper()
	b := newBench(t, product())
	b.config.Compression = "none"
	b.load(1, []any{1, wide(1, 530<<10), "x"}, []any{2, wide(2, 530<<10), "y"})
	b.begin("id", "")
	return b
}

func partitionedLoad(t testing.TB) *bench {
	t.Helper()
	b := newBench(t, product())
	b.load(2, []any{1, "a", "x"}, []any{2, "b", "y"}, []any{3, "c", "y"}, []any{4, "d", "z"}, []any{5, "e", "x"})
	b.begin("id", "dept")
	return b
}

func merge(t testing.TB) *bench {
	t.Helper()
	b := partitioned(t)
	before := b.rows()
	b.change(insert(6, "f", "new"), update(1, "A", "x"), remove(3, "c", "y"), insert(7, "g", "z"))
	b.change(update(6, "F", "new"), remove(5, "e", "z"), remove(7, "g", "z"))
	return b.keep(before)
}

func partitionMove(t testing.TB) *bench {
	t.Helper()
	b := partitioned(t)
	before := b.rows()
	b.change(update(1, "a", "y"), update(3, "c", "new"), update(5, "e", "x"), insert(8, "h", "x"))
	return b.keep(before)
}

func reload(t testing.TB) *bench {
	t.Helper()
	b := partitioned(t)
	b.change(insert(9, "i", "x"))
	b.must(b.settle())
	before := b.rows()
	b.load(10, []any{1, "a1", "x"}, []any{2, "b", "y"}, []any{4, "d", "y"}, []any{9, "i", "w"})
	loaded := b.wanted()
	b.change(update(2, "b2", "y"))
	return b.keep(before, loaded)
}

func newColumn(t testing.TB) *bench {
	t.Helper()
	b := partitioned(t)
	b.table.Columns = append(b.table.Columns, dmsgen.Column{Name: "price", Type: "int"})
	before := b.rows()
	b.change(update(1, "A", "x", 7), insert(6, "f", "new", 8), remove(3, "c", "y", nil))
	return b.keep(before)
}

func keylessAppend(t testing.TB) *bench {
	t.Helper()
	b := newBench(t, keylessProduct())
	b.load(10, []any{1, "a", "x"}, []any{2, "b", "y"})
	b.begin("", "dept")
	b.must(b.settle())
	before := b.rows()
	b.change(insert(3, "c", "x"), insert(4, "d", "new"))
	b.change(insert(5, "e", "y"), remove(1, "a", "x"))
	return b.keep(before)
}

func schemaRewrite(t testing.TB) *bench {
	t.Helper()
	b := partitioned(t)
	before := b.rows()
	b.table.Columns[0].Type = "bigint"
	b.change(update(1, "A", "x"), insert(5_000_000_000, "big", "x"))
	b.tickOn(b.lake, b.state)
	b.acknowledge("schema")
	return b.keep(before)
}

func repartition(t testing.TB) *bench {
	t.Helper()
	b := partitioned(t)
	before := b.rows()
	b.activate("id", "name")
	b.change(update(1, "A", "x"), insert(6, "f", "z"))
	b.tickOn(b.lake, b.state)
	b.acknowledge("reload")
	return b.keep(before)
}

func truncate(t testing.TB) *bench {
	t.Helper()
	b := partitioned(t)
	b.change(update(1, "A", "x"))
	b.must(b.settle())
	for entry, err := range b.raw.List(t.Context(), object.ListInput{}) {
		b.must(err)
		b.must(b.raw.Delete(t.Context(), entry.Key, ""))
	}
	b.oracle.Load()
	b.tickOn(b.lake, b.state)
	b.acknowledge("truncate")
	return b
}
