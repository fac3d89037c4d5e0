package main

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"sync"

	"github.com/spf13/cobra"

	"sluice/internal/replicate"
	"sluice/internal/setting"
)

func runCommand(a *app, o *options) *cobra.Command {
	return &cobra.Command{
		Use:   "run",
		Short: "Find, load and merge until nothing is new",
		Long: `One tick: finds the tables below --raw, registers new ones, and loads and merges
every active table until nothing is new. Prints a line per table.

Run it as often as the lake shall follow, from cron for example; two runs at once
do no harm. A run that is stopped or dies is taken up by the next one.
Exit status: 1 when a table failed (the next run tries again), 3 when one is
halted (its line says why and what to do), 0 otherwise.`,
		Example: `  sluice run --raw s3://my-dms-bucket --lake s3://my-lake-bucket
  sluice run --raw /data/raw --lake /data/lake --settle 0 --json`,
		Args: usageArgs(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error {
			o.makeLake = true
			return a.tick(c.Context(), o)
		},
	}
}

// tick runs once and prints as tables finish.
func (a *app) tick(ctx context.Context, o *options) error {
	o.limited = true
	b := a.bar("lake files")
	e, err := a.open(ctx, o, watcher{log: o.logger(a), progress: b.progress, now: a.now})
	if err != nil {
		return err
	}
	out, worst := a.output(o, b), &outcome{}
	err = e.Run(ctx, func(r replicate.Result) {
		out.print(r, resultText(r, o.verbose))
		worst.add(r.Action)
	})
	b.clear()
	return cmp.Or(err, ctx.Err(), out.err, worst.err())
}

// outcome is the worst that happened to a table. Reports may come from many goroutines.
type outcome struct {
	mu             sync.Mutex
	failed, halted bool
}

func (w *outcome) add(action replicate.Action) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.failed = w.failed || action == replicate.Failed
	w.halted = w.halted || action == replicate.Halted
}

func (w *outcome) err() error {
	switch {
	case w.failed:
		return errFailed
	case w.halted:
		return errHalted
	default:
		return nil
	}
}

// tableWidth aligns lines that are printed one at a time.
const tableWidth = 28

// resultText is the line of one table, and more lines when verbose.
func resultText(r replicate.Result, verbose bool) string {
	line := fmt.Sprintf("%-*s  %-10s  %s", tableWidth, r.Table, r.Action, resultSummary(r))
	if !verbose {
		return line
	}
	lines := []string{line, "    path " + r.Path}
	if r.LastIncrementalFile != "" {
		lines = append(lines, fmt.Sprintf("    full load of %s, merged up to %s", r.LastFullLoadDate, r.LastIncrementalFile))
	}
	if r.Action == replicate.Loaded || r.Action == replicate.Merged || r.Action == replicate.Rebuilt || r.Action == replicate.Compacted {
		lines = append(lines, "    "+countsText(r.Counts), fmt.Sprintf("    read %s, wrote %s, copied %s, %.1f s",
			setting.Bytes(r.BytesRead), setting.Bytes(r.BytesWritten), setting.Bytes(r.BytesCopied), r.Seconds))
	}
	for _, name := range r.IgnoredNames {
		lines = append(lines, "    ignored: "+name)
	}
	return strings.Join(lines, "\n")
}

// resultSummary says what happened, or why nothing did.
func resultSummary(r replicate.Result) string {
	switch r.Action {
	case replicate.Loaded, replicate.Merged:
		text := fmt.Sprintf("%s in: %d inserted, %d updated, %d deleted; lake files: %d created, %d rewritten, %d untouched",
			count(r.Inputs, "file"), r.Inserts, r.Updates, r.Deletes, r.FilesCreated, r.FilesRewritten, r.FilesUntouched)
		if r.Quarantined > 0 {
			text += fmt.Sprintf("; %s in the quarantine", count(r.Quarantined, "bad row"))
		}
		if r.Strays > 0 {
			text += fmt.Sprintf("; %s of keys that were not there: did keys change? (docs/LIFE.md)", count(r.Strays, "update"))
		}
		if r.Reason != "" {
			text += "; " + r.Reason
		}
		return text
	case replicate.Rebuilt:
		return fmt.Sprintf("%s in: %s; lake files: %d created, %d emptied", count(r.Inputs, "file"), count(r.Inserts, "row"), r.FilesCreated, r.FilesEmptied)
	case replicate.Compacted:
		return fmt.Sprintf("the rows of %s lie in %s; %d untouched", count(r.FilesEmptied, "lake file"), count(r.FilesCreated, "new one"), r.FilesUntouched)
	case replicate.Registered, replicate.Inactive:
		return advised(r.Reason, "switch it on: sluice activate "+r.Table+" --primary-key …")
	case replicate.Halted:
		return advised(r.Reason, "then: sluice acknowledge "+r.Table)
	case replicate.Failed:
		return advised(r.Reason, "the next run tries again")
	case replicate.Idle, replicate.Busy, replicate.Cleaned, replicate.Started:
	}
	if r.Reason == "" {
		return "nothing new"
	}
	return r.Reason
}

// advised adds what to do to a reason that does not name a command itself.
func advised(reason, advice string) string {
	switch {
	case reason == "":
		return advice
	case strings.Contains(reason, "sluice "):
		return reason
	default:
		return reason + "; " + advice
	}
}

func countsText(c replicate.Counts) string {
	return fmt.Sprintf("%d changes: %d inserts, %d updates, %d deletes, %d noops, %d strays, %d stale, %d duplicates, %d anomalies, %d superseded, %d quarantined, %d ignored",
		c.Changes, c.Inserts, c.Updates, c.Deletes, c.Noops, c.Strays, c.Stale, c.Duplicates, c.Anomalies, c.Superseded, c.Quarantined, c.Ignored)
}
