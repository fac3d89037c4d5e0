package main

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"sluice/internal/replicate"
	"sluice/internal/setting"
)

// janitor is what the command asks of *replicate.Janitor.
type janitor interface {
	Run(ctx context.Context, report func(replicate.Cleaning)) error
}

func janitorCommand(a *app, o *options) *cobra.Command {
	var dry bool
	c := &cobra.Command{
		Use:   "janitor",
		Short: "Delete what no commit can need any more",
		Long: `Deletes what sluice itself wrote and no commit can need any more: lake files that
were emptied 15 days ago or longer, bookkeeping of 30 days or more that nothing
names, uploads that were never completed. Never a file of anybody else. A table
with a pending commit is left alone. No setting makes the times shorter.

run deletes nothing: the janitor is the only one that needs the permission to
delete, so give it credentials of its own (docs/OPERATIONS.md has the policy).
Run it daily or weekly, also while others run. With -v each key is named.
Exit status: 1 when a table could not be cleaned.`,
		Example: `  sluice janitor --dry-run -v
  AWS_PROFILE=sluice-janitor sluice janitor --raw s3://my-dms-bucket --lake s3://my-lake-bucket`,
		Args: usageArgs(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error { return a.clean(c.Context(), o, dry) },
	}
	c.Flags().BoolVar(&dry, "dry-run", false, "say what would be deleted, and delete nothing; uploads are not counted")
	return c
}

func (a *app) clean(ctx context.Context, o *options, dry bool) error {
	j, err := a.janitor(ctx, o, a.quiet(o), dry)
	if err != nil {
		return err
	}
	out, worst := a.output(o, nil), &outcome{}
	err = j.Run(ctx, func(c replicate.Cleaning) {
		out.print(c, cleaningText(c, o.verbose, dry))
		worst.add(c.Action)
	})
	return cmp.Or(err, ctx.Err(), out.err, worst.err())
}

func cleaningText(c replicate.Cleaning, verbose, dry bool) string {
	verb := "deleted"
	if dry {
		verb = "would delete"
	}
	text := cmp.Or(c.Reason, "nothing to delete")
	if c.Action == replicate.Cleaned {
		text = fmt.Sprintf("%s %s and %s of bookkeeping, %s", verb, count(c.Files, "emptied lake file"), count(c.Bookkeeping, "object"), setting.Bytes(c.Bytes))
		if c.Uploads > 0 {
			text += "; ended " + count(c.Uploads, "abandoned upload")
		}
		if c.Reason != "" {
			text += "; " + c.Reason
		}
	}
	lines := []string{fmt.Sprintf("%-*s  %-10s  %s", tableWidth, c.Table, c.Action, text)}
	for _, key := range c.Keys {
		if verbose {
			lines = append(lines, "    "+verb+": "+key)
		}
	}
	return strings.Join(lines, "\n")
}

// openJanitor builds a janitor over the real stores.
func openJanitor(ctx context.Context, o *options, w watcher, dry bool) (janitor, error) {
	where, cfg, err := o.configure()
	if err != nil {
		return nil, err
	}
	table, _, err := o.control(where.lake)
	if err != nil {
		return nil, err
	}
	if where.lake.dir != "" && table != "" {
		return nil, usagef("the janitor of a lake in a directory needs a control table in a file (--state FILE): its lease is a lock, without which a process that stood still for weeks could bring back what was deleted")
	}
	state, err := o.openState(ctx, where.lake, w)
	if err != nil {
		return nil, err
	}
	stores := newBuckets(where)
	return replicate.NewJanitor(cfg, replicate.JanitorStores{
		Objects: func(ctx context.Context, bucket string) (replicate.Cleaner, error) {
			s, err := stores.store(ctx, bucket)
			if err != nil || !dry {
				return s, err
			}
			return looker{s}, nil
		},
		State: state, Log: w.log, Now: w.now, Lock: table == "",
	})
}

// looker is a bucket in which nothing is deleted: a dry run.
type looker struct{ replicate.Cleaner }

func (looker) Delete(context.Context, string, string) error { return nil }

func (looker) AbortAbandoned(context.Context, string, time.Time) (int, error) { return 0, nil }
