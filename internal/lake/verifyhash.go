package lake

import (
	"encoding/binary"
	"math"
	"math/bits"
	"math/rand/v2"
	"slices"

	"github.com/zeebo/xxh3"

	"sluice/internal/parquetedit"
)

// hash128 is a hash of 128 bits, or a sum of hashes modulo 2^128: sums do not depend on the order, and what was added
// can be taken away.
type hash128 struct{ hi, lo uint64 }

const hashBytes = 16

func (h *hash128) add(o hash128) {
	var carry uint64
	h.lo, carry = bits.Add64(h.lo, o.lo, 0)
	h.hi, _ = bits.Add64(h.hi, o.hi, carry)
}

func (h *hash128) sub(o hash128) {
	var borrow uint64
	h.lo, borrow = bits.Sub64(h.lo, o.lo, 0)
	h.hi, _ = bits.Sub64(h.hi, o.hi, borrow)
}

// hasher hashes values, rows and keys. Two of them never give the same hashes.
type hasher struct {
	cells []uint64 // seed by column of the table
	keys  []uint64 // seed by column of the table, for the values of a key
	op    uint64
	row   uint64
	key   uint64
}

func newHasher(s *Schema, key []int) *hasher {
	h := &hasher{op: rand.Uint64(), row: rand.Uint64(), key: rand.Uint64()}
	for c := range s.Columns {
		h.cells, h.keys = append(h.cells, rand.Uint64()), append(h.keys, 0)
		if slices.Contains(key, c) {
			h.keys[c] = rand.Uint64()
		}
	}
	return h
}

func hashOf(b []byte, seed uint64) hash128 {
	sum := xxh3.Hash128Seed(b, seed)
	return hash128{sum.Hi, sum.Lo}
}

// mixed makes the sum of a row's cells a hash of the row: sums of rows must not be sums of cells, or two rows could
// exchange cells unseen.
func mixed(sum hash128, seed uint64) hash128 {
	var b [hashBytes]byte
	binary.LittleEndian.PutUint64(b[:8], sum.hi)
	binary.LittleEndian.PutUint64(b[8:], sum.lo)
	return hashOf(b[:], seed)
}

// appendCell appends the canonical form of a value, which is the same for two values exactly when [Equal] says so.
func appendCell(dst []byte, t parquetedit.Type, v value) []byte {
	if familyOf(t) != famFloat || v.IsNull() {
		return AppendKey(dst, t, v)
	}
	pattern := math.Float64bits(floatOf(v)) // −0 is not +0, as in Equal
	if math.IsNaN(floatOf(v)) {
		pattern = math.MaxUint64
	}
	return binary.LittleEndian.AppendUint64(append(dst, keyValue), pattern)
}

// cellReader brings the values of one column of a file to the canonical form that they have in the table.
type cellReader struct {
	place     int // in the file
	column    int // of the table
	from, to  parquetedit.Type
	convert   convertFunc
	nullText  bool // "" is NULL: a partition column of text (ruling 19)
	plain     bool // nothing is converted
	bytes     bool // the table's values are bytes
	float     bool // the table's values are floats
	seed, key uint64
}

func (v *verifier) cellReader(place, column int, from parquetedit.Type) cellReader {
	to := v.Schema.Columns[column]
	r := cellReader{place: place, column: column, from: from, to: to.Type, seed: v.hash.cells[column], key: v.hash.keys[column]}
	var err error
	if r.convert, err = Converter(from, to.Type); err != nil {
		r.convert = onlyNull(from, to.Type)
	}
	r.nullText = isText(to.Type) && slices.Contains(v.Schema.Partition, to.Name)
	r.plain = r.convert == nil && !r.nullText
	r.bytes, r.float = familyOf(to.Type) == famBytes, familyOf(to.Type) == famFloat
	return r
}

// canonical returns the value as the table has it. One that the table's type cannot hold stays as it is, with ok false:
// it is equal to nothing that is in the lake.
func (r *cellReader) canonical(x value) (out value, ok bool) {
	if r.convert != nil {
		converted, err := r.convert(x)
		if err != nil {
			return x, false
		}
		x = converted
	}
	if r.nullText && !x.IsNull() && (len(x.ByteArray()) == 0 || string(x.ByteArray()) == NullPartition) {
		return value{}, true
	}
	return x, true
}

// notHeld begins the canonical form of a value that the table's type cannot hold; no other form begins so.
const notHeld = 0x02

// appendTo appends the canonical form of a value of the file; nothing for NULL.
func (r *cellReader) appendTo(dst []byte, x value) []byte {
	x, ok := r.canonical(x)
	switch {
	case !ok:
		return appendCell(append(dst, notHeld), r.from, x)
	case x.IsNull():
		return dst
	}
	return appendCell(dst, r.to, x)
}

// hashed is the hash of a cell, and of the same value in a key, which differs for floats alone: −0 and +0 are one key.
type hashed struct{ cell, key hash128 }

// hash hashes a value of the file; there is false for NULL. Integers and bytes, which most cells are, are hashed as
// they stand, in whichever way they came to be the table's.
func (r *cellReader) hash(x value, scratch []byte) (h hashed, there bool) {
	if x.IsNull() {
		return h, false
	}
	ok := true
	if !r.plain {
		if x, ok = r.canonical(x); x.IsNull() {
			return h, false
		}
	}
	form := scratch[:0]
	n, isInt := IntKey(r.to, x)
	switch {
	case !ok:
		form = appendCell(append(form, notHeld), r.from, x)
	case isInt:
		form = binary.LittleEndian.AppendUint64(form, uint64(n))
	case r.bytes:
		form = x.ByteArray()
	default:
		form = appendCell(form, r.to, x)
	}
	seed := r.seed
	if !ok {
		seed++ // no value of the table's type is hashed so
	}
	h.cell = hashOf(form, seed)
	switch {
	case r.key == 0:
	case ok && r.float:
		h.key = hashOf(AppendKey(scratch[:0], r.to, x), r.key)
	default:
		h.key = hashOf(form, r.key)
	}
	return h, true
}

// orderText returns a text that orders as [Compare] does.
func orderText(t parquetedit.Type, x value) string {
	if lowest(t, x) {
		return ""
	}
	return string(AppendKey(nil, t, x))
}
