package replicate

import (
	"context"
	"slices"
	"strconv"
	"time"

	"golang.org/x/sync/errgroup"

	"sluice/internal/dms"
	"sluice/internal/lake"
	"sluice/statestore"
)

// planLoadWhenComplete plans a full load, or says what it waits for. Whatever
// is in the lake is of an older generation: it is emptied behind the creates.
func (r *run) planLoadWhenComplete(ctx context.Context, o *outlook) (*draft, error) {
	if err := r.lookAtAll(ctx, o); err != nil {
		return nil, err
	}
	if waiting := complete(o.listing, r.e.cfg.FullLoadQuiet, r.e.now()); waiting != "" {
		r.result.Reason = waiting
		return nil, nil
	}
	if err := oneOfEach(o.loads); err != nil {
		return nil, err
	}
	young := r.e.now().Add(-r.e.cfg.Settle)
	if len(settled(o.loads, young)) < len(o.loads) {
		r.result.Reason = "full load is younger than the settle delay of " + r.e.cfg.Settle.String()
		return nil, nil
	}
	if r.mergesOnly() {
		return nil, errLoadDue
	}
	return r.draftLoad(ctx, o)
}

// oneOfEach returns a halt when two LOAD objects have one number: one of them is of an older full load, in another format, that DMS
// did not delete, and its rows would be there twice.
func oneOfEach(loads []input) error {
	type number struct {
		segment string
		counter uint64
	}
	seen := map[number]string{}
	for _, in := range loads {
		n := number{in.name.Segment, in.name.Counter}
		if first, ok := seen[n]; ok {
			return haltf("reload", "%s and %s are the same part of two full loads; remove what the older one left, then acknowledge", first, in.key)
		}
		seen[n] = in.key
	}
	return nil
}

// lookAtAll lists the whole folder where only a part was listed: which changes
// a load supersedes, and whether their dates can be trusted, all of them tell.
func (r *run) lookAtAll(ctx context.Context, o *outlook) error {
	if o.anchor == "" {
		return nil
	}
	whole, err := r.list(ctx, "")
	if err != nil {
		return err
	}
	o.listing = whole
	return r.judge(ctx, o)
}

func (r *run) draftLoad(ctx context.Context, o *outlook) (*draft, error) {
	load := &lake.Load{}
	d := r.newDraft(KindLoad)
	var loads []opened
	for _, in := range o.loads {
		op, err := r.openInput(ctx, in)
		if err == nil {
			err = op.whole()
		}
		if err != nil {
			return nil, err
		}
		if err := r.speaks(ctx, op); err != nil {
			return nil, err
		}
		loads = append(loads, op)
		d.Inputs = append(d.Inputs, in.key)
	}
	d.Dialect = r.t.reading()
	d.record(r.t)
	load.Options = d.options()
	if err := r.strictLoad(ctx, o, loads); err != nil {
		return nil, err
	}
	out, loads, err := r.keepFilesOut(ctx, loads)
	if err != nil {
		return nil, err
	}
	for _, in := range loads {
		d.Sources = append(d.Sources, in.source())
	}
	load.Inputs = loadFiles(loads)
	base := lake.Schema{Columns: r.e.origin.columns(), Key: r.t.key, Partition: r.t.partition, Op: !r.e.cfg.DropOp}
	if d.Schema, err = lake.LoadSchema(load, base, r.t.accepted(acceptSchema) || r.e.origin != nil); err != nil {
		return nil, err
	}
	load.Schema = &d.Schema
	if err := r.keepKeysOut(ctx, &d.Schema, loads); err != nil {
		return nil, err
	}
	load.Inputs = loadFiles(loads)
	if err := load.CheckKeys(ctx); err != nil {
		return nil, numbered(err, loads)
	}
	recorded, err := r.digestLoads(ctx, o)
	if err != nil {
		return nil, err
	}
	r.consumeLoad(d, o, recorded)
	d.brings(slices.Concat(out, loads))
	d.keeps(slices.Concat(out, loads))
	if err := r.addLoadOps(ctx, d, load); err != nil {
		return nil, err
	}
	s, err := r.readState(ctx)
	if err != nil {
		return nil, err
	}
	d.empty(s.live())
	return d, nil
}

