package replicate

import (
	"context"
	"errors"
	"fmt"

	"sluice/statestore"
)

// ForecastCompact says what [Engine.Compact] would do, and changes nothing: the lake files whose rows would lie in others,
// how many those are, the rows, and an estimate of the bytes. It refuses what Compact refuses, and a table with a commit under way.
func (e *Engine) ForecastCompact(ctx context.Context, name string) (Forecast, error) {
	item, err := e.registered(ctx, name)
	if err != nil {
		return Forecast{}, err
	}
	f := Forecast{Table: tableName(item), Path: item[statestore.Path], Action: Idle, Inputs: []string{}, Files: []string{}}
	r := &run{e: e, meter: &meter{}, result: &Result{}, dry: true}
	err = r.foreseeCompact(ctx, item, &f)
	if errors.Is(err, ErrUsage) {
		return Forecast{}, err
	}
	f.conclude(err)
	return f, nil
}

func (r *run) foreseeCompact(ctx context.Context, item statestore.Item, f *Forecast) error {
	if err := mayCompact(item); err != nil {
		return err
	}
	if item.Pending() {
		return fmt.Errorf("%w: %s has a commit under way, which is finished first; sluice run does it", ErrUsage, tableName(item))
	}
	if err := r.adopt(ctx, item); err != nil {
		return err
	}
	d, files, plan, err := r.planCompact(ctx)
	if err != nil || len(plan) == 0 {
		return err
	}
	d.compact(files, plan)
	f.Action, f.FilesCreated = Compacted, d.Traffic.FilesCreated
	for _, op := range d.ops[0] {
		for _, file := range op.Files {
			f.Rows += file.Rows
		}
	}
	for _, s := range d.Sources {
		f.Files = append(f.Files, s.Key)
		f.BytesToRead += s.Size
	}
	f.BytesToWrite, f.Rewritten = f.BytesToRead, int64(len(f.Files))
	return nil
}
