package replicate

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"sluice/internal/dms"
	"sluice/internal/lake"
	"sluice/statestore"
)

// Proposal is what `sluice activate` says of a table that has no primary key: columns of the full load that tell its rows apart,
// and what the next run would do.
type Proposal struct {
	Keys   []lake.KeyCount `json:"keys"`       // unique and never NULL, likeliest first
	Others []lake.KeyCount `json:"others"`     // looked at, and not
	Rows   int64           `json:"rows"`       // of the full load
	Files  int             `json:"files"`      // it has
	Reason string          `json:"reason"`     // why there is nothing to propose
	Run    *Forecast       `json:"run"`        // of the table as it would be
	Read   int64           `json:"bytes_read"` // by looking
}

// fresh says whether nothing of a table has been consumed, nor a key been set.
func fresh(item statestore.Item) bool {
	return len(columnList(item[statestore.PrimaryKey])) == 0 && item[statestore.LastFullLoadDate] == statestore.NeverDate &&
		item[statestore.LastIncrementalFile] == item[statestore.Path]+statestore.FirstFile && item[statestore.Seq] == "" && !item.Active()
}

// propose looks which columns could be the key, when none is set or to be set and nothing was loaded yet, and what a run would do.
func (e *Engine) propose(ctx context.Context, item statestore.Item, a activation) (*Proposal, error) {
	if a.PrimaryKey != nil || !fresh(item) {
		if !a.DryRun {
			return nil, nil
		}
		return &Proposal{Keys: []lake.KeyCount{}, Others: []lake.KeyCount{}, Run: e.foresight(ctx, item, a.set)}, nil
	}
	r := &run{e: e, meter: &meter{}, result: &Result{}, dry: true}
	if err := r.adopt(ctx, with(item, a.set)); err != nil {
		return nil, asUsage(err)
	}
	p, err := r.proposeKeys(ctx)
	if err != nil {
		return nil, err
	}
	p.Read, p.Run = r.meter.read.Load(), e.foresight(ctx, item, a.set)
	return p, nil
}

// activation is an operator's activation with the attributes that it sets.
type activation struct {
	Activation

	set map[string]string
}

func with(item statestore.Item, set map[string]string) statestore.Item {
	merged := maps.Clone(item)
	maps.Copy(merged, set)
	return merged
}

// foresight is what a run would do with the table once it is active.
func (e *Engine) foresight(ctx context.Context, item statestore.Item, set map[string]string) *Forecast {
	active := with(item, set)
	active[statestore.ActiveFlag] = statestore.True
	f := e.forecast(ctx, active)
	return &f
}

// proposeKeys counts the columns of the full load. What cannot be read is for the run to halt at.
func (r *run) proposeKeys(ctx context.Context) (*Proposal, error) {
	p := &Proposal{Keys: []lake.KeyCount{}, Others: []lake.KeyCount{}}
	l, err := r.list(ctx, "")
	if err != nil {
		return nil, err
	}
	p.Files = len(l.loads)
	if len(l.loads) == 0 {
		p.Reason = "there is no full load to look at"
		return p, nil
	}
	load, err := r.openLoad(ctx, l, nil)
	var counts []lake.KeyCount
	if err == nil {
		for _, in := range load.Inputs {
			p.Rows += in.Open.NumRows()
		}
		counts, err = load.CountKeys(ctx, lake.DefaultKeyLimits(), func(done, total int) { r.e.stores.Progress(r.t.name(), done, total) })
	}
	if kind, stop := fate(err); err != nil && kind == halt {
		p.Reason = "the full load cannot be read: " + stop.Error()
		return p, nil
	}
	if err != nil {
		return nil, err
	}
	for _, k := range counts {
		if k.Unique() && k.Rows > 0 {
			p.Keys = append(p.Keys, k)
		} else {
			p.Others = append(p.Others, k)
		}
	}
	slices.SortStableFunc(p.Keys, func(a, b lake.KeyCount) int {
		if load.Schema.Better(a, b) {
			return -1
		}
		return 1
	})
	if len(p.Keys) == 0 {
		p.Reason = fmt.Sprintf("no column of the full load, and no pair of them that was looked at, is unique and never NULL in %d rows", p.Rows)
	}
	return p, nil
}

// openLoad opens the full load's files and gives them a schema.
func (r *run) openLoad(ctx context.Context, l *listing, key []string) (*lake.Load, error) {
	load := &lake.Load{Options: dms.Options{Dialect: r.t.reading(), BeforeImagePrefix: r.t.before}}
	for _, in := range l.loads {
		op, err := r.openInput(ctx, in)
		if err != nil {
			return nil, err
		}
		load.Inputs = append(load.Inputs, lake.LoadFile{Name: in.key, Open: op.file})
	}
	schema, err := lake.LoadSchema(load, lake.Schema{Key: key}, true)
	load.Schema = &schema
	return load, err
}
