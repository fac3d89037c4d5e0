package lake

import (
	"iter"
	"math/bits"
)

// slot is what is kept of a key: how many rows the fold and the lake have of it, and the sum of the fold's row hashes
// less that of the lake's.
type slot struct {
	key, sum  hash128
	raw, lake uint32
}

// slotState is what the fold knows of a key beside its rows; 0 is a slot that is free.
type slotState uint8

const (
	used      slotState = 1 << iota
	changed             // a change file mentions it: the load's rows no longer count
	undecided           // see Verdict
)

// loadRowsOf is what the full load says of a key that changed, in a table with an order column: its rows outrank changes
// that are lower.
type loadRowsOf struct {
	sum  hash128
	rows uint32
	best string
}

const (
	slotBytes  = 40 + 1                  // a slot and its state
	orderBytes = 16 + 40                 // a text's header and a loadRowsOf
	textBytes  = 48                      // text of an order column, as it is planned for
	fullness   = float64(7) / float64(8) // of a table, at most
	leastSlots = 1 << 10
	maxParts   = 1 << 20
)

// room plans how many keys are kept at once, and so in how many parts they are looked at.
type room struct {
	most    int64 // slots that the memory holds
	slots   int64 // of each table
	parts   int
	ordered bool
}

func newRoom(bytes, keys int64, ordered bool, parts int) *room {
	each := int64(slotBytes)
	if ordered {
		each += orderBytes + textBytes
	}
	r := &room{most: bytes / each, parts: parts, ordered: ordered}
	want := func() int64 { return int64(1.05*float64(keys)/float64(r.parts)/fullness) + leastSlots }
	for want() > r.most {
		r.parts++
	}
	r.slots = want()
	return r
}

// grow makes more room after a table was full: a larger table while the memory holds it, then more parts.
func (r *room) grow() error {
	switch {
	case r.slots < r.most:
		r.slots = min(2*r.slots, r.most)
	case r.parts < maxParts:
		r.parts *= 2
	default:
		return errFull // values of the order column that are as large as all the memory
	}
	return nil
}

func (r *room) table(part int) *keys {
	k := &keys{part: uint64(part), parts: uint64(r.parts), slots: make([]slot, r.slots), state: make([]slotState, r.slots)}
	if r.ordered {
		k.order, k.loads = make([]string, r.slots), make([]loadRowsOf, r.slots)
		k.texts = r.slots * textBytes
	}
	return k
}

// keys is a table of keys by open addressing. It holds one part of the keys.
type keys struct {
	part, parts uint64
	slots       []slot
	state       []slotState
	held        int
	order       []string // value of the order column, with one
	loads       []loadRowsOf
	texts       int64 // bytes of order texts that there is room for
}

// mine says whether a key is of this part.
func (k *keys) mine(h hash128) bool {
	part, _ := bits.Mul64(h.hi, k.parts)
	return part == k.part
}

// find returns the slot of a key, or the free one where it would be.
func (k *keys) find(h hash128) (n int, there bool) {
	at, _ := bits.Mul64(h.lo, uint64(len(k.slots)))
	for {
		if k.state[at] == 0 {
			return int(at), false
		}
		if k.slots[at].key == h {
			return int(at), true
		}
		if at++; at == uint64(len(k.slots)) {
			at = 0
		}
	}
}

// slotFor returns the slot of a key, taken if need be.
func (k *keys) slotFor(h hash128) (int, error) {
	n, there := k.find(h)
	if there {
		return n, nil
	}
	if float64(k.held) >= fullness*float64(len(k.slots)) {
		return 0, errFull
	}
	k.held++
	k.state[n] = used
	k.slots[n].key = h
	return n, nil
}

// each yields the slots that are taken.
func (k *keys) each() iter.Seq[int] {
	return func(yield func(int) bool) {
		for n, s := range k.state {
			if s != 0 && !yield(n) {
				return
			}
		}
	}
}

// differs says whether fold and lake have other rows of the key.
func (k *keys) differs(n int) bool {
	s := &k.slots[n]
	return s.raw != s.lake || s.sum != hash128{}
}

// effect is a change as the fold sees it.
type effect struct {
	key, row hash128
	remove   bool
	order    string
}

// change makes a change the last word on its key, unless the order column says that it is older. It returns whether it did.
func (k *keys) change(e effect) (applied bool, err error) {
	n, err := k.slotFor(e.key)
	if err != nil {
		return false, err
	}
	s := &k.slots[n]
	if k.order != nil {
		if k.state[n]&changed != 0 && e.order < k.order[n] {
			if s.raw == 0 && !e.remove {
				k.state[n] |= undecided
			}
			return false, nil
		}
		if err := k.spend(e.order, k.order[n]); err != nil {
			return false, err
		}
		k.order[n] = e.order
	}
	k.state[n] = used | changed
	s.raw, s.sum = 0, hash128{}
	if !e.remove {
		s.raw, s.sum = 1, e.row
	}
	return true, nil
}

// spend accounts for an order text in the place of another.
func (k *keys) spend(text, old string) error {
	if k.texts -= int64(len(text) - len(old)); k.texts < 0 {
		return errFull
	}
	return nil
}

// loaded adds a row of the full load to a key that is kept.
func (k *keys) loaded(n int, e effect) error {
	if k.state[n]&changed == 0 {
		k.slots[n].raw++
		k.slots[n].sum.add(e.row)
		return nil
	}
	if k.order == nil {
		return nil
	}
	l := &k.loads[n]
	l.rows++
	l.sum.add(e.row)
	if e.order > l.best {
		if err := k.spend(e.order, l.best); err != nil {
			return err
		}
		l.best = e.order
	}
	return nil
}

// outranked lets the load's rows stand where every change of the key is lower than one of them.
func (k *keys) outranked(n int) bool {
	if k.order == nil || k.state[n]&changed == 0 || k.loads[n].best <= k.order[n] {
		return false
	}
	k.state[n] &^= undecided
	k.slots[n].raw, k.slots[n].sum = k.loads[n].rows, k.loads[n].sum
	return true
}
