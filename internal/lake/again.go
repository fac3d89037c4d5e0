package lake

import (
	"cmp"
	"context"
	"maps"
	"slices"

	"sluice/internal/dms"
)

// reading is what is read of a batch's inputs again.
type reading struct {
	columns map[int]bool // of the table; nil = all. The key is read in any case
	want    func(change int32) bool
	take    func(change int32, c change) error // its values are good until the call returns
}

// again hands over the changes that are wanted, as the rows that they come from say, in the order of these.
func (b *Batch) again(ctx context.Context, r reading) error {
	f, err := NewFold(b.Schema, b.Options)
	if err != nil {
		return err
	}
	for i, in := range b.Inputs {
		if b.origins[i].own == nil && b.origins[i].old == nil {
			continue
		}
		src, err := f.source(in)
		if err != nil {
			return err
		}
		if r.columns != nil {
			src.project(slices.AppendSeq(slices.Clone(f.key), maps.Keys(r.columns)))
		}
		if err := f.again(ctx, src, r, b.origins[i]); err != nil {
			return err
		}
	}
	return nil
}

func (f *Fold) again(ctx context.Context, src *source, r reading, n numbers) error {
	rows := dms.Choice{By: []int{}, Rows: func(b dms.Batch) ([]int32, error) {
		return chosen(b, func(i int) bool {
			own, old := n.at(b.Row(i))
			return own >= 0 && r.want(own) || old >= 0 && r.want(old)
		}), nil
	}}
	for batch, err := range src.Reader.Chosen(ctx, src.wanted, rows) {
		if err != nil {
			return src.fault(err)
		}
		columns, err := f.convertBatch(src, batch)
		if err != nil {
			return err
		}
		for i, op := range batch.Ops {
			own, old := n.at(batch.Row(i))
			x := row{batch: batch, at: i, op: src.op(batch, i, op)}
			if own >= 0 && r.want(own) {
				if err := r.take(own, change{columns: columns, row: x, gone: x.op == dms.Delete}); err != nil {
					return err
				}
			}
			if old < 0 || !r.want(old) {
				continue
			}
			key, err := f.keyBefore(src, columns, x)
			if err != nil {
				return err
			}
			if err := r.take(old, change{columns: columns, row: x, gone: true, key: key}); err != nil {
				return err
			}
		}
	}
	return nil
}

// at returns the numbers of the changes that a row became, -1 for none.
func (n numbers) at(row int64) (own, old int32) {
	own, old = -1, -1
	if n.own != nil {
		own = n.own[row] - 1
	}
	if n.old != nil {
		old = n.old[row] - 1
	}
	return own, old
}

// hold reads the rows of some changes, given in ascending order; their entries have the same order, and no keys.
func (b *Batch) hold(ctx context.Context, numbers []int32) (*Changes, error) {
	f, err := NewFold(b.Schema, b.Options)
	if err != nil {
		return nil, err
	}
	wanted := newNumberSet(b.changes)
	for _, n := range numbers {
		wanted.set(n)
	}
	entries := make([]entry, len(numbers))
	err = b.again(ctx, reading{want: wanted.has, take: func(n int32, c change) error {
		at, _ := slices.BinarySearch(numbers, n)
		entries[at] = entry{slot: int32(len(f.ops)), gone: c.gone}
		f.set(entries[at].slot, c)
		return nil
	}})
	return &Changes{Schema: b.Schema, key: f.key, order: f.order, entries: entries, rows: f.rows, ops: f.ops, orders: f.orders}, err
}

// keyOf returns the canonical key of a change.
func (f *Fold) keyOf(c change) []byte {
	if c.key != nil {
		return f.encode(c.key)
	}
	key := make([]value, len(f.key))
	for i, k := range f.key {
		key[i] = c.cell(k)
	}
	return f.encode(key)
}

// keys reads the keys of some changes.
func (b *Batch) keys(ctx context.Context, numbers []int32, keys [][]byte) error {
	f, err := NewFold(b.Schema, b.Options)
	if err != nil || len(numbers) == 0 {
		return err
	}
	at := map[int32][]int{}
	for i, n := range numbers {
		at[n] = append(at[n], i)
	}
	return b.again(ctx, reading{
		columns: map[int]bool{},
		want:    func(n int32) bool { return at[n] != nil },
		take: func(n int32, c change) error {
			for _, i := range at[n] {
				keys[i] = f.keyOf(c)
			}
			return nil
		},
	})
}

// ranks counts for each bound the changes with keys below it.
func (b *Batch) ranks(ctx context.Context, bounds []string, ranks []int32) error {
	f, err := NewFold(b.Schema, b.Options)
	if err != nil || len(bounds) == 0 {
		return err
	}
	order := make([]int, len(bounds))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(x, y int) int { return cmp.Compare(bounds[x], bounds[y]) })
	counts := make([]int32, len(bounds)+1) // of the keys that lie below bound i and no lower one
	err = b.again(ctx, reading{
		columns: map[int]bool{},
		want:    func(int32) bool { return true },
		take: func(_ int32, c change) error {
			key := f.keyOf(c)
			n, _ := slices.BinarySearchFunc(order, string(key), func(i int, key string) int {
				if bounds[i] <= key {
					return -1
				}
				return 1
			})
			counts[n]++
			return nil
		},
	})
	below := int32(0)
	for i, at := range order {
		below += counts[i]
		ranks[at] = below
	}
	return err
}

// numberSet is a set of changes.
type numberSet []uint64

func newNumberSet(n int32) numberSet { return make(numberSet, n/64+1) }
func (s numberSet) set(n int32)      { s[n/64] |= 1 << (n % 64) }
func (s numberSet) has(n int32) bool { return s[n/64]>>(n%64)&1 != 0 }
