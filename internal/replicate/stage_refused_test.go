package replicate_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sluice/internal/object"
	"sluice/internal/replicate"
	"sluice/scripts/dmsgen"
	"sluice/statestore"
)

// handedOver is a commit with both phases whose ops nobody has applied yet, and its batches.
func handedOver(t *testing.T) (*bench, replicate.Handover, [2][]replicate.Batch) {
	t.Helper()
	b := partitionMove(t)
	b.doubles = true
	h, batches := b.handOver()
	return b, h, batches
}

// handOver plans the next commit, which has to have both phases, and applies nothing of it.
func (b *bench) handOver() (replicate.Handover, [2][]replicate.Batch) {
	b.t.Helper()
	step := b.engineOn(b.lake, b.state).Plan(b.t.Context(), benchPath, replicate.StageMerge, replicate.StepOptions{})
	if step.Next != replicate.NextApply {
		b.t.Fatalf("plan: %+v", step)
	}
	var batches [2][]replicate.Batch
	for phase, p := range step.Handover.Phases {
		if p.Ops == 0 {
			b.t.Fatalf("phase %d is empty", phase+1)
		}
		data, _ := readObject(b.t, b.lake, p.Key)
		b.must(json.Unmarshal(data, &batches[phase]))
	}
	return *step.Handover, batches
}

func TestPhaseTwoWaitsForPhaseOne(t *testing.T) {
	t.Parallel()
	b, h, batches := handedOver(t)
	e := b.engineOn(b.lake, b.state)
	before := b.rows()
	step := e.ApplyBatch(t.Context(), batches[1][0], replicate.StepOptions{})
	if step.Action != replicate.Failed || !strings.Contains(step.Reason, "before its phase 1 is complete") {
		t.Errorf("phase 2 first: %s (%s)", step.Action, step.Reason)
	}
	if step := e.Register(t.Context(), benchPath, h, replicate.StepOptions{}); step.Action != replicate.Failed {
		t.Errorf("register before phase 1: %s (%s)", step.Action, step.Reason)
	}
	if step := e.Finish(t.Context(), benchPath, h, replicate.StepOptions{}); step.Action != replicate.Failed {
		t.Errorf("finish before phase 1: %s (%s)", step.Action, step.Reason)
	}
	if diff := cmp.Diff(before, b.rows()); diff != "" {
		t.Errorf("the lake changed: %s", diff)
	}
}

func TestBatchesThatSayNothingAreRefused(t *testing.T) {
	t.Parallel()
	b, _, batches := handedOver(t)
	good := batches[0][0]
	for name, spoil := range map[string]func(*replicate.Batch){
		"no ops":       func(x *replicate.Batch) { x.Ops = nil },
		"no commit":    func(x *replicate.Batch) { x.ID = "" },
		"no plan":      func(x *replicate.Batch) { x.Plan = "" },
		"phase 3":      func(x *replicate.Batch) { x.Phase = 3 },
		"another plan": func(x *replicate.Batch) { x.Plan += "x" },
		"unknown op":   func(x *replicate.Batch) { x.Ops = append([]replicate.Op{}, x.Ops...); x.Ops[0].Kind = "erase" },
	} {
		bad := good
		spoil(&bad)
		step := b.engineOn(b.lake, b.state).ApplyBatch(t.Context(), bad, replicate.StepOptions{})
		if step.Action != replicate.Failed || step.Reason == "" {
			t.Errorf("%s: %s (%s)", name, step.Action, step.Reason)
		}
	}
}

func TestABatchOfAFinishedCommitEndsQuietly(t *testing.T) {
	t.Parallel()
	b, h, batches := handedOver(t)
	b.must(b.settle())
	before := b.rows()
	e := b.engineOn(b.lake, b.state)
	for phase := range batches {
		for _, batch := range batches[phase] {
			if step := e.ApplyBatch(t.Context(), batch, replicate.StepOptions{}); step.Action != replicate.Busy || step.Next != replicate.NextEnd {
				t.Errorf("late batch: %s, then %s", step.Action, step.Next)
			}
		}
	}
	if step := e.Finish(t.Context(), benchPath, h, replicate.StepOptions{}); step.Action != replicate.Idle || step.Next != replicate.NextMerge {
		t.Errorf("late finish: %s (%s), then %s", step.Action, step.Reason, step.Next)
	}
	if diff := cmp.Diff(before, b.rows()); diff != "" {
		t.Errorf("the lake changed: %s", diff)
	}
}

