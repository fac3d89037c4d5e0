package replicate

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"sluice/internal/lake"
	"sluice/internal/parquetedit"
	"sluice/statestore"
)

const (
	leaseTime  = 90 * time.Second // how long a lease in DynamoDB lasts
	leaseRenew = 30 * time.Second // how often it is renewed
	rereadTime = 60 * time.Second // a commit is looked at again before an op when so much time has passed
	maxReplans = 10               // plans lost to somebody else before the run gives up
)

// run is one table run.
type run struct {
	e      *Engine
	t      *table
	raw    Objects
	lake   Objects
	meter  *meter
	result *Result
	seen   *listing // the latest that was held against the digest
	listed *listing // taken before the lease, used by the first plan if nobody committed meanwhile
	dry    bool     // only a forecast is wanted: nothing may be written

	stepping *stepping     // the run is one step of a table run; nil = it is all of it
	lease    time.Duration // how long the lease is renewed for

	mu       sync.Mutex // held while looking, so that nobody writes meanwhile
	renewed  time.Time
	reread   time.Time
	touched  map[string]bool // lake files written in this tick
	lastLive []*lake.File

	scanned map[string]scanned              // CSV inputs, by key and ETag
	known   map[string][]parquetedit.Column // the lake's columns, by index

	looked map[string]lake.Shape // by key and ETag; see shapes
	rounds map[string]int        // compactions of this run that a file came out of; see fresh
	held   func()                // lets go of the memory that the plan in the making takes
}

// runTable carries one table as far as there is work and says what it did.
func (e *Engine) runTable(ctx context.Context, item statestore.Item) Result {
	began := time.Now()
	result := Result{Table: tableName(item), Path: item[statestore.Path], Action: Idle}
	r := &run{e: e, meter: &meter{}, result: &result, touched: map[string]bool{}}
	err := r.start(ctx, item)
	r.conclude(ctx, err)
	r.tell(item, began)
	return result
}

// tell fills in what all of it took, and the watermark.
func (r *run) tell(item statestore.Item, began time.Time) {
	res := r.result
	res.BytesRead, res.BytesWritten, res.BytesCopied = r.meter.read.Load(), r.meter.written.Load(), r.meter.copied.Load()
	res.Seconds = time.Since(began).Seconds()
	if r.t != nil {
		item = r.t.item
	}
	res.LastFullLoadDate, res.LastIncrementalFile = item[statestore.LastFullLoadDate], item[statestore.LastIncrementalFile]
}

// conclude turns the error of a table run into its action.
func (r *run) conclude(ctx context.Context, err error) {
	if err == nil {
		return
	}
	kind, stop := fate(err)
	switch kind {
	case retry:
		r.result.Action, r.result.Err = Failed, err
		r.result.Reason = err.Error() + storageAdvice(err)
	case quiet:
		r.yield()
	case halt:
		r.halt(ctx, stop, err)
	}
}

// yield leaves the table to another run.
func (r *run) yield() {
	if r.result.Action == Idle {
		r.result.Action, r.result.Reason = Busy, "another run is working on the table"
	}
}

// halt stops the table, unless another run has carried it on since: then what was judged is no more.
func (r *run) halt(ctx context.Context, stop *HaltError, because error) {
	if r.t == nil {
		r.result.Action, r.result.Reason, r.result.Err = Halted, stop.Error(), because
		return
	}
	fresh, err := r.e.stores.State.Halt(context.WithoutCancel(ctx), statestore.Halted{
		Path: r.t.path, Seq: r.t.seq, CommitID: r.t.pending(), Reason: stop.Error(),
	})
	overtaken := false
	if errors.Is(err, statestore.ErrConflict) {
		overtaken, err = r.overtook(context.WithoutCancel(ctx))
	}
	switch {
	case overtaken:
		r.yield()
	case err != nil:
		r.result.Action, r.result.Err = Failed, err
		r.result.Reason = fmt.Sprintf("%s (and the halt could not be recorded: %v)", stop, err)
	default:
		r.result.Action, r.result.Reason, r.result.Err = Halted, stop.Error(), because
		r.result.NewlyHalted = fresh
		if was := r.t.item; was.Halted() && !fresh {
			r.result.Reason = was[statestore.StatusReason] // the halt that is recorded is the one to acknowledge
		}
	}
}

