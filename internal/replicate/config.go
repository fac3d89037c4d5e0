package replicate

import (
	"errors"
	"fmt"
	"time"
)

// ErrUsage is returned when an operator named a table, a column or a setting that does not exist.
var ErrUsage = errors.New("wrong usage")

// Settings are the engine's knobs; DefaultSettings has their defaults.
type Settings struct {
	Settle          time.Duration // inputs younger than this are left for the next run
	FullLoadQuiet   time.Duration // a full load with nothing new for so long counts as complete
	Horizon         time.Duration // how far back inputs are remembered and looked for
	BatchBytes      int64         // decoded bytes of changes that one merge holds
	TargetFileBytes int64         // size that new lake files are made for
	Compression     string        // codec of new lake files: zstd, snappy, gzip, none
	Parallel        int           // tables at once
	DropOp          bool          // leave the Op column out of new lake files
	Compact         bool          // compact tables whose layout is bad, unless a table's attribute says otherwise
	MemoryBytes     int64         // what the process may take; 0 = no limit
}

// DefaultSettings returns the defaults that the command and the functions share.
func DefaultSettings() Settings {
	return Settings{
		Settle: time.Minute, FullLoadQuiet: 30 * time.Minute, Horizon: 7 * 24 * time.Hour,
		BatchBytes: 128 << 20, TargetFileBytes: 128 << 20, Compression: "zstd", Parallel: 2,
	}
}

// Validate returns an error wrapping ErrUsage that names the first setting that cannot be.
func (s Settings) Validate() error {
	switch {
	case s.Settle < 0 || s.FullLoadQuiet < 0:
		return fmt.Errorf("%w: settle and full-load-quiet are durations of zero or more", ErrUsage)
	case s.Horizon < time.Hour:
		return fmt.Errorf("%w: horizon %s is below one hour", ErrUsage, s.Horizon)
	case s.BatchBytes < 1<<20 || s.TargetFileBytes < 1<<20:
		return fmt.Errorf("%w: batch-bytes and target-file-bytes are at least 1 MiB", ErrUsage)
	case s.MemoryBytes != 0 && s.MemoryBytes < MinMemoryBytes:
		return fmt.Errorf("%w: memory of %d MiB is below the least of %d MiB", ErrUsage, s.MemoryBytes>>20, MinMemoryBytes>>20)
	case s.Parallel < 1:
		return fmt.Errorf("%w: parallel is at least 1", ErrUsage)
	}
	switch s.Compression {
	case "zstd", "snappy", "gzip", "none":
		return nil
	default:
		return fmt.Errorf("%w: compression %q is not one of zstd, snappy, gzip, none", ErrUsage, s.Compression)
	}
}

// Config says where things are. Prefixes are empty or end in "/".
type Config struct {
	RawBucket, RawPrefix   string // DMS writes <RawPrefix><schema>/<table>/…
	LakeBucket, LakePrefix string // default out_path of newly registered tables
	Schema                 string // "*" or one schema name
	Owner                  string // who holds the leases: one name per run
	Settings
}

// Activation is what an operator sets when activating a table. A nil field leaves the attribute as it is.
type Activation struct {
	PrimaryKey   *string           // comma list or "null"
	PartitionKey *string           // comma list or "null"
	OrderColumn  *string           // a column or "" for none
	OutPath      *string           // bucket/prefix/
	Dialect      *string           // "dms", "debezium", or "" for what the next file says
	CSV          map[string]string // what to set of the CSV attributes; "" unsets one
	Compact      *string           // "true", "false", or "" for what the engine's setting says
	Contract     *string           // YAML, or "" for none
	SchemaPolicy *string           // "strict", "evolve", or "" for the default, which is to evolve
	DryRun       bool              // nothing is set: only what would be is checked, and said what a run would do
}
