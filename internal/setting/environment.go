package setting

import (
	"fmt"
	"strings"

	"github.com/spf13/pflag"

	"sluice/internal/replicate"
)

// Variable is the environment variable of a flag.
func Variable(flag string) string {
	return "SLUICE_" + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

// FromEnvironment sets the flags that were not given from their environment variables. An empty one counts as absent. The
// error wraps replicate.ErrUsage and names the variable.
func FromEnvironment(flags *pflag.FlagSet, env func(name string) (string, bool)) error {
	var failure error
	flags.VisitAll(func(f *pflag.Flag) {
		value, _ := env(Variable(f.Name))
		if failure != nil || f.Changed || value == "" {
			return
		}
		if err := f.Value.Set(value); err != nil {
			failure = fmt.Errorf("%w: environment variable %s: %w", replicate.ErrUsage, Variable(f.Name), err)
		}
	})
	return failure
}
