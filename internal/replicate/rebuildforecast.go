package replicate

import (
	"context"
	"errors"

	"sluice/statestore"
)

// ForecastRebuild says what [Engine.Rebuild] would do, and changes nothing: the inputs that
// it would read, the lake files that it would empty, and an estimate of the bytes. Rows are those in the
// lake now. It refuses what Rebuild refuses.
func (e *Engine) ForecastRebuild(ctx context.Context, name string) (Forecast, error) {
	item, err := e.registered(ctx, name)
	if err != nil {
		return Forecast{}, err
	}
	f := Forecast{Table: tableName(item), Path: item[statestore.Path], Action: Rebuilt, Inputs: []string{}, Files: []string{}}
	b := &rebuild{run: &run{e: e, meter: &meter{}, result: &Result{}, dry: true}}
	err = b.foresee(ctx, item, &f)
	if errors.Is(err, ErrUsage) {
		return Forecast{}, err
	}
	f.conclude(err)
	return f, nil
}

func (b *rebuild) foresee(ctx context.Context, item statestore.Item, f *Forecast) error {
	o, from, err := b.examine(ctx, item)
	if err != nil {
		return err
	}
	if len(o.loads)+len(o.changes) == 0 {
		return b.nothing("no files")
	}
	found, err := b.findLake(ctx)
	if err != nil {
		return err
	}
	for _, list := range [][]input{o.loads, o.changes} {
		for _, in := range list {
			if !from.held[in.key] {
				f.Inputs = append(f.Inputs, in.key)
				f.BytesToRead += in.size
			}
		}
	}
	for _, file := range found.live {
		f.Files = append(f.Files, file.Key)
		f.BytesToWrite += 2 * file.Size // once beside the lake, once into it
	}
	for _, file := range found.broken {
		f.Files = append(f.Files, file.Key)
	}
	f.BytesToRead += f.BytesToWrite / 2
	f.Rows, f.Rewritten = found.rows(), int64(len(f.Files))
	return nil
}