// TestAHaltDuringABatchIsToldByTheFinish: the worker that halts the table is one of many, of which nobody reads the answers.
func TestAHaltDuringABatchIsToldByTheFinish(t *testing.T) {
	t.Parallel()
	b, h, batches := handedOver(t)
	e := b.engineOn(b.lake, b.state)
	if !b.foreign(batches[1][0].Ops[0].Files[0].Dir, 100, "foreign", "x") {
		t.Fatal("no file to write in")
	}
	for phase := range batches {
		for _, batch := range batches[phase] {
			e.ApplyBatch(t.Context(), batch, replicate.StepOptions{})
		}
	}
	step := e.Finish(t.Context(), benchPath, h, replicate.StepOptions{})
	if step.Action != replicate.Halted || step.Next != replicate.NextEnd || !strings.HasPrefix(step.Reason, "foreign: ") {
		t.Errorf("finish: %s (%s), then %s", step.Action, step.Reason, step.Next)
	}
}

// TestARunThatEndsHaltedLeavesNoLease: who has seen to the halt need not wait until it has run out.
func TestARunThatEndsHaltedLeavesNoLease(t *testing.T) {
	t.Parallel()
	b, h, batches := handedOver(t)
	e := b.engineOn(b.lake, b.state)
	if !b.foreign(batches[1][0].Ops[0].Files[0].Dir, 100, "foreign", "x") {
		t.Fatal("no file to write in")
	}
	for phase := range batches {
		for _, batch := range batches[phase] {
			e.ApplyBatch(t.Context(), batch, replicate.StepOptions{})
		}
	}
	if b.item()[statestore.LeaseOwner] == "" {
		t.Error("a batch has let go of the lease of its run")
	}
	e.Finish(t.Context(), benchPath, h, replicate.StepOptions{})
	if owner := b.item()[statestore.LeaseOwner]; owner != "" {
		t.Errorf("%s still has the lease", owner)
	}
}

// TestAHaltIsToldByTheReasonThatIsRecorded: that is the one to acknowledge. What else a run meets in a halted table is no
// halt of its own, of which an operator would be told with every tick.
func TestAHaltIsToldByTheReasonThatIsRecorded(t *testing.T) {
	t.Parallel()
	b, h, _ := handedOver(t)
	b.attributes(map[string]string{statestore.Status: statestore.StatusHalted, statestore.StatusReason: "foreign: somebody wrote"})
	b.must(b.lake.Delete(t.Context(), h.Plan, ""))
	step := b.engineOn(b.lake, b.state).Plan(t.Context(), benchPath, replicate.StageMerge, replicate.StepOptions{})
	if step.Action != replicate.Halted || step.Reason != "foreign: somebody wrote" {
		t.Errorf("%s (%s)", step.Action, step.Reason)
	}
}

// TestATableThatIsGoneEndsItsRun: an operator deleted the control item while an execution was under way.
func TestATableThatIsGoneEndsItsRun(t *testing.T) {
	t.Parallel()
	b := newBench(t, product())
	step := b.engineOn(b.lake, b.state).Plan(t.Context(), benchPath, replicate.StageMerge, replicate.StepOptions{})
	if step.Action != replicate.Inactive || step.Next != replicate.NextEnd || step.Reason == "" {
		t.Errorf("plan: %s (%s), then %s", step.Action, step.Reason, step.Next)
	}
}

// TestADeactivatedTableStopsBehindItsCommit: the commit that was handed over is finished, and nothing new is planned.
func TestADeactivatedTableStopsBehindItsCommit(t *testing.T) {
	t.Parallel()
	b, h, batches := handedOver(t)
	e := b.engineOn(b.lake, b.state)
	if _, err := e.Deactivate(t.Context(), "store.product"); err != nil {
		t.Fatal(err)
	}
	for phase := range batches {
		for _, batch := range batches[phase] {
			if step := e.ApplyBatch(t.Context(), batch, replicate.StepOptions{}); step.Next != replicate.NextEnd || step.Action == replicate.Failed {
				t.Errorf("batch: %s (%s)", step.Action, step.Reason)
			}
		}
	}
	if step := e.Finish(t.Context(), benchPath, h, replicate.StepOptions{}); step.Action != replicate.Merged {
		t.Errorf("finish: %s (%s)", step.Action, step.Reason)
	}
	b.change(insert(77, "new", "x"))
	if step := e.Plan(t.Context(), benchPath, replicate.StageMerge, replicate.StepOptions{}); step.Action != replicate.Inactive || step.Next != replicate.NextEnd {
		t.Errorf("plan behind it: %s (%s), then %s", step.Action, step.Reason, step.Next)
	}
}

