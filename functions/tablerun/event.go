// Package tablerun is what the state machine TableRun and its workers say to each other, and the workers: the functions
// initialload and merge. docs/FUNCTIONS.md describes the messages; infra/tablerun.asl.json is the other side.
package tablerun

import (
	"fmt"

	"sluice/internal/replicate"
)

// Version is that of the messages. A definition that was deployed before or after the functions may send another one.
const Version = 1

// Input is what an execution of TableRun starts with.
type Input struct {
	Path   string `json:"path"`   // of the table: bucket/prefix/schema/table/
	Tick   string `json:"tick"`   // which tick started it
	Halted string `json:"halted"` // the reason that the table was halted for when it was started, or ""
	Rounds int    `json:"rounds"` // plans that were made: 0
}

// The steps that a worker is asked for.
const (
	StepPlan     = "plan"     // find work, commit it, and carry it out when it is small
	StepApply    = "apply"    // carry one batch of a commit out
	StepRegister = "register" // tell the catalog what phase 1 created
	StepFinish   = "finish"   // finish a commit whose batches are applied
)

// Event is what a worker is invoked with.
type Event struct {
	Version int              `json:"version"`
	Step    string           `json:"step"`
	Run     string           `json:"run"` // name of the execution: it holds the table's lease, and is in every line of the log
	Path    string           `json:"path"`
	Tick    string           `json:"tick"`
	Halted  string           `json:"halted"`
	Commit  *Commit          `json:"commit,omitempty"` // of register and finish
	Batch   *replicate.Batch `json:"batch,omitempty"`  // of apply
}

// Commit points to a commit whose ops others are to apply.
type Commit struct {
	Bucket string   `json:"bucket"`
	Seq    uint64   `json:"seq"`
	ID     string   `json:"id"`
	Plan   string   `json:"plan"` // object key
	Phases [2]Phase `json:"phases"`
}

// Phase points to a phase's batches: an object that holds a JSON array of them.
type Phase struct {
	Key     string `json:"key"` // "" when the phase has no ops
	Ops     int    `json:"ops"`
	Batches int    `json:"batches"`
}

// What follows an answer.
const (
	NextEnd   = "end"   // nothing is left to do
	NextPlan  = "plan"  // plan the answer's stage
	NextApply = "apply" // apply the answer's commit; for a batch: the time was up, once more
)

// Answer is what a worker answers.
type Answer struct {
	Next     string  `json:"next"`
	Stage    string  `json:"stage"`    // with NextPlan: load or merge
	Function string  `json:"function"` // the worker's ARN, which applies what it planned
	Notify   bool    `json:"notify"`   // an operator is to be told: the table halted in this execution
	Message  string  `json:"message"`  // what to tell
	Commit   *Commit `json:"commit,omitempty"`
	replicate.Result
}

// EventError is returned for an event that cannot be worked on, however often it is sent.
type EventError struct{ text string }

// Error says what is wrong with the event, and what to do.
func (e *EventError) Error() string { return e.text }

func eventError(format string, args ...any) error { return &EventError{fmt.Sprintf(format, args...)} }

// FailedError is returned when a step failed and may succeed when it is repeated: trouble with storage. Its name is
// what the state machine retries.
type FailedError struct{ text string }

// Error says what failed.
func (e *FailedError) Error() string { return e.text }

// check says what keeps an event from being worked on.
func (e *Event) check() error {
	if e.Version != Version {
		return eventError("the event has version %d, this function understands %d: state machine and functions are of different deployments; the next tick starts the table run anew, with the definition that is deployed now", e.Version, Version)
	}
	if e.Path == "" || e.Run == "" {
		return eventError("the event names no table or no run: path %q, run %q", e.Path, e.Run)
	}
	switch e.Step {
	case StepPlan:
	case StepApply:
		if e.Batch == nil {
			return eventError("step apply without a batch: the state machine has lost it on the way")
		}
		if err := e.Batch.Check(); err != nil {
			return eventError("step apply: %v", err)
		}
		if e.Batch.Path != e.Path {
			return eventError("step apply: the batch is of %s, the event of %s", e.Batch.Path, e.Path)
		}
	case StepRegister, StepFinish:
		if e.Commit == nil || e.Commit.ID == "" || e.Commit.Plan == "" {
			return eventError("step %s does not say of which commit", e.Step)
		}
	default:
		return eventError("step %q is none of plan, apply, register, finish", e.Step)
	}
	return nil
}