// loadFiles are LOAD objects as a load reads them.
func loadFiles(loads []opened) []lake.LoadFile {
	files := make([]lake.LoadFile, len(loads))
	for i, in := range loads {
		files[i] = lake.LoadFile{Name: in.key, Open: in.file}
	}
	return files
}

// addLoadOps plans the creates from the sources.
func (r *run) addLoadOps(ctx context.Context, d *draft, load *lake.Load) error {
	perRow, err := load.SampleRow(ctx, d.Codec)
	if err != nil {
		return err
	}
	ops, err := lake.PlanLoad(ctx, load, lake.Limits{TargetFileBytes: r.e.cfg.TargetFileBytes}, perRow)
	if err != nil {
		return err
	}
	columns := d.Schema.FileColumns()
	files := 0
	for _, work := range ops {
		op := Op{N: d.nextOp(), Kind: OpCreate, Parts: work.Parts}
		for _, out := range work.Outputs {
			if out.Rows == 0 {
				continue
			}
			op.Files = append(op.Files, OpFile{
				Key: r.t.lake + out.Dir + d.fileName(files), Dir: out.Dir, Rows: out.Rows, Columns: columns,
			})
			files++
			d.Counts.Inserts += out.Rows
			op.Bytes += out.Rows * perRow
		}
		if len(op.Files) > 0 {
			d.ops[0] = append(d.ops[0], op)
		}
	}
	d.Traffic.FilesCreated += int64(files)
	return nil
}

// digestLoads reads the content digests of the LOAD set, so that the same
// content under another ETag is known again.
func (r *run) digestLoads(ctx context.Context, o *outlook) ([]loadObject, error) {
	loads := o.recorded()
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(cap(r.e.ops))
	for i := range loads {
		if loads[i].Digest == "" {
			loads[i].Digest = r.e.origin.digest(loads[i])
		}
		if loads[i].Digest != "" || r.dry {
			continue
		}
		group.Go(func() error {
			var err error
			loads[i].Digest, err = r.content(ctx, o.loads[i])
			return err
		})
	}
	return loads, group.Wait()
}

// consumeLoad sets the watermark behind a new generation (rulings 2 and 3):
// change files older than the load's start are consumed and not applied; the others are applied again.
func (r *run) consumeLoad(d *draft, o *outlook, loads []loadObject) {
	var superseded []input
	switch {
	case r.e.origin != nil && r.neverLoaded():
		o.ledger.LoadStart = r.e.origin.ledger.LoadStart
		o.before.start = o.ledger.LoadStart
		superseded = slices.DeleteFunc(slices.Clone(o.changes), func(in input) bool { return !o.before.superseded(in) })
	case !skewed(o.changes):
		o.ledger.LoadStart = loadStart(o.loads, r.t.lead)
		o.before.start = o.ledger.LoadStart
		for _, in := range o.changes {
			if o.before.superseded(in) {
				superseded = append(superseded, in)
			}
		}
	case r.neverLoaded():
		o.ledger.LoadStart = time.Time{} // unknown: nothing is superseded
	default: // accepted by the operator: what was consumed so far is older than the load
		o.ledger.LoadStart = time.Time{}
		superseded = o.fates.consumed
	}
	d.Counts.Superseded = int64(len(superseded))
	for i := range loads {
		loads[i].Held = "" // of the load before
	}
	o.fates.consumed, o.before.watermark = nil, input{}
	o.ledger.Inputs = nil
	d.Set[statestore.LastIncrementalFile] = r.t.path + statestore.FirstFile
	d.consume(r, o, superseded, loads)
	d.ledger.Made = new(tally).with(o.loads)
	d.Set[statestore.LastFullLoadDate] = loads[0].Modified.UTC().Truncate(time.Second).Format(time.DateTime)
	generation, _ := strconv.Atoi(r.t.item[statestore.Generation])
	d.Set[statestore.Generation] = strconv.Itoa(generation + 1)
}

