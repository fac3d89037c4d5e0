package parquetedit

import (
	"testing"

	"github.com/parquet-go/parquet-go"
)

// location is an entry of an offset index.
func location(off, size, row int64) []byte {
	return tree{i64Field(1, off), i32Field(2, size), i64Field(3, row)}.encode(nil)
}

// TestOffsetIndexThatDoesNotHoldTogether: pages are taken from an index only when they fill the chunk, one behind the other.
func TestOffsetIndexThatDoesNotHoldTogether(t *testing.T) {
	c := chunk{off: 100, size: 60, values: 30}
	for name, x := range map[string]struct {
		locations [][]byte
		pages     int
	}{
		"two pages":            {[][]byte{location(100, 20, 0), location(120, 40, 10)}, 2},
		"behind a dictionary":  {[][]byte{location(130, 30, 0)}, 1},
		"a gap":                {[][]byte{location(100, 20, 0), location(121, 39, 10)}, 0},
		"a page missing":       {[][]byte{location(100, 20, 0)}, 0},
		"before the chunk":     {[][]byte{location(99, 61, 0)}, 0},
		"rows from the middle": {[][]byte{location(100, 60, 1)}, 0},
		"rows that repeat":     {[][]byte{location(100, 20, 0), location(120, 40, 0)}, 0},
		"rows beyond":          {[][]byte{location(100, 20, 0), location(120, 40, 30)}, 0},
		"nothing":              {nil, 0},
		"an empty page":        {[][]byte{location(100, 60, 0), location(160, 0, 10)}, 0},
	} {
		index := tree{listField(1, tStruct, x.locations)}.encode(nil)
		if got := c.oldPages(index); len(got) != x.pages {
			t.Errorf("%s: %d pages, want %d", name, len(got), x.pages)
		}
		for n := range index {
			if got := c.oldPages(index[:n]); got != nil {
				t.Errorf("%s, cut at %d: %d pages", name, n, len(got))
			}
		}
	}
}

// TestColumnIndexThatDoesNotFit: what a column index tells is taken as a whole or not at all.
func TestColumnIndexThatDoesNotFit(t *testing.T) {
	le := func(v int64) []byte { return binaryElem(bounds64(uint64(v), 0).min) }
	none := binaryElem("")
	index := func(null [][]byte, lo, hi [][]byte, nulls ...int64) []byte {
		x := tree{listField(1, tTrue, null), listField(2, tBinary, lo), listField(3, tBinary, hi), i32Field(4, 0)}
		if nulls != nil {
			var elems [][]byte
			for _, n := range nulls {
				elems = append(elems, intElem(n))
			}
			x = append(x, listField(5, tI64, elems))
		}
		return x.encode(nil)
	}
	no, yes := boolElem(false), boolElem(true)
	for name, x := range map[string]struct {
		raw   []byte
		known bool
		nulls []int
	}{
		"with counts":             {index([][]byte{no, yes}, [][]byte{le(1), none}, [][]byte{le(5), none}, 3, 20), true, []int{3, 20}},
		"without counts":          {index([][]byte{no, yes}, [][]byte{le(1), none}, [][]byte{le(5), none}), true, []int{-1, 20}},
		"counts of one page":      {index([][]byte{no, yes}, [][]byte{le(1), none}, [][]byte{le(5), none}, 3), true, []int{-1, 20}},
		"more NULLs than rows":    {index([][]byte{no, yes}, [][]byte{le(1), none}, [][]byte{le(5), none}, 11, 20), true, []int{-1, 20}},
		"a null page with values": {index([][]byte{no, yes}, [][]byte{le(1), none}, [][]byte{le(5), none}, 3, 19), false, nil},
		"one page":                {index([][]byte{no}, [][]byte{le(1)}, [][]byte{le(5)}, 3), false, nil},
		"bounds turned round":     {index([][]byte{no, no}, [][]byte{le(1), le(9)}, [][]byte{le(5), le(8)}, 3, 3), false, nil},
		"bounds of no length":     {index([][]byte{no, no}, [][]byte{le(1), none}, [][]byte{le(5), none}, 3, 3), false, nil},
		"rubbish":                 {[]byte{0x19, 0xff}, false, nil},
	} {
		o := oldChunk{
			column: Column{Name: "c", Type: Type{Physical: parquet.Int64}}, values: 30, nulls: -1, bounds: bounds64(1, 9),
			pages: []oldPage{{first: 0}, {first: 10}},
		}
		o.tell(x.raw)
		for i := range o.pages {
			if o.pages[i].known != x.known {
				t.Errorf("%s: page %d is known: %t", name, i, o.pages[i].known)
			}
			if x.known && o.pages[i].facts.nulls != x.nulls[i] {
				t.Errorf("%s: page %d has %d NULLs, want %d", name, i, o.pages[i].facts.nulls, x.nulls[i])
			}
		}
	}
}

// TestZerosOfBothSigns: a bound that a file gives as a zero stands for both.
func TestZerosOfBothSigns(t *testing.T) {
	plus := bounds64(0, 0).min
	b := foreignBounds(plus, plus, Type{Physical: parquet.Double})
	if b.min[7] != 0x80 || b.max[7] != 0 {
		t.Errorf("%x … %x, want −0 … +0", b.min, b.max)
	}
}
