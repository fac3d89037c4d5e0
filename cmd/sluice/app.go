package main

import (
	"context"
	"io"
	"log/slog"
	"time"

	"sluice/internal/replicate"
)

// engine is what the commands ask of *replicate.Engine.
type engine interface {
	Run(ctx context.Context, report func(replicate.Result)) error
	Forecast(ctx context.Context, report func(replicate.Forecast)) error
	Tables(ctx context.Context) ([]replicate.Table, error)
	Activate(ctx context.Context, table string, a replicate.Activation) (replicate.Table, error)
	Deactivate(ctx context.Context, table string) (replicate.Table, error)
	Acknowledge(ctx context.Context, table, accept string) (replicate.Table, error)
	Verify(ctx context.Context, table string, o replicate.VerifyOptions) (replicate.Verification, error)
	Rebuild(ctx context.Context, table string) (replicate.Result, error)
	ForecastRebuild(ctx context.Context, table string) (replicate.Forecast, error)
	Compact(ctx context.Context, table string) (replicate.Result, error)
	ForecastCompact(ctx context.Context, table string) (replicate.Forecast, error)
	History(ctx context.Context, table string, q replicate.HistoryQuery, report func(replicate.Commit)) (replicate.HistoryRest, error)
	Export(ctx context.Context, w io.Writer) error
	Import(ctx context.Context, r io.Reader, force bool) (int, error)
	Doctor(ctx context.Context, report func(replicate.Check)) error
}

// app is the process as the commands see it: what a test replaces.
type app struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	env            func(name string) (string, bool)
	terminal       bool // stderr is one
	now            func() time.Time
	open           func(ctx context.Context, o *options, w watcher) (engine, error)
	janitor        func(ctx context.Context, o *options, w watcher, dry bool) (janitor, error)
}

// watcher is told what an engine does while it works.
type watcher struct {
	log      *slog.Logger
	progress func(table string, done, total int)
	now      func() time.Time
}

// run executes one command line and returns the exit status.
func (a *app) run(ctx context.Context, args []string) int {
	root := newRoot(a) //nolint:contextcheck // commands get ctx from ExecuteContext
	root.SetArgs(args)
	return a.status(ctx, root.ExecuteContext(ctx))
}
