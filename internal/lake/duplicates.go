package lake

import (
	"context"

	"github.com/zeebo/xxh3"
)

// duplicateKeys bounds how many keys a search for duplicates remembers: 8 bytes each, in a table at most half full.
const duplicateKeys = 2 << 20

// Duplicates counts the rows of the inputs whose key another row before them
// has. It remembers 64-bit hashes of the first two million keys (32 MiB); whole says that
// there were no more. A key that is NULL counts as a key.
func (l *Load) Duplicates(ctx context.Context) (surplus int64, whole bool, err error) {
	key, err := l.Schema.places(l.Schema.Key)
	if err != nil || len(key) == 0 {
		return 0, true, err
	}
	seen := newHashSet(l.rowCount())
	var scratch []byte
	for file, in := range l.Inputs {
		groups := make([]int, len(in.Open.RowGroups()))
		for i := range groups {
			groups[i] = i
		}
		for rows, err := range l.rows(ctx, Part{file, groups}, l.Schema.Key) {
			if err != nil {
				return 0, false, err
			}
			for i := range rows.ops {
				scratch = scratch[:0]
				for _, k := range key {
					scratch = AppendKey(scratch, l.Schema.Columns[k].Type, rows.cell(k, i))
				}
				if seen.held == duplicateKeys {
					return surplus, false, nil
				}
				if !seen.add(xxh3.Hash(scratch)) {
					surplus++
				}
			}
		}
	}
	return surplus, true, nil
}

// rowCount is how many rows the inputs have.
func (l *Load) rowCount() int64 {
	var n int64
	for _, in := range l.Inputs {
		n += in.Open.NumRows()
	}
	return n
}

// cell returns a value of the rows; a column that the input lacks is NULL.
func (r *loadRows) cell(column, row int) value {
	if r.columns[column] == nil {
		return value{}
	}
	return r.columns[column][row]
}

// hashSet is a set of hashes by open addressing; its size is a power of two.
type hashSet struct {
	slots []uint64 // 0 = free
	held  int
}

// newHashSet returns a set for so many hashes, or for duplicateKeys, whichever is less.
func newHashSet(hashes int64) hashSet {
	size := int64(16)
	for size < 2*min(hashes, duplicateKeys) {
		size *= 2
	}
	return hashSet{slots: make([]uint64, size)}
}

// has reports whether the hash is there.
func (s *hashSet) has(hash uint64) bool {
	mask := uint64(len(s.slots) - 1)
	for at := hash & mask; s.slots[at] != 0; at = (at + 1) & mask {
		if s.slots[at] == hash {
			return true
		}
	}
	return false
}

// add reports whether the hash was not there yet.
func (s *hashSet) add(hash uint64) bool {
	hash = max(hash, 1)
	mask := uint64(len(s.slots) - 1)
	for at := hash & mask; ; at = (at + 1) & mask {
		switch s.slots[at] {
		case hash:
			return false
		case 0:
			s.slots[at] = hash
			s.held++
			return true
		}
	}
}
