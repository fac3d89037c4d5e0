package replicate

import (
	"context"
	"errors"
	"slices"
	"strings"

	"sluice/internal/lake"
	"sluice/internal/object"
	"sluice/statestore"
)

// mayClear says whether a halt has resolved itself: a complete new full load
// clears the halt over inputs that vanished (ruling 5). Otherwise the result repeats the reason.
func (r *run) mayClear(ctx context.Context) (bool, error) {
	reason := r.t.item[statestore.StatusReason]
	r.result.Action, r.result.Reason = Halted, reason
	if !strings.HasPrefix(reason, "vanished:") {
		return false, nil
	}
	o, err := r.look(ctx)
	if err != nil || o.verdict != loadChanged || r.t.fenced || skewed(o.changes) {
		return false, err
	}
	if complete(o.listing, r.e.cfg.FullLoadQuiet, r.e.now()) != "" {
		return false, nil
	}
	r.result.Action, r.result.Reason = Idle, ""
	return true, r.e.stores.State.Clear(ctx, r.t.path, reason)
}

// mayReplace says whether the pending commit is to be replaced: the operator
// accepted the lake as it is, or it halted and a complete full load is there that is
// not the one it was made from.
func (r *run) mayReplace(ctx context.Context, p *Plan) (bool, error) {
	if p.Kind == KindFence {
		return false, nil
	}
	if r.t.accepted(acceptForeign) {
		return true, nil
	}
	if !r.t.item.Halted() {
		return false, nil
	}
	return r.overtaken(ctx, p)
}

// overtaken says whether a complete full load is there that the plan did not know.
func (r *run) overtaken(ctx context.Context, p *Plan) (bool, error) {
	o, err := r.look(ctx)
	if err != nil {
		return false, err
	}
	known := o.ledger.Load
	if p.Kind == KindLoad {
		known = nil
		for _, s := range p.Sources {
			known = append(known, loadObject{Key: s.Key, ETag: s.ETag, Size: s.Size, Modified: r.e.now()})
		}
	}
	diff := diffLoads(known, o.loads, nil, r.horizon())
	if len(diff.replaced)+len(diff.added) == 0 {
		return false, nil
	}
	return complete(o.listing, r.e.cfg.FullLoadQuiet, r.e.now()) == "", nil
}

// replace puts a fence in the place of a commit that cannot be finished. The
// fence makes every write of the old plan that was not applied impossible: a create's name gets a
// file without rows, a rewrite's file the same rows under a new footer. It never halts.
func (r *run) replace(ctx context.Context, old *Plan) error {
	d := r.newDraft(KindFence)
	d.Seq, d.Schema, d.Old, d.Remove = r.t.seq, old.Schema, r.t.item[statestore.CommitPlan], nil
	d.Set = nil
	for _, phase := range old.Phases {
		if phase.Ops == 0 {
			continue
		}
		var batches []Batch
		if err := readJSON(ctx, r.lake, phase.Key, &batches); err != nil {
			return err
		}
		for _, b := range batches {
			for _, op := range b.Ops {
				d.fence(op)
			}
		}
	}
	if err := r.writeDraft(ctx, d); err != nil {
		return err
	}
	pending := d.pending(r.t.seq)
	pending.Settings, pending.Remove = nil, []string{statestore.Status, statestore.StatusReason}
	r.result.Action, r.result.Reason = Idle, ""
	return r.e.stores.State.Replace(ctx, old.ID, pending)
}

// fence adds the ops that make an op of the old plan impossible.
func (d *draft) fence(op Op) {
	for _, f := range op.Files {
		fenced := Op{N: d.nextOp(), Files: []OpFile{{Key: f.Key, Dir: f.Dir, Columns: f.Columns}}}
		if op.ETag == "" {
			fenced.Kind = OpBlock
		} else {
			fenced.Kind, fenced.ETag, fenced.Size = OpRefresh, op.ETag, op.Size
		}
		d.ops[0] = append(d.ops[0], fenced)
	}
}

// passFence applies a fence and, when a listing shows that all of it is
// applied, puts the new plan in its place, made on the lake as it is behind it.
func (r *run) passFence(ctx context.Context, fence *Plan) error {
	a, err := r.apply(ctx, fence, [2][]Op{})
	if err != nil {
		return err
	}
	if err := a.finish(ctx); err != nil {
		return err
	}
	var old Plan
	if err := readJSON(ctx, r.lake, fence.Old, &old); err != nil {
		return err
	}
	d, err := r.planAgain(ctx, &old)
	if err != nil {
		return err
	}
	d.Seq = r.t.seq
	if err := r.writeDraft(ctx, d); err != nil {
		return err
	}
	pending := d.pending(r.t.seq)
	pending.Settings = nil
	if err := r.e.stores.State.Replace(ctx, fence.ID, pending); err != nil {
		return err
	}
	return r.carryOut(ctx, &d.Plan, d.ops)
}

// finishFence ends a fence's part: it moves nothing, and stays pending until the new plan replaces it.
func (a *application) finishFence(context.Context) error { return nil }

