package main

import (
	"cmp"
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"sluice/internal/replicate"
)

func doctorCommand(a *app, o *options) *cobra.Command {
	return &cobra.Command{
		Use:   "doctor",
		Short: "Check credentials, permissions, the store, the control table, the clock",
		Long: `Tries everything that a run relies on: credentials and permissions, conditional
writes, the control table, the clock, inputs that came late. Each finding that is
not well says what to do. It writes only a small probe object to the lake.
Exit status: 1 when something is not well.`,
		Example: `  sluice doctor --raw s3://my-dms-bucket --lake s3://my-lake-bucket`,
		Args:    usageArgs(cobra.NoArgs),
		RunE:    func(c *cobra.Command, _ []string) error { return a.examine(c.Context(), o) },
	}
}

func (a *app) examine(ctx context.Context, o *options) error {
	e, err := a.open(ctx, o, a.quiet(o))
	if err != nil {
		return err
	}
	out, well := a.output(o, nil), true
	err = e.Doctor(ctx, func(c replicate.Check) {
		out.print(c, checkText(c))
		well = well && c.OK
	})
	if err = cmp.Or(err, ctx.Err(), out.err); err == nil && !well {
		return errFailed
	}
	return err
}

func checkText(c replicate.Check) string {
	verdict := "ok"
	if !c.OK {
		verdict = "NOT OK"
	}
	text := fmt.Sprintf("%-6s  %-*s  %s", verdict, tableWidth, c.Name, c.Detail)
	if !c.OK && c.Remedy != "" {
		text += "\n        to do: " + c.Remedy
	}
	return text
}
