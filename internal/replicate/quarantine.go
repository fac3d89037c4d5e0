package replicate

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"sluice/internal/contract"
	"sluice/internal/dms"
	"sluice/internal/object"
	"sluice/internal/parquetedit"
	"sluice/statestore"
)

// quarantineFolder holds the rows that contracts kept out, of commits that took place and of no others. Nothing deletes them.
const quarantineFolder = "quarantine/"

// Quarantined is a file of rows that a commit keeps out of its inputs: written beside the plan, and copied to the
// quarantine when the commit is finished.
type Quarantined struct {
	Key  string `json:"key"`  // where it was written
	Name string `json:"name"` // in the quarantine
}

// writeKept writes what the draft keeps out, and notes it in the ledger. None of it is binding.
func (r *run) writeKept(ctx context.Context, d *draft) error {
	for n, from := range d.shadowed {
		if err := r.copyTo(ctx, from, d.quarantined(n).Key); err != nil {
			return fmt.Errorf("write %s: %w", d.quarantined(n).Key, err)
		}
		d.Quarantine = append(d.Quarantine, d.quarantined(n))
	}
	for n, inputs := range d.out {
		q := d.quarantined(n)
		if err := r.writeQuarantine(ctx, q.Key, inputs, d.Codec); err != nil {
			return fmt.Errorf("write %s: %w", q.Key, contractFault(err))
		}
		d.Quarantine = append(d.Quarantine, q)
		d.ledger.holds(q.Name, inputs)
	}
	return nil
}

// quarantined names the n-th file of what the draft keeps out.
func (d *draft) quarantined(n int) Quarantined {
	return Quarantined{
		Key:  fmt.Sprintf("%scommits/%s.quarantine-%d.parquet", d.table.book, d.commitKey(), n+1),
		Name: fmt.Sprintf("%s-%d.parquet", d.commitKey(), n+1),
	}
}

func (r *run) writeQuarantine(ctx context.Context, key string, inputs []contract.Kept, codec string) error {
	upload := r.lake.Create(ctx, key, object.PutInput{Condition: object.Condition{IfNoneMatch: true}})
	if err := contract.Write(ctx, upload, inputs, parquetedit.WriterOptions{Compression: codec, Memory: &r.e.memory}); err != nil {
		err = errors.Join(err, upload.Abort(context.WithoutCancel(ctx)))
		if inDoubt(err) { // an input was written again: look again
			err = errors.Join(statestore.ErrConflict, err)
		}
		return err
	}
	return r.close(ctx, upload, key)
}

// close completes an object whose name holds the commit's id: what is there whole is ours, written by a sending whose answer was lost.
func (r *run) close(ctx context.Context, upload object.Upload, key string) error {
	written := upload.Counts().BytesWritten
	r.meter.written.Add(written)
	if _, err := upload.Close(ctx); err != nil {
		if info, headErr := r.lake.Head(ctx, key); headErr != nil || info.Size != written {
			return err
		}
	}
	return nil
}

// publish copies what the commit keeps out to the quarantine, where that was not done before.
func (a *application) publish(ctx context.Context) error {
	for _, q := range a.plan.Quarantine {
		to := a.t.book + quarantineFolder + q.Name
		_, err := a.lake.Head(ctx, to)
		if err == nil {
			continue
		}
		if !errors.Is(err, object.ErrNotFound) {
			return err
		}
		if err := a.copyTo(ctx, q.Key, to); err != nil {
			return fmt.Errorf("write %s: %w", to, err)
		}
	}
	return nil
}

// copyTo copies a bookkeeping object to a name that holds the commit's id.
func (r *run) copyTo(ctx context.Context, from, to string) error {
	info, err := r.lake.Head(ctx, from)
	if errors.Is(err, object.ErrNotFound) {
		return haltf("bookkeeping", "%s is gone; restore the object", from)
	}
	if err != nil {
		return err
	}
	upload := r.lake.Create(ctx, to, object.PutInput{Condition: object.Condition{IfNoneMatch: true}})
	if err := upload.CopyFrom(ctx, object.CopyInput{Key: from, ETag: info.ETag, Length: info.Size}); err != nil {
		return errors.Join(err, upload.Abort(context.WithoutCancel(ctx)))
	}
	return r.close(ctx, upload, to)
}

// readKept returns what an object of kept rows holds.
func (r *run) readKept(ctx context.Context, key string) (map[contract.Source]dms.Rows, error) {
	info, err := r.lake.Head(ctx, key)
	if errors.Is(err, object.ErrNotFound) {
		return nil, haltf("contract", "%s is gone, which says which rows a contract kept out; put it back, then acknowledge", key)
	}
	if err != nil {
		return nil, err
	}
	f, err := r.open(ctx, r.lake, info)
	if err != nil {
		return nil, err
	}
	kept, err := contract.Read(ctx, f)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", key, err)
	}
	return kept, nil
}

// sourceRows are the rows that the plan keeps out of a source.
func (a *application) sourceRows(ctx context.Context, s Source) (dms.Rows, error) {
	if s.Lake || len(a.plan.Quarantine) == 0 {
		return nil, nil
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.kept == nil {
		kept := map[contract.Source]dms.Rows{}
		for _, q := range a.plan.Quarantine {
			some, err := a.readKept(ctx, q.Key)
			if err != nil {
				return nil, err
			}
			maps.Copy(kept, some)
		}
		a.kept = kept
	}
	return a.kept[contract.Source{Name: s.Key, ETag: s.ETag}], nil
}

// without takes rows out of an input.
func (r *run) without(in *opened, rows dms.Rows) error {
	if len(rows) == 0 {
		return nil
	}
	var err error
	in.file = dms.Without(in.full, rows)
	in.reader, err = r.reader(in.file)
	return err
}

// keptBefore returns what was kept out of consumed inputs, by their keys. Where the ledger does not know an input any more,
// every file of the quarantine is asked.
func (r *run) keptBefore(ctx context.Context, o *outlook, inputs []input) (map[string]dms.Rows, error) {
	held, rows := map[string]string{}, map[string]dms.Rows{}
	known := map[string]bool{}
	for _, l := range o.ledger.Load {
		held[l.Key], known[l.Key] = l.Held, true
	}
	for _, in := range o.ledger.Inputs {
		held[in.Key], known[in.Key] = in.Held, true
	}
	wanted, old := map[string][]input{}, []input{}
	for _, in := range inputs {
		switch {
		case !known[in.key]:
			old = append(old, in)
		case held[in.key] != "":
			wanted[held[in.key]] = append(wanted[held[in.key]], in)
		}
	}
	if len(old) > 0 {
		for entry, err := range r.lake.List(ctx, object.ListInput{Prefix: r.t.book + quarantineFolder}) {
			if err != nil {
				return nil, err
			}
			name := entry.Key[len(r.t.book+quarantineFolder):]
			wanted[name] = append(wanted[name], old...)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(wanted)) {
		kept, err := r.readKept(ctx, r.t.book+quarantineFolder+name)
		if err != nil {
			return nil, err
		}
		for s, some := range kept {
			for _, in := range wanted[name] {
				if in.key == s.Name && (known[in.key] || in.etag == s.ETag) {
					rows[in.key] = some
				}
			}
		}
	}
	return rows, nil
}
