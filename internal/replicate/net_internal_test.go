package replicate

import "testing"

// TestGovernor_parts: what fits is folded whole; what does not, in as many parts as make each fit.
func TestGovernor_parts(t *testing.T) {
	g := newGovernor(512 << 20) // 348 MiB to share
	row := int64(keyBytes + 17*cellBytes + 70)
	for name, c := range map[string]struct {
		governor *governor
		rows     int64
		want     int
	}{
		"no limit":                      {nil, 1 << 30, 1},
		"nothing":                       {g, 0, 1},
		"a million":                     {g, 1_000_000, 1},
		"ten million":                   {g, 10_000_000, 29},
		"a part has a quarter at least": {g, 100_000_000, 336},
		"no more parts than rows":       {&governor{all: 100}, 3, 3},
	} {
		t.Run(name, func(t *testing.T) {
			need := foldNeed{rows: c.rows, held: c.rows * row}
			if got := c.governor.parts(need, 2); got != c.want {
				t.Errorf("got %d, want %d", got, c.want)
			}
		})
	}
}
