package replicate

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"sluice/internal/dms"
	"sluice/internal/object"
	"sluice/statestore"
)

// evidence is the inputs that a table's lake has to be the fold of.
type evidence struct {
	loads   []input
	changes []input  // in their order
	gone    []string // inputs that the lake was made from and that raw no longer has
	doubt   string   // why there may be more of them; "" = there are not
	waiting int
	kept    map[string]dms.Rows // rows that contracts kept out, by input
}

// evidence finds the inputs that count at this moment: the LOAD set in the lake, and every change file that was
// consumed and is no part of that set. It writes nothing.
func (r *run) evidence(ctx context.Context, item statestore.Item) (*evidence, error) {
	o, err := r.survey(ctx, item)
	if err != nil {
		return nil, err
	}
	h, err := r.past(ctx)
	if err != nil {
		return nil, err
	}
	e := &evidence{waiting: len(o.fates.fresh) + len(o.fates.late) + len(o.fates.tooLate)}
	e.gone = append(e.gone, o.ledger.Gone...)
	if o.ledger.Emptied == "" {
		r.findLoads(e, o)
	}
	r.findChanges(e, o, h)
	slices.Sort(e.gone)
	e.gone = slices.Compact(e.gone)
	if e.kept, err = r.keptBefore(ctx, o, slices.Concat(e.loads, e.changes)); err != nil {
		return nil, err
	}
	if e.doubt = r.doubt(e, o, h); h.turned != "" {
		e.doubt = "attribute " + h.turned + " was changed since the full load, and what was merged before was merged by the old one: reload the table to have one for all"
	}
	return e, nil
}

// findLoads finds the LOAD set that is in the lake.
func (r *run) findLoads(e *evidence, o *outlook) {
	date := r.t.item[statestore.LastFullLoadDate]
	if !o.known { // adopted, and no run of ours yet (ruling 10)
		loaded, err := time.Parse(time.DateTime, date)
		switch {
		case r.neverLoaded():
		case err == nil && len(o.loads) > 0 && !o.loads[0].modified.Truncate(time.Second).After(loaded):
			e.loads = o.loads
		default:
			e.gone = append(e.gone, "the full load of "+date)
		}
		return
	}
	for _, old := range o.ledger.Load {
		at := slices.IndexFunc(o.loads, func(in input) bool { return in.key == old.Key })
		switch {
		case at < 0:
			e.gone = append(e.gone, old.Key)
		case slices.Contains(o.diff.replaced, old.Key):
			e.gone = append(e.gone, old.Key+" (replaced; sluice run loads the new one)")
		default:
			e.loads = append(e.loads, o.loads[at])
		}
	}
	if len(o.ledger.Load) == 0 && !r.neverLoaded() {
		e.gone = append(e.gone, "the full load of "+date)
	}
}

// findChanges finds the change files that count. What the ledger knows it tells; of older ones the plans since the load
// do, where they are all there, else their names.
func (r *run) findChanges(e *evidence, o *outlook, h *past) {
	before := o.before.asAdopted(r, o)
	here := map[string]input{}
	for _, in := range o.changes {
		here[in.key] = in
	}
	for key, old := range o.before.known {
		in, listed := here[key]
		switch {
		case old.Out || before.superseded(r.inputOf(key)) && !r.ownRows():
		case !listed:
			e.gone = append(e.gone, key)
		case in.etag != old.ETag:
			e.gone = append(e.gone, key+" (written again since; sluice run merges it)")
		}
	}
	for key := range h.named {
		_, listed := here[key]
		if _, known := o.before.known[key]; !listed && !known && !before.superseded(r.inputOf(key)) {
			e.gone = append(e.gone, key)
		}
	}
	for _, in := range o.fates.consumed {
		old, known := o.before.known[in.key]
		var counts bool
		switch {
		case known && old.Out, before.superseded(in) && (!known || !r.ownRows()):
		case known:
			counts = true
		case h.whole:
			counts = h.named[in.key]
		default:
			counts = !r.emptied(o, in)
		}
		if counts {
			e.changes = append(e.changes, in)
		}
	}
	slices.SortFunc(e.changes, input.compare)
}

// inputOf is what the name of a change file says of it.
func (r *run) inputOf(key string) input {
	name := dms.ParseKey(r.t.raw, key)
	return input{name: name, key: key, time: name.Time(r.t.zone)}
}

// asAdopted gives an adopted lake, of which no ledger knows when its load began, the start that the LOAD files tell.
func (c *consumedBefore) asAdopted(r *run, o *outlook) *consumedBefore {
	before := *c
	if before.start.IsZero() && !r.ownRows() && len(o.loads) > 0 && !skewed(o.changes) {
		before.start = loadStart(o.loads, r.t.lead)
	}
	return &before
}

// emptied says whether the lake was emptied behind this change file.
func (r *run) emptied(o *outlook, in input) bool {
	mark, err := dms.ParseWatermark(r.t.path, o.ledger.Emptied)
	return o.ledger.Emptied != "" && err == nil && dms.Compare(in.name, mark) <= 0
}

