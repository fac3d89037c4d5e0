package replicate

import (
	"slices"
	"time"

	"github.com/zeebo/xxh3"

	"sluice/statestore"
)

// tally sums up the inputs that a table's rows come from: the LOAD objects of
// the generation and every change file consumed since that the load does not hold. It is how many, and a
// sum over hashes of their keys, in which order does not count. It stays of one size
// however long a generation lasts, and says years later whether raw still has everything (docs/adr/0012).
type tally struct {
	Inputs int64  `json:"inputs"`
	High   uint64 `json:"high,string"`
	Low    uint64 `json:"low,string"`
}

// with returns the tally of more inputs. One that is unknown stays unknown.
func (t *tally) with(more []input) *tally {
	if t == nil {
		return nil
	}
	sum := *t
	for _, in := range more {
		hash := xxh3.HashString128(in.key)
		sum.Inputs, sum.High, sum.Low = sum.Inputs+1, sum.High+hash.Hi, sum.Low+hash.Lo
	}
	return &sum
}

// applied returns those of the inputs consumed now that the tally is to count: a superseded
// one is part of the load, one that was written again in place is counted already.
func (o *outlook) applied(now []input) []input {
	return slices.DeleteFunc(slices.Clone(now), func(in input) bool {
		_, known := o.before.known[in.key]
		return known || o.before.superseded(in)
	})
}

// adoptedTally is what the ancestor made the lake from, as far as raw shows: nil
// when its full load is not there, or when it is unknown which changes that load holds (ruling 2).
func (r *run) adoptedTally(o *outlook) *tally {
	if len(o.loads) == 0 {
		if r.t.item[statestore.LastFullLoadDate] != statestore.NeverDate {
			return nil
		}
		return new(tally).with(o.fates.consumed)
	}
	if len(o.missingCounters()) > 0 || skewed(o.changes) {
		return nil
	}
	start := loadStart(o.loads, r.t.lead)
	return new(tally).with(o.loads).with(slices.DeleteFunc(slices.Clone(o.fates.consumed), olderThan(start)))
}

func olderThan(start time.Time) func(input) bool {
	return func(in input) bool { return in.time.Before(start) }
}
