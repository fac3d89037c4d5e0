package replicate

import (
	"context"
	"runtime"
	"sync"

	"golang.org/x/sync/semaphore"

	"sluice/internal/dms"
	"sluice/internal/lake"
	"sluice/internal/parquetedit"
)

const (
	// MinMemoryBytes is the least memory that an engine works with.
	MinMemoryBytes = 128 << 20

	baseBytes   = 48 << 20 // of the process itself: clients, listings, indexes, control items
	uploadBytes = 24 << 20 // of a body under way: three parts of 8 MiB
	windowBytes = 8 << 20  // of a column chunk that is read
	seekBytes   = 16 << 20 // of a lake file that keys are looked for in
	valueBytes  = 24       // of a parquet.Value, beside what it points to
	cellBytes   = 8        // of a value that a change keeps, beside its text
	keyBytes    = 100      // of a changed key in a fold: entry, text, indexes, and what was found of it
)

// governor shares the memory that a process may take among what holds much of it: the fold of a batch until it is
// committed, and each op. Small things go side by side, a huge one waits until it is alone. Nobody takes twice, so nobody
// waits for itself. A nil governor lets everything go.
type governor struct {
	all  int64 // bytes to share
	room *semaphore.Weighted
}

// newGovernor returns the governor of a process that may take so many bytes, nil for 0. A quarter is left to garbage.
func newGovernor(limit int64) *governor {
	if limit == 0 {
		return nil
	}
	all := (limit - baseBytes) / 4 * 3
	return &governor{all: all, room: semaphore.NewWeighted(all)}
}

// take waits for so many bytes; what is more than all waits for all of them.
func (g *governor) take(ctx context.Context, bytes int64) (release func(), err error) {
	if g == nil {
		return func() {}, nil
	}
	bytes = min(max(bytes, 0), g.all)
	if err := g.room.Acquire(ctx, bytes); err != nil {
		return nil, err
	}
	return sync.OnceFunc(func() { g.room.Release(bytes) }), nil
}

// columns says how many columns of a file may be at work at once, at most as many as there are cores: as many as fit,
// each with so many bytes, beside what is held anyway.
func (g *governor) columns(fixed, each int64) int {
	cores := runtime.GOMAXPROCS(0)
	if g == nil || each <= 0 {
		return cores
	}
	return int(min(max((g.all-fixed)/each, 1), int64(cores)))
}

// hold takes memory until letGo. What the run held before is let go first.
func (r *run) hold(ctx context.Context, bytes int64) error {
	r.letGo()
	var err error
	r.held, err = r.e.governor.take(ctx, bytes)
	return err
}

func (r *run) letGo() {
	if r.held != nil {
		r.held()
		r.held = nil
	}
}

// batchBound is how many decoded bytes of changes a merge holds: the setting, or less where less fits.
func (e *Engine) batchBound() int64 {
	if e.governor == nil {
		return e.cfg.BatchBytes
	}
	return min(e.cfg.BatchBytes, max(e.governor.all/2, 1<<20))
}

// decoded is the size of a file's pages, decompressed.
func decoded(f dms.Columnar) int64 {
	bytes := int64(0)
	for _, g := range f.RowGroups() {
		bytes += g.UncompressedBytes
	}
	return bytes
}

// sliceBytes estimates what the rows of a span of a changes object take.
func sliceBytes(changes *parquetedit.File, span *lake.Span) int64 {
	if span == nil || changes.NumRows() == 0 {
		return 0
	}
	rows := span.To - span.From
	return rows*int64(len(changes.Columns()))*cellBytes + int64(float64(decoded(changes))*float64(rows)/float64(changes.NumRows()))
}

// rewriteBytes estimates what the rewriting of a file holds: what is held anyway, which is a new row group, the body under
// way and the op's changes, and for each column at work the part of it that is read and decoded.
func rewriteBytes(f *parquetedit.File, changes int64) (fixed, column int64) {
	const newRows = 262_144 // of a row group that is written anew, at most
	group := int64(0)
	for g, info := range f.RowGroups() {
		if info.Rows == 0 {
			continue
		}
		group = max(group, min(info.UncompressedBytes, int64(float64(info.UncompressedBytes)*newRows/float64(info.Rows))))
		for c := range f.Columns() {
			compressed, plain := f.ChunkBytes(g, c)
			column = max(column, min(compressed, windowBytes)+min(plain, 2*windowBytes))
		}
	}
	return group + uploadBytes + changes, column
}

// takeRewrite waits for the memory that the rewriting of a file takes, and says how many columns may be at work at once.
func (a *application) takeRewrite(ctx context.Context, op Op, f *parquetedit.File) (release func(), parallel int, err error) {
	if op.Kind != OpRewrite { // rows are copied, or dropped
		release, err = a.e.governor.take(ctx, uploadBytes)
		return release, 1, err
	}
	changes, err := a.changeBytes(ctx, op)
	if err != nil {
		return nil, 0, err
	}
	fixed, column := rewriteBytes(f, changes)
	if op.Changes != nil {
		column += (op.Changes.To - op.Changes.From) * valueBytes
	}
	parallel = a.e.governor.columns(fixed, column)
	release, err = a.e.governor.take(ctx, fixed+int64(parallel)*column)
	return release, parallel, err
}

// takeCreate waits for the memory that a file made of changes takes.
func (a *application) takeCreate(ctx context.Context, changes int64) (release func(), err error) {
	return a.e.governor.take(ctx, min(2*changes, changes+2*windowBytes)+uploadBytes)
}

const made = 32 << 20 // of a row group that is being made, at most

// takeCompact waits for the memory that an op of a compaction takes: a row group of a source, what is read ahead of it, and
// the row group being made. The sources are not open yet; compressed bytes are taken for a quarter of the others.
func (a *application) takeCompact(ctx context.Context, op Op) (release func(), err error) {
	largest, all := int64(0), int64(0)
	for _, p := range op.Parts {
		size := a.plan.Sources[p.File].Size
		largest, all = max(largest, size), all+size
	}
	return a.e.governor.take(ctx, min(4*largest, 2*made)+min(largest, readAhead)+min(4*all, made)+uploadBytes)
}

// takeLoad waits for the memory that an op of a load takes: a row group of a source, and the row groups being made.
func (a *application) takeLoad(ctx context.Context, load *lake.Load, op lake.LoadOp) (release func(), err error) {
	group := int64(0)
	for _, p := range op.Parts {
		infos := load.Inputs[p.File].Open.RowGroups()
		for _, g := range p.Groups {
			group = max(group, infos[g].UncompressedBytes)
		}
	}
	return a.e.governor.take(ctx, min(group, 2*made)+made+uploadBytes)
}
