package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"sluice/internal/replicate"
)

func activateCommand(a *app, o *options) *cobra.Command {
	var primary, partition, order, outPath, dialect, compact, policy, contract string
	c := &cobra.Command{
		Use:   "activate TABLE",
		Short: "Set a table's keys and switch it on",
		Long: `Sets the table's attributes and its ActiveFlag, after looking whether the columns
exist. TABLE is schema.table, or the full path where that is ambiguous. What is
not given stays as it is.

The primary key says which row a change belongs to; without one ("null"), inserts
are appended and updates and deletes are ignored. When none is given for a table that
has none and was not loaded yet, its full load is read and keys are proposed: columns,
or pairs of them, that are unique and never NULL, with their counts. The table is active
then, without a key; with --dry-run nothing is set, and what a run would do is said for
any table. --primary-key null asks for no proposal. The partition key makes Hive
partitions. The order column, if any, says which of two changes is the later one.`,
		Example: `  sluice activate sampledb.product --primary-key id
  sluice activate sampledb.product --dry-run
  sluice activate sampledb.productorder --primary-key id --partition-key create_dt
  sluice activate sales.product --out-path my-lake-bucket/sales/`,
		Args:              usageArgs(cobra.ExactArgs(1)),
		ValidArgsFunction: a.tableNames(o, func(replicate.Table) bool { return true }),
	}
	flags := c.Flags()
	flags.StringVar(&primary, "primary-key", "", "columns that name a row, with commas; null = none")
	flags.StringVar(&partition, "partition-key", "", "columns to partition the lake by, with commas; null = none")
	flags.StringVar(&order, "order-column", "", `column that orders changes; "" = none`)
	flags.StringVar(&outPath, "out-path", "", "where the table's folder lies in the lake: bucket/prefix/ (while it is empty)")
	flags.StringVar(&dialect, "dialect", "", `whose columns tell what happened to a row: dms or debezium; "" = as the next file says`)
	flags.StringVar(&compact, "compact", "", `whether runs compact it by themselves: true or false; "" = as --compact of the run says`)
	flags.StringVar(&policy, "schema-policy", "", `what a change of the inputs' columns does: evolve (the default) takes it, strict halts the table; "" = evolve`)
	dry := flags.Bool("dry-run", false, "set nothing: check the columns, propose keys where there is none, say what a run would do")
	csv := addCSVFlags(flags)
	flags.StringVar(&contract, "contract", "", "YAML file that says what rows have to be; none = no contract")
	c.RunE = func(c *cobra.Command, args []string) error {
		settings, err := csv.settings(c)
		if err != nil {
			return err
		}
		rules, err := readContract(c, contract)
		if err != nil {
			return err
		}
		given := func(name string, value *string) *string {
			if c.Flags().Changed(name) {
				return value
			}
			return nil
		}
		return a.change(c.Context(), o, func(ctx context.Context, e engine) (replicate.Table, error) {
			return e.Activate(ctx, args[0], replicate.Activation{
				PrimaryKey: given("primary-key", &primary), PartitionKey: given("partition-key", &partition),
				OrderColumn: given("order-column", &order), OutPath: given("out-path", &outPath),
				CSV: settings, Dialect: given("dialect", &dialect),
				Compact: given("compact", &compact), SchemaPolicy: given("schema-policy", &policy), Contract: rules, DryRun: *dry,
			})
		})
	}
	return c
}

// readContract reads the file of a contract; "none" is no contract. It returns nil when the flag was not given.
func readContract(c *cobra.Command, name string) (*string, error) {
	if !c.Flags().Changed("contract") {
		return nil, nil
	}
	if name == "none" {
		return new(string), nil
	}
	text, err := os.ReadFile(name)
	switch {
	case err != nil:
		return nil, usagef("--contract: %v", err)
	case len(bytes.TrimSpace(text)) == 0:
		return nil, usagef("--contract: %s is empty; none removes a contract", name)
	}
	return new(string(text)), nil
}

func deactivateCommand(a *app, o *options) *cobra.Command {
	return &cobra.Command{
		Use:   "deactivate TABLE",
		Short: "Switch a table off",
		Long: `Switches a table off: the next runs leave it alone, its lake stays as it is, and
its watermark too. A commit that is under way is finished first.`,
		Example:           `  sluice deactivate sampledb.product`,
		Args:              usageArgs(cobra.ExactArgs(1)),
		ValidArgsFunction: a.tableNames(o, func(t replicate.Table) bool { return t.Active }),
		RunE: func(c *cobra.Command, args []string) error {
			return a.change(c.Context(), o, func(ctx context.Context, e engine) (replicate.Table, error) {
				return e.Deactivate(ctx, args[0])
			})
		},
	}
}

func acknowledgeCommand(a *app, o *options) *cobra.Command {
	accepts := []string{"reload", "truncate", "foreign", "schema"}
	var accept string
	c := &cobra.Command{
		Use:   "acknowledge TABLE",
		Short: "Clear a halt that you have judged",
		Long: `Clears the halt of a table. Plain, the next run looks again: right after a broken
input was mended, or when inputs vanished and the lake shall stay. Some halts want
to be told what you accept; their reason says which:

  reload     load the full load that is there now, and merge again behind it
  truncate   the source was emptied: empty the lake's rows, too
  foreign    somebody else changed lake files: they become the base
  schema     rewrite the table to the wider type`,
		Example: `  sluice acknowledge sampledb.product
  sluice acknowledge sampledb.product --accept reload`,
		Args:              usageArgs(cobra.ExactArgs(1)),
		ValidArgsFunction: a.tableNames(o, func(t replicate.Table) bool { return t.Status == "halted" }),
	}
	c.Flags().StringVar(&accept, "accept", "", "what you accept: "+strings.Join(accepts, ", "))
	cobra.CheckErr(c.RegisterFlagCompletionFunc("accept", cobra.FixedCompletions(accepts, cobra.ShellCompDirectiveNoFileComp)))
	c.RunE = func(c *cobra.Command, args []string) error {
		if c.Flags().Changed("accept") && !oneOf(accept, accepts) {
			return usagef("--accept %q is not one of %s", accept, strings.Join(accepts, ", "))
		}
		return a.change(c.Context(), o, func(ctx context.Context, e engine) (replicate.Table, error) {
			return e.Acknowledge(ctx, args[0], accept)
		})
	}
	return c
}

// change does something to a table and prints the table as it is then.
func (a *app) change(ctx context.Context, o *options, do func(context.Context, engine) (replicate.Table, error)) error {
	e, err := a.open(ctx, o, a.quiet(o))
	if err != nil {
		return err
	}
	t, err := do(ctx, e)
	if err != nil {
		return err
	}
	if t.Warning != "" && !o.json {
		if _, err := fmt.Fprintln(a.stderr, "warning: "+t.Warning); err != nil {
			return err
		}
	}
	if t.Proposal != nil {
		return a.printProposal(o, t)
	}
	return a.printTables(o, []replicate.Table{t})
}