// doubt says why raw may have lost inputs that nothing names any more.
func (r *run) doubt(e *evidence, o *outlook, h *past) string {
	horizon := r.horizon()
	young := len(e.loads) > 0 && !slices.ContainsFunc(e.loads, func(in input) bool { return in.modified.Before(horizon) })
	if h.whole || young && r.ownRows() || r.t.seq == 0 && r.neverLoaded() {
		return ""
	}
	first := horizon
	for _, old := range o.ledger.Inputs {
		if old.Modified.Before(first) {
			first = old.Modified
		}
	}
	return fmt.Sprintf("no bookkeeping goes back to the full load: whether raw still has every change file merged before %s, nothing tells, so what differs may be the fault of raw; where it is, reload the table",
		first.UTC().Format(time.DateTime))
}

// past is what the finished commits since the lake's last load say, as far as the janitor left them.
type past struct {
	whole bool            // they go back to the load, or to when the table was emptied or began
	named map[string]bool // change files that they consumed
	// turned is the setting that the lake's rows were not all merged by; "" = they were.
	turned string
}

// past reads the plans of the finished commits. A commit is finished when its index is there, which is the last
// that is written before; those that record nothing but inputs have none.
func (r *run) past(ctx context.Context) (*past, error) {
	finished, err := r.commitKeys(ctx, "index/")
	if err != nil {
		return nil, err
	}
	plans := make([]Plan, len(finished))
	err = each(ctx, finished, func(ctx context.Context, i int, key string) error {
		err := readJSON(ctx, r.lake, r.t.book+"commits/"+key+".json", &plans[i])
		if kind, _ := fate(err); err != nil && kind == halt {
			plans[i] = Plan{}
			return nil // gone, or not ours: it says nothing
		}
		return err
	})
	plans = slices.DeleteFunc(plans, func(p Plan) bool { return p.Path != r.t.path || p.Seq > r.t.seq })
	return r.pastOf(plans), err
}

func (r *run) pastOf(plans []Plan) *past {
	h, generation, by := &past{named: map[string]bool{}}, "", r.mergedBy(plans)
	for _, p := range plans {
		if g := p.Set[statestore.Generation]; g != "" {
			generation = g
		}
		if p.Kind == KindLoad || p.Kind == KindTruncate {
			h = &past{whole: true, named: map[string]bool{}}
		}
		if p.Kind == KindRebuild {
			h.turned = "" // every row was merged again
		} else if p.Kind != KindMerge {
			continue
		}
		h.whole = h.whole || p.Seq == 1 && r.neverLoaded()
		for _, key := range p.Inputs {
			h.named[key] = true
		}
		if name := differs(p.Settings, by); name != "" {
			h.turned = name
		}
	}
	h.whole = h.whole && (generation == "" || generation == r.t.item[statestore.Generation])
	return h
}

// mergedBy is the settings that a row of the lake depends on. A key holds from the next plan on, so it is the last plan's.
func (r *run) mergedBy(plans []Plan) map[string]string {
	by := map[string]string{
		statestore.PrimaryKey: r.t.item[statestore.PrimaryKey], statestore.OrderColumn: r.t.item[statestore.OrderColumn],
		statestore.BeforeImagePrefix: r.t.item[statestore.BeforeImagePrefix],
	}
	for _, p := range plans {
		if p.Path == r.t.path && (p.Kind == KindMerge || p.Kind == KindLoad || p.Kind == KindRebuild) {
			by[statestore.PrimaryKey] = p.Settings[statestore.PrimaryKey]
		}
	}
	return by
}

// differs returns a setting that has another value, or "".
func differs(settings, by map[string]string) string {
	for _, name := range sortedKeys(by) {
		if !sameList(columnList(settings[name]), columnList(by[name])) {
			return name
		}
	}
	return ""
}

// commitKeys lists the commits that have an object in a folder of the bookkeeping, oldest first.
func (r *run) commitKeys(ctx context.Context, folder string) ([]string, error) {
	var keys []string
	for entry, err := range r.lake.List(ctx, object.ListInput{Prefix: r.t.book + folder}) {
		if err != nil {
			return nil, err
		}
		name := strings.TrimSuffix(entry.Key[len(r.t.book+folder):], ".json")
		seq, _, _ := strings.Cut(name, "-")
		if _, err := strconv.ParseUint(seq, 10, 64); err == nil {
			keys = append(keys, name)
		}
	}
	slices.Sort(keys)
	return keys, nil
}

// each does the same with every item of a list, several at once.
func each[T any](ctx context.Context, list []T, do func(ctx context.Context, i int, item T) error) error {
	const requests = 16 // in flight: they wait for the store, not for the processor
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(requests)
	for i, item := range list {
		group.Go(func() error { return do(ctx, i, item) })
	}
	return group.Wait()
}