// start decides from the item at hand whether there is anything to claim the table for.
func (r *run) start(ctx context.Context, item statestore.Item) error {
	if !item.Active() && !item.Pending() && !item.Halted() {
		r.result.Action = Inactive
		return nil
	}
	if err := r.adopt(ctx, item); err != nil {
		return err
	}
	if !item.Pending() && !item.Halted() {
		idle, err := r.resting(ctx)
		if idle && err == nil {
			var crowded bool
			crowded, err = r.crowded(ctx)
			idle = !crowded
		}
		if idle || err != nil {
			return err
		}
	}
	return r.claimed(ctx, r.step)
}

// claimed works on the table under its lease.
func (r *run) claimed(ctx context.Context, step func(context.Context) (bool, error)) error {
	state := r.e.stores.State
	if err := state.Claim(ctx, r.t.path, r.e.cfg.Owner, leaseTime); err != nil {
		return err
	}
	r.renewed = r.e.now()
	defer func() {
		if !r.left() {
			_ = state.Release(context.WithoutCancel(ctx), r.t.path, r.e.cfg.Owner)
		}
	}()
	return r.work(ctx, step)
}

// adopt takes an item as the table's present state and opens its buckets.
func (r *run) adopt(ctx context.Context, item statestore.Item) error {
	t, err := r.e.newTable(item)
	r.t = t
	if err != nil {
		return err
	}
	if r.raw, err = r.e.bucket(ctx, t.bucket); err != nil {
		return err
	}
	r.lake, err = r.e.bucket(ctx, t.outBucket)
	return err
}

// work takes one step after the other until nothing is left to do. Before each the item is read anew.
func (r *run) work(ctx context.Context, step func(context.Context) (done bool, err error)) error {
	lost := 0
	for {
		item, err := r.e.stores.State.Read(ctx, r.t.path)
		if err != nil {
			return err
		}
		if item[statestore.Seq] != r.t.item[statestore.Seq] || item[statestore.Ledger] != r.t.item[statestore.Ledger] {
			r.listed = nil // older than what the item says was consumed: inputs would seem to have vanished
		}
		if err := r.adopt(ctx, item); err != nil {
			return err
		}
		done, err := step(ctx)
		if inDoubt(err) {
			if overtaken, _ := r.overtook(ctx); overtaken {
				err = errors.Join(statestore.ErrConflict, err)
			}
		}
		switch {
		case errors.Is(err, statestore.ErrConflict):
			if lost++; lost > maxReplans {
				return fmt.Errorf("%d plans in a row were overtaken: %w", lost, err)
			}
			r.listed = nil
		case err != nil || done:
			return err
		}
		if err := cmp.Or(ctx.Err(), r.timeUp()); err != nil {
			return err
		}
	}
}

// overtook says whether somebody else has committed or finished since the item was read. Then it was they who changed
// what this run was reading: it starts over.
func (r *run) overtook(ctx context.Context) (bool, error) {
	item, err := r.e.stores.State.Read(ctx, r.t.path)
	if err != nil {
		return false, err
	}
	seq, invalid := statestore.ParseSeq(item[statestore.Seq])
	return invalid == nil && (seq != r.t.seq || item[statestore.CommitID] != r.t.pending()), nil
}

// step makes one commit (plan, commit, apply, finish), or finishes the pending one; done says that nothing is left to do now.
func (r *run) step(ctx context.Context) (done bool, err error) {
	switch {
	case r.t.item.Pending():
		return r.stepPending(ctx)
	case r.t.item.Halted():
		resolved, err := r.mayClear(ctx)
		if err != nil || !resolved {
			return true, err
		}
		return false, nil
	case !r.t.item.Active():
		if r.result.Action == Idle {
			r.result.Action = Inactive
		}
		return true, nil
	}
	defer r.letGo()
	d, err := r.plan(ctx)
	r.listed = nil
	if inDoubt(err) { // what it read was written again since it was listed: nothing is binding yet, so look again
		return false, errors.Join(statestore.ErrConflict, err)
	}
	if err == nil && d == nil && r.loadsOnly() {
		return true, nil
	}
	if err == nil && d == nil {
		err = r.registerAtRest(ctx)
	}
	if err == nil && d == nil {
		return r.compactWhenCrowded(ctx)
	}
	if err != nil {
		return true, err
	}
	return false, r.bind(ctx, d)
}

