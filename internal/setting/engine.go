package setting

import (
	"github.com/spf13/pflag"

	"sluice/internal/replicate"
)

// Engine declares the engine's settings; what s holds are the defaults.
func Engine(flags *pflag.FlagSet, s *replicate.Settings) {
	flags.Var((*Duration)(&s.Settle), "settle", "leave inputs younger than this for the next run")
	flags.Var((*Duration)(&s.FullLoadQuiet), "full-load-quiet", "a full load with nothing new for so long is complete")
	flags.Var((*Duration)(&s.Horizon), "horizon", "how far back inputs are remembered and looked for")
	flags.Var((*Size)(&s.BatchBytes), "batch-bytes", "decoded changes that one merge holds")
	flags.Var((*Size)(&s.TargetFileBytes), "target-file-bytes", "size that new lake files are made for")
	flags.StringVar(&s.Compression, "compression", s.Compression, "codec of new lake files: zstd, snappy, gzip, none")
	flags.IntVar(&s.Parallel, "parallel", s.Parallel, "tables at once")
	flags.BoolVar(&s.Compact, "compact", s.Compact, "let runs compact tables whose layout is bad (an attribute of the table outranks it)")
	flags.Var((*opColumn)(&s.DropOp), "op-column", "the Op column in new lake files: keep or drop")
}
