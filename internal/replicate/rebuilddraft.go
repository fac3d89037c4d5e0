package replicate

import (
	"context"
	"slices"
	"strconv"

	"sluice/internal/dms"
	"sluice/internal/lake"
	"sluice/internal/object"
	"sluice/statestore"
)

// draft plans to write the image's rows into the lake, and to empty whatever is there.
func (b *rebuild) draft(ctx context.Context, with *image, found *foundLake) (*draft, error) {
	s, err := with.readState(ctx)
	if err != nil {
		return nil, err
	}
	d := b.newDraft(KindRebuild)
	d.Schema = s.schema
	d.Schema.Key, d.Schema.Partition, d.Schema.Op = b.t.key, b.t.partition, !b.e.cfg.DropOp
	if err := b.copyFrom(ctx, d, s.live()); err != nil {
		return nil, err
	}
	d.empty(found.live)
	d.blank(found.broken)
	if d.halt = b.t.item[statestore.StatusReason]; !b.t.item.Halted() {
		d.halt = ""
	}
	if found.noIndex {
		d.Index, d.ends = "", []string{statestore.Index}
	}
	made := b.shadow.did.Counts
	d.Counts.Changes, d.Counts.Stale, d.Counts.Anomalies, d.Counts.Superseded = made.Changes, made.Stale, made.Anomalies, made.Superseded
	if err := b.take(d, with); err != nil {
		return nil, err
	}
	return d, b.takeKept(ctx, d, with)
}

// copyFrom adds the creates.
func (b *rebuild) copyFrom(ctx context.Context, d *draft, files []*lake.File) error {
	if len(files) == 0 {
		return nil
	}
	load := &lake.Load{Schema: &d.Schema, Options: dms.Options{Lake: true}}
	for _, f := range files {
		open, err := b.openLake(ctx, f)
		if err != nil {
			return err
		}
		load.Inputs = append(load.Inputs, lake.LoadFile{Name: f.Key, Dir: f.Dir, Open: open})
		d.Sources = append(d.Sources, Source{Key: f.Key, ETag: f.ETag, Size: f.Size, Lake: true, Dir: f.Dir})
	}
	return b.addLoadOps(ctx, d, load)
}

// takeKept takes over what the table's contract kept out of its inputs while they were read anew.
func (b *rebuild) takeKept(ctx context.Context, d *draft, with *image) error {
	folder := with.t.book + quarantineFolder
	names := map[string]string{}
	for entry, err := range with.lake.List(ctx, object.ListInput{Prefix: folder}) {
		if err != nil {
			return err
		}
		names[entry.Key[len(folder):]] = d.quarantined(len(d.shadowed)).Name
		d.shadowed = append(d.shadowed, entry.Key)
	}
	d.ledger.Load, d.ledger.Inputs = slices.Clone(d.ledger.Load), slices.Clone(d.ledger.Inputs)
	for i := range d.ledger.Load {
		d.ledger.Load[i].Held = names[d.ledger.Load[i].Held]
	}
	for i := range d.ledger.Inputs {
		d.ledger.Inputs[i].Held = names[d.ledger.Inputs[i].Held]
	}
	d.Counts.Quarantined = b.shadow.did.Quarantined
	d.countKept()
	return nil
}

// take says what the item and the ledger are to be: what the image's say, except that
// the watermark never moves back.
func (b *rebuild) take(d *draft, with *image) error {
	for _, name := range []string{statestore.LastFullLoadDate, statestore.LastIncrementalFile, statestore.LoadFingerprint, statestore.InputsDigest, statestore.ListedOn} {
		if v, ok := with.t.item[name]; ok && v != statestore.NeverDate {
			d.Set[name] = v
		}
	}
	mine, err := dms.ParseWatermark(b.t.path, b.t.item[statestore.LastIncrementalFile])
	if err != nil {
		return err
	}
	theirs, err := dms.ParseWatermark(b.t.path, d.Set[statestore.LastIncrementalFile])
	if err != nil {
		return err
	}
	if mine.Kind == dms.Change && (theirs.Kind != dms.Change || dms.Compare(mine, theirs) > 0) {
		d.Set[statestore.LastIncrementalFile] = b.t.item[statestore.LastIncrementalFile]
	}
	generation, _ := strconv.Atoi(b.t.item[statestore.Generation])
	d.Set[statestore.Generation] = strconv.Itoa(generation + 1)
	made := with.ledger
	of := b.shadow.e.origin.ledger
	made.LoadStart, made.Emptied = of.LoadStart, of.Emptied // also where rows come from no load any more
	d.ledger = &made
	d.Inputs = with.firstTaken(b.shadow.e.origin)
	d.Again = b.shadow.did.Inputs - int64(len(d.Inputs))
	return nil
}
