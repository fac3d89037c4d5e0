package replicate

import (
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"sluice/internal/dms"
	"sluice/internal/lake"
	"sluice/internal/parquetedit"
	"sluice/statestore"
)

// MinVerifyBytes is the least memory that a table is verified in.
const MinVerifyBytes = lake.MinVerifyBytes

// Difference is a key of which raw and lake have other rows.
type Difference = lake.Difference

// ColumnDifference is a value as raw and as the lake have it.
type ColumnDifference = lake.ColumnDifference

// VerifyOptions bound a verification.
type VerifyOptions struct {
	MemoryBytes int64 // of what is kept of keys; at least MinVerifyBytes
	Differences int   // how many are shown
}

// Verification says whether a table's lake is the fold of its inputs: the line that `sluice verify --json` prints.
type Verification struct {
	Table       string       `json:"table"`
	Path        string       `json:"path"`
	Equal       bool         `json:"equal"`    // the lake's rows are those of the fold
	Complete    bool         `json:"complete"` // raw has every input that the lake was made from; else nothing can be said against the lake
	RowsRaw     int64        `json:"rows_raw"` // of the fold
	RowsLake    int64        `json:"rows_lake"`
	Missing     int64        `json:"missing"`    // rows that the lake lacks
	Surplus     int64        `json:"surplus"`    // rows of keys that the fold does not have
	Duplicates  int64        `json:"duplicates"` // rows that the lake has once too often
	Different   int64        `json:"different"`  // rows with other values
	Undecided   int64        `json:"undecided"`  // keys on which the order column leaves either open
	Inputs      int          `json:"inputs"`     // files that were folded
	Waiting     int          `json:"waiting"`    // files that no run has consumed yet: they do not count
	Files       int          `json:"files"`      // live lake files
	Passes      int          `json:"passes"`     // how often they were read
	BytesRead   int64        `json:"bytes_read"`
	Seconds     float64      `json:"seconds"`
	Reason      string       `json:"reason"`         // why nothing, or not everything, could be compared
	OpCompared  bool         `json:"op_compared"`    // the column Op was compared, too
	Gone        []string     `json:"gone,omitempty"` // up to ten inputs that raw no longer has
	Differences []Difference `json:"differences"`
}

// Well says whether the lake was shown to be the fold of its inputs.
func (v *Verification) Well() bool { return v.Equal && v.Complete }

// maxVerifyAttempts is how often a verification begins anew when the lake changes under it.
const maxVerifyAttempts = 3

// errMoved is returned when the table was changed while it was verified.
var errMoved = errors.New("the table was changed meanwhile")

// Verify reads a table's inputs in raw and its lake files, and says whether the one is the fold of the other. It
// writes nothing. What keeps it from comparing is in the result's Reason; errors are storage trouble, and [ErrUsage]
// for a table that is not registered.
func (e *Engine) Verify(ctx context.Context, name string, o VerifyOptions) (Verification, error) {
	if o.MemoryBytes < MinVerifyBytes {
		return Verification{}, fmt.Errorf("%w: memory of %d bytes is below the least of %d MiB", ErrUsage, o.MemoryBytes, MinVerifyBytes>>20)
	}
	began := time.Now()
	m := &meter{}
	for attempt := range maxVerifyAttempts {
		item, err := e.registered(ctx, name)
		if err != nil {
			return Verification{}, err
		}
		v := Verification{Table: tableName(item), Path: item[statestore.Path], Differences: []Difference{}}
		r := &run{e: e, meter: m, result: &Result{}, dry: true}
		err = r.verify(ctx, item, verifying{o, &v, attempt > 0})
		v.BytesRead, v.Seconds = m.read.Load(), time.Since(began).Seconds()
		if moved := r.moved(ctx, item, err); moved || errors.Is(err, errMoved) {
			continue
		}
		if kind, stop := fate(err); err != nil && kind == halt {
			v.Reason, err = stop.Error(), nil
		}
		if err != nil {
			err = fmt.Errorf("verify %s: %w%s", v.Table, err, storageAdvice(err))
		}
		return v, err
	}
	return e.busy(ctx, name)
}

