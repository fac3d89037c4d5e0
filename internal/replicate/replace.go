package replicate

import (
	"context"
	"fmt"
	"strings"

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
// not the one it was made from. What was accepted was accepted after the commit: a commit ends what came before it.
func (r *run) mayReplace(ctx context.Context, p *Plan) (bool, error) {
	switch {
	case p.Kind == KindFence:
		return false, nil
	case r.t.accepted(acceptForeign):
		return true, nil
	case r.t.item.Halted(), r.t.accepted(acceptReload):
		return r.overtaken(ctx, p)
	}
	return false, nil
}

// overtaken says whether a complete full load is there that the plan did not
// know, and that may run by itself or was accepted. A load whose objects were merely
// written again is overtaken, too: it can no longer read them.
func (r *run) overtaken(ctx context.Context, p *Plan) (bool, error) {
	if p.Kind == KindLoad {
		whole, err := r.list(ctx, "")
		if err != nil {
			return false, err
		}
		r.listed = whole
	}
	o, err := r.look(ctx)
	r.listed = nil
	if err != nil {
		return false, err
	}
	if p.Kind == KindLoad {
		o.known = true
		if err := readJSON(ctx, r.lake, p.Set[statestore.Ledger], &o.ledger); err != nil {
			return false, err
		}
		if err := r.judge(ctx, o); err != nil {
			return false, err
		}
	}
	switch o.verdict {
	case loadSame, loadVanished:
		return false, nil
	case loadTouched:
		if p.Kind != KindLoad || len(o.diff.touched) == 0 {
			return false, nil
		}
	case loadChanged, loadMixed:
		halts := r.mayReload(o)
		if kind, _ := fate(halts); p.Kind != KindLoad && halts != nil && kind == halt {
			return false, nil // a reload that is not to run by itself replaces nothing
		}
	}
	return len(o.loads) > 0 && complete(o.listing, r.e.cfg.FullLoadQuiet, r.e.now()) == "", nil
}

// replace puts a fence in the place of a commit that cannot be finished. The
// fence makes every write of the old plan that was not applied impossible: a create's name gets a
// file without rows, a rewrite's file the same rows under a new footer. Its ops never halt. It ends the
// halt and what was accepted; its settings keep the latter.
func (r *run) replace(ctx context.Context, old *Plan) error {
	d := r.newDraft(KindFence)
	d.Seq, d.Schema, d.Old, d.Set = r.t.seq, old.Schema, r.t.item[statestore.CommitPlan], nil
	phases, err := r.readOps(ctx, old)
	if err != nil {
		return err
	}
	for _, ops := range phases {
		for _, op := range ops {
			d.fence(op)
		}
	}
	if err := r.writeDraft(ctx, d); err != nil {
		return err
	}
	pending := d.pending(r.t.seq)
	pending.Settings, pending.Remove = nil, append(pending.Remove, statestore.Status, statestore.StatusReason)
	r.result.Action, r.result.Reason = Idle, ""
	return r.e.stores.State.Replace(ctx, old.ID, pending)
}

// fence adds the ops that make an op of the old plan impossible.
func (d *draft) fence(op Op) {
	for _, f := range op.Files {
		fenced := Op{N: d.nextOp(), Files: []OpFile{{Key: f.Key, Dir: f.Dir, Columns: f.Columns}}}
		switch fenced.ETag, fenced.Size = op.ETag, op.Size; {
		case op.ETag == "":
			fenced.Kind = OpBlock
		case op.Kind == OpBlank:
			fenced.Kind = OpBlank // it cannot be written again as it is
		default:
			fenced.Kind = OpRefresh
		}
		d.ops[0] = append(d.ops[0], fenced)
	}
}

// passFence applies a fence and, when it is known that all of it is applied,
// puts the new plan in its place, made on the lake as it is behind it. A fence itself moves nothing.
func (r *run) passFence(ctx context.Context, fence *Plan) error {
	a, err := r.apply(ctx, fence, [2][]Op{})
	if err != nil {
		return err
	}
	if _, err := a.finish(ctx); err != nil {
		return err
	}
	var old Plan
	if err := readJSON(ctx, r.lake, fence.Old, &old); err != nil {
		return err
	}
	d, err := r.planAgain(ctx, &old, fence)
	if err != nil {
		return fmt.Errorf("plan again what commit %s began: %w", old.commitKey(), err)
	}
	if err := r.writeDraft(ctx, d); err != nil {
		return err
	}
	pending := d.pending(r.t.seq)
	pending.Settings = nil                                                              // what was begun ends with the settings that it began with
	pending.Remove = append(pending.Remove, statestore.Status, statestore.StatusReason) // a halt over the fence: by a run that judged before the operator did
	before := r.e.now()
	if err := r.e.stores.State.Replace(ctx, fence.ID, pending); err != nil {
		return err
	}
	r.reread = before
	return r.carryOut(ctx, &d.Plan, d.ops)
}
