package main

import (
	"cmp"
	"context"
	"fmt"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"

	"sluice/internal/replicate"
	"sluice/internal/setting"
)

func verifyCommand(a *app, o *options) *cobra.Command {
	v := replicate.VerifyOptions{MemoryBytes: 256 << 20, Differences: 10}
	c := &cobra.Command{
		Use:   "verify TABLE",
		Short: "Read raw and lake and say whether the lake is right",
		Long: `Reads everything that the table was made from, its full load and every change file
consumed since, folds it anew, and compares the result with the lake: rows that
are missing, that should not be there, that are there twice, that have other
values. Nothing is written; the table may be in use.

It reads the inputs and the lake once when they agree, and for each part of the
keys when more keys changed than --memory holds. Where they differ it reads them
again to count the rows and to show the first differences. Inputs that no run has
consumed yet do not count; a commit that is pending has to be finished first.

It can only say something against the lake while raw still has every input that
the lake was made from; otherwise it says what is missing.
Exit status: 0 when the lake is right; 1 when it is not, or when raw is not
complete, a commit is pending, or something could not be read.`,
		Example: `  sluice verify sampledb.product
  sluice verify sampledb.productorder --memory 1GiB --differences 100 --json`,
		Args:              usageArgs(cobra.ExactArgs(1)),
		ValidArgsFunction: a.tableNames(o, func(replicate.Table) bool { return true }),
	}
	c.Flags().Var((*setting.Size)(&v.MemoryBytes), "memory", "memory for keys; what reading takes comes on top")
	c.Flags().IntVar(&v.Differences, "differences", v.Differences, "how many differences to show")
	c.RunE = func(c *cobra.Command, args []string) error {
		switch {
		case v.MemoryBytes < replicate.MinVerifyBytes:
			return usagef("--memory %s is below the least of %s", setting.Bytes(v.MemoryBytes), setting.Bytes(replicate.MinVerifyBytes))
		case v.Differences < 0:
			return usagef("--differences %d is below zero", v.Differences)
		}
		return a.verify(c.Context(), o, args[0], v)
	}
	return c
}

// readingBytes is what reading takes beside the keys: row groups that are being hashed, and column chunks.
const readingBytes = 192 << 20

func (a *app) verify(ctx context.Context, o *options, table string, v replicate.VerifyOptions) error {
	// Garbage counts, too: the collector works harder before the process grows beyond what was allowed.
	defer debug.SetMemoryLimit(debug.SetMemoryLimit(v.MemoryBytes + readingBytes))
	b := a.bar("files read")
	e, err := a.open(ctx, o, watcher{log: o.logger(a), progress: b.progress, now: a.now})
	if err != nil {
		return err
	}
	result, err := e.Verify(ctx, table, v)
	b.clear()
	if err != nil {
		return cmp.Or(ctx.Err(), err)
	}
	out := a.output(o, nil)
	out.print(result, verificationText(result))
	if out.err == nil && !result.Well() {
		return errFailed
	}
	return out.err
}

func verificationText(v replicate.Verification) string {
	lines := []string{fmt.Sprintf("%-*s  %-10s  %s", tableWidth, v.Table, verdictText(v), verificationSummary(v))}
	if v.Reason != "" && v.Passes > 0 {
		lines = append(lines, "    "+v.Reason)
	}
	if v.Undecided > 0 {
		lines = append(lines, fmt.Sprintf("    %s were deleted and then written with a lower value of the order column: either is right", count(v.Undecided, "key")))
	}
	if v.Waiting > 0 {
		lines = append(lines, fmt.Sprintf("    %s not consumed yet: sluice run merges them", count(int64(v.Waiting), "file")))
	}
	for _, d := range v.Differences {
		lines = append(lines, differenceText(d))
	}
	if !v.Equal && v.Complete {
		lines = append(lines, "    to do: find out who wrote to the lake, then write the table anew from raw: sluice rebuild "+v.Table)
	}
	return strings.Join(lines, "\n")
}

func verdictText(v replicate.Verification) string {
	switch {
	case v.Well():
		return "equal"
	case v.Complete:
		return "DIFFERENT"
	case v.Passes > 0:
		return "UNSURE" // it differs, and raw may be to blame
	}
	return "UNKNOWN"
}

func verificationSummary(v replicate.Verification) string {
	if v.Passes == 0 {
		return v.Reason
	}
	text := fmt.Sprintf("%s of %s, %s in %s; read %s in %s, %.1f s", count(v.RowsRaw, "row"), count(int64(v.Inputs), "input"),
		count(v.RowsLake, "row"), count(int64(v.Files), "lake file"), setting.Bytes(v.BytesRead), passes(v.Passes), v.Seconds)
	if v.Equal {
		return text
	}
	return fmt.Sprintf("%d missing, %d surplus, %d duplicate, %d different; ", v.Missing, v.Surplus, v.Duplicates, v.Different) + text
}

func passes(n int) string {
	if n == 1 {
		return "1 pass"
	}
	return fmt.Sprintf("%d passes", n)
}

// differenceText is the line of one difference, and a line for each of its columns.
func differenceText(d replicate.Difference) string {
	what := d.Kind
	if d.RowsRaw > 1 || d.RowsLake > 1 {
		what += fmt.Sprintf(" (%s in raw, %d in the lake)", count(int64(d.RowsRaw), "row"), d.RowsLake)
	}
	lines := []string{"    " + strings.TrimSuffix(what+": "+d.Key, ": ")}
	for _, c := range d.Columns {
		switch {
		case d.Kind == "missing" && d.RowsLake == 0:
			lines = append(lines, fmt.Sprintf("        %s: raw %s", c.Column, c.Raw))
		case d.RowsRaw == 0:
			lines = append(lines, fmt.Sprintf("        %s: lake %s", c.Column, c.Lake))
		default:
			lines = append(lines, fmt.Sprintf("        %s: raw %s, lake %s", c.Column, c.Raw, c.Lake))
		}
	}
	for _, at := range []struct{ what, key string }{{"lake file", d.LakeFile}, {"last input", d.Input}} {
		if at.key != "" {
			lines = append(lines, "        "+at.what+" "+at.key)
		}
	}
	return strings.Join(lines, "\n")
}
