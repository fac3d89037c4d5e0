package replicate

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"sluice/internal/contract"
	"sluice/internal/dms"
	"sluice/internal/lake"
	"sluice/internal/object"
	"sluice/internal/parquetedit"
)

// attempts is how often an op is begun again in one run before the run ends as failed.
const attempts = 3

// application is one plan being carried out by one run.
type application struct {
	*run
	plan    *Plan
	again   bool // an earlier run may have applied some of it
	mu      sync.Mutex
	applied map[string]object.Info // what this run saw applied, by key
	opened  map[string]dms.Columnar
	kept    map[contract.Source]dms.Rows // see sourceRows; nil = not read yet
	done    int
	before  *index // see indexBefore
	catalog registration
}

// apply carries the plan out: phase 1, and when every op of it is applied and the catalog knows what it created, phase 2.
func (r *run) apply(ctx context.Context, p *Plan, ops [2][]Op) (*application, error) {
	a := r.application(p, len(ops[0])+len(ops[1]) == 0)
	if a.again {
		var err error
		if ops, err = r.readOps(ctx, p); err != nil {
			return nil, err
		}
	}
	for phase := range p.Phases {
		if phase == 1 {
			if err := a.registerCreates(ctx, ops); err != nil {
				return nil, err
			}
		}
		if err := a.applyPhase(ctx, ops[phase]); err != nil {
			return nil, err
		}
	}
	return a, nil
}

// application returns a plan to be carried out; again says that an earlier run may have applied some of it.
func (r *run) application(p *Plan, again bool) *application {
	return &application{run: r, plan: p, again: again, applied: map[string]object.Info{}, opened: map[string]dms.Columnar{}}
}

