package contract

import (
	"cmp"
	"context"
	"math/rand/v2"
	"slices"

	"github.com/parquet-go/parquet-go"
	"github.com/zeebo/xxh3"

	"sluice/internal/dms"
	"sluice/internal/lake"
)

// uniqueKeys bounds how many keys are remembered at once, in some 40 bytes each. Of more, the key columns are read again for
// each further share of them.
const (
	uniqueKeys = 2 << 20
	keyBytes   = 48
)

// KeyBytes is about what JudgeKeys holds.
func KeyBytes(inputs []Input) int64 { return min(rowsOf(inputs), uniqueKeys) * keyBytes }

func rowsOf(inputs []Input) int64 {
	var rows int64
	for _, in := range inputs {
		rows += in.Reader.Rows()
	}
	return rows
}

// JudgeKeys adds to the findings of some inputs the rows whose key an earlier row has: over all of them in a full load, in a change file by itself
// an insert of a key that an earlier one inserted and nothing has deleted since. Rows that are kept out already do not count. Inputs
// that lack a key column, or hold values there that are none of the table's, are left for the merge to refuse.
func (c *Contract) JudgeKeys(ctx context.Context, s *lake.Schema, inputs []Input, found [][]Finding) error {
	at := slices.IndexFunc(c.rules, func(r rule) bool { return r.uniqueKey })
	if at < 0 || len(s.Key) == 0 {
		return nil
	}
	rows := rowsOf(inputs)
	u := &uniqueness{schema: s, rule: &c.rules[at], seed: rand.Uint64(), parts: uint64(max((rows-1)/c.keys+1, 1))}
	twice := make([][]Finding, len(inputs))
	for u.part = range u.parts {
		u.seen = make(map[xxh3.Uint128]struct{}, min(rows, c.keys))
		for i, in := range inputs {
			u.input = i
			more, err := u.look(ctx, in, Rows(found[i]))
			if err != nil {
				return err
			}
			if twice[i] = append(twice[i], more...); len(twice[i]) > MaxFindings {
				return ErrTooMany
			}
		}
	}
	if u.stop != nil {
		return u.stop
	}
	for i, more := range twice {
		if found[i] = merge(found[i], more); len(found[i]) > MaxFindings {
			return ErrTooMany
		}
	}
	return nil
}

// merge brings findings together, which have no row in common, in the order of the rows.
func merge(a, b []Finding) []Finding {
	if len(b) == 0 {
		return a
	}
	all := slices.Concat(a, b)
	slices.SortFunc(all, func(x, y Finding) int { return cmp.Compare(x.From, y.From) })
	merged := all[:1]
	for _, f := range all[1:] {
		if last := &merged[len(merged)-1]; last.To == f.From && last.Column == f.Column && last.Rule == f.Rule {
			last.To = f.To
		} else {
			merged = append(merged, f)
		}
	}
	return merged
}

// uniqueness is keys being looked at, one share of them after the other.
type uniqueness struct {
	schema      *lake.Schema
	rule        *rule
	part, parts uint64
	seen        map[xxh3.Uint128]struct{}
	stop        *ViolationError // the first, in the order of the inputs, if the rule halts
	stopped     int             // number of its input
	input       int             // number of the input that is looked at
	seed        uint64
}

// keyed is an input and where its key columns are.
type keyed struct {
	Input
	columns []int // of the reader
	convert []func(parquet.Value) (parquet.Value, error)
	before  []int // before image of each key column, or -1
}

func (u *uniqueness) open(in Input) (*keyed, bool) {
	k := &keyed{Input: in}
	columns := in.Reader.Columns()
	for _, name := range u.schema.Key {
		at := slices.IndexFunc(columns, func(c lake.Column) bool { return c.Name == name })
		if at < 0 {
			return nil, false
		}
		convert, err := lake.Converter(columns[at].Type, u.schema.Columns[u.schema.Index(name)].Type)
		if err != nil {
			return nil, false
		}
		k.columns, k.convert = append(k.columns, at), append(k.convert, convert)
		k.before = append(k.before, slices.Index(in.Reader.BeforeImage(), at))
	}
	return k, true
}

// look looks at one file and returns the rows that are too many.
func (u *uniqueness) look(ctx context.Context, in Input, out dms.Rows) ([]Finding, error) {
	k, ok := u.open(in)
	if !ok {
		return nil, nil
	}
	var found []Finding
	for b, err := range in.Reader.Batches(ctx, k.columns) {
		if err != nil {
			return nil, err
		}
		for i, op := range b.Ops {
			row := b.Row(i)
			if out.Has(row) || !u.twice(k, b, i, op) {
				continue
			}
			if !u.rule.quarantine {
				u.halt(in, row)
				return nil, nil
			}
			if found = add(found, row, verdict{"", "unique_key"}); len(found) > MaxFindings {
				return nil, ErrTooMany
			}
		}
	}
	return found, nil
}

// halt notes the row that halts, the first of all shares of the keys.
func (u *uniqueness) halt(in Input, row int64) {
	if u.stop == nil || u.input < u.stopped || u.input == u.stopped && row < u.stop.Row {
		u.stopped, u.stop = u.input, &ViolationError{File: in.Name, Rule: "unique_key", Row: row}
	}
}

// twice takes a row and says whether it inserts a key that is there.
func (u *uniqueness) twice(k *keyed, b dms.Batch, i int, op dms.Op) bool {
	key, ok := u.key(k, func(c int) parquet.Value { return b.Columns[k.columns[c]][i] })
	if !ok {
		return false
	}
	switch op {
	case dms.Delete:
		delete(u.seen, key)
	case dms.Update:
		old, ok := u.key(k, func(c int) parquet.Value {
			if at := k.before[c]; at >= 0 && !b.Before[at][i].IsNull() {
				return b.Before[at][i]
			}
			return b.Columns[k.columns[c]][i]
		})
		if ok && old != key {
			delete(u.seen, old)
		}
	case dms.Insert:
		if !u.mine(key) {
			return false
		}
		_, there := u.seen[key]
		u.seen[key] = struct{}{}
		return there
	}
	return false
}

// mine says whether a key belongs to the share that is looked at.
func (u *uniqueness) mine(key xxh3.Uint128) bool { return key.Hi%u.parts == u.part }

// key returns the hash of a key's canonical form; false when it is none of the table's, or NULL.
func (u *uniqueness) key(k *keyed, value func(c int) parquet.Value) (xxh3.Uint128, bool) {
	var text []byte
	for c, name := range u.schema.Key {
		v := value(c)
		if v.IsNull() {
			return xxh3.Uint128{}, false
		}
		if k.convert[c] != nil {
			var err error
			if v, err = k.convert[c](v); err != nil {
				return xxh3.Uint128{}, false
			}
		}
		text = lake.AppendKey(text, u.schema.Columns[u.schema.Index(name)].Type, v)
	}
	return xxh3.Hash128Seed(text, u.seed), true
}
