package replicate_test

import (
	"fmt"
	"runtime/debug"
	"sync/atomic"
	"testing"
	"time"

	"sluice/scripts/rig"
)

// TestRandomLivesEndAsTheOracleSays plays five hundred lives: sixty long ones and many short.
func TestRandomLivesEndAsTheOracleSays(t *testing.T) {
	t.Parallel()
	c := newCensus()
	for seed := range uint64(500) {
		steps := 8
		if seed < 60 {
			steps = 40
		}
		t.Run(fmt.Sprintf("seed=%d", seed), func(t *testing.T) {
			if failure := outcome(t, seed, steps, c); failure != "" {
				t.Fatal(failure)
			}
		})
	}
	for _, name := range []string{
		"Parquet", "CSV", "Debezium", "key-less", "partial updates", "ordered", "no ops", "reload", "late file", "the same changes again",
		"the same file again", "truncated", "column added", "column dropped", "column back", "column widened", "schema accepted", "rebuilt", "compacted", "empty file",
	} {
		if c.counts[name] < 10 && c.lives == 500 && !t.Failed() {
			t.Errorf("%s: only %d times in 500 lives, too few to say anything", name, c.counts[name])
		}
	}
	rig.Figure(t, "random lives", "500, each equal to the oracle: %s", c)
}

// soakLives is how many lives half an hour of make soak plays.
const soakLives = 100_000

// TestSoakRandomLives plays lives over all dialects and events until the time of make soak is over, and as many as its
// half hour has to: with SOAK=30m a hundred thousand. A failure names its seed and the least of its steps.
func TestSoakRandomLives(t *testing.T) {
	share := rig.Soak(t, 0.15)
	defer debug.SetGCPercent(debug.SetGCPercent(400)) // lives are short, and leave much behind
	c := newCensus()
	begin, most := time.Now(), int64(float64(rig.Soak(t, 1))/float64(30*time.Minute)*soakLives)
	var lives, steps, failures atomic.Int64
	const enough = 5 // failures
	t.Run("lives", func(t *testing.T) {
		for worker := range uint64(2) {
			t.Run(fmt.Sprintf("worker=%d", worker), func(t *testing.T) {
				t.Parallel()
				for n := uint64(0); failures.Load() < enough && (lives.Load() < most || time.Since(begin) < share); n++ {
					seed, length := 1000+2*n+worker, 8
					if n%100 == 0 {
						length = 200
					}
					if failure := outcome(t, seed, length, c); failure != "" {
						t.Error(failure)
						failures.Add(1)
					}
					lives.Add(1)
					steps.Add(int64(length))
				}
			})
		}
	})
	if !t.Failed() {
		rig.Figure(t, "random lives", "%d of %d steps in all, each equal to the oracle: %s", lives.Load(), steps.Load(), c)
	}
}
