package replicate

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"
)

// loadVerdict is what became of the full load since it was recorded.
type loadVerdict int

const (
	loadSame     loadVerdict = iota // the recorded set, or what is left of it beyond the horizon
	loadTouched                     // the same content under new ETags or dates
	loadChanged                     // another set: a reload
	loadMixed                       // some recorded objects were replaced, or are gone and others came; the rest stayed
	loadVanished                    // recorded objects within the horizon are gone and nothing came instead
)

// loadDiff is how the LOAD objects of a listing differ from the recorded ones.
type loadDiff struct {
	replaced []string // same key, other content
	touched  []string // same key and content, other ETag or date
	stayed   []string // not written again
	added    []string
	gone     []string // recorded, not listed; within the horizon
	expired  []string // recorded, not listed; older than the horizon
}

// diffLoads compares by key, ETag and date: an object with the same ETag and
// another date was written again with the same content. Content settles the
// objects whose ETag alone changed; digests holds what was read of them.
func diffLoads(recorded []loadObject, listed []input, digests map[string]string, horizon time.Time) loadDiff {
	var d loadDiff
	here := map[string]input{}
	for _, in := range listed {
		here[in.key] = in
	}
	for _, old := range recorded {
		in, ok := here[old.Key]
		delete(here, old.Key)
		switch {
		case !ok && old.Modified.Before(horizon):
			d.expired = append(d.expired, old.Key)
		case !ok:
			d.gone = append(d.gone, old.Key)
		case in.etag == old.ETag && in.modified.Equal(old.Modified):
			d.stayed = append(d.stayed, old.Key)
		case in.etag == old.ETag, in.size == old.Size && old.Digest != "" && digests[old.Key] == old.Digest:
			d.touched = append(d.touched, old.Key)
		default:
			d.replaced = append(d.replaced, old.Key)
		}
	}
	for _, in := range listed {
		if _, left := here[in.key]; left {
			d.added = append(d.added, in.key)
		}
	}
	return d
}

// verdict judges a difference (rulings 4 and 5). What was written again with the
// same content belongs to the new set: only what stayed may be left of an older one.
func (d loadDiff) verdict() loadVerdict {
	stayed := len(d.stayed) > 0
	switch {
	case stayed && len(d.replaced) > 0, stayed && len(d.gone) > 0 && len(d.added) > 0:
		return loadMixed
	case len(d.replaced) > 0, len(d.added) > 0:
		return loadChanged
	case len(d.gone) > 0:
		return loadVanished
	case len(d.touched) > 0, len(d.expired) > 0:
		return loadTouched
	}
	return loadSame
}

// consumedBefore is what a table's ledger says of its change files.
type consumedBefore struct {
	known     map[string]ledgerInput
	watermark input // the largest order key consumed; key "" = none
	start     time.Time
	unsure    bool            // most names and dates contradict each other: what comes new is not older than the load
	adopted   bool            // no ledger: everything up to the watermark is consumed
	decided   map[string]bool // of a shadow: inputs of the table it shadows, and whether they are superseded there
}

// fates are the change files of a listing, each in the one list that says what becomes of it.
type fates struct {
	fresh      []input // above the watermark, in order
	late       []input // at or below it and never consumed, in order
	superseded []input // older than the full load, not consumed yet
	tooLate    []input // below the horizon and never consumed
	consumed   []input
	vanished   []ledgerInput // consumed, within the horizon, and gone
}

// sortOut gives every listed change file its fate (rulings 2, 5, 8). anchor is
// where the listing began: nothing is said of keys at or below it.
func (c *consumedBefore) sortOut(l *listing, keyless bool, horizon time.Time) fates {
	var f fates
	here := map[string]bool{}
	for _, in := range l.changes {
		here[in.key] = true
		old, known := c.known[in.key]
		switch {
		case known && (old.ETag == in.etag || keyless || c.superseded(in)):
			f.consumed = append(f.consumed, in)
		case known:
			f.late = append(f.late, in) // written again in place: its changes count once more, below all later ones
		case c.forgotten(in, horizon):
			f.consumed = append(f.consumed, in)
		case c.superseded(in):
			f.superseded = append(f.superseded, in)
		case c.watermark.key == "" || in.compare(c.watermark) > 0:
			f.fresh = append(f.fresh, in)
		case in.time.Before(horizon):
			f.tooLate = append(f.tooLate, in)
		default:
			f.late = append(f.late, in)
		}
	}
	for _, old := range c.known {
		if !here[old.Key] && old.Key > l.anchor && !old.Modified.Before(horizon) {
			f.vanished = append(f.vanished, old)
		}
	}
	slices.SortFunc(f.vanished, func(a, b ledgerInput) int { return cmp.Compare(a.Key, b.Key) })
	return f
}

