package replicate_test

import (
	"testing"
	"time"

	"sluice/internal/replicate"
	"sluice/statestore"
)

// loadedInPieces is a table at rest whose full load has three objects, written an hour one after the other.
func loadedInPieces(t *testing.T) *bench {
	t.Helper()
	b := newBench(t, product())
	b.load(1, []any{1, "a", "x"}, []any{2, "b", "x"}, []any{3, "c", "y"})
	for n, key := range b.rawKeys("LOAD") {
		b.must(b.raw.SetLastModified(key, b.clock.Add(time.Duration(n)*time.Hour)))
	}
	b.pass(3 * time.Hour)
	b.begin("id", "")
	b.must(b.settle())
	b.pass(20 * 24 * time.Hour)
	return b
}

// TestALoadThatIsInTheLakeWaitsForNothing: the watermark names the date of its first object, and the others are younger.
func TestALoadThatIsInTheLakeWaitsForNothing(t *testing.T) {
	t.Parallel()
	b := loadedInPieces(t)
	e := b.engineOn(b.lake, b.state)
	if got, due := b.survey(e); got.Action != replicate.Started || due.Waiting != 0 {
		t.Errorf("the day's first run: %s, %s waited", got.Action, due.Waiting)
	}
	b.must(b.settle())
	b.change(insert(4, "d", "x"))
	b.pass(5 * time.Minute)
	if got, due := b.survey(e); got.Action != replicate.Started || due.Waiting != 5*time.Minute {
		t.Errorf("a change of five minutes ago: %s, %s waited", got.Action, due.Waiting)
	}
	b.pass(time.Hour)
	b.load(1, []any{1, "a", "x"})
	b.pass(2 * time.Hour)
	b.removeRaw(b.rawKeys("LOAD")[1:]...)
	b.removeRaw(b.rawKeys("/2026")...)
	if _, due := b.survey(e); due == nil || due.Waiting != 2*time.Hour {
		t.Errorf("a reload of two hours ago: %+v", due)
	}
}

// TestATableThatIsHaltedOverItsSettingsIsCountedAsHalted as long as they are as they were.
func TestATableThatIsHaltedOverItsSettingsIsCountedAsHalted(t *testing.T) {
	t.Parallel()
	b := merge(t)
	b.attributes(map[string]string{statestore.InputTimezone: "Nowhere/Land"})
	e := b.engineOn(b.lake, b.state)
	if got, due := b.survey(e); got.Action != replicate.Started || due == nil {
		t.Fatalf("settings that cannot be: %s, %+v", got.Action, due)
	}
	if step := e.Plan(t.Context(), benchPath, replicate.StageMerge, replicate.StepOptions{}); step.Action != replicate.Halted {
		t.Fatalf("plan: %s (%s)", step.Action, step.Reason)
	}
	if got, due := b.survey(e); got.Action != replicate.Halted || got.Reason == "" || due != nil {
		t.Errorf("halted over them: %s (%s), %+v", got.Action, got.Reason, due)
	}
}
