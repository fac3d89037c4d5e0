package replicate

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"time"

	"sluice/internal/object"
	"sluice/statestore"
)

// What the janitor deletes has this age. Both are conditions of safety, no setting lowers them: a request that was sent
// before may still arrive, and for fifteen minutes S3 takes it; whoever stood still for longer looks at the item
// before it sends; and a workflow can be redriven for fourteen days.
const (
	emptyAge = 15 * 24 * time.Hour // emptied lake files, uploads that were never completed
	bookAge  = 30 * 24 * time.Hour // bookkeeping that nothing names
)

// janitorTime bounds how long after reading the item the janitor deletes by it, as a deadline bounds a worker.
const janitorTime = 10 * time.Minute

// Cleaner is one lake bucket as the janitor needs it: it deletes, and cannot write.
type Cleaner interface {
	object.Reader
	Delete(ctx context.Context, key, ifMatch string) error
	AbortAbandoned(ctx context.Context, prefix string, before time.Time) (int, error)
}

// JanitorStores are the places that a janitor works on. Log and Now may be nil. Lock is for a lake that is a directory:
// there nothing makes requests expire, so that each table's lease, which has to be a lock that dies with its holder, is
// taken first. On S3 the janitor takes none, and reads the control table only.
type JanitorStores struct {
	Objects func(ctx context.Context, bucket string) (Cleaner, error)
	State   statestore.Store
	Log     *slog.Logger
	Now     func() time.Time
	Lock    bool
}

// Janitor deletes what no commit can need any more: lake files that were emptied, bookkeeping that nothing names,
// uploads that were never completed. Never a file that sluice did not write. It is safe beside workers, and may die
// anywhere: the next one goes on.
type Janitor struct {
	engine *Engine
	stores JanitorStores
}

// NewJanitor returns a janitor of the tables below one raw prefix. Errors wrap [ErrUsage].
func NewJanitor(cfg Config, stores JanitorStores) (*Janitor, error) {
	readable := func(ctx context.Context, bucket string) (Objects, error) {
		store, err := stores.Objects(ctx, bucket)
		return unwritable{store}, err
	}
	e, err := New(cfg, Stores{Objects: readable, State: stores.State, Log: stores.Log, Now: stores.Now})
	return &Janitor{engine: e, stores: stores}, err
}

// unwritable is a bucket for code that only reads.
type unwritable struct{ object.Reader }

var errUnwritable = errors.New("the janitor writes nothing")

func (unwritable) Put(context.Context, string, []byte, object.PutInput) (object.Info, error) {
	return object.Info{}, errUnwritable
}

func (unwritable) Create(context.Context, string, object.PutInput) object.Upload {
	return unwritableUpload{}
}

type unwritableUpload struct{}

func (unwritableUpload) Write([]byte) (int, error)                        { return 0, errUnwritable }
func (unwritableUpload) CopyFrom(context.Context, object.CopyInput) error { return errUnwritable }
func (unwritableUpload) Close(context.Context) (object.Info, error) {
	return object.Info{}, errUnwritable
}
func (unwritableUpload) Abort(context.Context) error { return nil }
func (unwritableUpload) Counts() object.Counts       { return object.Counts{} }

// Cleaning is what the janitor did with one table: the line that `sluice janitor --json` prints.
type Cleaning struct {
	Table       string   `json:"table"`
	Path        string   `json:"path"`
	Action      Action   `json:"action"` // cleaned, idle, busy or failed
	Reason      string   `json:"reason"`
	Files       int64    `json:"files_deleted"`       // emptied lake files
	Bookkeeping int64    `json:"bookkeeping_deleted"` // objects
	Bytes       int64    `json:"bytes_deleted"`
	Uploads     int64    `json:"uploads_aborted"`
	Keys        []string `json:"keys"` // of what was deleted, in the table's lake bucket
	Err         error    `json:"-"`    // behind Failed
}

// Run cleans every registered table in scope and calls report once for each, never by two goroutines at once. The error
// is not nil only when the tables could not be read.
func (j *Janitor) Run(ctx context.Context, report func(Cleaning)) error {
	items, err := j.engine.items(ctx, func(r Result) {
		report(Cleaning{Table: r.Table, Path: r.Path, Action: Failed, Reason: r.Reason, Err: r.Err, Keys: []string{}})
	})
	if err != nil {
		return err
	}
	return eachTable(ctx, j.engine, items, func(item statestore.Item) Cleaning { return j.table(ctx, item) }, report)
}

// table cleans one table and says what it did, also when it did not come to the end.
func (j *Janitor) table(ctx context.Context, item statestore.Item) Cleaning {
	c := &cleaning{janitor: j, Cleaning: Cleaning{Table: tableName(item), Path: item[statestore.Path], Action: Idle, Keys: []string{}}}
	err := c.clean(ctx)
	slices.Sort(c.Keys)
	if len(c.Keys)+int(c.Uploads) > 0 {
		c.Action = Cleaned
	}
	var stop *HaltError
	switch {
	case err == nil:
	case errors.Is(err, statestore.ErrLeased), errors.Is(err, errLater):
		if c.Action == Idle {
			c.Action = Busy
		}
		c.Reason = "another run is working on the table; the next janitor goes on"
	case errors.As(err, &stop):
		c.Action, c.Reason, c.Err = Failed, stop.Error(), err
	default:
		c.Action, c.Reason, c.Err = Failed, err.Error()+storageAdvice(err), err
	}
	return c.Cleaning
}
