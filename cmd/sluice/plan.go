package main

import (
	"cmp"
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"sluice/internal/replicate"
	"sluice/internal/setting"
)

func planCommand(a *app, o *options) *cobra.Command {
	return &cobra.Command{
		Use:   "plan",
		Short: "Say what run would do, and change nothing",
		Long: `Says for each table what run would do now: the inputs it would consume, the lake
files it would rewrite, the rows, and an estimate of the bytes. Nothing is
registered, committed or written. With -v every input and file is named.`,
		Example: `  sluice plan --raw s3://my-dms-bucket --lake s3://my-lake-bucket
  sluice plan -v --schema sales`,
		Args: usageArgs(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error { return a.forecast(c.Context(), o) },
	}
}

func (a *app) forecast(ctx context.Context, o *options) error {
	e, err := a.open(ctx, o, a.quiet(o))
	if err != nil {
		return err
	}
	out, worst := a.output(o, nil), &outcome{}
	err = e.Forecast(ctx, func(f replicate.Forecast) {
		out.print(f, forecastText(f, o.verbose))
		worst.add(f.Action)
	})
	return cmp.Or(err, ctx.Err(), out.err, worst.err())
}

// quiet watches without a progress bar.
func (a *app) quiet(o *options) watcher {
	return watcher{log: o.logger(a), progress: func(string, int, int) {}, now: a.now}
}

func forecastText(f replicate.Forecast, verbose bool) string {
	line := fmt.Sprintf("%-*s  %-10s  %s", tableWidth, f.Table, f.Action, forecastSummary(f))
	if !verbose {
		return line
	}
	lines := []string{line}
	for _, key := range f.Inputs {
		lines = append(lines, "    input: "+key)
	}
	for _, key := range f.Files {
		lines = append(lines, "    rewrite: "+key)
	}
	return strings.Join(lines, "\n")
}

func forecastSummary(f replicate.Forecast) string {
	switch f.Action {
	case replicate.Loaded, replicate.Merged, replicate.Rebuilt, replicate.Compacted:
	case replicate.Registered, replicate.Inactive:
		return advised(f.Reason, "switch it on: sluice activate "+f.Table+" --primary-key …")
	case replicate.Halted:
		return advised(f.Reason, "then: sluice acknowledge "+f.Table)
	case replicate.Idle, replicate.Failed, replicate.Busy, replicate.Cleaned, replicate.Started:
		return cmp.Or(f.Reason, "nothing to do")
	}
	text := fmt.Sprintf("%s in: %s; lake files: %d created, %d rewritten, %d untouched; about %s to read, %s to write",
		count(int64(len(f.Inputs)), "file"), count(f.Rows, "row"), f.FilesCreated, f.Rewritten, f.Untouched,
		setting.Bytes(f.BytesToRead), setting.Bytes(f.BytesToWrite))
	if f.Reason != "" {
		text += "; " + f.Reason
	}
	return text
}