// applyPhase applies the ops in parallel, as many at once in the whole engine as there are cores.
func (a *application) applyPhase(ctx context.Context, ops []Op) error {
	group, inner := errgroup.WithContext(ctx)
	group.SetLimit(cap(a.e.ops))
	var late atomic.Bool // what was begun by then is carried to its end
	for _, op := range ops {
		if inner.Err() != nil {
			break
		}
		group.Go(func() error {
			select {
			case a.e.ops <- struct{}{}:
			case <-inner.Done():
				return inner.Err()
			}
			defer func() { <-a.e.ops }()
			if a.timeUp() != nil {
				late.Store(true)
				return nil
			}
			if err := a.pulse(inner); err != nil {
				return err
			}
			if err := a.applyOp(inner, op); err != nil {
				return err
			}
			a.progress()
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	if late.Load() {
		return errTimeUp
	}
	return ctx.Err() // a run that was told to stop has not begun every op
}

func (a *application) progress() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.done++
	a.e.stores.Progress(a.t.name(), a.done, a.plan.Phases[0].Ops+a.plan.Phases[1].Ops)
}

// applyOp begins the op until it is applied, or known not to be ours to apply, with a pause before it begins it again.
// That its source changed counts only when its own file is not there: who applied it
// may have gone on to empty the source.
func (a *application) applyOp(ctx context.Context, op Op) error {
	missing := op.Files
	var last error
	for again := range attempts {
		if again > 0 {
			if err := a.e.pause(ctx, again); err != nil {
				return errors.Join(last, err)
			}
		}
		if a.again || last != nil {
			var err error
			if missing, err = a.missing(ctx, op); err != nil || len(missing) == 0 {
				return err
			}
		}
		if err := a.lost(ctx, last); err != nil {
			return err
		}
		if last = a.write(ctx, op, missing); last == nil {
			return nil
		}
		if ctx.Err() != nil || final(last) {
			return last
		}
	}
	if missing, err := a.missing(ctx, op); err != nil || len(missing) == 0 {
		return err
	}
	if err := a.lost(ctx, last); err != nil {
		return err
	}
	return last
}

// final says whether to begin an op again is of no use: a halt, a commit that is no longer ours, data that is wrong.
func final(err error) bool {
	kind, _ := fate(err)
	return kind != retry
}

// inDoubt says whether an error leaves open what the object now is, or says that it is not what it was.
func inDoubt(err error) bool {
	return errors.Is(err, object.ErrPrecondition) || errors.Is(err, object.ErrNotFound)
}

// write makes the op's missing files.
func (a *application) write(ctx context.Context, op Op, missing []OpFile) error {
	switch {
	case op.Kind == OpCreate && a.plan.Kind == KindCompact:
		return a.writeCompact(ctx, op, missing)
	case op.Kind == OpCreate && op.Changes == nil:
		return a.writeLoad(ctx, op, missing)
	case op.Kind == OpCreate || op.Kind == OpBlock || op.Kind == OpBlank:
		return a.writeNew(ctx, op)
	default:
		return a.writeAgain(ctx, op)
	}
}

// writeNew makes a file of a slice of the changes, or one without rows; nothing of what may be there is read.
func (a *application) writeNew(ctx context.Context, op Op) error {
	bytes, err := a.changeBytes(ctx, op)
	if err != nil {
		return err
	}
	release, err := a.takeCreate(ctx, bytes)
	if err != nil {
		return err
	}
	defer release()
	slice := lake.NoRows(&a.plan.Schema)
	if op.Changes != nil {
		if slice, err = a.slice(ctx, op); err != nil {
			return err
		}
	}
	u := a.begin(ctx, op, op.Files[0].Key)
	rows, err := slice.Create(u, a.options(op))
	if err == nil && rows != op.Files[0].Rows {
		err = fmt.Errorf("create %s: %d rows where the plan has %d", op.Files[0].Key, rows, op.Files[0].Rows)
	}
	return a.end(ctx, op, sent{u, op.Files[0].Key}, err)
}

// writeAgain rewrites a file: its slice applied, emptied, or the same with a new footer.
func (a *application) writeAgain(ctx context.Context, op Op) error {
	file := op.Files[0]
	from := object.Info{Key: file.Key, ETag: op.ETag, Size: op.Size}
	open, err := a.open(ctx, a.lake, from)
	if err != nil {
		return err
	}
	release, parallel, err := a.takeRewrite(ctx, op, open)
	if err != nil {
		return err
	}
	defer release()
	var slice *lake.Slice
	if op.Kind == OpRewrite {
		if slice, err = a.slice(ctx, op); err != nil {
			return err
		}
	}
	u := a.begin(ctx, op, file.Key)
	out := &target{upload: u, from: from}
	var stats parquetedit.Stats
	options := a.options(op)
	options.Parallel = parallel
	switch {
	case op.Kind == OpEmpty:
		options.Columns = file.Columns
		stats, err = lake.Empty(ctx, open, out, options)
	case slice == nil:
		stats, err = lake.Refresh(ctx, open, out, options)
	default:
		stats, err = slice.Rewrite(ctx, open, out, options)
	}
	if err != nil {
		err = &lake.FileError{File: file.Key, Err: err}
	}
	if err == nil && op.Kind != OpRefresh && stats.Rows != file.Rows {
		err = fmt.Errorf("rewrite %s: %d rows where the plan has %d", file.Key, stats.Rows, file.Rows)
	}
	return a.end(ctx, op, sent{u, file.Key}, err)
}

// changeBytes estimates what the op's changes take in memory.
func (a *application) changeBytes(ctx context.Context, op Op) (int64, error) {
	if op.Changes == nil {
		return 0, nil
	}
	changes, err := a.openChangesOnce(ctx)
	if err != nil {
		return 0, err
	}
	return sliceBytes(changes, op.Changes), nil
}

func (a *application) slice(ctx context.Context, op Op) (*lake.Slice, error) {
	changes, err := a.openChangesOnce(ctx)
	if err != nil {
		return nil, err
	}
	if rows := changes.NumRows(); op.Changes.To > rows {
		return nil, haltf("bookkeeping", "op %d of commit %s wants row %d of %s, which has %d; restore the object", op.N, a.plan.commitKey(), op.Changes.To, a.plan.Changes, rows)
	}
	slice, err := lake.ReadSlice(ctx, changes, &a.plan.Schema, *op.Changes)
	return slice, changesFault(a.plan, err)
}

// openChanges opens the net changes of a plan.
func (r *run) openChanges(ctx context.Context, p *Plan) (*parquetedit.File, error) {
	info, err := r.lake.Head(ctx, p.Changes)
	if err != nil {
		return nil, changesFault(p, err)
	}
	f, err := r.open(ctx, r.lake, info)
	return f, changesFault(p, err)
}

// changesFault halts over net changes that are gone or broken.
func changesFault(p *Plan, err error) error {
	if err != nil && (inDoubt(err) || dataFault(err) != "" || errors.Is(err, lake.ErrSpan)) {
		return haltf("bookkeeping", "the net changes of commit %s, %s, cannot be read: %v; restore the object", p.commitKey(), p.Changes, err)
	}
	return err
}

// begin starts the body of one of the op's files, conditional on what the op expects there.
func (a *application) begin(ctx context.Context, op Op, key string) object.Upload {
	in := object.PutInput{Metadata: a.marks(op), Condition: object.Condition{IfMatch: op.ETag, IfNoneMatch: op.ETag == ""}}
	return a.lake.Create(ctx, key, in)
}

// sent is the body of one file under way.
type sent struct {
	object.Upload
	key string
}

// end makes the body visible, or throws it away when making it went wrong.
func (a *application) end(ctx context.Context, op Op, u sent, err error) error {
	if err != nil {
		return errors.Join(err, u.Abort(context.WithoutCancel(ctx)))
	}
	if err := a.pulse(ctx); err != nil { // the body may have taken long
		return errors.Join(err, u.Abort(context.WithoutCancel(ctx)))
	}
	info, err := u.Close(ctx)
	if err != nil {
		if info, err = a.settle(ctx, op, u.key, err); err != nil {
			return fmt.Errorf("write %s: %w", u.key, err)
		}
	}
	counts := u.Counts()
	a.meter.written.Add(counts.BytesWritten)
	a.meter.copied.Add(counts.BytesCopied)
	a.saw(info)
	return nil
}

// settle looks what became of a write that ended with an error: one whose answer was lost meets itself when the store's
// client repeats it, and is refused. Of an op with many files each may have to be settled, which is no attempt of the op.
func (a *application) settle(ctx context.Context, op Op, key string, err error) (object.Info, error) {
	info, headErr := a.lake.Head(ctx, key)
	if headErr != nil {
		return object.Info{}, err
	}
	if ours, markErr := a.isOurs(ctx, info, op.N); markErr != nil || !ours {
		return object.Info{}, err
	}
	return info, nil
}

func (a *application) options(op Op) lake.FileOptions {
	return lake.FileOptions{Compression: a.plan.Codec, Metadata: a.marks(op), Memory: &a.e.memory}
}

// openOnce opens a source that several ops read.
func (a *application) openOnce(ctx context.Context, s Source) (dms.Columnar, error) {
	return once(a, s.Key, func() (dms.Columnar, error) {
		return a.openRanges(ctx, a.storeOf(s), object.Info{Key: s.Key, ETag: s.ETag, Size: s.Size})
	})
}

func (a *application) storeOf(s Source) Objects {
	if s.Lake {
		return a.lake
	}
	return a.raw
}

func (a *application) openChangesOnce(ctx context.Context) (*parquetedit.File, error) {
	return once(a, a.plan.Changes, func() (*parquetedit.File, error) { return a.openChanges(ctx, a.plan) })
}

// once opens a file when it is asked for first.
func once[F dms.Columnar](a *application, key string, open func() (F, error)) (F, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if f, ok := a.opened[key].(F); ok {
		return f, nil
	}
	f, err := open()
	if err == nil {
		a.opened[key] = f
	}
	return f, err
}
