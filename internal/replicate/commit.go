package replicate

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"sluice/internal/lake"
	"sluice/internal/object"
	"sluice/statestore"
)

// A batch is what one worker carries out: about so many bytes, and not more ops than this.
const (
	batchBytes = 256 << 20
	batchOps   = 100

	// batchText is how much JSON of ops a batch holds at most. A workflow hands a batch to its worker in its state, which
	// may have 256 KiB: https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html
	batchText = 200 << 10
)

// commit writes the draft down and makes it binding by one conditional update.
// statestore.ErrConflict says that the item is no longer as it was planned with: plan again.
func (r *run) commit(ctx context.Context, d *draft) error {
	if err := r.own(ctx); err != nil {
		return err
	}
	if err := r.writeDraft(ctx, d); err != nil {
		return err
	}
	return r.e.stores.State.Commit(ctx, d.pending(d.table.seq))
}

func (d *draft) pending(base uint64) statestore.Pending {
	return statestore.Pending{
		Path: d.Path, Base: base, Seq: d.Seq, CommitID: d.ID,
		PlanKey: d.planKey(), Settings: d.Settings, Remove: slices.Concat([]string{statestore.Accept}, d.forget, d.ends),
		Halt: d.halt,
	}
}

func (d *draft) planKey() string { return d.table.book + "commits/" + d.commitKey() + ".json" }

// writeDraft writes changes, batches, ledger and plan, in this order; none of it is binding.
func (r *run) writeDraft(ctx context.Context, d *draft) error {
	commits := d.table.book + "commits/" + d.commitKey()
	if d.merge != nil && len(d.ops[0])+len(d.ops[1]) > 0 {
		d.Changes = commits + ".changes.parquet"
		if err := r.writeChanges(ctx, d); err != nil {
			return fmt.Errorf("write %s: %w", d.Changes, err)
		}
	}
	if err := r.writeKept(ctx, d); err != nil {
		return err
	}
	d.forget = r.staleCatalog(&d.Plan)
	d.Creates = 0
	for _, op := range d.ops[0] {
		for _, f := range op.Files {
			d.Creates += f.Rows
		}
	}
	for phase, ops := range d.ops {
		if d.Phases[phase] = (Phase{Ops: len(ops)}); len(ops) == 0 {
			continue
		}
		d.Phases[phase].Key = fmt.Sprintf("%s.batch-%d.json", commits, phase+1)
		batches, err := d.batches(phase)
		if err != nil {
			return err
		}
		if err := writeJSON(ctx, r.lake, d.Phases[phase].Key, batches); err != nil {
			return err
		}
	}
	if d.ledger != nil {
		key := d.table.book + "ledger/" + d.commitKey() + ".json"
		if err := writeJSON(ctx, r.lake, key, d.ledger); err != nil {
			return err
		}
		d.Set[statestore.Ledger] = key
	}
	return writeJSON(ctx, r.lake, d.planKey(), d.Plan)
}

// writeChanges writes the net changes grouped by op, and tells each op its span.
func (r *run) writeChanges(ctx context.Context, d *draft) error {
	upload := r.lake.Create(ctx, d.Changes, object.PutInput{Condition: object.Condition{IfNoneMatch: true}})
	spans, err := d.merge.WriteChanges(ctx, upload)
	if err != nil {
		err = errors.Join(err, upload.Abort(context.WithoutCancel(ctx)))
		if inDoubt(err) { // an input that is folded in parts was written again: nothing is binding yet, so look again
			err = errors.Join(statestore.ErrConflict, err)
		}
		return err
	}
	written := upload.Counts().BytesWritten
	r.meter.written.Add(written)
	if _, err := upload.Close(ctx); err != nil {
		// The name holds the commit's id: what is there whole is ours, written by a sending whose answer was lost.
		if info, headErr := r.lake.Head(ctx, d.Changes); headErr != nil || info.Size != written {
			return err
		}
	}
	at := 0
	for phase := range d.ops {
		for i := range d.ops[phase] {
			d.ops[phase][i].Changes = &lake.Span{From: spans[at].From, To: spans[at].To}
			at++
		}
	}
	return nil
}

// batches cuts a phase's ops into what one worker carries out, and notes in the plan what they come to.
func (d *draft) batches(phase int) ([]Batch, error) {
	var list []Batch
	var bytes int64
	text, sum := 0, &d.Phases[phase]
	for _, op := range d.ops[phase] {
		written, err := json.Marshal(op)
		if err != nil {
			return nil, err
		}
		n := len(list) - 1
		if n < 0 || bytes+op.Bytes > batchBytes || text+len(written) > batchText || len(list[n].Ops) == batchOps {
			list = append(list, Batch{Path: d.Path, Seq: d.Seq, ID: d.ID, Plan: d.planKey(), Phase: phase + 1})
			n, bytes, text = n+1, 0, 0
		}
		list[n].Ops = append(list[n].Ops, op)
		bytes, text = bytes+op.Bytes, text+len(written)
		sum.Bytes += op.Bytes
		sum.Wide = sum.Wide || len(written) > batchText
	}
	sum.Batches = len(list)
	return list, nil
}

// probe tries once per bucket whether the store keeps the rules that commits stand on.
func (e *Engine) probe(ctx context.Context, bucket, books string) error {
	if _, done := e.probed.Load(bucket); done {
		return nil
	}
	store, err := e.bucket(ctx, bucket)
	if err != nil {
		return err
	}
	if err := object.Probe(ctx, store, books+"."); err != nil {
		return fmt.Errorf("bucket %s: %w", bucket, err)
	}
	e.probed.Store(bucket, true)
	return nil
}
