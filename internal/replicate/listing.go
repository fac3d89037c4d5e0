package replicate

import (
	"context"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"sluice/internal/dms"
	"sluice/internal/object"
	"sluice/statestore"
)

// input is one object of a table's folder that DMS wrote.
type input struct {
	name     dms.Key
	key      string
	etag     string
	size     int64
	modified time.Time
	time     time.Time // in the name of a change file
}

func (in input) compare(other input) int { return dms.Compare(in.name, other.name) }

// object returns what is needed to open the input as it was listed.
func (in input) object() object.Info { return object.Info{Key: in.key, ETag: in.etag, Size: in.size} }

// listing is what lies in a table's folder.
type listing struct {
	anchor  string   // keys after this were listed; "" = the whole folder
	loads   []input  // in key order
	changes []input  // in their order
	ignored int      // objects whose names are not DMS's
	names   []string // up to ten of them
	mixed   bool     // files of PreserveTransactions are among them
}

// list lists the table's folder from the anchor on.
func (r *run) list(ctx context.Context, anchor string) (*listing, error) {
	l := &listing{anchor: anchor}
	in := object.ListInput{Prefix: r.t.raw, StartAfter: anchor}
	for entry, err := range r.raw.List(ctx, in) {
		if err != nil {
			return nil, fmt.Errorf("list %s/%s: %w", r.t.bucket, in.Prefix, err)
		}
		l.add(r.t, entry.Info)
	}
	slices.SortFunc(l.loads, func(a, b input) int { return strings.Compare(a.key, b.key) })
	slices.SortFunc(l.changes, input.compare)
	return l, nil
}

func (l *listing) add(t *table, info object.Info) {
	in := input{name: dms.ParseKey(t.raw, info.Key), key: info.Key, etag: info.ETag, size: info.Size, modified: info.LastModified}
	switch in.name.Kind {
	case dms.Load:
		l.loads = append(l.loads, in)
	case dms.Change:
		in.time = in.name.Time(t.zone)
		l.changes = append(l.changes, in)
	case dms.Other:
		if strings.HasSuffix(info.Key, "/") && info.Size == 0 {
			return // a folder that a console made
		}
		l.mixed = l.mixed || dms.Transactions(path.Base(info.Key))
		if l.ignored++; len(l.names) < 10 {
			l.names = append(l.names, info.Key)
		}
	}
}

func (l *listing) missingCounters() []string {
	keys := make([]dms.Key, len(l.loads))
	for i, in := range l.loads {
		keys[i] = in.name
	}
	missing, _ := dms.Complete(keys)
	return missing
}

// nextAnchor returns where the next listing begins so that it still shows
// everything within the horizon, everything above the watermark and the full load.
func (l *listing) nextAnchor(t *table, watermark input, horizon time.Time) string {
	if watermark.key == "" {
		return ""
	}
	from := horizon
	if watermark.time.Before(from) {
		from = watermark.time
	}
	const lag = 25 * time.Hour // commits before their file, and clocks turned back
	from = from.Add(-lag).In(t.zone)
	anchor := ""
	for _, in := range append(slices.Clone(l.changes), watermark) {
		key, ok := in.name.Layout.Anchor(t.raw, from)
		if !ok {
			return ""
		}
		if anchor == "" || key < anchor {
			anchor = key
		}
	}
	if len(l.loads) > 0 && l.loads[0].key <= anchor {
		return "" // a segment of a parallel load sorts before the digits of dates
	}
	return anchor
}

// today is the day that ListedOn speaks of.
func (e *Engine) today() string { return e.now().UTC().Format(time.DateOnly) }

// resting says whether the listing has the digest that the last finish recorded:
// then there is nothing to do, and nothing else is read. The day's first run lists the whole
// folder, which shows what an anchor hides; it is the only idle run that writes.
func (r *run) resting(ctx context.Context) (bool, error) {
	recorded := r.t.item[statestore.InputsDigest]
	if recorded == "" || r.t.item[statestore.Accept] != "" || r.unregistered() {
		return false, nil
	}
	anchor := anchorOf(r.t.raw, recorded)
	whole := anchor == "" || r.t.item[statestore.ListedOn] != r.e.today()
	start := anchor
	if whole {
		start = ""
	}
	l, err := r.list(ctx, start)
	if err != nil {
		return false, err
	}
	r.sawNames(l)
	r.seen = l
	if l.mixed || digest(anchor, slices.Concat(l.loads, l.changes)) != recorded {
		if whole {
			r.listed = l
		}
		return false, nil
	}
	if r.t.item[statestore.ListedOn] == r.e.today() {
		return true, nil
	}
	r.listed = l
	return false, nil
}

func (r *run) sawNames(l *listing) {
	r.result.Ignored, r.result.IgnoredNames = int64(l.ignored), l.names
}
