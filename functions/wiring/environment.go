// Package wiring builds what the functions work with from their environment variables: stores, engine, log, metrics. Each
// variable is SLUICE_ and the name of a flag of the command, with the same values and defaults; docs/FUNCTIONS.md lists
// them.
package wiring

import (
	"fmt"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"sluice/internal/replicate"
	"sluice/internal/setting"
)

// Environment is what the variables say.
type Environment struct {
	Config      replicate.Config // without Owner
	Table       string           // the control table
	Database    string           // of the catalog; "" = none
	Machine     string           // ARN of the state machine; of the controller only
	Namespace   string           // of the metrics; "" = none
	OfTables    bool             // metrics of each table, beside those of all together
	LogLevel    string
	InlineBytes int64
	StopBefore  time.Duration
}

// Read reads the variables, of which parallel is a default that differs from function to function. The error wraps
// replicate.ErrUsage and names the variable.
func Read(env func(name string) (string, bool), parallel int) (Environment, error) {
	e := Environment{
		Config:    replicate.Config{Settings: replicate.DefaultSettings()},
		Namespace: "sluice", InlineBytes: 512 << 20, StopBefore: time.Minute,
	}
	e.Config.Parallel = parallel
	var raw, lake, state, catalog string
	flags := pflag.NewFlagSet("environment", pflag.ContinueOnError)
	flags.StringVar(&raw, "raw", "", "where DMS writes: s3://bucket[/prefix]")
	flags.StringVar(&lake, "lake", "", "where the tables live: s3://bucket[/prefix]")
	flags.StringVar(&state, "state", "dynamodb://DMSCDC_Controller", "the control table: dynamodb://TABLE")
	flags.StringVar(&catalog, "catalog", "", "the data catalog: glue:DATABASE")
	flags.StringVar(&e.Config.Schema, "schema", "*", "all schemas below raw, or the name of one")
	flags.StringVar(&e.Machine, "state-machine", "", "ARN of TableRun")
	flags.StringVar(&e.Namespace, "metrics", e.Namespace, "namespace of the metrics, or none")
	flags.BoolVar(&e.OfTables, "table-metrics", e.OfTables, "metrics of each table, beside those of all together")
	flags.StringVar(&e.LogLevel, "log-level", "info", "least level to log")
	flags.Var((*setting.Size)(&e.InlineBytes), "inline-bytes", "a commit that weighs more is handed to the state machine")
	flags.Var((*setting.Duration)(&e.StopBefore), "stop-before", "nothing is begun when less is left of an invocation")
	setting.Engine(flags, &e.Config.Settings)
	if err := setting.FromEnvironment(flags, env); err != nil {
		return Environment{}, err
	}
	if e.Namespace == "none" {
		e.Namespace = ""
	}
	memory(env, &e.Config.Settings)
	return e, e.locate(raw, lake, state, catalog)
}

// memory takes Lambda's limit for the engine's.
func memory(env func(string) (string, bool), s *replicate.Settings) {
	var mib int64
	text, _ := env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE")
	if _, err := fmt.Sscan(text, &mib); err == nil && mib > 0 {
		s.MemoryBytes = max(mib<<20, replicate.MinMemoryBytes)
	}
}

func (e *Environment) locate(raw, lake, state, catalog string) error {
	var err error
	if e.Config.RawBucket, e.Config.RawPrefix, err = place("raw", raw); err != nil {
		return err
	}
	if e.Config.LakeBucket, e.Config.LakePrefix, err = place("lake", lake); err != nil {
		return err
	}
	if e.Config.RawBucket == e.Config.LakeBucket && strings.HasPrefix(e.Config.LakePrefix, e.Config.RawPrefix) {
		return usage("lake", lake, "another bucket, or a prefix that is not below SLUICE_RAW, where its tables would be taken for inputs")
	}
	var ok bool
	if e.Table, ok = strings.CutPrefix(state, "dynamodb://"); !ok || e.Table == "" {
		return usage("state", state, "dynamodb://TABLE")
	}
	if catalog == "" {
		return nil
	}
	if e.Database, ok = strings.CutPrefix(catalog, "glue:"); !ok || e.Database == "" || e.Database != strings.ToLower(e.Database) {
		return usage("catalog", catalog, "glue:DATABASE, in lower case")
	}
	return nil
}

// place reads s3://bucket[/prefix]; the prefix is empty or ends in "/".
func place(flag, value string) (bucket, prefix string, err error) {
	rest, ok := strings.CutPrefix(value, "s3://")
	bucket, prefix, _ = strings.Cut(rest, "/")
	if !ok || bucket == "" {
		return "", "", usage(flag, value, "s3://bucket[/prefix]")
	}
	if prefix = strings.Trim(prefix, "/"); prefix != "" {
		prefix += "/"
	}
	return bucket, prefix, nil
}

func usage(flag, value, want string) error {
	return fmt.Errorf("%w: environment variable %s is %q; it has to be %s", replicate.ErrUsage, setting.Variable(flag), value, want)
}
