package replicate

import (
	"context"

	"golang.org/x/sync/errgroup"

	"sluice/internal/lake"
)

// bound opens the files of which the index could say too little: those that a
// load made, whose keys nobody knows yet, and those that no index knew. It is done once
// for a file; without it every later merge would open all of them to look for its keys.
func (a *application) bound(ctx context.Context, planned map[string]plannedFile, files []*lake.File) error {
	group, gctx := errgroup.WithContext(ctx)
	group.SetLimit(cap(a.e.ops) * 4)
	for _, f := range files {
		p, ours := planned[f.Key]
		made := ours && f.Live() && len(p.op.Parts) > 0
		if a.plan.Kind == KindRecord || !made && (ours || f.Columns != nil) {
			continue
		}
		group.Go(func() error {
			open, err := a.openLake(gctx, f)
			if err != nil {
				return lakeFault(f.Key, err)
			}
			f.Observe(open, &a.plan.Schema)
			return nil
		})
	}
	return group.Wait()
}
