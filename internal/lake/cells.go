package lake

import (
	"math"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/deprecated"

	"sluice/internal/dms"
	"sluice/internal/parquetedit"
)

// blockRows is how many values a block of cells holds.
const blockRows = 4096

// cells are the values of one column by slot: four or eight bytes each, and text beside them. They lie in blocks, so
// that a fold that grows copies nothing and never holds a column twice. Values that are handed out stay as they are.
type cells struct {
	kind   parquet.Kind
	blocks []*cellBlock
	texts  texts
	text   int64 // bytes of the texts that are in use
	unused int64 // bytes of those that no longer are; what several slots share is counted for each

	odd map[int32]value // values of another kind, which no writer will take; and what an update leaves as it is
}

// cellBlock holds a number, its bits or where its text lies for each slot whose bit is set; the others are NULL.
type cellBlock struct {
	set    [blockRows / 64]uint64
	narrow []uint32
	wide   []uint64
}

func newCells(t parquetedit.Type) cells { return cells{kind: t.Physical} }

func (c *cells) isText() bool {
	switch c.kind {
	case parquet.Int96, parquet.ByteArray, parquet.FixedLenByteArray:
		return true
	case parquet.Boolean, parquet.Int32, parquet.Int64, parquet.Float, parquet.Double:
	}
	return false
}

func (c *cells) at(slot int32) value {
	b, i := c.blocks[slot/blockRows], slot%blockRows
	if !b.has(i) {
		return c.odd[slot]
	}
	switch c.kind {
	case parquet.Boolean:
		return parquet.BooleanValue(b.narrow[i] != 0)
	case parquet.Int32:
		return parquet.Int32Value(int32(b.narrow[i]))
	case parquet.Float:
		return parquet.FloatValue(math.Float32frombits(b.narrow[i]))
	case parquet.Int64:
		return parquet.Int64Value(int64(b.wide[i]))
	case parquet.Double:
		return parquet.DoubleValue(math.Float64frombits(b.wide[i]))
	case parquet.Int96:
		x := c.texts.get(b.wide[i])
		return parquet.Int96Value(deprecated.Int96{word(x), word(x[4:]), word(x[8:])})
	case parquet.FixedLenByteArray:
		return parquet.FixedLenByteArrayValue(c.texts.get(b.wide[i]))
	case parquet.ByteArray:
	}
	return parquet.ByteArrayValue(c.texts.get(b.wide[i]))
}

// fill sets dst to the values of the slots.
func (c *cells) fill(dst []value, slots []int32) {
	switch c.kind {
	case parquet.Int32:
		for i, slot := range slots {
			if b, at := c.blocks[slot/blockRows], slot%blockRows; b.has(at) {
				dst[i] = parquet.Int32Value(int32(b.narrow[at]))
			} else {
				dst[i] = c.odd[slot]
			}
		}
	case parquet.Int64:
		for i, slot := range slots {
			if b, at := c.blocks[slot/blockRows], slot%blockRows; b.has(at) {
				dst[i] = parquet.Int64Value(int64(b.wide[at]))
			} else {
				dst[i] = c.odd[slot]
			}
		}
	case parquet.ByteArray:
		for i, slot := range slots {
			if b, at := c.blocks[slot/blockRows], slot%blockRows; b.has(at) {
				dst[i] = parquet.ByteArrayValue(c.texts.get(b.wide[at]))
			} else {
				dst[i] = c.odd[slot]
			}
		}
	case parquet.Boolean, parquet.Int96, parquet.Float, parquet.Double, parquet.FixedLenByteArray:
		for i, slot := range slots {
			dst[i] = c.at(slot)
		}
	}
}

func (b *cellBlock) has(i int32) bool { return b.set[i/64]>>(i%64)&1 != 0 }

// set sets a slot that is there, or the one behind the last.
func (c *cells) set(slot int32, v value) {
	n, i := int(slot/blockRows), slot%blockRows
	if n == len(c.blocks) {
		c.blocks = append(c.blocks, &cellBlock{})
	}
	b := c.blocks[n]
	if int(i) >= max(len(b.narrow), len(b.wide)) {
		b.grow(int(i)+1, c.kind)
	}
	if b.has(i) {
		if c.isText() {
			old := int64(len(c.texts.get(b.wide[i])))
			c.text, c.unused = c.text-old, c.unused+old
		}
		b.set[i/64] &^= 1 << (i % 64)
	}
	if c.odd != nil {
		delete(c.odd, slot)
	}
	switch {
	case v.IsNull() && !dms.IsUntold(v):
		return
	case v.Kind() != c.kind:
		if c.odd == nil {
			c.odd = map[int32]value{}
		}
		c.odd[slot] = v.Clone()
		return
	}
	b.set[i/64] |= 1 << (i % 64)
	c.put(b, i, v)
	if c.unused > max(leastUnused, c.text/2) {
		c.clean()
	}
}

// leastUnused is how many bytes of text are no longer in use before it is worth while to clean up.
const leastUnused = 8 << 20

func (c *cells) put(b *cellBlock, i int32, v value) {
	switch c.kind {
	case parquet.Boolean:
		b.narrow[i] = uint32(rank(v.Boolean()))
	case parquet.Int32:
		b.narrow[i] = uint32(v.Int32())
	case parquet.Float:
		b.narrow[i] = math.Float32bits(v.Float())
	case parquet.Int64:
		b.wide[i] = uint64(v.Int64())
	case parquet.Double:
		b.wide[i] = math.Float64bits(v.Double())
	case parquet.Int96:
		var x [12]byte
		for w, u := range v.Int96() {
			putWord(x[4*w:], u)
		}
		b.wide[i] = c.texts.put(x[:])
		c.text += int64(len(x))
	case parquet.ByteArray, parquet.FixedLenByteArray:
		b.wide[i] = c.texts.put(v.ByteArray())
		c.text += int64(len(v.ByteArray()))
	}
}

// clean takes over the texts that are in use.
func (c *cells) clean() {
	old := c.texts
	c.texts, c.unused = texts{}, 0
	for _, b := range c.blocks {
		for i := range b.wide {
			if b.has(int32(i)) {
				b.wide[i] = c.texts.put(old.get(b.wide[i]))
			}
		}
	}
}

// grow makes room for n slots; most changes are few.
func (b *cellBlock) grow(n int, kind parquet.Kind) {
	switch kind {
	case parquet.Boolean, parquet.Int32, parquet.Float:
		b.narrow = grown(b.narrow, n)
	case parquet.Int64, parquet.Int96, parquet.Double, parquet.ByteArray, parquet.FixedLenByteArray:
		b.wide = grown(b.wide, n)
	}
}

func grown[T any](s []T, n int) []T {
	if n <= len(s) {
		return s
	}
	if n > cap(s) {
		s = append(make([]T, 0, min(max(2*cap(s), 16), blockRows)), s...)
	}
	return s[:n]
}