// planAgain makes the plan that takes the place of a fenced one.
func (r *run) planAgain(ctx context.Context, old *Plan) (*draft, error) {
	overtaken, err := r.overtaken(ctx, old)
	if err != nil {
		return nil, err
	}
	if overtaken || old.Kind == KindLoad {
		return r.loadAgain(ctx)
	}
	switch old.Kind {
	case KindMerge:
		return r.mergeAgain(ctx, old)
	case KindTruncate, KindRewrite:
		return r.emptyAgain(ctx, old)
	case KindLoad, KindRecord, KindFence:
	}
	return r.inherit(old), nil
}

// inherit begins a plan that records what the old one was to record.
func (r *run) inherit(old *Plan) *draft {
	d := r.newDraft(old.Kind)
	d.Schema, d.Set, d.Remove, d.Inputs, d.Before = old.Schema, old.Set, old.Remove, old.Inputs, old.Before
	d.Counts = Counts{Superseded: old.Counts.Superseded, Changes: old.Counts.Changes}
	if !slices.Contains(d.Remove, statestore.Accept) {
		d.Remove = append(d.Remove, statestore.Accept)
	}
	return d
}

// loadAgain plans the full load that is there now, onto the lake behind the fence.
func (r *run) loadAgain(ctx context.Context) (*draft, error) {
	whole, err := r.list(ctx, "")
	if err != nil {
		return nil, err
	}
	r.listed = whole
	o, err := r.look(ctx)
	r.listed = nil
	if err != nil {
		return nil, err
	}
	if waiting := complete(o.listing, r.e.cfg.FullLoadQuiet, r.e.now()); waiting != "" {
		return nil, haltf("reload", "the full load that was being loaded changed; %s", waiting)
	}
	return r.draftLoad(ctx, o)
}

// mergeAgain plans the net changes of the old plan onto the lake behind the
// fence. They come from the old changes object, never from raw again.
func (r *run) mergeAgain(ctx context.Context, old *Plan) (*draft, error) {
	d := r.inherit(old)
	if old.Changes == "" {
		return d, nil
	}
	s, err := r.readState(ctx)
	if err != nil {
		return nil, err
	}
	info, err := r.lake.Head(ctx, old.Changes)
	if err != nil {
		return nil, err
	}
	open, err := r.open(ctx, r.lake, info)
	if err != nil {
		return nil, err
	}
	spans, err := r.unapplied(ctx, old)
	if err != nil {
		return nil, err
	}
	changes, err := lake.ReadChanges(ctx, open, &d.Schema, lake.ReadOptions{Spans: spans, OrderColumn: old.Settings[statestore.OrderColumn]})
	if err != nil {
		return nil, err
	}
	superseded, read := d.Counts.Superseded, d.Counts.Changes
	err = d.mergeInto(ctx, r, s, changes)
	d.Counts.Superseded, d.Counts.Changes = superseded, read
	return d, err
}

// unapplied returns the spans of a key-less plan's ops that were not applied:
// rows of the others are in the lake. With a key it is nil, for all: the lake tells.
func (r *run) unapplied(ctx context.Context, old *Plan) ([]lake.Span, error) {
	if len(old.Schema.Key) > 0 {
		return nil, nil
	}
	a := &application{run: r, plan: old, applied: map[string]string{}}
	spans := []lake.Span{}
	for _, phase := range old.Phases {
		if phase.Ops == 0 {
			continue
		}
		var batches []Batch
		if err := readJSON(ctx, r.lake, phase.Key, &batches); err != nil {
			return nil, err
		}
		for _, b := range batches {
			for _, op := range b.Ops {
				info, err := r.lake.Head(ctx, op.Files[0].Key)
				if err != nil && !errors.Is(err, object.ErrNotFound) {
					return nil, err
				}
				applied := false
				if err == nil {
					if applied, err = a.isOurs(ctx, info, op.N); err != nil {
						return nil, err
					}
				}
				if !applied {
					spans = append(spans, *op.Changes)
				}
			}
		}
	}
	return spans, nil
}

// emptyAgain plans what is left of a plan that empties files. The creates of a
// rewrite hold the rows of its sources only when all of them were applied; otherwise
// those that were are emptied again and the sources stay.
func (r *run) emptyAgain(ctx context.Context, old *Plan) (*draft, error) {
	s, err := r.readState(ctx)
	if err != nil {
		return nil, err
	}
	d := r.inherit(old)
	sources := map[string]bool{}
	for _, src := range old.Sources {
		sources[src.Key] = true
	}
	whole := old.Kind == KindTruncate || r.createsWhole(s, old)
	var empty []*lake.File
	for _, f := range s.live() {
		created := strings.Contains(f.Key, statestore.FormatSeq(old.Seq)) && strings.Contains(f.Key, old.ID[:8])
		switch {
		case old.Kind == KindTruncate, whole && sources[f.Key], !whole && created:
			empty = append(empty, f)
		}
	}
	if !whole { // nothing of the rewrite remains: the next plan halts or makes it anew
		d.Kind, d.Schema = KindRecord, s.schema
	}
	d.empty(empty)
	return d, nil
}

// createsWhole says whether all files that the plan creates are there with their rows.
func (r *run) createsWhole(s *state, old *Plan) bool {
	var rows int64
	for _, f := range s.files {
		if strings.Contains(f.Key, statestore.FormatSeq(old.Seq)) && strings.Contains(f.Key, old.ID[:8]) {
			rows += f.Rows
		}
	}
	return rows == old.Creates
}