// forgotten says whether a file up to the watermark counts as consumed though
// no ledger knows it: it is older than ledgers go back, or the ancestor consumed it (ruling 10).
func (c *consumedBefore) forgotten(in input, horizon time.Time) bool {
	if c.watermark.key == "" || in.compare(c.watermark) > 0 {
		return false
	}
	return c.adopted || in.time.Before(horizon) && in.modified.Before(horizon)
}

// superseded says whether a change file that comes new is part of the load already (ruling 2).
func (c *consumedBefore) superseded(in input) bool {
	if held, ok := c.decided[in.key]; ok {
		return held
	}
	return !c.unsure && !c.start.IsZero() && in.time.Before(c.start)
}

// settled cuts a run of inputs before the first that is younger than the settle delay.
func settled(inputs []input, before time.Time) []input {
	for i, in := range inputs {
		if in.modified.After(before) {
			return inputs[:i]
		}
	}
	return inputs
}

// digest sums up the given inputs above an anchor: while a listing has the
// same digest there is nothing to do. It is anchor, count and hash.
func digest(anchor string, inputs []input) string {
	sorted := slices.SortedFunc(slices.Values(inputs), func(a, b input) int { return strings.Compare(a.key, b.key) })
	hash, n := sha256.New(), 0
	for _, in := range sorted {
		if in.key > anchor {
			fmt.Fprintf(hash, "%q %q\n", in.key, in.etag)
			n++
		}
	}
	return fmt.Sprintf("%s|%d|%s", anchor, n, hex.EncodeToString(hash.Sum(nil)[:16]))
}

// anchorOf returns the anchor in a table's folder that a digest was made with. What is no digest of ours has none: a listing
// that began somewhere else would not show what is there.
func anchorOf(folder, digest string) string {
	for range 2 {
		digest = digest[:max(strings.LastIndexByte(digest, '|'), 0)]
	}
	if !strings.HasPrefix(digest, folder) {
		return ""
	}
	return digest
}

// skewed says whether the names of change files and their dates are so far
// apart that raw was copied or named in local time: the load's start is then
// unknown (ruling 2). Both shift most of the files; fewer than half of them came late.
func skewed(changes []input) bool {
	n := apart(changes)
	return n > 0 && 2*n >= len(changes)
}

// apart counts the change files whose name and date differ by more than six hours.
func apart(changes []input) int {
	const most = 6 * time.Hour
	n := 0
	for _, in := range changes {
		if in.modified.Sub(in.time).Abs() > most {
			n++
		}
	}
	return n
}

// complete judges a full load (3-protocol): counters without a gap, and nothing new
// among its objects for quiet, or a newer change file and no object younger than ten minutes. It returns what is waited for.
func complete(l *listing, quiet time.Duration, now time.Time) (waiting string) {
	if missing := l.missingCounters(); len(missing) > 0 {
		return fmt.Sprintf("full load still arriving: %s is not there yet", missing[0])
	}
	var newest time.Time
	for _, in := range l.loads {
		if in.modified.After(newest) {
			newest = in.modified
		}
	}
	const young = 10 * time.Minute
	age := now.Sub(newest)
	newer := slices.ContainsFunc(l.changes, func(in input) bool { return in.modified.After(newest) })
	if age >= quiet || newer && age >= young {
		return ""
	}
	return fmt.Sprintf("full load still arriving: its newest object is %s old, it counts as complete when nothing comes for %s", age.Round(time.Second), quiet)
}