// bind commits a draft and carries it out.
func (r *run) bind(ctx context.Context, d *draft) error {
	before := r.e.now()
	if err := r.commit(ctx, d); err != nil {
		return err
	}
	r.reread = before
	d.merge = nil // its rows are in the changes object now, from which each op reads its own
	return r.carryOut(ctx, &d.Plan, d.ops)
}

// carryOut applies a binding plan and finishes it. Nil ops are read from the plan's batches.
func (r *run) carryOut(ctx context.Context, p *Plan, ops [2][]Op) error {
	r.letGo()
	r.t.item[statestore.CommitID], r.t.seq = p.ID, p.Seq
	if err := r.handOver(ctx, p); err != nil {
		return err
	}
	a, err := r.apply(ctx, p, ops)
	if err != nil {
		return err
	}
	ours, err := a.finish(ctx)
	if ours {
		r.account(p)
	}
	return err
}

// account adds a finished plan to the tick's result.
func (r *run) account(p *Plan) {
	res := r.result
	switch p.Kind {
	case KindLoad:
		if res.Action != Merged {
			res.Action = Loaded
		}
	case KindRebuild:
		if res.Action != Merged {
			res.Action = Rebuilt
		}
	case KindCompact:
		if res.Action == Idle {
			res.Action = Compacted
		}
	case KindMerge, KindTruncate, KindRewrite:
		res.Action = Merged
	case KindRecord, KindFence:
	}
	res.Inputs += int64(len(p.Inputs)) + p.Again
	res.add(p.Counts)
	res.FilesCreated += p.Traffic.FilesCreated
	res.FilesRewritten += p.Traffic.FilesRewritten
	res.FilesEmptied += p.Traffic.FilesEmptied
	res.FilesUntouched = 0
	for _, f := range r.lastLive {
		if !r.touched[f.Key] {
			res.FilesUntouched++
		}
	}
}

func (c *Counts) add(o Counts) {
	c.Changes += o.Changes
	c.Inserts += o.Inserts
	c.Updates += o.Updates
	c.Deletes += o.Deletes
	c.Noops += o.Noops
	c.Strays += o.Strays
	c.Stale += o.Stale
	c.Duplicates += o.Duplicates
	c.Anomalies += o.Anomalies
	c.Superseded += o.Superseded
	c.Quarantined += o.Quarantined
}

// pulse renews the lease when it is time, and looks whether the commit is still
// the table's when a minute of wall clock has passed: a process that stood still must not write before it
// has looked. Nobody passes while another looks.
func (a *application) pulse(ctx context.Context) error {
	r := a.run
	r.mu.Lock()
	defer r.mu.Unlock()
	now := r.e.now()
	if passed(r.renewed, now, leaseRenew) {
		if err := r.e.stores.State.Renew(ctx, r.t.path, r.e.cfg.Owner, cmp.Or(r.lease, leaseTime)); err != nil {
			r.e.stores.Log.Warn("lease not renewed", "table", r.t.name(), "error", err) // it only saves work
		}
		r.renewed = now
	}
	if !passed(r.reread, now, rereadTime) {
		return nil
	}
	item, err := r.e.stores.State.Read(ctx, r.t.path)
	if err != nil {
		return err
	}
	if item[statestore.CommitID] != a.plan.ID {
		return errElsewhere
	}
	r.reread = now
	return nil
}

// passed says whether so much time has passed by the wall clock, which goes on
// while a process stands still, as the monotonic one may not. A clock that was set back tells nothing.
func passed(since, now time.Time, d time.Duration) bool {
	elapsed := now.Round(0).Sub(since.Round(0))
	return elapsed >= d || elapsed < 0
}
