package replicate

import (
	"context"
	"errors"
	"fmt"
	"time"

	"sluice/statestore"
)

// Compact lays a table's lake files out anew until nothing is left to do: small files are united, files far above the target
// size are split, small row groups put together. No row changes, neither do watermark and ledger: each
// commit creates files of other lake files' rows, then empties those. When it cannot be done as things are
// the error wraps [ErrUsage] and nothing was changed. A run that dies leaves the table as it was, or a
// commit that any later run finishes.
func (e *Engine) Compact(ctx context.Context, name string) (Result, error) {
	began := time.Now()
	item, err := e.registered(ctx, name)
	if err != nil {
		return Result{}, err
	}
	result := Result{Table: tableName(item), Path: item[statestore.Path], Action: Idle}
	r := &run{e: e, meter: &meter{}, result: &result, touched: map[string]bool{}}
	err = r.compact(ctx, item)
	if errors.Is(err, ErrUsage) && result.Action == Idle {
		return Result{}, err
	}
	r.conclude(ctx, err)
	r.tell(item, began)
	return result, nil
}

// mayCompact says why a table cannot be compacted as it stands.
func mayCompact(item statestore.Item) error {
	name := tableName(item)
	switch {
	case item.Halted():
		return fmt.Errorf("%w: %s is halted: %s; see to that and acknowledge it with sluice acknowledge %s, then compact", ErrUsage, name, item[statestore.StatusReason], name)
	case !item.Active():
		return fmt.Errorf("%w: %s is not active; switch it on with sluice activate %s", ErrUsage, name, name)
	case !item.Pending() && item[statestore.Accept] != "":
		return fmt.Errorf("%w: what was accepted for %s (%s) is still to be done; sluice run does it, then compact", ErrUsage, name, item[statestore.Accept])
	case !item.Pending() && item[statestore.Ledger] == "":
		return fmt.Errorf("%w: no run has worked on %s yet; sluice run does, then compact", ErrUsage, name)
	}
	return nil
}

// compact makes one commit after the other. What is pending is finished first.
func (r *run) compact(ctx context.Context, item statestore.Item) error {
	if err := mayCompact(item); err != nil {
		return err
	}
	if err := r.adopt(ctx, item); err != nil {
		return err
	}
	return r.claimed(ctx, func(ctx context.Context) (done bool, err error) {
		if err := mayCompact(r.t.item); err != nil {
			return true, err
		}
		if r.t.item.Pending() {
			return r.stepPending(ctx)
		}
		return r.stepCompact(ctx)
	})
}
