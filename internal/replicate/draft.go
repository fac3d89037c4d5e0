package replicate

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"sluice/internal/lake"
	"sluice/statestore"
)

// newDraft begins a plan on the item as it was read.
func (r *run) newDraft(kind Kind) *draft {
	return &draft{
		table: r.t,
		Plan: Plan{
			Path: r.t.path, Seq: r.t.seq + 1, ID: newID(), Kind: kind, Made: r.e.now().UTC(),
			Settings: r.t.values(), Index: r.t.item[statestore.Index], Ledger: r.t.item[statestore.Ledger],
			Codec: r.e.cfg.Compression, Before: r.t.before, Set: map[string]string{},
		},
	}
}

// consume says what the item and the ledger are to be when the given inputs
// count as consumed beside those that were before, and which LOAD set is in the lake.
func (d *draft) consume(r *run, o *outlook, now []input, loads []loadObject) {
	consumed := slices.Concat(o.fates.consumed, now)
	watermark := o.before.watermark
	for _, in := range now {
		if watermark.key == "" || in.compare(watermark) > 0 {
			watermark = in
		}
		d.Inputs = append(d.Inputs, in.key)
	}
	d.moveTo(r, watermark)
	horizon := r.horizon()
	anchor := o.nextAnchor(r.t, watermark, horizon)
	d.ledger = &ledger{Load: loads, LoadStart: o.ledger.LoadStart, Made: o.ledger.Made.with(o.applied(now)), Columns: o.ledger.Columns}
	d.remember(o, watermark)
	for i, in := range consumed {
		if in.key > anchor || !in.modified.Before(horizon) {
			old := o.before.known[in.key]
			out, held := d.Kind == KindTruncate || old.Out, old.Held
			if i >= len(o.fates.consumed) {
				out, held = d.Kind != KindMerge || o.before.superseded(in), ""
			}
			d.ledger.Inputs = append(d.ledger.Inputs, ledgerInput{in.key, in.etag, in.modified.UTC(), held, out})
		}
	}
	for _, old := range o.ledger.Inputs {
		if old.Key <= o.anchor && !old.Modified.Before(horizon) {
			old.Out = old.Out || d.Kind == KindTruncate
			d.ledger.Inputs = append(d.ledger.Inputs, old) // hidden by this listing's anchor
		}
	}
	d.Set[statestore.InputsDigest] = digest(anchor, slices.Concat(o.loads, consumed))
	d.Set[statestore.LoadFingerprint] = fingerprint(loads)
	if o.anchor == "" {
		d.Set[statestore.ListedOn] = r.e.today()
	}
}

// remember carries on what verify has to know beside the inputs: at which watermark the lake was emptied, and which
// inputs it holds that raw no longer has. A new load makes both void.
func (d *draft) remember(o *outlook, watermark input) {
	switch d.Kind {
	case KindLoad:
		return
	case KindTruncate:
		d.ledger.Emptied = d.table.path + statestore.FirstFile
		if watermark.key != "" {
			d.ledger.Emptied = d.table.bucket + "/" + watermark.key
		}
		return
	case KindMerge, KindRecord, KindRewrite, KindFence, KindRebuild, KindCompact:
	}
	d.ledger.Emptied, d.ledger.Gone = o.ledger.Emptied, slices.Clone(o.ledger.Gone)
	for _, old := range o.ledger.Load {
		if !slices.ContainsFunc(d.ledger.Load, func(l loadObject) bool { return l.Key == old.Key }) {
			d.ledger.Gone = append(d.ledger.Gone, old.Key)
		}
	}
	for _, old := range o.fates.vanished {
		if !old.Out {
			d.ledger.Gone = append(d.ledger.Gone, old.Key)
		}
	}
}

func (d *draft) moveTo(r *run, watermark input) {
	if watermark.key != "" {
		d.Set[statestore.LastIncrementalFile] = r.t.bucket + "/" + watermark.key
	}
}

// fingerprint sums up a LOAD set: how many objects, and a hash over keys, sizes, ETags and contents.
func fingerprint(loads []loadObject) string {
	hash := sha256.New()
	for _, l := range loads {
		fmt.Fprintf(hash, "%q %d %q %q\n", l.Key, l.Size, l.ETag, l.Digest)
	}
	return strconv.Itoa(len(loads)) + ":" + hex.EncodeToString(hash.Sum(nil)[:16])
}

