package replicate

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"time"

	"sluice/statestore"
)

// claim takes the lease, for which it waits while another run holds it: what was made
// so far is worth it.
func (b *rebuild) claim(ctx context.Context) error {
	const longest, patience = 5 * time.Second, 3 * time.Minute
	waited := time.Duration(0)
	for wait := 100 * time.Millisecond; ; wait = min(2*wait, longest) {
		err := b.e.stores.State.Claim(ctx, b.t.path, b.e.cfg.Owner, leaseTime)
		if err == nil {
			b.renewed = b.e.now()
		}
		if !errors.Is(err, statestore.ErrLeased) || waited >= patience {
			return err
		}
		waited += wait
		if err := b.e.stores.Sleep(ctx, wait); err != nil {
			return err
		}
	}
}

// try brings the shadow to where the table is, and commits. done is false when
// the table moved meanwhile, and with it the error that says how.
func (b *rebuild) try(ctx context.Context, began *table) (done bool, err error) {
	item, err := b.e.stores.State.Read(ctx, b.t.path)
	if err != nil {
		return true, err
	}
	if item.Pending() && !item.Halted() {
		return b.rollForward(ctx, item)
	}
	from, err := b.sameTable(ctx, item, began)
	if err != nil {
		return true, err
	}
	from.schema = b.shadow.e.origin.schema
	b.shadow.e.origin = from
	if err := b.catchUp(ctx, began); err != nil {
		return true, err
	}
	with, err := b.shadow.image(ctx, b.meter)
	if err != nil {
		return true, err
	}
	if err := with.covers(from); err != nil {
		return false, err
	}
	return b.commitImage(ctx, with)
}

// sameTable makes sure that the table is still the one that the rebuild began with, and says from what it is made now.
func (b *rebuild) sameTable(ctx context.Context, item statestore.Item, began *table) (*origin, error) {
	if item[statestore.Generation] != began.item[statestore.Generation] {
		return nil, errLoadedAnew
	}
	_, from, err := b.examine(ctx, item)
	if err == nil && !maps.Equal(began.values(), b.t.values()) {
		err = fmt.Errorf("%w: settings of %s changed while it was rebuilt; nothing was changed, begin again", ErrUsage, b.t.name())
	}
	return from, err
}

// catchUp brings the shadow to where raw is. What halts it may be that the table is not the same any more.
func (b *rebuild) catchUp(ctx context.Context, began *table) error {
	err := b.shadow.catchUp(ctx)
	if kind, _ := fate(err); err == nil || kind != halt {
		return err
	}
	item, readErr := b.e.stores.State.Read(ctx, b.t.path)
	if readErr != nil {
		return err
	}
	if _, other := b.sameTable(ctx, item, began); other != nil {
		return other
	}
	return err
}

// rollForward finishes a commit that another run left behind.
func (b *rebuild) rollForward(ctx context.Context, item statestore.Item) (done bool, err error) {
	r := &run{e: b.e, meter: b.meter, result: &Result{}, touched: map[string]bool{}, renewed: b.renewed}
	if err := r.adopt(ctx, item); err != nil {
		return true, err
	}
	done, err = r.stepPending(ctx)
	if err == nil || errors.Is(err, errElsewhere) {
		return false, errors.New("a commit came in between")
	}
	return done, err
}

// commitImage plans on the lake as it is, commits, and carries the plan out.
func (b *rebuild) commitImage(ctx context.Context, with *image) (done bool, err error) {
	found, err := b.findLake(ctx)
	if err != nil {
		return true, err
	}
	d, err := b.draft(ctx, with, found)
	if err != nil {
		return true, err
	}
	before := b.e.now()
	if err := b.commit(ctx, d); err != nil {
		return !errors.Is(err, statestore.ErrConflict), err
	}
	b.reread, b.plan = before, &d.Plan
	if err := b.carryOut(ctx, &d.Plan, d.ops); err != nil {
		return true, err
	}
	maps.Copy(b.t.item, d.Set)
	return true, nil
}
