package replicate

import (
	"bytes"
	"errors"
	"fmt"
	"testing"

	"sluice/internal/object"
)

// TestBodies_holdTheLatest: what is held is not fetched again; what is not is, and never more is held than there is room for.
func TestBodies_holdTheLatest(t *testing.T) {
	b := &bodies{}
	fetched := 0
	get := func(n int) []byte {
		t.Helper()
		got, err := b.get(object.Info{Key: fmt.Sprint(n), Size: smallInput}, func(into []byte) error {
			fetched++
			into[0] = byte(n)
			return nil
		})
		if err != nil || int64(len(got)) != smallInput || got[0] != byte(n) {
			t.Fatalf("body %d: %d bytes, the first %d, %v", n, len(got), got[0], err)
		}
		if b.size > bodiesBytes || b.size != int64(len(b.held))*smallInput {
			t.Fatalf("%d bodies of %d bytes", len(b.held), b.size)
		}
		return got
	}
	const room = bodiesBytes / smallInput
	for range 3 {
		for n := range room {
			get(n)
		}
	}
	if fetched != room {
		t.Errorf("%d fetched of %d that there is room for", fetched, room)
	}
	first := bytes.Clone(get(0)[:1])
	get(room) // in the place of the first
	if get(1); fetched != room+1 {
		t.Errorf("%d fetched, want one more than %d", fetched, room)
	}
	if get(0); fetched != room+2 || first[0] != 0 {
		t.Errorf("%d fetched, want two more than %d", fetched, room)
	}
	broken := errors.New("broken")
	if _, err := b.get(object.Info{Key: "x", Size: 1}, func([]byte) error { return broken }); !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
	if _, err := b.get(object.Info{Key: "x", Size: 1}, func([]byte) error { return nil }); err != nil {
		t.Errorf("what could not be fetched once: %v", err)
	}
}

// TestFoldNeed_share: several inputs are divided so that a part and what stays of all are within --batch-bytes; one is not.
func TestFoldNeed_share(t *testing.T) {
	for name, c := range map[string]struct {
		need foldNeed
		want int
	}{
		"fits":             {foldNeed{inputs: 3, rows: 100, decoded: 50_000, held: 30_000}, 1},
		"beyond":           {foldNeed{inputs: 3, rows: 101, decoded: 50_500, held: 30_300}, 2},
		"four times":       {foldNeed{inputs: 3, rows: 400, decoded: 200_000, held: 120_000}, 6}, // 22 kB for each beside 8 kB of all
		"a quarter stays":  {foldNeed{inputs: 3, rows: 2000, decoded: 1_000_000, held: 600_000}, 80},
		"of one input":     {foldNeed{inputs: 1, rows: 400, decoded: 200_000, held: 120_000}, 1},
		"of few wide rows": {foldNeed{inputs: 2, rows: 2, decoded: 200_000, held: 120_000}, 2},
		"without inputs":   {foldNeed{}, 1},
	} {
		if got := c.need.share(50_000); got != c.want {
			t.Errorf("%s: got %d, want %d", name, got, c.want)
		}
	}
}
