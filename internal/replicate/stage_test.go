package replicate_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"testing"
	"time"

	"sluice/internal/object"
	"sluice/internal/replicate"
	"sluice/scripts/rig"
)

// workflow carries table runs out in steps, as the state machine does, and not kindly: a step may be invoked twice, its
// time may be up, batches come in any order, and an execution may be gone between any two steps.
type workflow struct {
	*world
	rng     *rand.Rand
	inline  int64
	unkind  bool
	handed  int
	stopped int
	died    int
}

func (f *workflow) chance(n int) bool { return f.unkind && f.rng.IntN(n) == 0 }

func (f *workflow) engineOf(owner string) *replicate.Engine {
	config := f.config
	f.config.Owner = owner
	defer func() { f.config = config }()
	return f.engine()
}

func (f *workflow) options() replicate.StepOptions {
	o := replicate.StepOptions{InlineBytes: f.inline}
	if f.chance(3) {
		o.StopAt = f.now()
	}
	return o
}

var errDied = errors.New("the execution died")

// tick surveys and carries every table run that was started to its end.
func (f *workflow) tick() map[string]replicate.Result {
	f.t.Helper()
	results, due := map[string]replicate.Result{}, []replicate.Due{}
	err := f.engineOf("controller").Survey(f.t.Context(), func(_ context.Context, d replicate.Due) error {
		due = append(due, d)
		return nil
	}, func(r replicate.Result) { results[r.Table] = r })
	if err != nil {
		f.t.Fatalf("survey: %v", err)
	}
	for _, d := range due {
		sum := &replicate.Result{Action: replicate.Idle}
		for n := 0; ; n++ {
			err := f.execute(fmt.Sprintf("%s-r%d", d.Table, n), d.Path, sum)
			if err == nil {
				break
			}
			f.died++
			f.pass(21 * time.Minute) // until its lease has run out
		}
		results[d.Table] = *sum
	}
	return results
}

func (f *workflow) execute(owner, path string, sum *replicate.Result) error {
	stage, e := replicate.StageMerge, f.engineOf(owner)
	for range 200 {
		if f.chance(30) {
			return errDied
		}
		step := e.Plan(f.t.Context(), path, stage, f.options())
		sumUp(sum, step)
		switch step.Next {
		case replicate.NextEnd:
			return nil
		case replicate.NextLoad:
			stage = replicate.StageLoad
		case replicate.NextMerge:
			stage = replicate.StageMerge
		case replicate.NextAgain:
			f.stopped++
		case replicate.NextApply:
			f.handed++
			next, err := f.apply(e, path, *step.Handover, sum)
			if err != nil || next == replicate.NextEnd {
				return err
			}
			stage = replicate.StageMerge
		}
	}
	f.t.Fatalf("%s loops", path)
	return nil
}

// apply is the two maps, what is between them and the finish.
func (f *workflow) apply(e *replicate.Engine, path string, h replicate.Handover, sum *replicate.Result) (replicate.Next, error) {
	for phase := range h.Phases {
		if err := f.mapPhase(e, h, phase); err != nil {
			return "", err
		}
		if phase == 0 && h.Phases[0].Ops > 0 {
			sumUp(sum, e.Register(f.t.Context(), path, h, replicate.StepOptions{}))
		}
	}
	if f.chance(10) {
		return "", errDied
	}
	step := e.Finish(f.t.Context(), path, h, replicate.StepOptions{})
	sumUp(sum, step)
	if f.chance(4) {
		step = e.Finish(f.t.Context(), path, h, replicate.StepOptions{})
	}
	return step.Next, nil
}

func (f *workflow) mapPhase(e *replicate.Engine, h replicate.Handover, phase int) error {
	if h.Phases[phase].Ops == 0 {
		return nil
	}
	batches := f.batches(h.Phases[phase].Key)
	if len(batches) != h.Phases[phase].Batches {
		f.t.Errorf("%d batches where the handover says %d", len(batches), h.Phases[phase].Batches)
	}
	f.rng.Shuffle(len(batches), func(i, j int) { batches[i], batches[j] = batches[j], batches[i] })
	for i := 0; i < len(batches); i++ {
		if f.chance(20) {
			return errDied
		}
		step := e.ApplyBatch(f.t.Context(), batches[i], f.options())
		switch {
		case step.Action == replicate.Failed:
			f.t.Fatalf("apply a batch: %s", step.Reason)
		case step.Next == replicate.NextAgain, f.chance(5):
			i--
		}
	}
	return nil
}

