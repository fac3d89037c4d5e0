package replicate

import (
	"context"
	"fmt"

	"sluice/statestore"
)

// readPlan reads the plan that the item's pending commit names.
func (r *run) readPlan(ctx context.Context) (*Plan, error) {
	var p Plan
	key := r.t.item[statestore.CommitPlan]
	if key == "" {
		return nil, haltf("bookkeeping", "commit %s is pending and the control item names no plan; restore the control item from an export", r.t.pending())
	}
	if err := readJSON(ctx, r.lake, key, &p); err != nil {
		return nil, err
	}
	if p.ID != r.t.pending() {
		return nil, haltf("bookkeeping", "commit %s is pending and %s is the plan of %s; restore the control item from an export", r.t.pending(), key, p.ID)
	}
	if err := p.check(r.t.path, r.t.seq); err != nil {
		return nil, haltf("bookkeeping", "%s %v; restore the object, or run the version of sluice that wrote it", key, err)
	}
	return &p, nil
}

// stepPending rolls the pending commit forward, also for an inactive table. One
// that cannot be finished halts the table, and is replaced when the operator accepted the lake
// as it is, or when a complete newer full load is there.
func (r *run) stepPending(ctx context.Context) (done bool, err error) {
	p, err := r.readPlan(ctx)
	if err != nil {
		return true, err
	}
	replace, err := r.mayReplace(ctx, p)
	switch {
	case err != nil:
		return true, err
	case replace:
		return false, r.replace(ctx, p)
	case r.t.item.Halted():
		r.result.Action, r.result.Reason = Halted, r.t.item[statestore.StatusReason]
		return true, nil
	}
	if p.Kind == KindFence {
		return false, r.passFence(ctx, p)
	}
	if err := r.carryOut(ctx, p, [2][]Op{}); err != nil {
		return true, fmt.Errorf("roll forward commit %s: %w", p.commitKey(), err)
	}
	return false, nil
}
