package tablerun_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/aws/aws-lambda-go/lambdacontext"
	"github.com/google/go-cmp/cmp"

	"sluice/functions/metrics"
	"sluice/functions/tablerun"
	"sluice/internal/replicate"
)

// engine answers every step with the same, and remembers what it was asked.
type engine struct {
	step    replicate.Step
	asked   string
	options replicate.StepOptions
	commit  replicate.Handover
	owner   string
}

func (e *engine) Plan(_ context.Context, _ string, stage replicate.Stage, o replicate.StepOptions) replicate.Step {
	e.asked, e.options = "plan "+string(stage), o
	return e.step
}

func (e *engine) ApplyBatch(_ context.Context, _ replicate.Batch, o replicate.StepOptions) replicate.Step {
	e.asked, e.options = "apply", o
	return e.step
}

func (e *engine) Register(_ context.Context, _ string, h replicate.Handover, o replicate.StepOptions) replicate.Step {
	e.asked, e.options, e.commit = "register", o, h
	return e.step
}

func (e *engine) Finish(_ context.Context, _ string, h replicate.Handover, o replicate.StepOptions) replicate.Step {
	e.asked, e.options, e.commit = "finish", o, h
	return e.step
}

// worker returns the function merge over an engine whose steps come to step, its log and its metrics.
func worker(step replicate.Step) (w *tablerun.Worker, log, lines *bytes.Buffer) {
	w, _, log, lines = workerOf(step)
	return w, log, lines
}

func workerOf(step replicate.Step) (w *tablerun.Worker, e *engine, log, lines *bytes.Buffer) {
	log, lines, e = &bytes.Buffer{}, &bytes.Buffer{}, &engine{step: step}
	return &tablerun.Worker{
		Stage: replicate.StageMerge, InlineBytes: 5, StopBefore: time.Minute,
		Open: func(owner string, _ *slog.Logger) (tablerun.Engine, error) { e.owner = owner; return e, nil },
		Log:  slog.New(slog.NewJSONHandler(log, nil)), Metrics: metrics.New(lines, "sluice", true, time.Now),
	}, e, log, lines
}

func result(action replicate.Action, reason string) replicate.Result {
	return replicate.Result{Table: "store.product", Path: path, Action: action, Reason: reason}
}

func TestHandle_next(t *testing.T) {
	handover := &replicate.Handover{Bucket: "lake", Seq: 7, ID: "abc", Plan: "p.json", Phases: [2]replicate.Phase{{Key: "b1", Ops: 3, Batches: 2}, {}}}
	for name, c := range map[string]struct {
		step        string
		next        replicate.Next
		want, stage string
	}{
		"end":                   {"plan", replicate.NextEnd, "end", "merge"},
		"a load is due":         {"plan", replicate.NextLoad, "plan", "load"},
		"a merge follows":       {"finish", replicate.NextMerge, "plan", "merge"},
		"the time was up":       {"plan", replicate.NextAgain, "plan", "merge"},
		"a batch's time was up": {"apply", replicate.NextAgain, "apply", "merge"},
		"a commit is too big":   {"plan", replicate.NextApply, "apply", "merge"},
		"a batch is done":       {"apply", replicate.NextEnd, "end", "merge"},
		"registered":            {"register", replicate.NextEnd, "end", "merge"},
	} {
		t.Run(name, func(t *testing.T) {
			step := replicate.Step{Result: result(replicate.Merged, ""), Next: c.next}
			if c.next == replicate.NextApply {
				step.Handover = handover
			}
			w, e, _, _ := workerOf(step)
			ctx := lambdacontext.NewContext(t.Context(), &lambdacontext.LambdaContext{InvokedFunctionArn: "arn:merge"})
			got, err := w.Handle(ctx, event(c.step, nil))
			if err != nil {
				t.Fatal(err)
			}
			if got.Next != c.want || got.Stage != c.stage || got.Function != "arn:merge" || got.Notify {
				t.Errorf("got %+v", got)
			}
			if (got.Commit != nil) != (c.next == replicate.NextApply) {
				t.Errorf("commit %+v", got.Commit)
			}
			if !strings.HasPrefix(e.asked, c.step) || e.owner != "run-1" || e.options.InlineBytes != 5 {
				t.Errorf("asked %q of %q with %+v", e.asked, e.owner, e.options)
			}
			if e.commit != (replicate.Handover{}) && e.commit.ID != "abc" {
				t.Errorf("commit %+v", e.commit)
			}
		})
	}
}

