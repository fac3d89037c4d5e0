package replicate_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"sluice/internal/replicate"
	"sluice/scripts/dmsgen"
	"sluice/statestore"
)

// TestRuling24_OneFolderHasOneOwnerWhoeverIsFaster lets two tables, which were told the same folder, make their first
// commits at once, in many orders.
func TestRuling24_OneFolderHasOneOwnerWhoeverIsFaster(t *testing.T) {
	owners := map[string]int{}
	for seed := range uint64(30) {
		b := newBench(t, product())
		b.load(10, []any{1, "a", "x"})
		other := product()
		other.Schema = "other"
		_, err := b.writer(dmsgen.DefaultSettings()).WriteLoad(t.Context(), other, b.now(), []any{2, "b", "y"})
		b.must(err)
		b.tickOn(b.lake, b.state)
		for _, table := range []string{"store.product", "other.product"} {
			key := "id"
			_, err := b.engineOn(b.lake, b.state).Activate(t.Context(), table, replicate.Activation{PrimaryKey: &key})
			b.must(err)
			path := "raw/" + strings.Replace(table, ".", "/", 1) + "/"
			_, err = b.state.Update(t.Context(), statestore.Update{Path: path, Set: map[string]string{statestore.OutPath: "lake/"}})
			b.must(err)
		}
		b.config.Parallel = 2
		wait := dawdle(seed)
		said := map[string]string{}
		b.must(b.engineOn(dawdling{b.lake, wait}, unleased{b.state, wait}).Run(t.Context(), func(r replicate.Result) {
			reason, _, _ := strings.Cut(r.Reason, ":")
			said[r.Table] = strings.TrimSpace(string(r.Action) + " " + reason)
		}))
		rows := slices.Sorted(maps.Keys(b.rows()))
		owner, row := "store.product", "1"
		if said[owner] != "loaded" {
			owner, row = "other.product", "2"
		}
		if said[owner] != "loaded" || !slices.Equal(rows, []string{row}) {
			t.Errorf("seed %d: %v, rows %v", seed, said, rows)
		}
		delete(said, owner)
		for table, what := range said {
			if what != "halted location" {
				t.Errorf("seed %d: %s: %s", seed, table, what)
			}
		}
		owners[owner]++
	}
	if len(owners) != 2 {
		t.Errorf("always the same was faster: %v", owners)
	}
}

// TestAnItemThatWasLostGoesOnCounting: a number that was used names commits of the folder; it must not be used again.
func TestAnItemThatWasLostGoesOnCounting(t *testing.T) {
	b := itemLost(t)
	var largest uint64
	for _, key := range b.keys("_sluice/product/commits/") {
		var seq uint64
		_, err := fmt.Sscanf(strings.TrimPrefix(key, "_sluice/product/commits/"), "%d-", &seq)
		b.must(err)
		largest = max(largest, seq)
	}
	before := b.keys("")
	b.begin("id", "dept")
	if got, err := statestore.ParseSeq(b.item()[statestore.Seq]); err != nil || got != largest || largest < 2 {
		t.Errorf("registered anew with Seq %d, error %v, the folder has %d", got, err, largest)
	}
	b.doubles, b.always = true, nil
	b.must(b.settle())
	b.must(b.wrong())
	for _, key := range before {
		if strings.HasPrefix(key, "_sluice/") && !slices.Contains(b.keys("_sluice/"), key) {
			t.Errorf("%s is gone", key)
		}
	}
}
