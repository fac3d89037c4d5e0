package replicate

import (
	"context"
	"errors"
	"fmt"
	"time"

	"sluice/statestore"
)

// A table run may be carried out in steps, each by an invocation of its own, as a workflow does: plan a stage, apply
// the batches of each phase, register what phase 1 created, finish. The steps are those of [Engine.Run]; what
// stands between two of them is in the control item and in the lake, so that any of them may be repeated, be late, or
// be the last one that anybody sees of its run.

// Stage says which plans a step makes.
type Stage string

// The stages of a table run.
const (
	StageLoad  Stage = "load"  // full loads
	StageMerge Stage = "merge" // everything else; one that meets a full load leaves it to the other
)

// Next says what is to follow a step.
type Next string

// What may follow a step.
const (
	NextEnd   Next = "end"   // nothing is left to do, or the table stopped: Action says which
	NextLoad  Next = "load"  // a full load waits: plan the stage load
	NextMerge Next = "merge" // plan the stage merge
	NextApply Next = "apply" // the handover's batches are to be applied, phase by phase, then finished
	NextAgain Next = "again" // the time was up: the same step once more
)

// Step is what one invocation of a table run came to.
type Step struct {
	Result
	Next       Next
	Handover   *Handover // with NextApply
	LagSeconds int64     // age of the newest thing in the lake; -1 = nothing consumed yet
}

// Handover is a commit whose ops others are to apply.
type Handover struct {
	Bucket string // of plan and batches
	Seq    uint64
	ID     string
	Plan   string // object key
	Phases [2]Phase
}

// StepOptions are the bounds of a step.
type StepOptions struct {
	StopAt      time.Time // nothing is begun from here on; zero = no bound
	InlineBytes int64     // a commit whose ops weigh more is handed over
}

// What ends a step before the table run is at its end.
var (
	errHanded  = errors.New("the commit is handed over")
	errTimeUp  = errors.New("the time of the step is up")
	errLoadDue = errors.New("a full load is due")
)

// stepping is how a run goes that is one step of a table run; nil for a run that is all of it.
type stepping struct {
	StepOptions
	stage  Stage
	handed *Handover
}

// leaveTime is how long the lease lasts when a commit is handed over, and while its batches are applied: what comes next
// may be waited for.
const leaveTime = 20 * time.Minute

// Plan plans and commits what a stage finds to do, and carries it out as far as it is small and there is time. A commit
// that is pending comes first, whatever its kind.
func (e *Engine) Plan(ctx context.Context, path string, stage Stage, o StepOptions) Step {
	return e.inStep(ctx, path, &stepping{StepOptions: o, stage: stage}, func(ctx context.Context, r *run, item statestore.Item) error {
		if !item.Active() && !item.Pending() && !item.Halted() {
			r.result.Action = Inactive
			return nil
		}
		if err := r.adopt(ctx, item); err != nil {
			return err
		}
		return r.claimed(ctx, r.step)
	})
}

// inStep runs one step of a table run and says what it came to.
func (e *Engine) inStep(ctx context.Context, path string, s *stepping, do func(context.Context, *run, statestore.Item) error) Step {
	began := time.Now()
	result := Result{Table: path, Path: path, Action: Idle}
	r := &run{e: e, meter: &meter{}, result: &result, touched: map[string]bool{}, stepping: s}
	item, err := e.stores.State.Read(ctx, path)
	if err == nil {
		result.Table = tableName(item)
		err = do(ctx, r, item)
	}
	step := Step{Next: r.next(err), Handover: s.handed, LagSeconds: -1}
	switch {
	case errors.Is(err, statestore.ErrNotFound) && item == nil:
		result.Action, result.Reason = Inactive, "the table has no control item any more"
	case errors.Is(err, errHanded), errors.Is(err, errTimeUp), errors.Is(err, errLoadDue):
	default:
		r.conclude(ctx, err)
	}
	r.tell(item, began)
	if r.t != nil {
		item = r.t.item
	}
	if item != nil {
		step.LagSeconds = e.lag(item)
	}
	step.Result = result
	return step
}

// next says what follows a run that ended so.
func (r *run) next(err error) Next {
	switch {
	case errors.Is(err, errHanded):
		return NextApply
	case errors.Is(err, errTimeUp):
		return NextAgain
	case errors.Is(err, errLoadDue):
		return NextLoad
	case err == nil && r.stepping.stage == StageLoad && r.t != nil && !r.t.item.Halted():
		return NextMerge
	default:
		return NextEnd
	}
}

// timeUp returns errTimeUp when nothing is to be begun any more.
func (r *run) timeUp() error {
	if s := r.stepping; s != nil && !s.StopAt.IsZero() && !r.e.now().Before(s.StopAt) {
		return errTimeUp
	}
	return nil
}

// loadsOnly says whether the run makes no other plans than full loads.
func (r *run) loadsOnly() bool { return r.stepping != nil && r.stepping.stage == StageLoad }

// mergesOnly says whether the run leaves full loads to another one.
func (r *run) mergesOnly() bool { return r.stepping != nil && r.stepping.stage == StageMerge }

// handOver leaves a binding commit that is more than the step is to apply to others: it returns errHanded. A fence is
// never left: what follows it is decided by whoever applied it.
func (r *run) handOver(ctx context.Context, p *Plan) error {
	s := r.stepping
	if s == nil || p.Kind == KindFence || p.Phases[0].Bytes+p.Phases[1].Bytes <= s.InlineBytes {
		return nil
	}
	for _, phase := range p.Phases {
		if phase.Wide || phase.Ops > 0 && phase.Batches == 0 { // or written by a version that did not weigh its ops
			return nil
		}
	}
	if err := r.e.stores.State.Renew(ctx, r.t.path, r.e.cfg.Owner, leaveTime); err != nil {
		r.e.stores.Log.Warn("lease not renewed", "table", r.t.name(), "error", err) // it only saves work
	}
	s.handed = &Handover{Bucket: r.t.outBucket, Seq: p.Seq, ID: p.ID, Plan: r.t.book + "commits/" + p.commitKey() + ".json", Phases: p.Phases}
	return errHanded
}

// left says whether the run has left a commit to others, who need the lease.
func (r *run) left() bool { return r.stepping != nil && r.stepping.handed != nil }

// take adopts the commit that a handover or a batch speaks of. errElsewhere says that it is pending no more. The item is
// read once more before anything is written: what is seen of the lake until then is of this commit, and not of a fence that
// takes its place meanwhile.
func (r *run) take(ctx context.Context, item statestore.Item, plan, id string) (*application, error) {
	if err := r.adopt(ctx, item); err != nil {
		return nil, err
	}
	if r.t.pending() == "" || r.t.pending() != id {
		return nil, errElsewhere
	}
	if r.t.item.Halted() { // an operator is asked; who carries the commit on is decided behind the answer
		r.result.Action, r.result.Reason = Halted, r.t.item[statestore.StatusReason]
		return nil, errElsewhere
	}
	if r.t.item[statestore.CommitPlan] != plan {
		return nil, fmt.Errorf("%w: the plan of commit %s is %s, not %s", ErrUsage, id, r.t.item[statestore.CommitPlan], plan)
	}
	r.lease = leaveTime
	p, err := r.readPlan(ctx)
	if err != nil {
		return nil, err
	}
	return r.application(p, true), nil
}