func (f *workflow) batches(key string) []replicate.Batch {
	body, _, err := f.objects["lake"].Get(f.t.Context(), key, object.GetInput{})
	if err != nil {
		f.t.Fatal(err)
	}
	data, err := io.ReadAll(body)
	if err != nil {
		f.t.Fatal(err)
	}
	var batches []replicate.Batch
	if err := json.Unmarshal(data, &batches); err != nil {
		f.t.Fatal(err)
	}
	return batches
}

// sumUp adds a step to what the table run did, as far as the tests ask.
func sumUp(sum *replicate.Result, s replicate.Step) {
	if s.Action != replicate.Idle || sum.Action == replicate.Idle {
		sum.Action, sum.Reason = s.Action, s.Reason
	}
	sum.Inputs += s.Inputs
	sum.Inserts += s.Inserts
	sum.Updates += s.Updates
	sum.Deletes += s.Deletes
	sum.Changes += s.Changes
	sum.Noops += s.Noops
	sum.Stale += s.Stale
	sum.Duplicates += s.Duplicates
	sum.Anomalies += s.Anomalies
	sum.Superseded += s.Superseded
	sum.FilesCreated += s.FilesCreated
	sum.FilesRewritten += s.FilesRewritten
	sum.Table, sum.Path = s.Table, s.Path
}

// TestRandomLivesInStepsEndAsTheOracleSays plays the lives of whole runs with runs in steps.
func TestRandomLivesInStepsEndAsTheOracleSays(t *testing.T) {
	t.Parallel()
	handed, stopped, died := 0, 0, 0
	for seed := range uint64(60) {
		t.Run(fmt.Sprintf("seed=%d", seed), func(t *testing.T) {
			l := newLife(t, seed)
			f := &workflow{world: l.world, rng: rand.New(rand.NewPCG(seed, 11)), inline: []int64{0, 100, 1 << 30}[seed%3], unkind: true}
			l.ticker = f.tick
			l.live(40)
			handed, stopped, died = handed+f.handed, stopped+f.stopped, died+f.died
		})
	}
	if handed < 300 || stopped < 50 || died < 100 {
		t.Errorf("%d commits handed over, %d steps out of time, %d executions died: too few to say anything", handed, stopped, died)
	}
	rig.Figure(t, "table runs in steps", "%d commits handed over, %d steps out of time, %d executions died", handed, stopped, died)
}

// tickInSteps is a tick whose table run is carried out in steps, each commit handed over. A step that went wrong ends the
// execution, as it does when the workflow has repeated it in vain.
func tickInSteps(b *bench, e *replicate.Engine) (got replicate.Result, err error) {
	ctx, path := b.t.Context(), ""
	err = e.Survey(ctx, func(_ context.Context, d replicate.Due) error {
		path = d.Path
		return nil
	}, func(r replicate.Result) { got = r })
	if got.Action == replicate.Busy { // until the lease of an execution that is gone has run out
		*b.clock = b.clock.Add(21 * time.Minute)
	}
	if err != nil || path == "" {
		return got, err
	}
	got.Action = replicate.Idle
	went := func(s replicate.Step) bool {
		sumUp(&got, s)
		return s.Action != replicate.Failed && s.Action != replicate.Halted
	}
	for stage := replicate.StageMerge; ; {
		step := e.Plan(ctx, path, stage, replicate.StepOptions{})
		if !went(step) || step.Next == replicate.NextEnd {
			return got, nil
		}
		stage = replicate.StageMerge
		switch step.Next {
		case replicate.NextLoad:
			stage = replicate.StageLoad
		case replicate.NextApply:
			if next := b.applyInSteps(e, path, *step.Handover, went); next != replicate.NextMerge {
				return got, nil
			}
		case replicate.NextMerge, replicate.NextAgain, replicate.NextEnd:
		}
	}
}

func (b *bench) applyInSteps(e *replicate.Engine, path string, h replicate.Handover, went func(replicate.Step) bool) replicate.Next {
	ctx := b.t.Context()
	for phase := range h.Phases {
		if h.Phases[phase].Ops == 0 {
			continue
		}
		data, _ := readObject(b.t, b.lake, h.Phases[phase].Key)
		var batches []replicate.Batch
		if err := json.Unmarshal(data, &batches); err != nil {
			b.t.Fatal(err)
		}
		for _, batch := range batches {
			if !went(e.ApplyBatch(ctx, batch, replicate.StepOptions{})) {
				return replicate.NextEnd
			}
		}
		if phase == 0 && !went(e.Register(ctx, path, h, replicate.StepOptions{})) {
			return replicate.NextEnd
		}
	}
	step := e.Finish(ctx, path, h, replicate.StepOptions{})
	if !went(step) {
		return replicate.NextEnd
	}
	return step.Next
}
