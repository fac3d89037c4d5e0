package replicate

import (
	"context"
	"errors"
	"fmt"

	"sluice/internal/object"
	"sluice/statestore"
)

// Check says what keeps a batch from being one, as an error wrapping [ErrUsage]. A worker that took an empty batch for a
// piece of work would report work that nobody did.
func (b *Batch) Check() error {
	switch {
	case b.Path == "" || b.ID == "" || b.Plan == "":
		return fmt.Errorf("%w: the batch does not say of which commit it is", ErrUsage)
	case b.Phase != 1 && b.Phase != 2:
		return fmt.Errorf("%w: phase %d of commit %s is neither 1 nor 2", ErrUsage, b.Phase, b.ID)
	case len(b.Ops) == 0:
		return fmt.Errorf("%w: the batch of commit %s, phase %d, holds no ops", ErrUsage, b.ID, b.Phase)
	}
	return nil
}

// ApplyBatch carries out some ops of a commit that was handed over. NextEnd says that all of them are applied, or that
// the commit is pending no more; NextAgain that the time was up.
func (e *Engine) ApplyBatch(ctx context.Context, b Batch, o StepOptions) Step {
	return e.inStep(ctx, b.Path, &stepping{StepOptions: o}, func(ctx context.Context, r *run, item statestore.Item) error {
		if err := b.Check(); err != nil {
			return err
		}
		a, err := r.take(ctx, item, b.Plan, b.ID)
		if err != nil {
			return err
		}
		for _, op := range b.Ops {
			if err := op.check(a.plan, a.t.lake); err != nil {
				return fmt.Errorf("%w: op %d of commit %s %w", ErrUsage, op.N, a.plan.commitKey(), err)
			}
		}
		if b.Phase == 2 {
			if err := a.createdAll(ctx); err != nil {
				return err
			}
		}
		return a.applyPhase(ctx, b.Ops)
	})
}

// createdAll makes sure that every file of phase 1 is there: a rewrite that came first would take rows away which are
// nowhere else yet. The names hold the commit's id, so that to be there is to be its, or a fence's: who writes behind this
// reads the item first.
func (a *application) createdAll(ctx context.Context) error {
	creates, err := a.readPhase(ctx, a.plan, 0)
	if err != nil || len(creates) == 0 {
		return err
	}
	infos, err := a.listLake(ctx)
	if err != nil {
		return err
	}
	here := map[string]bool{}
	for _, info := range infos {
		here[info.Key] = true
	}
	for _, op := range creates {
		for _, f := range op.Files {
			if here[f.Key] {
				continue
			}
			switch _, err := a.lake.Head(ctx, f.Key); { // a listing may lack what is there
			case errors.Is(err, object.ErrNotFound):
				return fmt.Errorf("phase 2 of commit %s before its phase 1 is complete: %s is not written yet", a.plan.commitKey(), f.Key)
			case err != nil:
				return err
			}
		}
	}
	return nil
}

// Register makes the catalog know what phase 1 of a commit created, before phase 2 takes rows out of older files.
func (e *Engine) Register(ctx context.Context, path string, h Handover, o StepOptions) Step {
	return e.inStep(ctx, path, &stepping{StepOptions: o}, func(ctx context.Context, r *run, item statestore.Item) error {
		a, err := r.take(ctx, item, h.Plan, h.ID)
		if err != nil {
			return err
		}
		if err := a.createdAll(ctx); err != nil {
			return err
		}
		ops, err := a.readOps(ctx, a.plan)
		if err != nil {
			return err
		}
		if err := a.pulse(ctx); err != nil {
			return err
		}
		return a.registerCreates(ctx, ops)
	})
}

// Finish finishes a commit that was handed over and applied. NextMerge says that the table run goes on; with NextEnd it has
// ended, and with it its lease, unless Finish failed and is to be repeated.
func (e *Engine) Finish(ctx context.Context, path string, h Handover, o StepOptions) Step {
	s := &stepping{StepOptions: o, stage: StageLoad} // what follows is a merge
	step := e.inStep(ctx, path, s, func(ctx context.Context, r *run, item statestore.Item) error {
		a, err := r.take(ctx, item, h.Plan, h.ID)
		if err == nil {
			err = a.pulse(ctx)
		}
		if errors.Is(err, errElsewhere) {
			return nil // it was finished or replaced: the stage that plans next sees what is so now
		}
		if err != nil {
			return err
		}
		ours, err := a.finish(ctx)
		if ours {
			r.account(a.plan)
			r.t.item, err = e.stores.State.Read(ctx, path)
		}
		return err
	})
	if step.Next == NextEnd && step.Action != Failed {
		_ = e.stores.State.Release(context.WithoutCancel(ctx), path, e.cfg.Owner)
	}
	return step
}
