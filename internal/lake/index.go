package lake

import (
	"github.com/zeebo/xxh3"

	"sluice/internal/parquetedit"
)

// keyIndex finds the net change of a key. It is asked once per change, and once
// per lake row, so a miss must cost next to nothing: open addressing over a power of two at most half full, no
// allocation, no pointer per key. The zero value is an index of nothing.
type keyIndex struct {
	mask    uint64
	slots   []int32  // change number + 1; 0 = free
	entries []entry  // by change number
	ints    []int64  // the keys as integers, ascending, where the column is one of integers
	texts   []string // the keys as the files hold them, where the column is one of text

	bits  []uint64 // a bit for each key, of a product's high bits; see screen
	shift int
}

// newKeyIndex indexes entries by their keys.
func newKeyIndex(entries []entry) *keyIndex {
	x := &keyIndex{entries: entries}
	x.rebuild(len(entries))
	return x
}

// rebuild makes the index anew, with room for n entries.
func (x *keyIndex) rebuild(n int) {
	size := 16
	for size < 2*n {
		size *= 2
	}
	x.mask, x.slots = uint64(size-1), make([]int32, size)
	for i := range x.entries {
		x.place(i)
	}
}

func (x *keyIndex) place(i int) {
	at := x.home(i)
	for x.slots[at] != 0 {
		at = (at + 1) & x.mask
	}
	x.slots[at] = int32(i + 1)
}

// add indexes the last of the entries, which are those indexed before and one more.
func (x *keyIndex) add(entries []entry) {
	x.entries = entries
	if n := len(entries); 2*n > len(x.slots) {
		x.rebuild(2 * n)
	} else {
		x.place(n - 1)
	}
}

func (x *keyIndex) home(i int) uint64 {
	if x.ints != nil {
		return mix(uint64(x.ints[i])) & x.mask
	}
	return x.hash(i) & x.mask
}

// hash is what the bitmap goes by; of an integer it is itself.
func (x *keyIndex) hash(i int) uint64 {
	switch {
	case x.ints != nil:
		return uint64(x.ints[i])
	case x.texts != nil:
		return xxh3.HashString(x.texts[i])
	}
	return xxh3.HashString(x.entries[i].key)
}

// findKey returns the number of a canonical key of one column of the type, or -1.
func (x *keyIndex) findKey(t parquetedit.Type, key []byte) int32 {
	switch {
	case key[0] == keyNull:
		return -1
	case x.ints != nil:
		n, ok := DecodeIntKey(t, string(key))
		if !ok {
			return -1
		}
		return x.findInt(n)
	case x.texts != nil:
		return x.findText([]byte(unescaped(string(key))))
	}
	return x.find(key)
}

// findInt returns the change of an integer key, or -1.
func (x *keyIndex) findInt(key int64) int32 {
	for at := mix(uint64(key)) & x.mask; ; at = (at + 1) & x.mask {
		n := x.slots[at]
		if n == 0 {
			return -1
		}
		if x.ints[n-1] == key {
			return n - 1
		}
	}
}

// find returns the change of a canonical key, or -1.
func (x *keyIndex) find(key []byte) int32 {
	if x.slots == nil {
		return -1
	}
	for at := xxh3.Hash(key) & x.mask; ; at = (at + 1) & x.mask {
		n := x.slots[at]
		if n == 0 {
			return -1
		}
		if x.entries[n-1].key == string(key) {
			return n - 1
		}
	}
}

// mix spreads an integer over 64 bits (the finalizer of MurmurHash3, public domain).
func mix(h uint64) uint64 {
	h ^= h >> 33
	h *= 0xff51afd7ed558ccd
	h ^= h >> 33
	h *= 0xc4ceb9fe1a85ec53
	return h ^ h>>33
}