// survey says what a survey did with the table, and whether it was to be started.
func (b *bench) survey(e *replicate.Engine) (got replicate.Result, due *replicate.Due) {
	b.t.Helper()
	err := e.Survey(b.t.Context(), func(_ context.Context, d replicate.Due) error {
		due = &d
		return nil
	}, func(r replicate.Result) { got = r })
	if err != nil {
		b.t.Fatal(err)
	}
	return got, due
}

func TestSurveyStartsWhatHasWork(t *testing.T) {
	t.Parallel()
	b := merge(t)
	e := b.engineOn(b.lake, b.state)
	got, due := b.survey(e)
	if got.Action != replicate.Started || due == nil || due.Path != benchPath || due.Waiting <= 0 {
		t.Errorf("changes wait: %+v, %+v", got, due)
	}
	b.must(b.settle())
	if got, due := b.survey(e); got.Action != replicate.Idle || due != nil {
		t.Errorf("nothing is new: %+v, %+v", got, due)
	}
	b.change(insert(77, "new", "x"))
	if err := b.state.Claim(t.Context(), benchPath, "another", 1e9); err != nil {
		t.Fatal(err)
	}
	if got, due := b.survey(e); got.Action != replicate.Busy || due != nil {
		t.Errorf("another run has it: %+v, %+v", got, due)
	}
	if err := b.state.Release(t.Context(), benchPath, "another"); err != nil {
		t.Fatal(err)
	}
	set := map[string]string{statestore.Status: statestore.StatusHalted, statestore.StatusReason: "input: broken"}
	if _, err := b.state.Update(t.Context(), statestore.Update{Path: benchPath, Set: set}); err != nil {
		t.Fatal(err)
	}
	if got, due := b.survey(e); got.Action != replicate.Halted || due != nil {
		t.Errorf("halted: %+v, %+v", got, due)
	}
}

// wideTable has so many columns that what an op says of its file outgrows the state of a workflow.
func wideTable(columns int) dmsgen.Table {
	t := dmsgen.Table{Schema: "store", Name: "product", Key: []string{"id"}, Columns: []dmsgen.Column{{Name: "id", Type: "int"}}}
	for n := range columns {
		t.Columns = append(t.Columns, dmsgen.Column{Name: fmt.Sprintf("a_column_with_a_long_name_%04d", n), Type: "int"})
	}
	return t
}

// TestAnOpThatOutgrowsAWorkflowsStateIsAppliedWhereItWasPlanned: 256 KiB are what a state may have.
func TestAnOpThatOutgrowsAWorkflowsStateIsAppliedWhereItWasPlanned(t *testing.T) {
	t.Parallel()
	for columns, want := range map[int]replicate.Next{1000: replicate.NextApply, 3900: replicate.NextMerge} {
		b := newBench(t, wideTable(columns))
		row := make([]any, columns+1)
		for i := range row {
			row[i] = int64(i)
		}
		b.load(10, row)
		b.begin("id", "")
		step := b.engineOn(b.lake, b.state).Plan(t.Context(), benchPath, replicate.StageLoad, replicate.StepOptions{})
		if step.Next != want {
			t.Errorf("%d columns: %s (%s), then %s", columns, step.Action, step.Reason, step.Next)
		}
		for entry, err := range b.lake.List(t.Context(), object.ListInput{Prefix: "_sluice/product/commits/"}) {
			b.must(err)
			if want == replicate.NextApply && strings.Contains(entry.Key, ".batch-") && entry.Size > 256<<10 {
				t.Errorf("%d columns: %s holds one batch and has %d bytes", columns, entry.Key, entry.Size)
			}
		}
	}
}
