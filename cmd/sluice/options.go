package main

import (
	"log/slog"
	"runtime"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"sluice/internal/replicate"
	"sluice/internal/setting"
)

// options are the flags that every command understands. Each is also read from
// its environment variable, SLUICE_ and the flag's name; the flag wins.
type options struct {
	raw, lake, state, schema, catalog string

	settings  replicate.Settings
	makeLake  bool // set by commands that create a lake directory
	limited   bool // set by commands that keep to a limit of memory
	json      bool
	verbose   bool
	logLevel  string
	logFormat string

	memory setting.Size // --memory; 0 = find out
}

func newOptions() *options {
	o := &options{settings: replicate.DefaultSettings()}
	o.settings.Parallel = runtime.NumCPU()
	return o
}

// register declares the flags on the root command.
func (o *options) register(root *cobra.Command) {
	flags := root.PersistentFlags()
	flags.SortFlags = false
	flags.StringVar(&o.raw, "raw", "", "where DMS writes: s3://bucket[/prefix] or a directory")
	flags.StringVar(&o.lake, "lake", "", "where the tables live: s3://bucket[/prefix] or a directory")
	flags.StringVar(&o.state, "state", "", "the control table: dynamodb://TABLE or a file (default dynamodb://DMSCDC_Controller for an S3 lake, LAKE/_sluice/control.db for a directory)")
	flags.StringVar(&o.catalog, "catalog", "", "register the tables of an S3 lake in a data catalog: glue:DATABASE (default off)")
	flags.StringVar(&o.schema, "schema", "*", "all schemas below --raw, or the name of one")
	flags.BoolVar(&o.json, "json", false, "print one JSON object a line")
	flags.BoolVarP(&o.verbose, "verbose", "v", false, "print more, and log at level debug")
	flags.StringVar(&o.logLevel, "log-level", "warn", "least level to log: debug, info, warn, error")
	flags.StringVar(&o.logFormat, "log-format", "text", "form of the log on stderr: text or json")
	o.registerEngine(flags)
	for name, values := range choices() {
		completion := cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp)
		cobra.CheckErr(root.RegisterFlagCompletionFunc(name, completion))
	}
}

// registerEngine declares the engine's settings.
func (o *options) registerEngine(flags *pflag.FlagSet) {
	setting.Engine(flags, &o.settings)
	flags.Var(&o.memory, "memory", "what a run may take of memory (default that of its container, or half of the machine's)")
}

// choices are the values of flags that have few.
func choices() map[string][]string {
	return map[string][]string{
		"compression": {"zstd", "snappy", "gzip", "none"},
		"op-column":   {"keep", "drop"},
		"log-level":   {"debug", "info", "warn", "error"},
		"log-format":  {"text", "json"},
	}
}

// fromEnvironment fills the flags that were not given, and checks those with few values.
func (o *options) fromEnvironment(c *cobra.Command, env func(string) (string, bool)) error {
	if err := setting.FromEnvironment(c.Root().PersistentFlags(), env); err != nil {
		return err
	}
	for name, values := range choices() {
		if value := c.Root().PersistentFlags().Lookup(name).Value.String(); !oneOf(value, values) {
			return usagef("--%s %q is not one of %s", name, value, strings.Join(values, ", "))
		}
	}
	return nil
}

func oneOf(value string, values []string) bool {
	for _, v := range values {
		if v == value {
			return true
		}
	}
	return false
}

// logger returns the log on stderr.
func (o *options) logger(a *app) *slog.Logger {
	level := slog.LevelWarn
	if err := level.UnmarshalText([]byte(o.logLevel)); err != nil || o.verbose {
		level = slog.LevelDebug
	}
	handling := &slog.HandlerOptions{Level: level}
	if o.logFormat == "json" {
		return slog.New(slog.NewJSONHandler(a.stderr, handling))
	}
	return slog.New(slog.NewTextHandler(a.stderr, handling))
}
