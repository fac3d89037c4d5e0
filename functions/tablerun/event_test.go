package tablerun_test

import (
	"errors"
	"strings"
	"testing"

	"sluice/functions/tablerun"
	"sluice/internal/replicate"
)

const path = "raw/dms/store/product/"

// event returns one that every worker takes, spoiled.
func event(step string, spoil func(*tablerun.Event)) tablerun.Event {
	e := tablerun.Event{Version: 1, Step: step, Run: "run-1", Path: path, Tick: "tick-1"}
	switch step {
	case tablerun.StepApply:
		e.Batch = &replicate.Batch{Path: path, Seq: 7, ID: "abc", Plan: "_sluice/p.json", Phase: 1, Ops: []replicate.Op{{}}}
	case tablerun.StepRegister, tablerun.StepFinish:
		e.Commit = &tablerun.Commit{Bucket: "lake", Seq: 7, ID: "abc", Plan: "_sluice/p.json"}
	}
	if spoil != nil {
		spoil(&e)
	}
	return e
}

// An event that says nothing of its work is refused: work that nobody did must not look done.
func TestHandle_refused(t *testing.T) {
	for name, c := range map[string]struct {
		event tablerun.Event
		says  string
	}{
		"empty":                 {tablerun.Event{}, "version 0"},
		"an older version":      {event("plan", func(e *tablerun.Event) { e.Version = 0 }), "version 0, this function understands 1"},
		"a newer version":       {event("plan", func(e *tablerun.Event) { e.Version = 2 }), "the next tick starts the table run anew"},
		"no path":               {event("plan", func(e *tablerun.Event) { e.Path = "" }), "no table"},
		"no run":                {event("plan", func(e *tablerun.Event) { e.Run = "" }), "no table or no run"},
		"no step":               {event("", nil), `step ""`},
		"unknown step":          {event("merge", nil), `step "merge" is none of plan, apply, register, finish`},
		"no batch":              {event("apply", func(e *tablerun.Event) { e.Batch = nil }), "without a batch"},
		"an empty batch":        {event("apply", func(e *tablerun.Event) { e.Batch = &replicate.Batch{} }), "of which commit"},
		"a batch without ops":   {event("apply", func(e *tablerun.Event) { e.Batch.Ops = nil }), "holds no ops"},
		"a batch of no phase":   {event("apply", func(e *tablerun.Event) { e.Batch.Phase = 3 }), "neither 1 nor 2"},
		"another table's batch": {event("apply", func(e *tablerun.Event) { e.Batch.Path = "raw/dms/store/other/" }), "the batch is of raw/dms/store/other/"},
		"register no commit":    {event("register", func(e *tablerun.Event) { e.Commit = nil }), "does not say of which commit"},
		"finish no commit":      {event("finish", func(e *tablerun.Event) { e.Commit.ID = "" }), "does not say of which commit"},
		"finish no plan":        {event("finish", func(e *tablerun.Event) { e.Commit.Plan = "" }), "does not say of which commit"},
	} {
		t.Run(name, func(t *testing.T) {
			w, log, _ := worker(replicate.Step{}) // its engine fails the test when it is asked
			w.Open = nil
			_, err := w.Handle(t.Context(), c.event)
			var refused *tablerun.EventError
			if !errors.As(err, &refused) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("got %v, want %q", err, c.says)
			}
			if !strings.Contains(log.String(), "refused") {
				t.Errorf("the log says %q", log)
			}
		})
	}
}
