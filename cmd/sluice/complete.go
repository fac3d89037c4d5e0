package main

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"sluice/internal/replicate"
)

// tableNames completes the names of registered tables that fit. A table whose
// name is ambiguous is offered by its path. Trouble offers nothing.
func (a *app) tableNames(o *options, fits func(replicate.Table) bool) cobra.CompletionFunc {
	return func(c *cobra.Command, args []string, begun string) ([]string, cobra.ShellCompDirective) {
		const nothing = cobra.ShellCompDirectiveNoFileComp
		if len(args) > 0 || o.fromEnvironment(c, a.env) != nil {
			return nil, nothing
		}
		e, err := a.open(c.Context(), o, a.quiet(o))
		if err != nil {
			return nil, nothing
		}
		tables, err := e.Tables(c.Context())
		if err != nil {
			return nil, nothing
		}
		times := map[string]int{}
		for _, t := range tables {
			times[t.Table]++
		}
		var names []string
		for _, t := range tables {
			name := t.Table
			if times[name] > 1 {
				name = t.Path
			}
			if fits(t) && strings.HasPrefix(name, begun) {
				names = append(names, name)
			}
		}
		slices.Sort(names)
		return names, nothing
	}
}
