package lake

import (
	"fmt"
	"testing"
	"unsafe"
)

// TestRoom_keepsToTheMemory plans tables for more and more keys: whatever is planned and however it grows, a table is
// no larger than the memory.
func TestRoom_keepsToTheMemory(t *testing.T) {
	if size := int64(unsafe.Sizeof(slot{}) + unsafe.Sizeof(slotState(0))); size != slotBytes {
		t.Fatalf("a slot has %d bytes, planned are %d", size, slotBytes)
	}
	if size := int64(unsafe.Sizeof(loadRowsOf{}) + unsafe.Sizeof("")); size != orderBytes {
		t.Fatalf("an order has %d bytes, planned are %d", size, orderBytes)
	}
	for _, memory := range []int64{MinVerifyBytes, 256 << 20} {
		for _, n := range []int64{0, 1, 1000, 1_000_000, 1_000_000_000} {
			for _, ordered := range []bool{false, true} {
				t.Run(fmt.Sprint(memory, n, ordered), func(t *testing.T) {
					r := newRoom(memory, n, ordered, 1)
					for range 5 {
						size := r.slots * slotBytes
						if ordered {
							size += r.slots * (orderBytes + textBytes)
						}
						if size > memory {
							t.Errorf("%d slots take %d bytes of %d", r.slots, size, memory)
						}
						if room := float64(r.slots) * fullness * float64(r.parts); room < float64(n) {
							t.Errorf("%d slots in %d parts are too few for %d keys", r.slots, r.parts, n)
						}
						if err := r.grow(); err != nil {
							t.Fatal(err)
						}
					}
				})
			}
		}
	}
}

// TestKeys_everyPart puts every key into exactly one part.
func TestKeys_everyPart(t *testing.T) {
	const parts = 7
	tables := make([]*keys, parts)
	for part := range tables {
		tables[part] = (&room{slots: 8192, parts: parts}).table(part)
	}
	for n := range 20_000 {
		h := hashOf([]byte(fmt.Sprint(n)), 1)
		mine := 0
		for _, k := range tables {
			if !k.mine(h) {
				continue
			}
			mine++
			if _, err := k.change(effect{key: h, row: h}); err != nil {
				t.Fatal(err)
			}
		}
		if mine != 1 {
			t.Fatalf("key %d is of %d parts", n, mine)
		}
	}
	for part, k := range tables {
		if k.held < 20_000/parts*8/10 {
			t.Errorf("part %d holds %d of 20,000 keys", part, k.held)
		}
		for n := range k.each() {
			if s := k.slots[n]; s.key != s.sum || s.raw != 1 {
				t.Fatalf("slot %d: %+v", n, s)
			}
		}
	}
}
