package replicate

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"sluice/internal/dms"
	"sluice/internal/parquetedit"
	"sluice/statestore"
)

// origin is what a shadow goes by: what is known of the table that it shadows
// and raw alone does not say. Without it, for any other engine, every method says nothing.
type origin struct {
	ledger   ledger
	consumed []input         // change files consumed by the table, in order
	held     map[string]bool // the same by key: whether the full load holds its changes
	schema   []parquetedit.Column
}

func (o *origin) decided() map[string]bool {
	if o == nil {
		return nil
	}
	return o.held
}

// columns are the columns that the lake has, with their types: those stay (ruling 15).
func (o *origin) columns() []parquetedit.Column {
	if o == nil {
		return nil
	}
	return slices.Clone(o.schema)
}

// digest is the content of a LOAD object, where it is known already.
func (o *origin) digest(of loadObject) string {
	if o != nil {
		for _, l := range o.ledger.Load {
			if l.Key == of.Key && l.ETag == of.ETag {
				return l.Digest
			}
		}
	}
	return ""
}

// errNotWhole is wrapped when raw no longer has what a lake was made from.
var errNotWhole = fmt.Errorf("%w: raw does not have everything that the lake was made from", ErrUsage)

// whole makes sure that raw still has everything that the table's rows come
// from, by the table's tally, and says which of the change files the full load holds: those before the first
// that was applied. How many these are the tally tells; that it was those, its sum. A guess by
// names and dates would not do, for both may have changed since.
func (r *run) whole(ctx context.Context, o *outlook) (*origin, error) {
	if err := r.sameLoad(o); err != nil {
		return nil, err
	}
	if len(o.fates.vanished) > 0 {
		return nil, r.notWhole(vanishedKeys(o))
	}
	if o.ledger.Made == nil {
		return nil, fmt.Errorf("%w: it is not recorded what the lake of %s was made from (it was adopted without its full load, or which changes that load holds is unknown); after a new full load rebuild works", ErrUsage, r.t.name())
	}
	known := &origin{ledger: o.ledger, held: map[string]bool{}}
	known.consumed = slices.Clone(o.fates.consumed)
	for _, in := range o.fates.late {
		if _, before := o.before.known[in.key]; before {
			known.consumed = append(known.consumed, in) // and written again since
		}
	}
	slices.SortFunc(known.consumed, input.compare)
	held := len(o.loads) + len(known.consumed) - int(o.ledger.Made.Inputs)
	if held < 0 || held > len(known.consumed) || held > 0 && len(o.loads) == 0 ||
		*new(tally).with(o.loads).with(known.consumed[held:]) != *o.ledger.Made {
		return nil, r.doesNotTally(ctx, o, known)
	}
	for i, in := range known.consumed {
		known.held[in.key] = i < held
	}
	if r.t.item[statestore.Generation] == "" && len(o.loads) > 0 && !skewed(o.changes) {
		known.ledger.LoadStart = loadStart(o.loads, r.t.lead) // as for the tally: of an adopted lake no ledger knows it
	}
	return known, nil
}

// sameLoad makes sure that the full load in raw is the one in the lake.
func (r *run) sameLoad(o *outlook) error {
	switch o.verdict {
	case loadSame:
	case loadTouched:
		if len(o.diff.expired) > 0 {
			return r.notWhole(o.diff.expired)
		}
	case loadVanished:
		return r.notWhole(o.diff.gone)
	case loadChanged, loadMixed:
		return fmt.Errorf("%w: a new full load of %s is in raw; sluice run loads it, which writes a fresh generation, too", ErrUsage, r.t.name())
	}
	return nil
}

func vanishedKeys(o *outlook) []string {
	var keys []string
	for _, old := range o.fates.vanished {
		keys = append(keys, old.Key)
	}
	return keys
}

func (r *run) notWhole(missing []string) error {
	return fmt.Errorf("%w: %s: missing %s; put them back, or start a new full load of the table", errNotWhole, r.t.name(), some(missing))
}

// doesNotTally names what is missing, as far as the plans that are still kept tell.
func (r *run) doesNotTally(ctx context.Context, o *outlook, known *origin) error {
	here := map[string]bool{}
	for _, in := range slices.Concat(o.loads, o.changes) {
		here[in.key] = true
	}
	missing := slices.DeleteFunc(slices.Clone(o.ledger.Gone), func(key string) bool { return here[key] })
	if len(missing) > 0 {
		return r.notWhole(missing)
	}
	err := r.plans(ctx, func(p *Plan) bool {
		for _, key := range p.Inputs {
			if !here[key] && (p.Kind != KindLoad || dms.ParseKey(r.t.raw, key).Kind == dms.Load) {
				here[key], missing = true, append(missing, key)
			}
		}
		return p.Kind != KindLoad && p.Kind != KindTruncate
	})
	var damaged *HaltError
	if err != nil && !errors.As(err, &damaged) {
		return err
	}
	if len(missing) > 0 {
		return r.notWhole(missing)
	}
	return fmt.Errorf("%w: the rows of %s come from %d inputs (full load of %s), of which raw holds %d full-load objects and %d change files consumed since, not all of them the same; which are missing is no longer recorded; start a new full load of the table",
		errNotWhole, r.t.name(), o.ledger.Made.Inputs, r.t.item[statestore.LastFullLoadDate], len(o.loads), len(known.consumed))
}