func (e *Engine) busy(ctx context.Context, name string) (Verification, error) {
	item, err := e.registered(ctx, name)
	return Verification{
		Table: tableName(item), Path: item[statestore.Path], Differences: []Difference{},
		Reason: fmt.Sprintf("busy: runs or others changed the table %d times while it was read; verify it when nothing runs", maxVerifyAttempts),
	}, err
}

// registered returns the item of a registered table; unlike find it registers none.
func (e *Engine) registered(ctx context.Context, name string) (statestore.Item, error) {
	items, err := e.items(ctx, func(Result) {})
	if err != nil {
		return nil, err
	}
	item, err := e.match(items, name)
	if item == nil && err == nil {
		err = fmt.Errorf("%w: no table %q is registered; sluice tables lists those that are", ErrUsage, name)
	}
	return item, err
}

// moved says whether the table's item is no longer as the verification found it, or an object no longer as it was listed.
func (r *run) moved(ctx context.Context, before statestore.Item, err error) bool {
	if inDoubt(err) {
		return true
	}
	now, failed := r.e.stores.State.Read(ctx, before[statestore.Path])
	if failed != nil {
		return false
	}
	for _, name := range []string{statestore.Seq, statestore.CommitID, statestore.Index, statestore.Ledger, statestore.LastIncrementalFile} {
		if now[name] != before[name] {
			return true
		}
	}
	return false
}

// verifying is a verification under way.
type verifying struct {
	VerifyOptions
	*Verification

	again bool // the table was changed while it was read before
}

func (r *run) verify(ctx context.Context, item statestore.Item, v verifying) error {
	switch {
	case item.Pending() && v.again:
		return errMoved
	case item.Pending():
		return haltf("pending", "commit %s is not finished, so the lake is between two states; finish it with sluice run, then verify", item[statestore.CommitID])
	}
	in, err := r.evidence(ctx, item)
	if err != nil {
		return err
	}
	v.Waiting, v.Inputs = in.waiting, len(in.loads)+len(in.changes)
	if len(in.gone) > 0 {
		v.Gone = in.gone[:min(len(in.gone), 10)]
		v.Reason = fmt.Sprintf("raw no longer has what the lake was made from: %s; nothing was compared", some(in.gone))
		return nil
	}
	claim, err := r.claim(ctx, in)
	if err != nil {
		return err
	}
	claim.MemoryBytes, claim.Differences = v.MemoryBytes, v.VerifyOptions.Differences
	claim.Progress = func(done, total int) { r.e.stores.Progress(r.t.name(), done, total) }
	v.Files, v.OpCompared = len(claim.Lake), claim.CompareOp
	verdict, err := claim.Verify(ctx)
	if err != nil {
		return err
	}
	v.take(verdict)
	if v.Complete = v.Equal || in.doubt == ""; !v.Complete {
		v.Reason = in.doubt
	}
	return nil
}

func (v verifying) take(d *lake.Verdict) {
	v.Equal, v.Passes = d.Equal(), d.Passes
	v.RowsRaw, v.RowsLake, v.Undecided = d.RowsRaw, d.RowsLake, d.Undecided
	v.Missing, v.Surplus, v.Duplicates, v.Different = d.Missing, d.Surplus, d.Duplicates, d.Different
	v.Verification.Differences = append(v.Verification.Differences, d.Differences...)
	if d.Uncounted {
		v.Reason = "so much differs that only a part of the keys was counted"
	}
}