// neverLoaded says whether the table had no full load yet: its first one is no reload.
func (r *run) neverLoaded() bool {
	return r.t.item[statestore.LastFullLoadDate] == statestore.NeverDate
}

// loadStart is the earliest date of the LOAD objects, in whole seconds, minus the lead.
func loadStart(loads []input, lead time.Duration) time.Time {
	earliest := slices.MinFunc(loads, func(a, b input) int { return a.modified.Compare(b.modified) })
	return earliest.modified.UTC().Truncate(time.Second).Add(-lead)
}

// rewriting is a table whose rows have to be written again before a batch can be merged.
type rewriting struct {
	o      *outlook
	s      *state
	schema lake.Schema
	batch  *batch
}

// rewriteFirst plans to write the lake's own rows again when the operator
// accepted a wider type or another partition key. It returns nil when the lake can stay as it is.
func (r *run) rewriteFirst(ctx context.Context, w rewriting) (*draft, error) {
	moved, err := r.repartitioned(w.s)
	if err != nil {
		return nil, err
	}
	if moved && !r.t.accepted(acceptReload) {
		return nil, haltf("partition", "PartitionKey %q is not what the lake is partitioned by; set it back with sluice activate, or acknowledge with --accept reload to write the table again",
			r.t.item[statestore.PartitionKey])
	}
	schema := w.schema
	widened := false
	if r.t.accepted(acceptSchema) {
		schema, widened = widen(w.schema, w.batch)
		widened = widened || slices.ContainsFunc(w.s.live(), requires)
	}
	if !moved && !widened {
		return nil, nil
	}
	return r.draftRewrite(ctx, w, schema)
}

// requires says whether a column of the file refuses NULL, which only writing it again can change.
func requires(f *lake.File) bool {
	return slices.ContainsFunc(f.Columns, func(c lake.Column) bool { return c.Required })
}

// repartitioned says whether the lake's rows lie in partitions of another key.
func (r *run) repartitioned(s *state) (bool, error) {
	if s.rows() == 0 {
		return false, nil
	}
	names, err := partitionNames(s.files)
	if err != nil {
		return false, err
	}
	return !sameList(names, r.t.partition), nil
}

// widen gives each column the type that holds the lake's values and the batch's.
func widen(schema lake.Schema, b *batch) (lake.Schema, bool) {
	wide, changed := schema.Clone(), false
	for _, in := range b.apply {
		for _, c := range in.reader.Columns() {
			at := wide.Index(c.Name)
			if at < 0 {
				continue
			}
			t, ok := lake.Widen(wide.Columns[at].Type, c.Type)
			if ok && t != wide.Columns[at].Type && lake.TypeName(t) != lake.TypeName(wide.Columns[at].Type) {
				wide.Columns[at].Type, changed = t, true
			}
		}
	}
	return wide, changed
}

// draftRewrite plans to write every row of the lake again in the given schema:
// creates from the lake's files, then those files to zero rows.
func (r *run) draftRewrite(ctx context.Context, w rewriting, schema lake.Schema) (*draft, error) {
	d := r.newDraft(KindRewrite)
	d.Schema = schema
	d.consume(r, w.o, nil, w.o.recorded())
	if r.t.accepted(acceptSchema) {
		d.brings(w.batch.apply) // what was accepted is taken, though its rows are merged by the next commit
	}
	live := w.s.live()
	load := &lake.Load{Schema: &d.Schema, Options: dms.Options{Lake: true}}
	for _, f := range live {
		open, err := r.openLake(ctx, f)
		if err != nil {
			return nil, lakeFault(f.Key, err)
		}
		load.Inputs = append(load.Inputs, lake.LoadFile{Name: f.Key, Dir: f.Dir, Open: open})
		d.Sources = append(d.Sources, Source{Key: f.Key, ETag: f.ETag, Size: f.Size, Lake: true, Dir: f.Dir})
	}
	if err := r.addLoadOps(ctx, d, load); err != nil {
		return nil, err
	}
	d.Counts.Inserts = 0
	d.empty(live)
	return d, nil
}
