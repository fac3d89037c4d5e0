package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

// newRoot returns the command tree of one process.
func newRoot(a *app) *cobra.Command {
	o := newOptions()
	root := &cobra.Command{
		Use:   "sluice",
		Short: "Keep a Parquet lake equal to your databases, from the files AWS DMS writes",
		Long: `sluice keeps a Parquet lake equal to your databases, from the files that AWS DMS
already writes to S3, rewriting only what changed.

Say where DMS writes and where the tables live, once, in the environment:

  export SLUICE_RAW=s3://my-dms-bucket SLUICE_LAKE=s3://my-lake-bucket

then: run finds the tables, activate switches one on, run again loads it and
merges what has changed since. A directory does instead of a bucket:
sluice demo shows it all on your own disk in a few seconds.`,
		Example: `  sluice demo
  sluice run --raw s3://my-dms-bucket --lake s3://my-lake-bucket
  sluice tables --raw /data/raw --lake /data/lake`,
		SilenceUsage: true, SilenceErrors: true,
		Args: usageArgs(knownCommand),
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
		PersistentPreRunE: func(c *cobra.Command, _ []string) error {
			return o.fromEnvironment(c, a.env)
		},
		Version:                    version(),
		SuggestionsMinimumDistance: 2,
	}
	root.SetVersionTemplate("sluice {{.Version}}\n")
	root.SetIn(a.stdin)
	root.SetOut(a.stdout)
	root.SetErr(a.stderr)
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		return usagef("%w; see %s --help", err, c.CommandPath())
	})
	o.register(root)
	root.AddCommand(
		runCommand(a, o), planCommand(a, o), tablesCommand(a, o),
		activateCommand(a, o), deactivateCommand(a, o), acknowledgeCommand(a, o),
		rebuildCommand(a, o), compactCommand(a, o), historyCommand(a, o),
		controlCommand(a, o), verifyCommand(a, o), janitorCommand(a, o), costCommand(a, o), doctorCommand(a, o), demoCommand(a, o), versionCommand(a, o),
	)
	return root
}

// knownCommand refuses a first argument that is no command, and says which one was meant.
func knownCommand(c *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	message := fmt.Sprintf("unknown command %q", args[0])
	if meant := c.SuggestionsFor(args[0]); len(meant) > 0 {
		message += "; did you mean " + strings.Join(meant, " or ") + "?"
	}
	return fmt.Errorf("%s", message)
}