// The answer of a step is what the next one is asked: a commit comes back as it went out.
func TestHandle_commitThroughTheState(t *testing.T) {
	step := replicate.Step{Result: result(replicate.Idle, ""), Next: replicate.NextApply, Handover: &replicate.Handover{
		Bucket: "lake", Seq: 7, ID: "abc", Plan: "p.json", Phases: [2]replicate.Phase{{}, {Key: "b2", Ops: 3, Batches: 2}},
	}}
	w, e, _, _ := workerOf(step)
	answer, err := w.Handle(t.Context(), event("plan", nil))
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(answer)
	if err != nil {
		t.Fatal(err)
	}
	var back struct{ Commit *tablerun.Commit }
	if err := json.Unmarshal(text, &back); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Handle(t.Context(), event("finish", func(e *tablerun.Event) { e.Commit = back.Commit })); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(replicate.Handover{Bucket: "lake", Seq: 7, ID: "abc", Plan: "p.json"}, e.commit); diff != "" {
		t.Error(diff)
	}
}

// An operator is told once of a halt: not by each batch, and not again of a reason that the run began with.
func TestHandle_notify(t *testing.T) {
	for name, c := range map[string]struct {
		step, halted string
		action       replicate.Action
		want         bool
	}{
		"halted now":              {"plan", "", replicate.Halted, true},
		"halted while finishing":  {"finish", "", replicate.Halted, true},
		"halted for another":      {"plan", "vanished: x", replicate.Halted, true},
		"halted as it was":        {"plan", "input: broken", replicate.Halted, false},
		"a batch met the halt":    {"apply", "", replicate.Halted, false},
		"merged":                  {"plan", "", replicate.Merged, false},
		"merged, halt is cleared": {"plan", "vanished: x", replicate.Merged, false},
	} {
		t.Run(name, func(t *testing.T) {
			w, _, lines := worker(replicate.Step{Result: result(c.action, "input: broken"), Next: replicate.NextEnd})
			got, err := w.Handle(t.Context(), event(c.step, func(e *tablerun.Event) { e.Halted = c.halted }))
			if err != nil {
				t.Fatal(err)
			}
			if got.Notify != c.want {
				t.Errorf("notify %t, message %q", got.Notify, got.Message)
			}
			if counted := strings.Contains(lines.String(), `"Halts":1`); counted != c.want {
				t.Errorf("counted %t: %s", counted, lines)
			}
		})
	}
}

func TestHandle_message(t *testing.T) {
	w, _, _ := worker(replicate.Step{Result: result(replicate.Halted, `input: x.parquet: row 3: broken`)})
	got, err := w.Handle(t.Context(), event("plan", nil))
	if err != nil {
		t.Fatal(err)
	}
	want := `Table store.product is halted; the others go on, and nothing is lost.

input: x.parquet: row 3: broken

See to that, then: sluice acknowledge store.product
What the reason means: docs/OPERATIONS.md
Table: raw/dms/store/product/
Run: run-1
`
	if diff := cmp.Diff(want, got.Message); diff != "" {
		t.Error(diff)
	}
}

