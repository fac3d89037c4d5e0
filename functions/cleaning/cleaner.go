// Package cleaning is the function janitor. docs/FUNCTIONS.md describes its messages.
package cleaning

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"sluice/internal/replicate"
)

// Event is what the schedule sends: nothing.
type Event struct{}

// Answer says what was deleted.
type Answer struct {
	Tables      int   `json:"tables"`      // that were looked at
	Files       int64 `json:"files"`       // emptied lake files
	Bookkeeping int64 `json:"bookkeeping"` // objects of it
	Uploads     int64 `json:"uploads"`     // that were never completed
	Bytes       int64 `json:"bytes"`
	Failed      int   `json:"failed"`
	More        bool  `json:"more"` // the time was up; the next invocation goes on
}

// FailedError is returned when tables could not be cleaned; nothing but what was to be deleted was.
type FailedError struct{ text string }

// Error says what failed.
func (e *FailedError) Error() string { return e.text }

// Janitor is what is asked of *replicate.Janitor.
type Janitor interface {
	Run(ctx context.Context, report func(replicate.Cleaning)) error
}

// Cleaner is the function.
type Cleaner struct {
	Open       func(log *slog.Logger) (Janitor, error)
	StopBefore time.Duration
	Log        *slog.Logger
}

// Handle cleans every table. The error is a *FailedError.
func (c *Cleaner) Handle(ctx context.Context, _ Event) (*Answer, error) {
	janitor, err := c.Open(c.Log)
	if err != nil {
		return nil, &FailedError{err.Error()}
	}
	bounded := ctx
	if deadline, ok := ctx.Deadline(); ok {
		var cancel context.CancelFunc
		bounded, cancel = context.WithDeadline(ctx, deadline.Add(-c.StopBefore))
		defer cancel()
	}
	answer, first := &Answer{}, ""
	err = janitor.Run(bounded, func(did replicate.Cleaning) {
		answer.add(did)
		log := c.Log.With("table", did.Table, "path", did.Path, "files", did.Files, "bookkeeping", did.Bookkeeping, "reason", did.Reason)
		if did.Action != replicate.Failed {
			log.Info(string(did.Action))
			return
		}
		log.Error(string(did.Action))
		if first == "" {
			first = did.Table + ": " + did.Reason
		}
	})
	answer.More = errors.Is(bounded.Err(), context.DeadlineExceeded)
	c.Log.Info("janitor", "answer", answer)
	switch {
	case answer.More && ctx.Err() == nil:
		return answer, nil
	case err != nil:
		return nil, &FailedError{err.Error()}
	case answer.Failed > 0:
		return nil, &FailedError{fmt.Sprintf("%d of %d tables failed; the first: %s", answer.Failed, answer.Tables, first)}
	}
	return answer, nil
}

func (a *Answer) add(did replicate.Cleaning) {
	a.Tables++
	a.Files += did.Files
	a.Bookkeeping += did.Bookkeeping
	a.Uploads += did.Uploads
	a.Bytes += did.Bytes
	if did.Action == replicate.Failed {
		a.Failed++
	}
}
