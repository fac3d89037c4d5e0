package tablerun

import (
	"context"
	"fmt"
	"log/slog"
	"time"
	"unicode/utf8"

	"github.com/aws/aws-lambda-go/lambdacontext"

	"sluice/functions/metrics"
	"sluice/internal/replicate"
)

// Engine is what a worker asks of *replicate.Engine.
type Engine interface {
	Plan(ctx context.Context, path string, stage replicate.Stage, o replicate.StepOptions) replicate.Step
	ApplyBatch(ctx context.Context, b replicate.Batch, o replicate.StepOptions) replicate.Step
	Register(ctx context.Context, path string, h replicate.Handover, o replicate.StepOptions) replicate.Step
	Finish(ctx context.Context, path string, h replicate.Handover, o replicate.StepOptions) replicate.Step
}

// Worker is the function initialload or merge.
type Worker struct {
	Stage       replicate.Stage
	Open        func(owner string, log *slog.Logger) (Engine, error) // an engine whose leases are owner's
	InlineBytes int64                                                // a commit that weighs more is handed to the state machine
	StopBefore  time.Duration                                        // nothing is begun when less is left of the invocation
	Log         *slog.Logger
	Metrics     *metrics.Log
}

// Handle carries out one step of a table run. The error is a *EventError or a *FailedError; a table that halts is an answer.
func (w *Worker) Handle(ctx context.Context, event Event) (*Answer, error) {
	log := w.Log.With("tick", event.Tick, "run", event.Run, "path", event.Path, "step", event.Step)
	if err := event.check(); err != nil {
		log.Error("refused", "error", err)
		return nil, err
	}
	options := replicate.StepOptions{InlineBytes: w.InlineBytes}
	if deadline, ok := ctx.Deadline(); ok {
		options.StopAt = deadline.Add(-w.StopBefore)
		if left := time.Until(options.StopAt); left <= 0 {
			return nil, eventError("the function's timeout is not above SLUICE_STOP_BEFORE (%s): nothing could ever be begun; raise the timeout", w.StopBefore)
		}
	}
	engine, err := w.Open(event.Run, log)
	if err != nil {
		return nil, &FailedError{err.Error()}
	}
	step := w.step(ctx, engine, event, options)
	w.tell(ctx, log, event, step)
	if step.Action == replicate.Failed {
		return nil, &FailedError{fmt.Sprintf("%s: %s", step.Table, brief(step.Reason))}
	}
	return w.answer(ctx, event, step), nil
}

func (w *Worker) step(ctx context.Context, engine Engine, event Event, o replicate.StepOptions) replicate.Step {
	switch event.Step {
	case StepApply:
		return engine.ApplyBatch(ctx, *event.Batch, o)
	case StepRegister:
		return engine.Register(ctx, event.Path, event.Commit.handover(), o)
	case StepFinish:
		return engine.Finish(ctx, event.Path, event.Commit.handover(), o)
	default:
		return engine.Plan(ctx, event.Path, w.Stage, o)
	}
}

// answer says in the state machine's words what follows the step.
func (w *Worker) answer(ctx context.Context, event Event, step replicate.Step) *Answer {
	a := &Answer{Next: NextEnd, Stage: string(w.Stage), Result: step.Result}
	a.Reason, a.IgnoredNames = brief(a.Reason), nil
	if c, ok := lambdacontext.FromContext(ctx); ok {
		a.Function = c.InvokedFunctionArn
	}
	switch step.Next {
	case replicate.NextLoad:
		a.Next, a.Stage = NextPlan, string(replicate.StageLoad)
	case replicate.NextMerge:
		a.Next, a.Stage = NextPlan, string(replicate.StageMerge)
	case replicate.NextApply:
		a.Next, a.Commit = NextApply, pointer(step.Handover)
	case replicate.NextAgain:
		if a.Next = NextPlan; event.Step == StepApply {
			a.Next = NextApply
		}
	case replicate.NextEnd:
	}
	if step.Action == replicate.Halted && step.Reason != event.Halted {
		a.Notify = event.Step != StepApply // of many batches nobody reads the answers; the step behind them tells
		a.Message = fmt.Sprintf("Table %s is halted; the others go on, and nothing is lost.\n\n%s\n\nSee to that, then: sluice acknowledge %s\nWhat the reason means: docs/OPERATIONS.md\nTable: %s\nRun: %s\n",
			step.Table, brief(step.Reason), step.Table, step.Path, event.Run)
	}
	return a
}

