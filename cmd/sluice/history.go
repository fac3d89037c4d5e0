package main

import (
	"cmp"
	"context"
	"fmt"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"sluice/internal/replicate"
)

func historyCommand(a *app, o *options) *cobra.Command {
	var q replicate.HistoryQuery
	c := &cobra.Command{
		Use:   "history TABLE",
		Short: "List a table's commits",
		Long: `Lists the commits of a table, newest first, from the bookkeeping in the lake: when
each was planned, what it did, which inputs it took, how many rows and lake files. With
-v every input is named; --input says which commit took a file.

  finished   carried out whole
  pending    binding and under way; the next run finishes it
  replaced   it could not be finished: the commit of the same number took its place
  lost       never binding: another run was first, or the run died
  unbound    not binding yet: a run is at it now, or has died
  unknown    too old to tell

Bookkeeping is cleaned away after 30 days; history says where it begins.`,
		Example: `  sluice history sampledb.product
  sluice history sampledb.product --input 20250102-030405678.parquet
  sluice history sampledb.product --limit 0 --json | jq -r 'select(.state == "finished") | .inserts'`,
		Args:              usageArgs(cobra.ExactArgs(1)),
		ValidArgsFunction: a.tableNames(o, func(replicate.Table) bool { return true }),
	}
	c.Flags().IntVar(&q.Limit, "limit", 20, "at most so many commits; 0 = all")
	c.Flags().StringVar(&q.Input, "input", "", "only the commits that took this input: its key, or the file's name")
	c.RunE = func(c *cobra.Command, args []string) error {
		if q.Limit < 0 {
			return usagef("--limit %d is below zero", q.Limit)
		}
		q.Keys = o.verbose
		return a.history(c.Context(), o, args[0], q)
	}
	return c
}

// history prints JSON as commits are read, and text when all of them are, for their columns are aligned.
func (a *app) history(ctx context.Context, o *options, table string, q replicate.HistoryQuery) error {
	e, err := a.open(ctx, o, a.quiet(o))
	if err != nil {
		return err
	}
	out := a.output(o, nil)
	var commits []replicate.Commit
	rest, err := e.History(ctx, table, q, func(c replicate.Commit) {
		if o.json {
			out.print(c, "")
			return
		}
		commits = append(commits, c)
	})
	if err == nil && !o.json {
		out.print(nil, historyText(commits, rest, q))
	}
	return cmp.Or(err, ctx.Err(), out.err)
}

func historyText(commits []replicate.Commit, rest replicate.HistoryRest, q replicate.HistoryQuery) string {
	var lines []string
	if len(commits) > 0 {
		lines = commitLines(commits)
	}
	if note := historyNote(commits, rest, q); note != "" {
		lines = append(lines, note)
	}
	return strings.Join(lines, "\n")
}

// commitLines has one aligned line for each commit, and behind it one for each input that is to be named.
func commitLines(commits []replicate.Commit) []string {
	rows := [][]string{{"SEQ", "WHEN", "KIND", "STATE", "INPUTS", "INSERTS", "UPDATES", "DELETES", "CREATED", "REWRITTEN", "EMPTIED", "COMMIT", "FIRST … LAST INPUT"}}
	for _, c := range commits {
		rows = append(rows, commitCells(c))
	}
	aligned := strings.Split(strings.TrimSuffix(columns(rows), "\n"), "\n")
	lines := []string{aligned[0]}
	for i, line := range aligned[1:] {
		lines = append(lines, line)
		for _, key := range commits[i].InputKeys {
			lines = append(lines, "    input: "+key)
		}
	}
	return lines
}

func commitCells(c replicate.Commit) []string {
	made := "-"
	if !c.Made.IsZero() {
		made = c.Made.UTC().Format(time.DateTime)
	}
	cells := []string{strconv.FormatUint(c.Seq, 10), made, cmp.Or(string(c.Kind), "-"), string(c.State), strconv.Itoa(c.Inputs)}
	for _, n := range []int64{c.Inserts, c.Updates, c.Deletes, c.FilesCreated, c.FilesRewritten, c.FilesEmptied} {
		cells = append(cells, strconv.FormatInt(n, 10))
	}
	return append(cells, c.ID[:min(8, len(c.ID))], inputRange(c))
}

// inputRange names the first and the last input, without their folders.
func inputRange(c replicate.Commit) string {
	switch c.Inputs {
	case 0:
		return "-"
	case 1:
		return path.Base(c.FirstInput)
	default:
		return path.Base(c.FirstInput) + " … " + path.Base(c.LastInput)
	}
}

// historyNote says what the list does not show.
func historyNote(commits []replicate.Commit, rest replicate.HistoryRest, q replicate.HistoryQuery) string {
	switch {
	case rest.First == 0:
		return "no commits are recorded"
	case rest.Older > 0:
		return fmt.Sprintf("%s more: --limit 0 shows all", count(int64(rest.Older), "older commit"))
	case q.Input != "" && len(commits) == 0 && rest.First > 1:
		return fmt.Sprintf("no commit since number %d took %s; older commits were cleaned away", rest.First, q.Input)
	case q.Input != "" && len(commits) == 0:
		return "no commit took " + q.Input
	case rest.First > 1:
		return fmt.Sprintf("commits before number %d were cleaned away", rest.First)
	}
	return ""
}