// A state of the workflow holds 256 KiB, and text is cut between runes.
func TestHandle_longReason(t *testing.T) {
	for n := range 4 {
		w, _, _ := worker(replicate.Step{Result: result(replicate.Halted, strings.Repeat("x", n)+strings.Repeat("表", 100_000))})
		got, err := w.Handle(t.Context(), event("plan", nil))
		if err != nil {
			t.Fatal(err)
		}
		text, err := json.Marshal(got)
		if err != nil {
			t.Fatal(err)
		}
		if !utf8.ValidString(got.Reason) || !strings.HasSuffix(got.Reason, "表 …") || len(got.Reason) > 4010 || len(text) > 16<<10 {
			t.Errorf("%d bytes, %d as JSON, end %q", len(got.Reason), len(text), got.Reason[len(got.Reason)-8:])
		}
	}
	w, _, _ := worker(replicate.Step{Result: result(replicate.Failed, strings.Repeat("表", 100_000))})
	if _, err := w.Handle(t.Context(), event("plan", nil)); err == nil || len(err.Error()) > 4100 {
		t.Errorf("an error of %d bytes", len(err.Error()))
	}
}

func TestHandle_fails(t *testing.T) {
	var failed *tablerun.FailedError
	w, log, lines := worker(replicate.Step{Result: result(replicate.Failed, "store unavailable")})
	if _, err := w.Handle(t.Context(), event("plan", nil)); !errors.As(err, &failed) || err.Error() != "store.product: store unavailable" {
		t.Errorf("got %v", err)
	}
	if !strings.Contains(lines.String(), `"Failures":1`) || !strings.Contains(log.String(), `"level":"ERROR"`) {
		t.Errorf("%s%s", log, lines)
	}
	w.Open = func(string, *slog.Logger) (tablerun.Engine, error) { return nil, errors.New("no engine") }
	if _, err := w.Handle(t.Context(), event("plan", nil)); !errors.As(err, &failed) {
		t.Errorf("got %v", err)
	}
}

func TestHandle_deadline(t *testing.T) {
	w, e, _, _ := workerOf(replicate.Step{Result: result(replicate.Merged, "")})
	deadline := time.Now().Add(15 * time.Minute)
	ctx, cancel := context.WithDeadline(t.Context(), deadline)
	defer cancel()
	if _, err := w.Handle(ctx, event("plan", nil)); err != nil || !e.options.StopAt.Equal(deadline.Add(-time.Minute)) {
		t.Errorf("stop at %s, %v", e.options.StopAt, err)
	}
	short, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	var refused *tablerun.EventError
	if _, err := w.Handle(short, event("plan", nil)); !errors.As(err, &refused) || !strings.Contains(err.Error(), "SLUICE_STOP_BEFORE") {
		t.Errorf("got %v", err)
	}
}

// One line a step, by which it is found: tick and run.
func TestHandle_log(t *testing.T) {
	step := replicate.Step{Result: result(replicate.Merged, ""), LagSeconds: 90}
	step.Inputs, step.Inserts = 2, 3
	w, log, lines := worker(step)
	if _, err := w.Handle(t.Context(), event("plan", nil)); err != nil {
		t.Fatal(err)
	}
	var line map[string]any
	if err := json.Unmarshal(log.Bytes(), &line); err != nil {
		t.Fatalf("%v in %s", err, log)
	}
	for name, want := range map[string]any{"tick": "tick-1", "run": "run-1", "path": path, "step": "plan", "msg": "merged", "table": "store.product"} {
		if line[name] != want {
			t.Errorf("%s is %v, want %v", name, line[name], want)
		}
	}
	for _, text := range []string{`"LagSeconds":90`, `"Inserts":3`, `"Halts":0`, `"run":"run-1"`} {
		if !strings.Contains(lines.String(), text) {
			t.Errorf("no %s in %s", text, lines)
		}
	}
}

// CloudWatch bills a metric for each hour in which it has a value: the day's first look at a table that rests has none.
func TestHandle_anIdleStepHasNoMetrics(t *testing.T) {
	for _, action := range []replicate.Action{replicate.Idle, replicate.Inactive, replicate.Busy} {
		w, log, lines := worker(replicate.Step{Result: result(action, "")})
		if _, err := w.Handle(t.Context(), event("plan", nil)); err != nil {
			t.Fatal(err)
		}
		if lines.Len() > 0 || log.Len() == 0 {
			t.Errorf("%s: metrics %q, log %q", action, lines, log)
		}
	}
}