// maxText is how much of a reason goes through a workflow's state and into a message.
const maxText = 4000

func brief(text string) string {
	if len(text) <= maxText {
		return text
	}
	cut := maxText
	for !utf8.RuneStart(text[cut]) {
		cut--
	}
	return text[:cut] + " …"
}

func pointer(h *replicate.Handover) *Commit {
	c := &Commit{Bucket: h.Bucket, Seq: h.Seq, ID: h.ID, Plan: h.Plan}
	for i, p := range h.Phases {
		c.Phases[i] = Phase{Key: p.Key, Ops: p.Ops, Batches: p.Batches}
	}
	return c
}

func (c *Commit) handover() replicate.Handover {
	return replicate.Handover{Bucket: c.Bucket, Seq: c.Seq, ID: c.ID, Plan: c.Plan}
}

// tell writes the step's line into the log, and its metrics.
func (w *Worker) tell(ctx context.Context, log *slog.Logger, event Event, step replicate.Step) {
	level := slog.LevelInfo
	if step.Action == replicate.Failed || step.Action == replicate.Halted {
		level = slog.LevelError
	}
	log.Log(ctx, level, string(step.Action), "table", step.Table, "reason", step.Reason, "next", step.Next, "result", step.Result)
	if idle(step) {
		return
	}
	list := []metrics.Metric{
		{Name: "Inputs", Unit: metrics.Count, Value: float64(step.Inputs)},
		{Name: "Inserts", Unit: metrics.Count, Value: float64(step.Inserts)},
		{Name: "Updates", Unit: metrics.Count, Value: float64(step.Updates)},
		{Name: "Deletes", Unit: metrics.Count, Value: float64(step.Deletes)},
		{Name: "FilesRewritten", Unit: metrics.Count, Value: float64(step.FilesRewritten)},
		{Name: "FilesCreated", Unit: metrics.Count, Value: float64(step.FilesCreated)},
		{Name: "BytesRead", Unit: metrics.Bytes, Value: float64(step.BytesRead)},
		{Name: "BytesWritten", Unit: metrics.Bytes, Value: float64(step.BytesWritten)},
		{Name: "BytesCopied", Unit: metrics.Bytes, Value: float64(step.BytesCopied)},
		{Name: "DurationSeconds", Unit: metrics.Seconds, Value: step.Seconds},
		{Name: "Halts", Unit: metrics.Count, Value: one(step.Action == replicate.Halted && step.Reason != event.Halted && event.Step != StepApply)},
		{Name: "Failures", Unit: metrics.Count, Value: one(step.Action == replicate.Failed)},
	}
	if step.LagSeconds >= 0 && event.Step != StepApply {
		list = append(list, metrics.Metric{Name: "LagSeconds", Unit: metrics.Seconds, Value: float64(step.LagSeconds)})
	}
	w.Metrics.Table(step.Table, map[string]string{"tick": event.Tick, "run": event.Run}, list...)
}

// idle says whether a step is nothing to count: CloudWatch bills a metric for each hour in which it has a value.
func idle(step replicate.Step) bool {
	switch step.Action { //nolint:exhaustive // the others say that something was done
	case replicate.Idle, replicate.Inactive, replicate.Busy:
		return step.Inputs == 0 && step.FilesCreated == 0 && step.FilesRewritten == 0 && step.BytesWritten == 0
	}
	return false
}

func one(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}
