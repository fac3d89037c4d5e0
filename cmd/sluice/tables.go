package main

import (
	"cmp"
	"context"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"sluice/internal/replicate"
	"sluice/internal/setting"
	"sluice/statestore"
)

func tablesCommand(a *app, o *options) *cobra.Command {
	return &cobra.Command{
		Use:   "tables",
		Short: "Show every registered table",
		Long: `Shows every registered table: whether it is active, its keys, how far the lake
follows, how far it lags, and the reason when it is halted. With -v the watermark,
the place in the lake and the rows in its quarantine too. The exit status is 0 also when a table is halted.`,
		Example: `  sluice tables
  sluice tables --json | jq -r 'select(.status == "halted") | .table'`,
		Args: usageArgs(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error { return a.list(c.Context(), o) },
	}
}

func (a *app) list(ctx context.Context, o *options) error {
	e, err := a.open(ctx, o, a.quiet(o))
	if err != nil {
		return err
	}
	tables, err := e.Tables(ctx)
	if err != nil {
		return err
	}
	return a.printTables(o, tables)
}

// printTables prints all of them: JSON lines, or one aligned text.
func (a *app) printTables(o *options, tables []replicate.Table) error {
	out := a.output(o, nil)
	if o.json {
		for _, t := range tables {
			out.print(t, "")
		}
		return out.err
	}
	if len(tables) == 0 {
		out.print(nil, "no table is registered yet: sluice run registers what lies below --raw")
		return out.err
	}
	rows := [][]string{tableHeading(o.verbose)}
	for _, t := range tables {
		rows = append(rows, tableCells(t, o.verbose))
	}
	out.print(nil, columns(rows))
	return out.err
}

func tableHeading(verbose bool) []string {
	cells := []string{"TABLE", "ACTIVE", "PRIMARY KEY", "PARTITION KEY", "FULL LOAD", "LAG", "STATUS", "REASON"}
	if verbose {
		cells = append(cells, "MERGED UP TO", "PATH", "OUT PATH", "DIALECT", "QUARANTINED")
	}
	return cells
}

func tableCells(t replicate.Table, verbose bool) []string {
	active := "no"
	if t.Active {
		active = "yes"
	}
	cells := []string{t.Table, active, t.PrimaryKey, t.PartitionKey, loadText(t.LastFullLoadDate), lagText(t.LagSeconds), t.Status, t.Reason}
	if verbose {
		if t.Reason == "" {
			cells[len(cells)-1] = "-"
		}
		cells = append(cells, t.LastIncrementalFile, t.Path, t.OutPath, cmp.Or(t.Dialect, "-"), strconv.FormatInt(t.Quarantined, 10))
	}
	return cells
}

// loadText writes the date of the full load; the date that stands for none is nothing to show people.
func loadText(date string) string {
	if date == statestore.NeverDate {
		return "-"
	}
	return date
}

// lagText writes a lag as people say it; below zero nothing was consumed yet.
func lagText(seconds int64) string {
	if seconds < 0 {
		return "-"
	}
	lag := setting.Duration(time.Duration(seconds) * time.Second)
	return lag.String()
}
