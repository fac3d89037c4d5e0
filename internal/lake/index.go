package lake

import "github.com/zeebo/xxh3"

// keyIndex finds the net change of a lake row's key. It is built once from the
// changed keys and asked once per lake row, so a miss must cost next to nothing:
// open addressing over a power of two at most half full, no allocation, no
// pointer per key.
type keyIndex struct {
	mask  uint64
	slots []int32  // change number + 1; 0 = free
	keys  []string // canonical keys by change number
	ints  []int64  // the same keys as integers, for a key of one integer column
}

// newKeyIndex indexes keys, which are canonical encodings; ints, when not nil, holds the same keys as integers.
func newKeyIndex(keys []string, ints []int64) *keyIndex {
	size := 16
	for size < 2*len(keys) {
		size *= 2
	}
	x := &keyIndex{mask: uint64(size - 1), slots: make([]int32, size), keys: keys, ints: ints}
	for i := range keys {
		at := x.home(i)
		for x.slots[at] != 0 {
			at = (at + 1) & x.mask
		}
		x.slots[at] = int32(i + 1)
	}
	return x
}

func (x *keyIndex) home(i int) uint64 {
	if x.ints != nil {
		return mix(uint64(x.ints[i])) & x.mask
	}
	return xxh3.HashString(x.keys[i]) & x.mask
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
	for at := xxh3.Hash(key) & x.mask; ; at = (at + 1) & x.mask {
		n := x.slots[at]
		if n == 0 {
			return -1
		}
		if x.keys[n-1] == string(key) {
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
