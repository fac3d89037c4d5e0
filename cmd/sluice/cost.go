package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"sluice/internal/cost"
	"sluice/internal/setting"
)

// asked is what the flags of sluice cost say.
type asked struct {
	cost.Fleet

	rowBytes, tableBytes setting.Size
	arch, region, prices string
}

func costCommand(a *app, o *options) *cobra.Command {
	q := asked{
		Fleet:      cost.Fleet{Tables: 2000, Changing: 0.05, Inputs: 1, ChangeRows: 1000, Files: 10, Touched: 1, Objects: 168, MemoryMB: 3538, SparkSeconds: 32},
		rowBytes:   100,
		tableBytes: 438 << 20,
	}
	c := &cobra.Command{
		Use:   "cost",
		Short: "Estimate a month on AWS, beside the AWS sample on Glue",
		Long: `Estimates what a fleet of tables costs in 30 days on AWS, looked at once an hour, from
counted requests and a price list, and what the AWS sample "Load ongoing data lake
changes with AWS DMS and AWS Glue" costs with the same tables: a Python shell job for
each table and hour, a Spark job for each that has changes, each billed for a minute at
least. Free tiers, tax, storage and data transfer are left out, and so is DMS.

It asks nobody: no account is needed. docs/COST.md says what is counted and assumed.`,
		Example: `  sluice cost
  sluice cost --tables 50 --changing 1 --table-bytes 5GiB --files 40 --touched 4 --random
  sluice cost --region us-east-1 --arch arm64 --memory-mb 1769 --json`,
		Args: usageArgs(cobra.NoArgs),
		RunE: func(*cobra.Command, []string) error { return a.cost(o, q) },
	}
	flags := c.Flags()
	flags.IntVar(&q.Tables, "tables", q.Tables, "active tables")
	flags.Float64Var(&q.Changing, "changing", q.Changing, "share of them that has changes in an hour")
	flags.IntVar(&q.Inputs, "inputs", q.Inputs, "change files that one merge takes")
	flags.IntVar(&q.ChangeRows, "change-rows", q.ChangeRows, "changes that one merge takes")
	flags.Var(&q.rowBytes, "row-bytes", "size of a changed row")
	flags.Var(&q.tableBytes, "table-bytes", "size of a table in the lake")
	flags.IntVar(&q.Files, "files", q.Files, "lake files of a table")
	flags.IntVar(&q.Touched, "touched", q.Touched, "lake files that one merge rewrites")
	flags.BoolVar(&q.Random, "random", q.Random, "changes lie everywhere in these files, not at the end")
	flags.IntVar(&q.Objects, "objects", q.Objects, "objects of a table in raw within the horizon")
	flags.IntVar(&q.MemoryMB, "memory-mb", q.MemoryMB, "memory of the workers")
	flags.StringVar(&q.arch, "arch", "x86_64", "of the functions: x86_64 or arm64")
	flags.BoolVar(&q.TableMetrics, "table-metrics", q.TableMetrics, "metrics of each table (SLUICE_TABLE_METRICS)")
	flags.Float64Var(&q.SparkSeconds, "spark-seconds", q.SparkSeconds, "how long the sample's Spark job takes")
	flags.StringVar(&q.region, "region", "eu-west-1", "whose prices")
	flags.StringVar(&q.prices, "prices", "", "price list to read instead of the one inside: a file of its form")
	return c
}

// estimate is what sluice cost --json prints.
type estimate struct {
	Region   string      `json:"region"`
	Prices   string      `json:"prices"` // date of the list
	Use      []cost.Line `json:"use"`
	Fixed    []cost.Line `json:"fixed"`
	Total    float64     `json:"total"`
	UseTotal float64     `json:"use_total"`     // without what watches over it
	Metrics  float64     `json:"table_metrics"` // what metrics of single tables cost, whether they are in the total or not
	Ancestor []peer      `json:"ancestor"`
}

// peer is the AWS sample at some size.
type peer struct {
	DPU   float64 `json:"dpu"`
	Total float64 `json:"total"`
	Ratio float64 `json:"ratio"`     // of its total to sluice's
	Use   float64 `json:"use_ratio"` // to that without alarms, dashboard and metrics, which the sample does not have
}

func (a *app) cost(o *options, q asked) error {
	q.RowBytes, q.TableBytes, q.ARM = int64(q.rowBytes), int64(q.tableBytes), q.arch == "arm64"
	if !q.ARM && q.arch != "x86_64" {
		return usagef("--arch %q is neither x86_64 nor arm64", q.arch)
	}
	if err := q.Check(); err != nil {
		return usagef("%w", err)
	}
	list, err := cost.Listed()
	if q.prices != "" {
		var text []byte
		if text, err = os.ReadFile(q.prices); err == nil {
			list, err = cost.ReadList(text)
		}
	}
	if err != nil {
		return usagef("%w", err)
	}
	prices, err := list.In(q.region)
	if err != nil {
		return usagef("%w", err)
	}
	e := estimate{Region: q.region, Prices: list.Date, Metrics: cost.Metrics(q.Fleet, prices)}
	e.Use, e.Fixed = cost.Month(q.Fleet, prices)
	e.UseTotal = cost.Total(e.Use)
	e.Total = e.UseTotal + cost.Total(e.Fixed)
	for _, dpu := range []float64{2, 10} {
		total := cost.Total(cost.Ancestor(q.Fleet, prices, dpu))
		e.Ancestor = append(e.Ancestor, peer{dpu, total, total / e.Total, total / e.UseTotal})
	}
	out := a.output(o, nil)
	out.print(e, e.text(q))
	return out.err
}

// text is the estimate for people.
func (e estimate) text(q asked) string {
	rows := [][]string{{"A MONTH OF 30 DAYS", "AMOUNT", "UNIT", "USD"}}
	for _, list := range [][]cost.Line{e.Use, e.Fixed} {
		for _, l := range list {
			rows = append(rows, []string{l.Name, fmt.Sprintf("%.0f", l.Amount), l.Unit, fmt.Sprintf("%.2f", l.Dollars)})
		}
	}
	rows = append(rows, []string{"sluice", "", "", fmt.Sprintf("%.2f", e.Total)},
		[]string{"sluice without the last three lines", "", "", fmt.Sprintf("%.2f", e.UseTotal)})
	for _, p := range e.Ancestor {
		rows = append(rows, []string{fmt.Sprintf("the AWS sample on Glue, %.0f DPU", p.DPU), "", "", fmt.Sprintf("%.2f", p.Total), fmt.Sprintf("%.0f and %.0f times as much", p.Ratio, p.Use)})
	}
	text := fmt.Sprintf("%d tables, %.3g %% with changes each hour; %s, prices of %s\n\n%s", q.Tables, q.Changing*100, e.Region, e.Prices, columns(rows))
	if q.TableMetrics {
		return text + fmt.Sprintf("\nOf this %.2f are metrics of single tables: SLUICE_TABLE_METRICS=false leaves them out.", e.Metrics)
	}
	return text + fmt.Sprintf("\nWith metrics of each table (SLUICE_TABLE_METRICS=true) %.2f more.", e.Metrics)
}
