package lake

import "github.com/zeebo/xxh3"

// keyIndex finds the net change of a key. It is asked once per change, and once
// per lake row, so a miss must cost next to nothing: open addressing over a power of two at most half full, no
// allocation, no pointer per key. The zero value is an index of nothing.
type keyIndex struct {
	mask    uint64
	slots   []int32 // change number + 1; 0 = free
	entries []entry // by change number
	ints    []int64 // the keys as integers, for a key of one integer column
}

// newKeyIndex indexes entries; ints, when not nil, holds their keys as integers.
func newKeyIndex(entries []entry, ints []int64) *keyIndex {
	x := &keyIndex{entries: entries, ints: ints}
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
	return xxh3.HashString(x.entries[i].key) & x.mask
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
