package replicate

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"sluice/internal/contract"
	"sluice/internal/dms"
	"sluice/internal/lake"
	"sluice/internal/object"
)

// maxInputs bounds how many files one merge opens.
const maxInputs = 2000

// batch is the inputs of one merge.
type batch struct {
	consumed []input // in order; superseded ones too
	apply    []opened
	context  []opened  // consumed before: they only outrank late files
	sure     time.Time // the changes of files behind it do not overlap the full load; zero = unknown
}

// opened is an input with its footer read.
type opened struct {
	input
	file   dms.Columnar
	reader dms.Reader
	says   dms.Dialect        // what its columns tell
	full   dms.Columnar       // the file with the rows that are kept out
	all    dms.Reader         // of that
	found  []contract.Finding // these
}

// planChanges merges late files first, then a batch of new ones.
func (r *run) planChanges(ctx context.Context, o *outlook) (*draft, error) {
	young := r.e.now().Add(-r.e.cfg.Settle)
	if late := settled(o.fates.late, young); len(late) > 0 {
		b, err := r.lateBatch(ctx, o, late)
		if err == nil {
			err = r.strictLate(ctx, o, b)
		}
		if err != nil {
			return nil, err
		}
		return r.draftMerge(ctx, o, b)
	}
	waiting := slices.SortedFunc(slices.Values(slices.Concat(o.fates.superseded, o.fates.fresh)), input.compare)
	ready := settled(waiting, young)
	if len(ready) == 0 && r.t.accepted(acceptReload) {
		return r.draftMerge(ctx, o, &batch{}) // the lake is written again for another partition key, whatever is waiting
	}
	if len(ready) == 0 {
		if len(waiting)+len(o.fates.late) > 0 {
			r.result.Reason = fmt.Sprintf("%d inputs are younger than the settle delay of %s", len(waiting)+len(o.fates.late), r.e.cfg.Settle)
			return nil, nil
		}
		return nil, r.note(ctx, o)
	}
	b, err := r.freshBatch(ctx, o, ready)
	if err == nil {
		err = r.strictBatch(ctx, o, b)
	}
	if err != nil {
		return nil, err
	}
	return r.draftMerge(ctx, o, b)
}

// mergeParts is how many times a batch may be what is held of one at once: changes at random touch every file, and each further
// commit would write all of them again.
const mergeParts = 5

// mergeParts is how many parts a batch may be folded in: changes that leave out columns need the ones before them at hand.
func (r *run) mergeParts() int64 {
	if r.t.csv.NoSup != "" {
		return 1
	}
	return mergeParts
}

// freshBatch opens inputs in order until their decoded size reaches that many times the bound; at least one.
func (r *run) freshBatch(ctx context.Context, o *outlook, ready []input) (*batch, error) {
	b := &batch{sure: o.overlapEnd()}
	whole := &bodies{}
	var bytes int64
	for _, in := range ready {
		if len(b.consumed) == maxInputs {
			break
		}
		if o.before.superseded(in) {
			b.consumed = append(b.consumed, in)
			continue
		}
		op, err := r.openChange(ctx, in, whole)
		if err != nil {
			return nil, err
		}
		if err := r.speaks(ctx, op); err != nil && len(b.apply) > 0 {
			break // what is before it is merged first
		} else if err != nil {
			return nil, err
		}
		if bytes += decodedBytes(op.file); bytes > r.mergeParts()*r.e.batchBound() && len(b.apply) > 0 {
			break
		}
		b.consumed, b.apply = append(b.consumed, in), append(b.apply, op)
	}
	return b, nil
}

// lateBatch opens late files, and every consumed file behind the first of
// them: a late change counts only for keys that no later file mentions.
func (r *run) lateBatch(ctx context.Context, o *outlook, late []input) (*batch, error) {
	b := &batch{consumed: late}
	for _, in := range late {
		op, err := r.openInput(ctx, in)
		if err != nil {
			return nil, err
		}
		if err := r.speaks(ctx, op); err != nil {
			return nil, err
		}
		b.apply = append(b.apply, op)
	}
	if len(r.t.key) == 0 {
		return b, nil
	}
	behind := slices.DeleteFunc(slices.Clone(o.fates.consumed), func(in input) bool {
		return in.compare(late[0]) <= 0 || o.before.superseded(in)
	})
	kept, err := r.keptBefore(ctx, o, behind)
	if err != nil {
		return nil, err
	}
	for _, in := range behind {
		op, err := r.openInput(ctx, in)
		if err == nil {
			err = r.without(&op, kept[in.key])
		}
		if err != nil {
			return nil, err
		}
		b.context = append(b.context, op)
	}
	return b, nil
}

