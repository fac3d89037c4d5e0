package replicate_test

import (
	"testing"

	"sluice/internal/object/objectfault"
	"sluice/internal/replicate"
	"sluice/statestore"
	"sluice/statestore/statestorefault"
)

// fenceBegins puts a fence in the place of the pending commit and dies when every create is blocked and no rewrite is.
func (b *bench) fenceBegins(creates int) {
	b.t.Helper()
	b.attributes(map[string]string{statestore.Accept: "foreign"})
	b.inOrder = true
	const planned = 2 // the fence's batches and its plan
	lake := objectfault.New(b.lake, objectfault.Fault{At: planned + creates, How: objectfault.After, Crash: true})
	state := statestorefault.New(b.state, statestorefault.Fault{})
	state.DieWith(lake.Dead)
	b.must(b.engineOn(lake, state).Run(b.t.Context(), func(replicate.Result) {}))
	if !lake.Fired() {
		b.t.Fatal("the fence was not made")
	}
}

// TestABlockedCreateIsNoRowsThatAreThere: a batch of phase 2 is invoked while a fence takes the place of its commit. The
// fence's empty files have the names of what phase 1 was to create; who took them for that would take rows away which are
// nowhere else.
func TestABlockedCreateIsNoRowsThatAreThere(t *testing.T) {
	t.Parallel()
	for name, from := range map[string]func(testing.TB) *bench{
		"rows that move": partitionMove,
		"a compaction": func(t testing.TB) *bench {
			t.Helper()
			b := crowded(t, 10)
			b.config.Compact = true
			return b
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := from(t)
			b.doubles = true
			h, batches := b.handOver()
			before := b.rows()
			lake := &meddled{Objects: b.lake, folder: "product/", meddle: func() { b.fenceBegins(h.Phases[0].Ops) }}
			lake.written.Store(true)
			step := b.engineOn(lake, b.state).ApplyBatch(t.Context(), batches[1][0], replicate.StepOptions{})
			if step.Next != replicate.NextEnd {
				t.Errorf("batch: %s (%s), then %s", step.Action, step.Reason, step.Next)
			}
			for key := range before {
				if len(b.rows()[key]) == 0 {
					t.Errorf("row %s is nowhere", key)
				}
			}
			b.must(b.settle())
			b.must(b.wrong())
		})
	}
}
