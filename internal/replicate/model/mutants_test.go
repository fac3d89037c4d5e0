package model_test

import (
	"testing"

	"sluice/internal/replicate/model"
	"sluice/scripts/rig"
)

// caught says in which scenario the checker finds a mutant, and what it breaks.
type caught struct {
	scenario string
	breaks   model.Invariant
}

func catches() map[model.Mutant]caught {
	return map[model.Mutant]caught{
		model.OnePhase:              {"swap", model.Reader},
		model.MoveIntoRewrite:       {"swap", model.Reader},
		model.HeadHaltsUnapplied:    {"merge", model.Halts},
		model.DiffersIsApplied:      {"foreign", model.Exact},
		model.RewriteUnconditional:  {"merge", model.Exact},
		model.CreateUnconditional:   {"move", model.Exact},
		model.NoReread:              {"sleeper", model.Exact},
		model.CatalogLate:           {"catalog", model.Reader},
		model.ZeroRowTarget:         {"emptied file", model.Halts},
		model.WatermarkFirst:        {"merge", model.Watermark},
		model.CommitAnySettings:     {"settings before the first load", model.Halts},
		model.CommitAnySeq:          {"move", model.Reader},
		model.FinishSkipsCreates:    {"finish elsewhere", model.Exact},
		model.FinishKeepsHalt:       {"overtaken load", model.Halts},
		model.ReplaceKeepsHalt:      {"foreign in a rewriting", model.Halts},
		model.DigestOfFinish:        {"merge", model.Converges},
		model.HaltAnyCommit:         {"overtaken load", model.Halts},
		model.KeepOldListing:        {"listing before the item", model.Halts},
		model.LateOutranks:          {"late file", model.Reader},
		model.ReplaceWithoutFence:   {"overtaken load", model.Exact},
		model.FenceKeepsBytes:       {"foreign", model.Halts},
		model.KeylessByMark:         {"foreign, key-less", model.Reader},
		model.UndoEverything:        {"foreign in a rewriting", model.Exact},
		model.CompactEmptiesFirst:   {"compact", model.Reader},
		model.EmptyUnconditional:    {"compact and another writer", model.Exact},
		model.CompactReplacedAsLoad: {"compact and another writer", model.Exact},
		model.RegisterAtZero:        {"deleted item", model.Halts},
		model.ImportKeepsSeq:        {"imported item", model.Reader},
		model.ImportOldCommit:       {"imported item", model.Halts},
		model.JanitorIgnoresPending: {"janitor", model.Halts},
		model.JanitorTooEarly:       {"janitor", model.Halts},
		model.JanitorSleeps:         {"sleeper", model.Halts},
		model.JanitorTakesDrafts:    {"bookkeeping", model.Converges},
	}
}

// TestMutants changes the protocol in one place each; the checker has to find every one.
func TestMutants(t *testing.T) {
	t.Parallel()
	want := catches()
	for _, mutant := range model.Mutants() {
		t.Run(mutant.String(), func(t *testing.T) {
			t.Parallel()
			sc := scenario(t, want[mutant].scenario)
			r := model.Check(&sc, mutant, mutantStates)
			if r.Violation == nil {
				t.Fatalf("not caught in %q: %d states", sc.Name, r.States)
			}
			if r.Violation.Invariant != want[mutant].breaks {
				t.Errorf("breaks %q (%s), want %q:\n%s", r.Violation.Invariant, r.Violation.Text, want[mutant].breaks, told(r))
			}
			t.Logf("%s: %s; %d states, %d steps to it", r.Violation.Invariant, r.Violation.Text, r.States, len(r.Trace))
		})
	}
	t.Cleanup(func() { rig.Figure(t, "model", "%d mutants of the commit protocol caught", len(want)) })
}

func scenario(t *testing.T, name string) model.Scenario {
	t.Helper()
	for _, sc := range model.Scenarios() {
		if sc.Name == name {
			return sc
		}
	}
	t.Fatalf("there is no scenario %q", name)
	return model.Scenario{}
}
