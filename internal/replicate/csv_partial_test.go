package replicate_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sluice/internal/replicate"
	"sluice/scripts/dmsgen"
	"sluice/scripts/rig"
	"sluice/statestore"
)

// TestRandomUpdatesThatLeaveOutColumns holds lakes against a map that keeps what an update leaves out. A delete is followed by
// an insert only, as in any database.
func TestRandomUpdatesThatLeaveOutColumns(t *testing.T) {
	t.Parallel()
	for seed := range uint64(24) {
		t.Run(fmt.Sprintf("seed=%d", seed), func(t *testing.T) {
			t.Parallel()
			rng := rand.New(rand.NewPCG(seed, 5))
			w := newCSVWorld(t, func(s *dmsgen.Settings) { s.CSV.NoSup = "~" })
			truth := map[int][]any{}
			word := func() any { return []any{"a", "b", "", nil, "c,d", "NULL!"}[rng.IntN(6)] }
			var rows [][]any
			for id := range 12 {
				truth[id] = []any{id, word(), word()}
				rows = append(rows, slices.Clone(truth[id]))
			}
			w.load(product(), rows...)
			w.tick()
			w.activateCSV(map[string]string{statestore.CSVSchema: productSchema, statestore.CSVNoSup: "~"})
			w.activate("store.product", "id", []string{"", "dept"}[seed%2])
			w.run("store.product", replicate.Loaded)
			for range 6 {
				for range 1 + rng.IntN(3) {
					var changes []dmsgen.Change
					for range 1 + rng.IntN(12) {
						changes = append(changes, someChange(rng, truth, word))
					}
					w.change(product(), changes...)
				}
				if got := w.tick()["store.product"]; got.Action != replicate.Merged {
					t.Fatalf("%s: %s", got.Action, got.Reason)
				}
				var want []string
				for _, row := range truth {
					dept := row[2]
					if seed%2 == 1 && dept == "" {
						dept = nil // a partition directory tells them not apart (ruling 19)
					}
					want = append(want, strings.Join([]string{rig.Text(row[0]), rig.Text(row[1]), rig.Text(dept)}, " "))
				}
				got := w.rows("product", "id, name, dept")
				slices.Sort(want)
				slices.Sort(got)
				if diff := cmp.Diff(want, got); diff != "" {
					t.Fatalf("rows (-want +got):\n%s", diff)
				}
			}
		})
	}
}

// someChange makes a change of one of a few keys, and applies it to the truth.
func someChange(rng *rand.Rand, truth map[int][]any, word func() any) dmsgen.Change {
	id := rng.IntN(16)
	row, known := truth[id]
	switch {
	case !known:
		truth[id] = []any{id, word(), word()}
		return insert(truth[id]...)
	case rng.IntN(4) == 0:
		delete(truth, id)
		return remove(row...)
	}
	said, now := []any{id, word(), word()}, slices.Clone(row)
	for i := 1; i < 3; i++ {
		if rng.IntN(2) == 0 {
			said[i] = dmsgen.Missing{}
		} else {
			now[i] = said[i]
		}
	}
	truth[id] = now
	return update(said...)
}
