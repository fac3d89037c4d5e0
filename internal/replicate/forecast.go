package replicate

import (
	"context"
	"fmt"

	"sluice/statestore"
)

// Forecast says what Run would do with each table, and changes nothing.
func (e *Engine) Forecast(ctx context.Context, report func(Forecast)) error {
	items, err := e.items(ctx, func(r Result) {
		report(Forecast{Table: r.Table, Path: r.Path, Action: r.Action, Reason: r.Reason, Inputs: []string{}, Files: []string{}, Err: r.Err})
	})
	if err != nil {
		return err
	}
	found, err := e.discover(ctx)
	if err != nil {
		return err
	}
	for _, folder := range found.transactions {
		report(refusedForecast(e.refuseTransactions(folder)))
	}
	for _, path := range found.tables {
		if _, known := items[path]; !known {
			item, err := statestore.NewItem(path, e.cfg.LakeBucket+"/"+e.cfg.LakePrefix)
			if err != nil {
				return err
			}
			transactions, err := e.holdsTransactions(ctx, path)
			if err != nil {
				return err
			}
			if transactions {
				report(refusedForecast(e.refuseTransactions(path)))
				continue
			}
			report(Forecast{Table: tableName(item), Path: path, Action: Registered, Reason: "not registered yet", Inputs: []string{}, Files: []string{}})
		}
	}
	return eachTable(ctx, e, items, func(item statestore.Item) Forecast { return e.forecast(ctx, item) }, report)
}

func refusedForecast(r Result) Forecast {
	return Forecast{Table: r.Table, Path: r.Path, Action: r.Action, Reason: r.Reason, Inputs: []string{}, Files: []string{}}
}

func (e *Engine) forecast(ctx context.Context, item statestore.Item) Forecast {
	f := Forecast{Table: tableName(item), Path: item[statestore.Path], Action: Idle, Inputs: []string{}, Files: []string{}}
	r := &run{e: e, meter: &meter{}, result: &Result{}, dry: true}
	switch {
	case item.Halted():
		f.Action, f.Reason = Halted, item[statestore.StatusReason]
		return f
	case !item.Active() && !item.Pending():
		f.Action = Inactive
		return f
	}
	d, err := r.foresee(ctx, item)
	if err != nil {
		f.conclude(err)
		return f
	}
	f.Reason = r.result.Reason
	if d != nil {
		d.describe(&f)
		if err := r.describeRest(ctx, d, &f); err != nil {
			f.Action, f.Reason, f.Err = Failed, err.Error()+storageAdvice(err), err
		}
	}
	return f
}

// conclude says what the run would end with, when it is not well.
func (f *Forecast) conclude(err error) {
	if err == nil {
		return
	}
	kind, stop := fate(err)
	f.Action, f.Reason, f.Err = Failed, err.Error()+storageAdvice(err), err
	if kind == halt {
		f.Action, f.Reason = Halted, stop.Error()
	}
}

// describeRest adds the change files that the run merges behind the plan: a plan is one commit, a run goes on.
func (r *run) describeRest(ctx context.Context, d *draft, f *Forecast) error {
	if d.ledger == nil {
		return nil // the pending commit: what follows is planned on the lake that it leaves
	}
	anchor := anchorOf(r.t.raw, d.Set[statestore.InputsDigest])
	l, err := r.list(ctx, anchor)
	if err != nil {
		return err
	}
	consumed := map[string]bool{}
	for _, in := range d.ledger.Inputs {
		consumed[in.Key] = true
	}
	for _, in := range settled(l.changes, r.e.now().Add(-r.e.cfg.Settle)) {
		if !consumed[in.key] {
			f.InputsAfter++
		}
	}
	if f.InputsAfter == 0 {
		return nil
	}
	if f.Action == Idle {
		f.Action = Merged
	}
	if f.Reason != "" {
		f.Reason += "; "
	}
	f.Reason += fmt.Sprintf("then %d more change files", f.InputsAfter)
	return nil
}

// foresee makes the plan that the next step of a run would commit, or reads the pending one.
func (r *run) foresee(ctx context.Context, item statestore.Item) (*draft, error) {
	defer r.letGo()
	if err := r.adopt(ctx, item); err != nil {
		return nil, err
	}
	if !item.Pending() {
		if idle, err := r.resting(ctx); idle || err != nil {
			return nil, err
		}
		return r.plan(ctx)
	}
	p, err := r.readPlan(ctx)
	if err != nil {
		return nil, err
	}
	d := &draft{Plan: *p, table: r.t}
	for phase := range p.Phases {
		if p.Phases[phase].Ops == 0 {
			continue
		}
		var batches []Batch
		if err := readJSON(ctx, r.lake, p.Phases[phase].Key, &batches); err != nil {
			return nil, err
		}
		for _, b := range batches {
			d.ops[phase] = append(d.ops[phase], b.Ops...)
		}
	}
	r.result.Reason = "a pending commit is finished first"
	return d, nil
}

// describe fills a forecast from a plan.
func (d *draft) describe(f *Forecast) {
	f.Action = Merged
	if d.Kind == KindLoad {
		f.Action = Loaded
	}
	if d.Kind == KindRebuild {
		f.Action = Rebuilt
	}
	if d.Kind == KindCompact {
		f.Action = Compacted
	}
	if d.Kind == KindRecord {
		f.Action = Idle
	}
	f.Inputs = append(f.Inputs, d.Inputs...)
	f.Counts, f.FilesCreated = d.Counts, d.Traffic.FilesCreated
	f.Rewritten = d.Traffic.FilesRewritten + d.Traffic.FilesEmptied
	f.Rows = d.Counts.Inserts + d.Counts.Updates + d.Counts.Deletes
	for _, op := range d.ops[1] {
		f.Files = append(f.Files, op.Files[0].Key)
	}
	for _, ops := range d.ops {
		for _, op := range ops {
			f.BytesToRead += op.Size
			f.BytesToWrite += op.Bytes
		}
	}
	for _, s := range d.Sources {
		f.BytesToRead += s.Size
	}
}
