package lake

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/deprecated"
	"pgregory.net/rapid"

	"sluice/internal/parquetedit"
)

// sampleCell draws a value of a kind; NULL, and once in a while a value of another kind, which no column should get.
func sampleCell(t *rapid.T, kind parquet.Kind) value {
	n := rapid.Int64().Draw(t, "n")
	switch rapid.IntRange(0, 20).Draw(t, "odd") {
	case 0, 1:
		return value{}
	case 2:
		kind = parquet.Int32
	}
	switch kind {
	case parquet.Boolean:
		return parquet.BooleanValue(n%2 == 0)
	case parquet.Int32:
		return parquet.Int32Value(int32(n))
	case parquet.Int64:
		return parquet.Int64Value(n)
	case parquet.Int96:
		return parquet.Int96Value(deprecated.Int96{uint32(n), uint32(n >> 8), uint32(n >> 16)})
	case parquet.Float:
		return parquet.FloatValue(float32(n))
	case parquet.Double:
		return parquet.DoubleValue(float64(n))
	case parquet.FixedLenByteArray:
		return parquet.FixedLenByteArrayValue([]byte(fmt.Sprintf("%016x", uint64(n))))
	case parquet.ByteArray:
	}
	return parquet.ByteArrayValue(bytes.Repeat([]byte("x"), int(uint64(n)%300)))
}

func TestCells_equalAMap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		kind := parquet.Kind(rapid.IntRange(int(parquet.Boolean), int(parquet.FixedLenByteArray)).Draw(t, "kind"))
		c, want := newCells(parquetedit.Type{Physical: kind, Length: 16}), []value{}
		for range rapid.IntRange(0, 40).Draw(t, "sets") {
			v, slot := sampleCell(t, kind), rapid.IntRange(0, len(want)).Draw(t, "slot")
			if slot == len(want) {
				want = append(want, v)
			} else {
				want[slot] = v
			}
			c.set(int32(slot), v)
			if rapid.IntRange(0, 9).Draw(t, "clean") == 0 && c.isText() {
				c.clean()
			}
		}
		for slot, v := range want {
			got := c.at(int32(slot))
			if got.Kind() != v.Kind() || !parquet.DeepEqual(got, v) {
				t.Fatalf("slot %d: got %+v, want %+v", slot, got, v)
			}
		}
	})
}

func TestCells_overManyBlocks(t *testing.T) {
	c := newCells(parquetedit.Type{Physical: parquet.Int64})
	for i := range int32(3 * blockRows) {
		c.set(i, parquet.Int64Value(int64(i)))
	}
	for i := range int32(3 * blockRows) {
		if got := c.at(i).Int64(); got != int64(i) {
			t.Fatalf("slot %d: got %d", i, got)
		}
	}
}

// TestCells_aRowThatChangesOftenIsKeptOnce: a change file may update one row a million times.
func TestCells_aRowThatChangesOftenIsKeptOnce(t *testing.T) {
	c := newCells(parquetedit.Type{Physical: parquet.ByteArray})
	for i := range 1000 {
		c.set(0, parquet.ByteArrayValue(bytes.Repeat([]byte{byte(i), byte(i >> 8)}, 50_000)))
	}
	held := 0
	for _, chunk := range c.texts.chunks {
		held += cap(chunk)
	}
	if held > 2*leastUnused {
		t.Errorf("%d bytes are held for a text of 100,000", held)
	}
	if got := c.at(0).ByteArray(); len(got) != 100_000 || got[0] != 999&0xff {
		t.Errorf("the text is another one")
	}
}
