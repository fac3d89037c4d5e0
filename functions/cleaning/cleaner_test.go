package cleaning_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"sluice/functions/cleaning"
	"sluice/internal/replicate"
)

// janitor reports what it is told to have done.
type janitor struct {
	did  []replicate.Cleaning
	err  error
	wait bool // until its time is up
}

func (j janitor) Run(ctx context.Context, report func(replicate.Cleaning)) error {
	for _, did := range j.did {
		report(did)
	}
	if j.wait {
		<-ctx.Done()
		return ctx.Err()
	}
	return j.err
}

func cleaner(j janitor) (*cleaning.Cleaner, *bytes.Buffer) {
	log := &bytes.Buffer{}
	return &cleaning.Cleaner{
		Open:       func(*slog.Logger) (cleaning.Janitor, error) { return j, nil },
		StopBefore: time.Minute, Log: slog.New(slog.NewJSONHandler(log, nil)),
	}, log
}

func did(table string, action replicate.Action) replicate.Cleaning {
	c := replicate.Cleaning{Table: table, Action: action}
	c.Files, c.Bookkeeping, c.Uploads, c.Bytes = 1, 2, 3, 4
	return c
}

func TestHandle(t *testing.T) {
	c, log := cleaner(janitor{did: []replicate.Cleaning{did("a", replicate.Cleaned), did("b", replicate.Idle)}})
	got, err := c.Handle(t.Context(), cleaning.Event{})
	if want := (cleaning.Answer{Tables: 2, Files: 2, Bookkeeping: 4, Uploads: 6, Bytes: 8}); err != nil || *got != want {
		t.Errorf("got %+v, %v", got, err)
	}
	if n := strings.Count(log.String(), "\n"); n != 3 {
		t.Errorf("%d lines: %s", n, log)
	}
}

func TestHandle_fails(t *testing.T) {
	var failed *cleaning.FailedError
	bad := did("b", replicate.Failed)
	bad.Reason = "store unavailable"
	c, _ := cleaner(janitor{did: []replicate.Cleaning{did("a", replicate.Cleaned), bad}})
	if _, err := c.Handle(t.Context(), cleaning.Event{}); !errors.As(err, &failed) || err.Error() != "1 of 2 tables failed; the first: b: store unavailable" {
		t.Errorf("got %v", err)
	}
	c, _ = cleaner(janitor{err: errors.New("control table")})
	if _, err := c.Handle(t.Context(), cleaning.Event{}); !errors.As(err, &failed) {
		t.Errorf("got %v", err)
	}
	c.Open = func(*slog.Logger) (cleaning.Janitor, error) { return nil, errors.New("settings") }
	if _, err := c.Handle(t.Context(), cleaning.Event{}); !errors.As(err, &failed) {
		t.Errorf("got %v", err)
	}
}

// When the time is up the janitor says so, and what it has done counts.
func TestHandle_timeUp(t *testing.T) {
	c, _ := cleaner(janitor{did: []replicate.Cleaning{did("a", replicate.Cleaned)}, wait: true})
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute+50*time.Millisecond)
	defer cancel()
	got, err := c.Handle(ctx, cleaning.Event{})
	if err != nil || !got.More || got.Tables != 1 {
		t.Errorf("got %+v, %v", got, err)
	}
}
