package replicate

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/zeebo/xxh3"

	"sluice/internal/dms"
	"sluice/internal/object"
	"sluice/statestore"
)

// outlook is everything that a plan is decided on: what lies in raw, and what
// is known of it from before.
type outlook struct {
	*listing
	ledger  ledger
	known   bool // there is a ledger
	before  consumedBefore
	fates   fates
	diff    loadDiff
	verdict loadVerdict
	digests map[string]string // content digests that were read
}

// look lists the inputs and compares them with what was consumed.
func (r *run) look(ctx context.Context) (*outlook, error) {
	o := &outlook{digests: map[string]string{}}
	if key := r.t.item[statestore.Ledger]; key != "" {
		o.known = true
		if err := readJSON(ctx, r.lake, key, &o.ledger); err != nil {
			return nil, err
		}
	}
	if o.listing = r.listed; o.listing == nil {
		anchor := ""
		if o.known && r.t.item[statestore.ListedOn] == r.e.today() {
			anchor = anchorOf(r.t.raw, r.t.item[statestore.InputsDigest])
		}
		var err error
		if o.listing, err = r.list(ctx, anchor); err != nil {
			return nil, err
		}
	}
	r.sawNames(o.listing)
	if o.mixed {
		return nil, transactionsHalt(r.t.path)
	}
	return o, r.judge(ctx, o)
}

// judge gives the LOAD set its verdict and every change file its fate.
func (r *run) judge(ctx context.Context, o *outlook) error {
	watermark, err := dms.ParseWatermark(r.t.path, r.t.item[statestore.LastIncrementalFile])
	if err != nil {
		return haltf("settings", "attribute LastIncrementalFile: %v; set it to bucket/key of the last merged change file", err)
	}
	o.before = consumedBefore{known: map[string]ledgerInput{}, start: o.ledger.LoadStart, unsure: 2*apart(o.changes) > len(o.changes), adopted: !o.known, decided: r.e.origin.decided()}
	if watermark.Kind == dms.Change {
		o.before.watermark = input{name: watermark, key: watermark.Name, time: watermark.Time(r.t.zone)}
	}
	for _, old := range o.ledger.Inputs {
		o.before.known[old.Key] = old
	}
	horizon := r.horizon()
	o.fates = o.before.sortOut(o.listing, len(r.t.key) == 0, horizon)
	if !o.known {
		return nil
	}
	o.diff = diffLoads(o.ledger.Load, o.loads, nil, horizon)
	if err := r.readDigests(ctx, o); err != nil {
		return err
	}
	o.diff = diffLoads(o.ledger.Load, o.loads, o.digests, horizon)
	o.verdict = o.diff.verdict()
	return nil
}

// overlapEnd is when a change file can no longer hold changes that the full load holds, or overtook: DMS keeps those that it meets while it
// loads until it has loaded, and an open transaction is waited for ten minutes (TransactionConsistencyTimeout). Zero when that is unknown.
func (o *outlook) overlapEnd() time.Time {
	const most = 24 * time.Hour
	if len(o.ledger.Load) == 0 || o.before.unsure {
		return time.Time{}
	}
	newest := slices.MaxFunc(o.ledger.Load, func(a, b loadObject) int { return a.Modified.Compare(b.Modified) })
	return newest.Modified.Add(most)
}

func (r *run) horizon() time.Time { return r.e.now().Add(-r.e.cfg.Horizon) }

// readDigests reads the content of the LOAD objects whose ETag alone changed.
func (r *run) readDigests(ctx context.Context, o *outlook) error {
	for _, old := range o.ledger.Load {
		if old.Digest == "" || !slices.Contains(o.diff.replaced, old.Key) {
			continue
		}
		at := slices.IndexFunc(o.loads, func(in input) bool { return in.key == old.Key })
		if o.loads[at].size != old.Size {
			continue
		}
		digest, err := r.content(ctx, o.loads[at])
		if err != nil {
			return err
		}
		o.digests[old.Key] = digest
	}
	return nil
}

// content returns a digest of an object's bytes (XXH3, 128 bits).
func (r *run) content(ctx context.Context, in input) (string, error) {
	body, _, err := r.raw.Get(ctx, in.key, object.GetInput{IfMatch: in.etag})
	if err != nil {
		return "", fmt.Errorf("read %s: %w", in.key, err)
	}
	defer func() { _ = body.Close() }()
	hash := xxh3.New()
	n, err := io.Copy(hash, body)
	r.meter.read.Add(n)
	if err != nil {
		return "", fmt.Errorf("read %s: %w", in.key, err)
	}
	sum := hash.Sum128().Bytes()
	return fmt.Sprintf("%x", sum[:]), nil
}

// plan decides what the table needs next and makes the plan for it, or returns
// nil with the result's reason set. It changes nothing.
func (r *run) plan(ctx context.Context) (*draft, error) {
	o, err := r.look(ctx)
	if err != nil {
		return nil, err
	}
	if !o.known {
		return r.planFirst(ctx, o)
	}
	if d, decided, err := r.planReload(ctx, o); decided || err != nil {
		return d, err
	}
	if d, decided, err := r.planAccepted(ctx, o); decided || err != nil {
		return d, err
	}
	if r.loadsOnly() {
		return nil, nil
	}
	return r.planChanges(ctx, o)
}