// decodedBytes estimates what the rows of a file take in memory.
func decodedBytes(f dms.Columnar) int64 {
	const cell = 24 // bytes of one value, beside what it points to
	return f.NumRows()*int64(len(f.Columns()))*cell + decoded(f)
}

// openInput opens an input to be read by ranges.
func (r *run) openInput(ctx context.Context, in input) (opened, error) {
	if in.name.Format == dms.CSV {
		return r.openedCSV(ctx, in, &source{r.raw, in.object(), r.meter})
	}
	return r.openWith(ctx, in, r.openRanges)
}

// openRanges opens an object to be read by ranges.
func (r *run) openRanges(ctx context.Context, store Objects, info object.Info) (dms.Columnar, error) {
	f, err := r.open(ctx, store, info)
	if err != nil {
		return nil, err
	}
	return f, nil
}

// openChange opens a change file; a small one is fetched whole, and held among the bodies.
func (r *run) openChange(ctx context.Context, in input, whole *bodies) (opened, error) {
	if in.name.Format == dms.CSV && in.size <= smallInput {
		return r.openedCSV(ctx, in, &wholeSource{source{r.raw, in.object(), r.meter}, whole})
	}
	if in.name.Format == dms.CSV {
		return r.openInput(ctx, in)
	}
	if in.size > smallInput {
		return r.openWith(ctx, in, r.openRanges)
	}
	return r.openWith(ctx, in, func(ctx context.Context, store Objects, info object.Info) (dms.Columnar, error) {
		return r.openSource(ctx, &wholeSource{source{store, info, r.meter}, whole}, info)
	})
}

type opener func(context.Context, Objects, object.Info) (dms.Columnar, error)

func (r *run) openWith(ctx context.Context, in input, open opener) (opened, error) {
	if err := readable(in); err != nil {
		return opened{}, err
	}
	file, err := open(ctx, r.raw, in.object())
	if err != nil {
		return opened{}, inputFault(in, err)
	}
	return r.openedFile(in, file)
}

// openedFile tells the columns of an open input apart.
func (r *run) openedFile(in input, file dms.Columnar) (opened, error) {
	reader, err := r.reader(file)
	if err != nil {
		return opened{}, inputFault(in, err)
	}
	return opened{input: in, file: file, reader: reader, says: reader.Says(), full: file, all: reader}, r.tells(in, reader)
}

// reader reads a file as the table's inputs are read.
func (r *run) reader(file dms.Columnar) (*dms.Input, error) {
	return dms.Open(file, dms.Options{Dialect: r.t.reading(), BeforeImagePrefix: r.t.before, Untold: true})
}

// readable refuses what no dialect reads yet, and what is empty.
func readable(in input) error {
	switch {
	case in.name.Format == dms.CSV:
		return nil
	case in.size == 0:
		return haltf("input", "%s is empty (0 bytes), which no Parquet file is; write it again or remove it, then acknowledge", in.key)
	case in.name.Gzip:
		return haltf("input", "%s is compressed as a whole, which no Parquet file is; write it again without, then acknowledge", in.key)
	}
	return nil
}

func inputFault(in input, err error) error {
	code := dataFault(err)
	if code == "" {
		return err
	}
	if !strings.Contains(err.Error(), in.key) {
		err = fmt.Errorf("%s: %w", in.key, err)
	}
	return haltf(code, "%v; write the file again or remove it, then acknowledge", err)
}

// draftMerge plans the merge of a batch into the lake as it is.
func (r *run) draftMerge(ctx context.Context, o *outlook, b *batch) (*draft, error) {
	s, err := r.readState(ctx)
	if err != nil {
		return nil, err
	}
	schema, err := r.mergeSchema(s, b)
	if err != nil {
		return nil, err
	}
	if err := r.keepOut(ctx, &schema, b.apply); err != nil {
		return nil, err
	}
	if d, err := r.rewriteFirst(ctx, rewriting{o, s, schema, b}); d != nil || err != nil {
		return d, err
	}
	changes, err := r.fold(ctx, &schema, b)
	if err != nil {
		return nil, numbered(err, b.apply)
	}
	d := r.newDraft(KindMerge)
	d.Schema = schema
	d.record(r.t)
	d.Counts.Superseded = int64(len(b.consumed) - len(b.apply))
	d.consume(r, o, b.consumed, o.recorded())
	d.inputs = b.consumed
	d.keeps(b.apply)
	if n := len(b.apply); n > 0 && (o.before.watermark.key == "" || b.apply[n-1].compare(o.before.watermark) > 0) {
		d.brings(b.apply) // late files say nothing of what comes next
	}
	return d, numbered(d.mergeInto(ctx, r, s, changes), b.apply)
}

