package tick_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/lambdacontext"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"

	"sluice/functions/metrics"
	"sluice/functions/tick"
	"sluice/internal/replicate"
)

// engine surveys what it is told to have found.
type engine struct {
	due     []replicate.Due
	results []replicate.Result
	err     error
}

func (e engine) Survey(ctx context.Context, start func(context.Context, replicate.Due) error, report func(replicate.Result)) error {
	for _, due := range e.due {
		r := replicate.Result{Table: due.Table, Path: due.Path, Action: replicate.Started}
		if err := start(ctx, due); err != nil {
			r.Action, r.Reason = replicate.Failed, err.Error()
		}
		report(r)
	}
	for _, r := range e.results {
		report(r)
	}
	return e.err
}

// controller returns one over an engine, and what it logs and measures.
func controller(e engine, s *states) (c *tick.Controller, log, lines *bytes.Buffer) {
	log, lines = &bytes.Buffer{}, &bytes.Buffer{}
	return &tick.Controller{
		Open:    func(string, *slog.Logger) (tick.Engine, error) { return e, nil },
		Starter: tick.Starter{States: s, Machine: machine},
		Log:     slog.New(slog.NewJSONHandler(log, nil)), Metrics: metrics.New(lines, "sluice", true, time.Now),
	}, log, lines
}

func fresh() *states { return &states{executions: map[string]types.ExecutionStatus{}} }

func TestHandle(t *testing.T) {
	e := engine{due: []replicate.Due{due, {Path: "raw/dms/store/o/", Table: "store.o", Waiting: 90 * time.Minute}}}
	for _, action := range []replicate.Action{replicate.Idle, replicate.Idle, replicate.Inactive, replicate.Registered, replicate.Halted, replicate.Busy} {
		e.results = append(e.results, replicate.Result{Table: "store." + string(action), Action: action})
	}
	c, log, lines := controller(e, fresh())
	got, err := c.Handle(t.Context(), tick.Event{Tick: "2026-03-14T12:00:00Z"})
	if err != nil {
		t.Fatal(err)
	}
	got.Seconds = 0
	want := tick.Answer{Tick: "2026-03-14T12:00:00Z", Tables: 8, Started: 2, Idle: 2, Inactive: 1, Registered: 1, Halted: 1, Busy: 1}
	if *got != want {
		t.Errorf("got %+v, want %+v", *got, want)
	}
	for line := range strings.Lines(log.String()) {
		if !strings.Contains(line, `"tick":"2026-03-14T12:00:00Z"`) {
			t.Errorf("a line without the tick: %s", line)
		}
		if strings.Contains(line, "store.idle") {
			t.Errorf("an idle table has a line: %s", line)
		}
	}
	for _, text := range []string{`"WaitingSeconds":5400`, `"TablesActive":6`, `"RunsStarted":2`} {
		if !strings.Contains(lines.String(), text) {
			t.Errorf("no %s in %s", text, lines)
		}
	}
}

// One table's trouble is no other's: the rest is started, and the schedule hears of it.
func TestHandle_oneTableFails(t *testing.T) {
	e := engine{due: []replicate.Due{due}, results: []replicate.Result{{Table: "store.bad", Action: replicate.Failed, Reason: "store unavailable"}}}
	s := fresh()
	c, _, lines := controller(e, s)
	_, err := c.Handle(t.Context(), tick.Event{Tick: "t"})
	var failed *tick.FailedError
	if !errors.As(err, &failed) || err.Error() != "1 of 2 tables failed; the first: store.bad: store unavailable" {
		t.Errorf("got %v", err)
	}
	if len(s.inputs) != 1 || !strings.Contains(lines.String(), `"RunsFailedToStart":1`) {
		t.Errorf("started %d; %s", len(s.inputs), lines)
	}
}

func TestHandle_noTick(t *testing.T) {
	for name, c := range map[string]*tick.Controller{
		"no engine": {Log: slog.New(slog.DiscardHandler), Open: func(string, *slog.Logger) (tick.Engine, error) { return nil, errors.New("x") }},
		"no survey": {Log: slog.New(slog.DiscardHandler), Open: func(string, *slog.Logger) (tick.Engine, error) { return engine{err: errors.New("x")}, nil }},
	} {
		var failed *tick.FailedError
		if _, err := c.Handle(t.Context(), tick.Event{}); !errors.As(err, &failed) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

// By hand, or where the schedule did not fill its template in, the request's id is the tick.
func TestHandle_byHand(t *testing.T) {
	ctx := lambdacontext.NewContext(t.Context(), &lambdacontext.LambdaContext{AwsRequestID: "request-1"})
	for _, text := range []string{"", "<aws.scheduler.scheduled-time>"} {
		c, _, _ := controller(engine{}, fresh())
		if got, err := c.Handle(ctx, tick.Event{Tick: text}); err != nil || got.Tick != "request-1" {
			t.Errorf("%q: %+v, %v", text, got, err)
		}
	}
}
