package replicate

import (
	"cmp"
	"path"
	"strings"

	"sluice/statestore"
)

// chain follows a table's commits backwards. The control item names the ledger and
// the index that the latest finished commit left, and a plan names those that it found: the plan that leaves
// what is sought is the one that finished, and what it found is what its predecessor left. That
// is sound where neither the plans' order nor objects that exist say enough: a plan that lost
// its commit may have the same number as the one that won, and an index may be written by
// a run that dies before its finish.
type chain struct {
	left     left
	below    uint64 // the next one has a lower number
	pending  string // id of the pending commit
	replaced map[string]bool
}

// left is what a finished commit leaves in the item: keys of ledger and index.
type left struct{ ledger, index string }

// fits says whether a plan that leaves p is the one that left l. An index that was lost or left out says nothing.
func (l left) fits(p left) bool { return l.ledger == p.ledger && (l.index == p.index || l.index == "") }

func newChain(t *table) *chain {
	c := &chain{left: left{t.item[statestore.Ledger], t.item[statestore.Index]}, below: t.seq + 1, pending: t.pending(), replaced: map[string]bool{}}
	if c.pending != "" {
		c.below = t.seq
	}
	return c
}

// leaves says what the plan leaves when it finishes.
func (p *Plan) leaves(t *table) left {
	l := left{cmp.Or(p.Set[statestore.Ledger], p.Ledger), p.Index}
	if p.Kind != KindRecord || p.Phases[0].Ops+p.Phases[1].Ops > 0 {
		l.index = t.book + "index/" + p.commitKey() + ".json"
	}
	return l
}

// states judges the next plans, newest first, of which all of a sequence number come
// together. "" is one that the chain says nothing of.
func (c *chain) states(t *table, keys []planKey, plans []*Plan) []CommitState {
	states := make([]CommitState, len(plans))
	for from := 0; from < len(plans); {
		to := from + 1
		for to < len(plans) && keys[to].seq == keys[from].seq {
			to++
		}
		c.judge(t, plans[from:to], states[from:to])
		from = to
	}
	return states
}

func (c *chain) judge(t *table, plans []*Plan, states []CommitState) {
	settled := false // it is known which of these plans came to something
	for i, p := range plans {
		switch {
		case p == nil:
			states[i] = Unreadable
		case c.pending != "" && p.ID == c.pending:
			states[i], settled = Pending, true
			c.took(p)
		case p.Seq < c.below && p.Kind != KindFence && c.left.fits(p.leaves(t)):
			states[i], settled = Finished, true
			c.left, c.below = left{p.Ledger, p.Index}, p.Seq
			c.took(p)
		}
	}
	for range plans { // a plan may have been replaced more than once
		for i, p := range plans {
			if states[i] == "" && c.replaced[p.commitKey()] {
				states[i] = Replaced
				c.took(p)
			}
		}
	}
	for i, p := range plans {
		switch {
		case states[i] != "":
		case p.Seq > t.seq:
			states[i] = Unbound
		case settled, c.left == left{}:
			states[i] = Lost
		}
	}
}

// took notes whose place a plan took that came to something.
func (c *chain) took(p *Plan) {
	if p.Old != "" {
		c.replaced[strings.TrimSuffix(path.Base(p.Old), ".json")] = true
	}
}