// planFirst is for a table of which nothing is recorded: it is new, or it was
// merged by the ancestor so far and is adopted (ruling 10).
func (r *run) planFirst(ctx context.Context, o *outlook) (*draft, error) {
	loaded, err := time.Parse(time.DateTime, r.t.item[statestore.LastFullLoadDate])
	if err != nil {
		return nil, haltf("settings", "attribute LastFullLoadDate %q is not of the form 2006-01-02 15:04:05", r.t.item[statestore.LastFullLoadDate])
	}
	never := r.t.item[statestore.LastFullLoadDate] == statestore.NeverDate
	switch {
	case len(o.loads) > 0 && o.loads[0].modified.Truncate(time.Second).After(loaded):
		if complete(o.listing, r.e.cfg.FullLoadQuiet, r.e.now()) == "" {
			if err := r.mayReload(o); err != nil {
				return nil, err
			}
		}
		return r.planLoadWhenComplete(ctx, o)
	case never && o.before.watermark.key == "" && len(o.changes) == 0 && len(o.loads) == 0:
		r.result.Reason = "no files yet"
		return nil, nil
	case r.loadsOnly():
		return nil, nil
	case never && o.before.watermark.key == "":
		o.ledger.Made = &tally{}
		return r.planChanges(ctx, o) // changes without a full load: the table starts empty (ruling 7)
	}
	o.ledger.Made = r.adoptedTally(o)
	return r.draftRecord(o, o.fates.consumed, "adopted"), nil
}

// planReload deals with a LOAD set that is no longer the recorded one.
func (r *run) planReload(ctx context.Context, o *outlook) (d *draft, decided bool, err error) {
	switch o.verdict {
	case loadSame, loadVanished:
		return nil, false, nil
	case loadTouched:
		if len(o.fates.vanished) > 0 {
			return nil, false, nil // recording the listing would forget them
		}
		waiting := complete(o.listing, r.e.cfg.FullLoadQuiet, r.e.now())
		if waiting != "" && len(o.diff.expired) == 0 {
			r.result.Reason = waiting // a reload may begin with the content of the load before
			return nil, true, nil
		}
		if r.t.item[statestore.Accept] != "" && len(o.diff.touched) == 0 {
			return nil, false, nil // what was accepted comes first: a commit ends it
		}
		return r.draftRecord(o, nil, "full load recorded again"), true, nil
	case loadChanged, loadMixed:
	}
	if waiting := complete(o.listing, r.e.cfg.FullLoadQuiet, r.e.now()); waiting != "" {
		r.result.Reason = waiting
		return nil, true, nil
	}
	if err := r.lookAtAll(ctx, o); err != nil {
		return nil, true, err
	}
	if err := r.mayReload(o); err != nil {
		return nil, true, err
	}
	d, err = r.planLoadWhenComplete(ctx, o)
	return d, true, err
}

// mayReload halts where a reload is not to run by itself (rulings 2 and 4).
func (r *run) mayReload(o *outlook) error {
	switch {
	case r.t.accepted(acceptReload), r.neverLoaded():
		return nil
	case o.verdict == loadMixed:
		return haltf("reload", "some objects of the full load were replaced (%s), others stayed (%s): numbering may have restarted over a longer old set; remove what does not belong to the new set, or acknowledge with --accept reload to load all of them",
			some(slices.Concat(o.diff.replaced, o.diff.touched, o.diff.gone, o.diff.added)), some(o.diff.stayed))
	case r.t.fenced:
		return haltf("reload", "a new full load is there (%s) and ReloadPolicy is fence; acknowledge with --accept reload", some(slices.Concat(o.diff.replaced, o.diff.added)))
	case skewed(o.changes):
		return haltf("reload", "a new full load is there, and the dates of the change files differ from their names by more than six hours: raw was copied or is named in local time, so it is unknown which changes it already holds; set InputTimezone, or acknowledge with --accept reload to count the change files consumed so far as part of it")
	}
	return nil
}

// What acknowledge --accept records. acceptForgotten stands for a plain acknowledge of inputs that are gone.
const (
	acceptReload    = "reload"
	acceptTruncate  = "truncate"
	acceptForeign   = "foreign"
	acceptSchema    = "schema"
	acceptForgotten = "vanished"
	acceptLate      = "late"
)

// some lists up to five keys.
func some(keys []string) string {
	if len(keys) > 5 {
		return strings.Join(keys[:5], ", ") + fmt.Sprintf(" and %d more", len(keys)-5)
	}
	return strings.Join(keys, ", ")
}

// planAccepted deals with what an operator accepted, with inputs that
// vanished and with inputs that came too late.
func (r *run) planAccepted(ctx context.Context, o *outlook) (d *draft, decided bool, err error) {
	switch {
	case r.t.accepted(acceptTruncate):
		d, err = r.draftTruncate(ctx, o)
		return d, true, err
	case r.t.accepted(acceptForgotten), o.verdict == loadVanished, len(o.fates.vanished) > 0:
		if err := r.reallyGone(ctx, o); err != nil {
			return nil, true, err
		}
		if !r.t.accepted(acceptForgotten) {
			return nil, true, vanished(o)
		}
		return r.draftRecord(o, nil, "acknowledged"), true, nil
	case r.t.accepted(acceptLate):
		return r.draftRecord(o, o.fates.tooLate, "acknowledged"), true, nil
	case len(o.fates.tooLate) > 0:
		return nil, true, haltf("late", "change file %s came after the horizon of %s and was never merged (%d such files); reload the table, or acknowledge to leave them out",
			o.fates.tooLate[0].key, r.e.cfg.Horizon, len(o.fates.tooLate))
	}
	return nil, false, nil
}

func vanished(o *outlook) error {
	var keys []string
	for _, old := range o.fates.vanished {
		keys = append(keys, old.Key)
	}
	keys = append(keys, o.diff.gone...)
	remedy := "acknowledge to go on without them"
	if len(o.loads)+len(o.fates.consumed) == 0 { // what is left came behind a truncation
		remedy = "if the source was truncated or dropped, acknowledge with --accept truncate; else " + remedy
	}
	return haltf("vanished", "consumed inputs are gone and no new full load is there: %s; the lake is kept; %s", some(keys), remedy)
}