// claim is what the evidence says of the lake as it is now.
func (r *run) claim(ctx context.Context, in *evidence) (*lake.Claim, error) {
	s, err := r.readState(ctx)
	if err != nil {
		return nil, err
	}
	r.t.readAgain(s.schema.Columns)
	c := &lake.Claim{
		OrderColumn: r.t.order, Dialect: r.t.reading(), BeforeImagePrefix: r.t.before, Parallel: cap(r.e.ops),
		CompareOp: r.ownRows() && !slices.ContainsFunc(s.live(), func(f *lake.File) bool { return !hasOp(f) }),
	}
	schema := s.schema.Clone()
	if !s.known || len(schema.Columns) == 0 {
		schema.Key, schema.Partition = r.t.key, r.t.partition
	}
	if names, err := partitionNames(s.files); err == nil && s.rows() > 0 {
		schema.Partition = names
	}
	c.Schema = &schema
	if c.Load, err = r.claimFiles(ctx, in, in.loads, &schema); err != nil {
		return nil, err
	}
	if c.Changes, err = r.claimFiles(ctx, in, in.changes, &schema); err != nil {
		return nil, err
	}
	for _, f := range s.live() {
		if err := schema.Extend(withoutOp(f.Columns), f.Key); err != nil {
			return nil, err
		}
		c.Lake = append(c.Lake, lake.ClaimFile{Name: f.Key, Dir: f.Dir, Rows: f.Rows, Open: func(ctx context.Context) (dms.Columnar, error) {
			open, err := r.openLake(ctx, f)
			if err != nil {
				return nil, lakeFault(f.Key, err)
			}
			return open, nil
		}})
	}
	if len(in.loads)+len(in.changes)+len(c.Lake) == 0 {
		schema.Key = nil // there is no column yet
	}
	if schema.Index(c.OrderColumn) < 0 {
		c.OrderColumn = ""
	}
	return c, nil
}

// claimFiles reads the footers of inputs: their rows, and the columns that the schema lacks.
func (r *run) claimFiles(ctx context.Context, e *evidence, inputs []input, schema *lake.Schema) ([]lake.ClaimFile, error) {
	files := make([]lake.ClaimFile, len(inputs))
	columns := make([][]parquetedit.Column, len(inputs))
	err := each(ctx, inputs, func(ctx context.Context, i int, in input) error {
		open := func(ctx context.Context) (dms.Columnar, error) {
			var o opened
			var err error
			if in.name.Kind == dms.Change {
				o, err = r.openChange(ctx, in, &bodies{})
			} else {
				o, err = r.openInput(ctx, in)
			}
			if err == nil {
				err = r.without(&o, e.kept[in.key])
			}
			return o.file, err
		}
		o, err := r.openInput(ctx, in)
		if err != nil {
			return err
		}
		if f, ok := dms.Whole(o.file).(*dms.CSVFile); ok && f.Untold() != nil {
			return fmt.Errorf("%s: %w; what such a row is cannot be told from the inputs alone", in.key, f.Untold())
		}
		columns[i] = o.reader.Columns()
		files[i] = lake.ClaimFile{Name: in.key, Rows: o.file.NumRows() - e.kept[in.key].Count(), Open: open}
		return nil
	})
	if err != nil {
		return nil, err
	}
	for i, list := range columns {
		if err := schema.Extend(list, inputs[i].key); err != nil {
			return nil, err
		}
	}
	return files, nil
}

// ownRows says whether every row of the lake was written by us: then the column Op is what the fold says. An adopted
// lake has rows of the ancestor's.
func (r *run) ownRows() bool { return r.neverLoaded() || r.t.item[statestore.Generation] > "0" }

// hasOp says whether a lake file is one of ours by its name, and has the column Op.
func hasOp(f *lake.File) bool {
	parts := strings.Split(strings.TrimSuffix(path.Base(f.Key), ".parquet"), "-")
	if len(parts) != 4 || parts[0] != "part" {
		return false
	}
	_, err := statestore.ParseSeq(parts[1])
	return err == nil && slices.ContainsFunc(f.Columns, func(c lake.Column) bool { return c.Name == lake.OpColumn })
}
