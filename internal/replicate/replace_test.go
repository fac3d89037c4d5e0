package replicate_test

import (
	"testing"

	"sluice/internal/object/objectfault"
	"sluice/internal/replicate"
	"sluice/statestore"
	"sluice/statestore/statestorefault"
)

// TestWhatIsReplacedEndsWithTheSettingsThatItBeganWith changes the primary key and the partition key when the fence of
// a merge is there. The changes are of the old key, and so is their new plan; nothing keeps it from becoming binding.
func TestWhatIsReplacedEndsWithTheSettingsThatItBeganWith(t *testing.T) {
	d := disturbances()[0]
	s := d.last(t)
	for at := 1; ; at++ {
		b := s.world(t)
		lake, state := objectfault.New(b.lake, objectfault.Fault{}), statestorefault.New(b.state, statestorefault.Fault{At: at, How: statestorefault.After, Crash: true})
		lake.DieWith(state.Dead)
		b.tickOn(lake, state)
		if !state.Fired() {
			t.Fatal("no run died behind the fence")
		}
		var plan replicate.Plan
		if item := b.item(); !item.Pending() {
			t.Fatal("no run died behind the fence")
		} else if b.must(b.bookkept(item[statestore.CommitPlan], &plan)); plan.Kind != replicate.KindFence {
			continue
		}
		b.config.Owner = "third"
		_, err := b.state.Update(t.Context(), statestore.Update{Path: benchPath, Set: map[string]string{statestore.PrimaryKey: "name", statestore.OrderColumn: "dept"}})
		b.must(err)
		for range 3 {
			if got := b.tickOn(b.lake, b.state); got.Action == replicate.Failed || got.Action == replicate.Halted {
				t.Fatalf("%s: %s", got.Action, got.Reason)
			}
		}
		b.must(b.wrong())
		return
	}
}