// recorded returns the LOAD set of a listing, with the contents known of it.
func (o *outlook) recorded() []loadObject {
	old := map[string]loadObject{}
	for _, l := range o.ledger.Load {
		old[l.Key] = l
	}
	var set []loadObject
	for _, in := range o.loads {
		l := loadObject{Key: in.key, ETag: in.etag, Size: in.size, Modified: in.modified.UTC()}
		known := old[in.key]
		if known.ETag == in.etag {
			l.Digest, l.Held = known.Digest, known.Held
		} else if l.Digest = o.digests[in.key]; l.Digest != "" && l.Digest == known.Digest {
			l.Held = known.Held
		}
		set = append(set, l)
	}
	return set
}

// draftRecord moves what is known of the inputs, without any op. reason is for the result line.
func (r *run) draftRecord(o *outlook, consumed []input, reason string) *draft {
	d := r.newDraft(KindRecord)
	loads := o.recorded()
	fresh := slices.DeleteFunc(slices.Clone(consumed), func(in input) bool {
		return slices.ContainsFunc(o.fates.consumed, func(c input) bool { return c.key == in.key })
	})
	d.consume(r, o, fresh, loads)
	d.Inputs = nil
	if len(loads) > 0 && r.t.item[statestore.LastFullLoadDate] != statestore.NeverDate {
		d.Set[statestore.LastFullLoadDate] = loads[0].Modified.UTC().Truncate(time.Second).Format(time.DateTime)
	}
	r.result.Reason = reason
	return d
}

// note records what a listing showed when there is nothing to commit: the day
// of a whole listing, a digest that changed because inputs expired, an accept that nothing asked for.
func (r *run) note(ctx context.Context, o *outlook) error {
	if r.dry {
		return nil
	}
	d := r.newDraft(KindRecord)
	d.consume(r, o, nil, o.ledger.Load)
	set, item := map[string]string{}, r.t.item
	for _, name := range []string{statestore.InputsDigest, statestore.ListedOn} {
		if v, ok := d.Set[name]; ok && item[name] != v {
			set[name] = v
		}
	}
	var remove []string
	if item[statestore.Accept] != "" {
		remove = append(remove, statestore.Accept)
	}
	if len(set) == 0 && len(remove) == 0 {
		return nil
	}
	err := r.e.stores.State.Finish(ctx, statestore.Finished{Path: r.t.path, Seq: r.t.seq, Set: set, Remove: remove})
	if errors.Is(err, statestore.ErrConflict) {
		return nil // somebody else works on the table: nothing is lost
	}
	return err
}

// draftTruncate empties every live file: the source was emptied.
func (r *run) draftTruncate(ctx context.Context, o *outlook) (*draft, error) {
	s, err := r.readState(ctx)
	if err != nil {
		return nil, err
	}
	d := r.newDraft(KindTruncate)
	d.Schema = s.schema
	d.Schema.Key, d.Schema.Partition, d.Schema.Op = r.t.key, r.t.partition, !r.e.cfg.DropOp
	d.consume(r, o, o.fates.superseded, o.recorded()) // what is new came behind the truncation and is merged next
	d.Inputs = nil
	d.ledger.Made = &tally{} // of what comes behind it
	d.Counts.Deletes = s.rows()
	d.empty(s.live())
	return d, nil
}

// empty adds an op for each file that rewrites it to zero rows, in phase 2.
func (d *draft) empty(files []*lake.File) {
	columns := d.Schema.FileColumns()
	for _, f := range files {
		d.ops[1] = append(d.ops[1], Op{
			N: d.nextOp(), Kind: OpEmpty, ETag: f.ETag, Size: f.Size, Bytes: 1,
			Files: []OpFile{{Key: f.Key, Dir: f.Dir, Columns: columns}},
		})
	}
	d.Traffic.FilesEmptied += int64(len(files))
}

func (d *draft) nextOp() int { return len(d.ops[0]) + len(d.ops[1]) }
