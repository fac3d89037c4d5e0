// Package tick is the function controller: it looks at every table once and has a table run started for each that has
// something to do. docs/FUNCTIONS.md describes its messages.
package tick

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/lambdacontext"

	"sluice/functions/metrics"
	"sluice/internal/replicate"
)

// Event is what the schedule sends: the time that it was due. By hand it may be left out.
type Event struct {
	Tick string `json:"tick"`
}

// Answer says what the tick found.
type Answer struct {
	Tick       string  `json:"tick"`
	Tables     int     `json:"tables"`
	Started    int     `json:"started"`
	Idle       int     `json:"idle"`
	Inactive   int     `json:"inactive"`
	Registered int     `json:"registered"`
	Halted     int     `json:"halted"`
	Busy       int     `json:"busy"`
	Failed     int     `json:"failed"`
	Seconds    float64 `json:"seconds"`
}

// FailedError is returned when tables could not be looked at or their runs not be started. The schedule repeats the tick;
// runs that were started are not started twice.
type FailedError struct{ text string }

// Error says what failed.
func (e *FailedError) Error() string { return e.text }

// Engine is what the controller asks of *replicate.Engine.
type Engine interface {
	Survey(ctx context.Context, start func(context.Context, replicate.Due) error, report func(replicate.Result)) error
}

// Controller is the function.
type Controller struct {
	Open    func(owner string, log *slog.Logger) (Engine, error)
	Starter Starter
	Log     *slog.Logger
	Metrics *metrics.Log
}

// Handle makes one tick. The error is a *FailedError.
func (c *Controller) Handle(ctx context.Context, event Event) (*Answer, error) {
	began := time.Now()
	answer := &Answer{Tick: tickOf(ctx, event)}
	log := c.Log.With("tick", answer.Tick)
	fields := map[string]string{"tick": answer.Tick}
	engine, err := c.Open("controller-"+answer.Tick, log)
	if err != nil {
		return nil, &FailedError{err.Error()}
	}
	first := ""
	waits := make(chan time.Duration, 1) // the longest; whoever compares holds it
	waits <- 0
	err = engine.Survey(ctx, func(ctx context.Context, due replicate.Due) error {
		if due.Waiting > 0 {
			c.Metrics.Table(due.Table, fields, metrics.Metric{Name: "WaitingSeconds", Unit: metrics.Seconds, Value: due.Waiting.Seconds()})
			waits <- max(<-waits, due.Waiting)
		}
		name, err := c.Starter.Start(ctx, due, answer.Tick)
		if err == nil {
			log.Info("table run started", "table", due.Table, "path", due.Path, "run", name)
		}
		return err
	}, func(r replicate.Result) {
		answer.count(r.Action)
		level := slog.LevelDebug
		switch r.Action { //nolint:exhaustive // of the others nobody wants a line each hour
		case replicate.Failed:
			if level = slog.LevelError; first == "" {
				first = r.Table + ": " + r.Reason
			}
		case replicate.Registered, replicate.Halted, replicate.Busy:
			level = slog.LevelInfo
		}
		log.Log(ctx, level, string(r.Action), "table", r.Table, "path", r.Path, "reason", r.Reason)
	})
	answer.Seconds = time.Since(began).Seconds()
	c.tell(fields, answer, <-waits)
	log.Info("tick", "answer", answer)
	switch {
	case err != nil:
		return nil, &FailedError{err.Error()}
	case answer.Failed > 0:
		return nil, &FailedError{fmt.Sprintf("%d of %d tables failed; the first: %s", answer.Failed, answer.Tables, first)}
	}
	return answer, nil
}

// tickOf is the time that the schedule put in, or the invocation's id: one that was made by hand.
func tickOf(ctx context.Context, event Event) string {
	if event.Tick != "" && !strings.HasPrefix(event.Tick, "<") {
		return event.Tick
	}
	if c, ok := lambdacontext.FromContext(ctx); ok {
		return c.AwsRequestID
	}
	return time.Now().UTC().Format(time.RFC3339Nano)
}

func (a *Answer) count(action replicate.Action) {
	a.Tables++
	switch action { //nolint:exhaustive // a survey says nothing else
	case replicate.Started:
		a.Started++
	case replicate.Inactive:
		a.Inactive++
	case replicate.Registered:
		a.Registered++
	case replicate.Halted:
		a.Halted++
	case replicate.Busy:
		a.Busy++
	case replicate.Failed:
		a.Failed++
	default:
		a.Idle++
	}
}

func (c *Controller) tell(fields map[string]string, a *Answer, longest time.Duration) {
	c.Metrics.Total(fields,
		metrics.Metric{Name: "Tables", Unit: metrics.Count, Value: float64(a.Tables)},
		metrics.Metric{Name: "TablesActive", Unit: metrics.Count, Value: float64(a.Tables - a.Inactive - a.Registered)},
		metrics.Metric{Name: "TablesHalted", Unit: metrics.Count, Value: float64(a.Halted)},
		metrics.Metric{Name: "RunsStarted", Unit: metrics.Count, Value: float64(a.Started)},
		metrics.Metric{Name: "RunsFailedToStart", Unit: metrics.Count, Value: float64(a.Failed)},
		metrics.Metric{Name: "WaitingSeconds", Unit: metrics.Seconds, Value: longest.Seconds()},
		metrics.Metric{Name: "TickSeconds", Unit: metrics.Seconds, Value: a.Seconds})
}
