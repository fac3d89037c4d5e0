package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"
)

func controlCommand(a *app, o *options) *cobra.Command {
	c := &cobra.Command{
		Use:   "control",
		Short: "Export and import the control table",
		Long: `Moves control items as JSON lines: the attributes by their DynamoDB names, with
string values. That is how a lake that the AWS sample has merged so far is
adopted, and how items are kept, moved and restored.`,
		SuggestionsMinimumDistance: 2,

		Args: usageArgs(knownCommand),
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(exportCommand(a, o), importCommand(a, o))
	return c
}

func exportCommand(a *app, o *options) *cobra.Command {
	return &cobra.Command{
		Use:   "export [FILE]",
		Short: "Write all control items as JSON lines",
		Long:  `Writes all control items as JSON lines to FILE, or to stdout. A FILE is replaced only when the export is complete.`,
		Example: `  sluice control export items.jsonl
  sluice control export --state dynamodb://DMSCDC_Controller | jq .PrimaryKey`,
		Args: usageArgs(cobra.MaximumNArgs(1)),
		RunE: func(c *cobra.Command, args []string) error {
			e, err := a.open(c.Context(), o, a.quiet(o))
			if err != nil {
				return err
			}
			if len(args) == 0 || args[0] == "-" {
				return e.Export(c.Context(), a.stdout)
			}
			return exportTo(c.Context(), e, args[0])
		},
	}
}

// exportTo writes beside the file and renames.
func exportTo(ctx context.Context, e engine, name string) error {
	file, err := os.CreateTemp(filepath.Dir(name), "."+filepath.Base(name)+"-*")
	if err != nil {
		return fmt.Errorf("export: %w", err)
	}
	if err := errors.Join(e.Export(ctx, file), file.Sync(), file.Close()); err != nil {
		return errors.Join(err, os.Remove(file.Name()))
	}
	if err := os.Rename(file.Name(), name); err != nil {
		return fmt.Errorf("export: %w", err)
	}
	return nil
}

func importCommand(a *app, o *options) *cobra.Command {
	var force bool
	c := &cobra.Command{
		Use:   "import FILE",
		Short: "Take control items from JSON lines",
		Long: `Takes control items from a FILE of JSON lines ("-" is stdin), as control export
writes them and as a scan of the AWS sample's table can be turned into. An import
that would set a table back or drop a commit under way wants --force.`,
		Example: `  sluice control import items.jsonl
  sluice control export --state dynamodb://DMSCDC_Controller | sluice control import - --state control.db`,
		Args: usageArgs(cobra.ExactArgs(1)),
	}
	c.Flags().BoolVar(&force, "force", false, "also set tables back, and drop commits under way")
	c.RunE = func(c *cobra.Command, args []string) error {
		source, err := a.source(args[0])
		if err != nil {
			return err
		}
		e, err := a.open(c.Context(), o, a.quiet(o))
		if err != nil {
			return errors.Join(err, source.Close())
		}
		n, err := e.Import(c.Context(), source, force)
		if err := errors.Join(err, source.Close()); err != nil {
			return err
		}
		out := a.output(o, nil)
		out.print(map[string]int{"imported": n}, "imported "+count(int64(n), "item"))
		return out.err
	}
	return c
}

// source opens what to import; a file that is not there is wrong usage.
func (a *app) source(name string) (io.ReadCloser, error) {
	if name == "-" {
		return io.NopCloser(a.stdin), nil
	}
	file, err := os.Open(name)
	if err != nil {
		return nil, usagef("import: %w", err)
	}
	return file, nil
}