// mergeSchema is the lake's schema, extended by what the inputs bring.
func (r *run) mergeSchema(s *state, b *batch) (lake.Schema, error) {
	schema := s.schema.Clone()
	schema.Key, schema.Partition, schema.Op = r.t.key, r.t.partition, !r.e.cfg.DropOp
	for _, in := range b.apply {
		if err := schema.Extend(in.reader.Columns(), in.key); err != nil {
			return schema, err
		}
	}
	for _, name := range slices.Concat(r.t.key, r.t.partition, columnList(r.t.order)) {
		if schema.Index(name) < 0 && len(schema.Columns) > 0 && len(b.apply) > 0 {
			return schema, haltf("key", "column %q, which the table's settings name, is neither in the lake nor in %s; correct PrimaryKey, PartitionKey or OrderColumn with sluice activate, then acknowledge",
				name, b.apply[0].key)
		}
	}
	return schema, nil
}

// fold folds a batch by the schema and the table's settings.
func (r *run) fold(ctx context.Context, schema *lake.Schema, b *batch) (planner, error) {
	if len(b.apply) == 0 {
		schema = &lake.Schema{Columns: schema.Columns} // nothing to key or to place
	}
	inputs, files := b.inputs()
	return r.net(ctx, schema, lake.FoldOptions{OrderColumn: r.foldOrder(b), Partial: r.partial(b)}, inputs, files)
}

func (r *run) foldOrder(b *batch) string {
	if len(b.apply) == 0 {
		return ""
	}
	return r.t.order
}

// mergeInto locates the changes in the lake and makes the ops.
func (d *draft) mergeInto(ctx context.Context, r *run, s *state, changes planner) error {
	limits := lake.Limits{TargetFileBytes: r.e.cfg.TargetFileBytes, Parallel: cap(r.e.ops)}
	merge, err := changes.PlanMerge(ctx, s.files, r.openLake, limits)
	if err != nil {
		return err
	}
	if err := merge.Check(ctx, s.files); err != nil {
		return err
	}
	d.merge = merge
	d.Counts.Changes, d.Counts.Anomalies = merge.Read, merge.Anomalies
	c := merge.Counts
	d.Counts.Inserts, d.Counts.Updates, d.Counts.Deletes = c.Inserts, c.Updates, c.Deletes
	d.Counts.Noops, d.Counts.Stale, d.Counts.Duplicates, d.Counts.Strays = c.Noops, c.Stale, c.Duplicates, c.Strays
	columns := d.Schema.FileColumns()
	for i := range merge.Creates {
		create := &merge.Creates[i]
		low, high := merge.Bounds(create)
		d.ops[0] = append(d.ops[0], Op{
			N: d.nextOp(), Kind: OpCreate, Bytes: create.Rows(),
			Files: []OpFile{{
				Key: r.t.lake + create.Dir + d.fileName(i), Dir: create.Dir, Rows: create.Rows(),
				Columns: columns, Min: low, Max: high,
			}},
		})
	}
	for i := range merge.Rewrites {
		d.ops[1] = append(d.ops[1], d.rewriteOp(s, &merge.Rewrites[i]))
	}
	d.Traffic.FilesCreated = int64(len(merge.Creates))
	return nil
}

func (d *draft) rewriteOp(s *state, rewrite *lake.Rewrite) Op {
	f := s.files[rewrite.File]
	rows := f.Rows - int64(len(rewrite.Deletes)) + rewrite.Appends()
	if rows == 0 {
		d.Traffic.FilesEmptied++
	} else {
		d.Traffic.FilesRewritten++
	}
	low, high := d.merge.BoundsAfter(f, rewrite)
	return Op{
		N: d.nextOp(), Kind: OpRewrite, ETag: f.ETag, Size: f.Size, Bytes: f.Size,
		Files: []OpFile{{
			Key: f.Key, Dir: f.Dir, Rows: rows, Min: low, Max: high,
			Columns: d.merge.ColumnsAfter(f, rewrite),
		}},
	}
}

func sameList(a, b []string) bool { return strings.Join(a, ",") == strings.Join(b, ",") }
