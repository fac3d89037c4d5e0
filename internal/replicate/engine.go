package replicate

import (
	"context"
	"fmt"
	"log/slog"
	"runtime"
	"sync"
	"time"

	"sluice/internal/catalog"
	"sluice/internal/object"
	"sluice/internal/parquetedit"
	"sluice/statestore"
)

// Objects is one bucket as the engine needs it: no worker deletes.
type Objects interface {
	object.Reader
	object.Writer
}

// Catalog is where the tables of a lake are found by name, such as AWS Glue.
type Catalog interface {
	// Name says which catalog.
	Name() string

	// Ensure makes the catalog agree with t. It asks still before each write, and ends with its error.
	Ensure(ctx context.Context, t catalog.Table, still func(context.Context) error) error

	// Compare says how the catalog differs from t, "" when it agrees.
	Compare(ctx context.Context, t catalog.Table) (string, error)
}

// Stores are the places that an engine works on. Catalog, Log, Now, Sleep and Progress may be nil.
type Stores struct {
	Objects  func(ctx context.Context, bucket string) (Objects, error)
	State    statestore.Store
	Catalog  Catalog // nil: tables are registered nowhere
	Log      *slog.Logger
	Now      func() time.Time
	Sleep    func(ctx context.Context, d time.Duration) error // between attempts; ctx ends it early
	Progress func(table string, done, total int)              // ops of the current commit
}

// Engine replicates the tables below one raw prefix. It is safe for concurrent use.
type Engine struct {
	cfg      Config
	stores   Stores
	ops      chan struct{} // one token for each op that is being applied
	governor *governor
	memory   parquetedit.Memory // what files leave to each other
	probed   sync.Map           // bucket → error: stores whose conditions were tried
	origin   *origin            // what a shadow goes by; nil for any other engine
}

// New returns an engine. Errors wrap [ErrUsage].
func New(cfg Config, stores Stores) (*Engine, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	if cfg.RawBucket == "" {
		return nil, fmt.Errorf("%w: no raw location; say where DMS writes with --raw", ErrUsage)
	}
	if stores.Log == nil {
		stores.Log = slog.New(slog.DiscardHandler)
	}
	if stores.Now == nil {
		stores.Now = time.Now
	}
	if stores.Sleep == nil {
		stores.Sleep = sleep
	}
	if stores.Progress == nil {
		stores.Progress = func(string, int, int) {}
	}
	if cfg.Schema == "" {
		cfg.Schema = "*"
	}
	return &Engine{cfg: cfg, stores: stores, ops: make(chan struct{}, runtime.GOMAXPROCS(0)), governor: newGovernor(cfg.MemoryBytes)}, nil
}

func (e *Engine) now() time.Time { return e.stores.Now() }

func (e *Engine) bucket(ctx context.Context, name string) (Objects, error) {
	store, err := e.stores.Objects(ctx, name)
	if err != nil {
		return nil, fmt.Errorf("open bucket %s: %w", name, err)
	}
	return store, nil
}
