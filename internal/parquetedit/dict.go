package parquetedit

import (
	"hash/maphash"
	"math/bits"
	"slices"

	"github.com/parquet-go/parquet-go"
)

// dict numbers the distinct values of a column chunk in order of appearance.
type dict struct {
	values vector
	seed   maphash.Seed
	slots  []uint32 // open addressing: index + 1, 0 is free; the length is a power of two
	hashes []uint32 // of each value; none of a dictionary that was taken over, until a value is added
}

func newDict(t Type) *dict {
	d := &dict{values: newVector(t), seed: maphash.MakeSeed()}
	d.reset()
	return d
}

func (d *dict) reset() {
	d.values.reset()
	d.hashes = d.hashes[:0]
	if d.slots == nil || len(d.slots) > 1<<12 {
		d.slots = make([]uint32, 256)
		return
	}
	clear(d.slots)
}

// width is the number of bits of an index.
func (d *dict) width() int { return bits.Len(uint(max(0, d.values.len()-1))) }

// take begins the dictionary with the values of another, entry for entry.
func (d *dict) take(old vector) {
	d.reset()
	d.values = old.clipped()
}

// hashAll prepares for adding to values that were taken over.
func (d *dict) hashAll() {
	n := d.values.len()
	if len(d.hashes) == n {
		return
	}
	d.slots = make([]uint32, max(256, 1<<bits.Len(uint(2*n))))
	d.hashes = slices.Grow(d.hashes[:0], n)
	for i := range n {
		h := d.hash(i)
		slot := d.slot(h)
		for d.slots[slot] != 0 {
			slot = d.after(slot)
		}
		d.insert(slot, h)
	}
}

// hash is the hash of value i.
func (d *dict) hash(i int) uint32 {
	switch d.values.kind {
	case parquet.Int32, parquet.Float:
		return mix(uint64(uint32(d.values.i32[i])))
	case parquet.Int64, parquet.Double:
		return mix(uint64(d.values.i64[i]))
	case parquet.Boolean, parquet.Int96, parquet.FixedLenByteArray, parquet.ByteArray:
	}
	return uint32(maphash.Bytes(d.seed, d.values.bytes(i)))
}

// add appends to dst the indices of the values [i, j) of v.
func (d *dict) add(dst []int32, v *vector, i, j int) []int32 {
	d.hashAll()
	switch v.kind {
	case parquet.Int32, parquet.Float:
		for _, x := range v.i32[i:j] {
			dst = append(dst, d.addInt32(x))
		}
	case parquet.Int64, parquet.Double:
		for _, x := range v.i64[i:j] {
			dst = append(dst, d.addInt64(x))
		}
	case parquet.Boolean, parquet.Int96, parquet.FixedLenByteArray, parquet.ByteArray:
		for ; i < j; i++ {
			dst = append(dst, d.addBytes(v.bytes(i)))
		}
	}
	return dst
}

func mix(u uint64) uint32 { return uint32(u * 0x9e3779b97f4a7c15 >> 32) }

func (d *dict) addInt32(x int32) int32 {
	h := mix(uint64(uint32(x)))
	slot := d.slot(h)
	for ; d.slots[slot] != 0; slot = d.after(slot) {
		if i := d.slots[slot] - 1; d.values.i32[i] == x {
			return int32(i)
		}
	}
	d.values.i32 = append(d.values.i32, x)
	return d.insert(slot, h)
}

func (d *dict) addInt64(x int64) int32 {
	h := mix(uint64(x))
	slot := d.slot(h)
	for ; d.slots[slot] != 0; slot = d.after(slot) {
		if i := d.slots[slot] - 1; d.values.i64[i] == x {
			return int32(i)
		}
	}
	d.values.i64 = append(d.values.i64, x)
	return d.insert(slot, h)
}

func (d *dict) addBytes(b []byte) int32 {
	h := uint32(maphash.Bytes(d.seed, b))
	slot := d.slot(h)
	for ; d.slots[slot] != 0; slot = d.after(slot) {
		i := d.slots[slot] - 1
		if d.hashes[i] == h && string(d.values.bytes(int(i))) == string(b) {
			return int32(i)
		}
	}
	if d.values.kind == parquet.ByteArray {
		d.values.appendBytes(b)
	} else {
		d.values.raw = append(d.values.raw, b...)
	}
	return d.insert(slot, h)
}

func (d *dict) slot(h uint32) int  { return int(h) & (len(d.slots) - 1) }
func (d *dict) after(slot int) int { return (slot + 1) & (len(d.slots) - 1) }
func (d *dict) insert(slot int, h uint32) int32 {
	i := len(d.hashes)
	d.hashes = append(d.hashes, h)
	d.slots[slot] = uint32(i + 1)
	if 2*len(d.hashes) > len(d.slots) {
		d.grow()
	}
	return int32(i)
}

func (d *dict) grow() {
	d.slots = make([]uint32, 4*len(d.slots))
	for i, h := range d.hashes {
		slot := d.slot(h)
		for d.slots[slot] != 0 {
			slot = d.after(slot)
		}
		d.slots[slot] = uint32(i + 1)
	}
}

// undo appends to v the values that the indices stand for.
func (d *dict) undo(v *vector, indices []int32) {
	for _, i := range indices {
		v.appendFrom(&d.values, int(i), int(i)+1)
	}
}
