package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

func versionCommand(a *app, o *options) *cobra.Command {
	return &cobra.Command{
		Use:     "version",
		Short:   "Say which build this is",
		Long:    `Says which build this is: module version, commit, Go, platform.`,
		Example: `  sluice version --json`,
		Args:    usageArgs(cobra.NoArgs),
		RunE: func(*cobra.Command, []string) error {
			out := a.output(o, nil)
			platform := runtime.GOOS + "/" + runtime.GOARCH
			out.print(map[string]string{"version": version(), "go": runtime.Version(), "platform": platform},
				fmt.Sprintf("sluice %s (%s, %s)", version(), runtime.Version(), platform))
			return out.err
		},
	}
}

// version is what the build knows about itself.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" {
		return "unknown"
	}
	return info.Main.Version
}
