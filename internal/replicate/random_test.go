package replicate_test

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"sluice/scripts/rig"
)

// TestRandomLivesEndAsTheOracleSays plays five hundred lives: sixty long ones and many short.
func TestRandomLivesEndAsTheOracleSays(t *testing.T) {
	t.Parallel()
	for seed := range uint64(500) {
		steps := 8
		if seed < 60 {
			steps = 40
		}
		t.Run(fmt.Sprintf("seed=%d", seed), func(t *testing.T) { live(t, seed, steps) })
	}
	rig.Figure(t, "random lives", "500 over all dialects, each equal to the oracle")
}

// soakLives is how many lives half an hour of make soak plays.
const soakLives = 100_000

// TestSoakRandomLives plays lives over all dialects and events until the time of make soak is over, and as many as its
// half hour has to: with SOAK=30m a hundred thousand. A failure names its seed and the least of its steps.
func TestSoakRandomLives(t *testing.T) {
	share := rig.Soak(t, 0.15)
	begin, most := time.Now(), int64(float64(rig.Soak(t, 1))/float64(30*time.Minute)*soakLives)
	var lives, steps atomic.Int64
	t.Run("lives", func(t *testing.T) {
		for worker := range uint64(2) {
			t.Run(fmt.Sprintf("worker=%d", worker), func(t *testing.T) {
				t.Parallel()
				for n := uint64(0); lives.Add(1) <= most || time.Since(begin) < share; n++ {
					seed, length := 1000+2*n+worker, 8
					if n%100 == 0 {
						length = 200
					}
					live(t, seed, length)
					steps.Add(int64(length))
				}
				lives.Add(-1)
			})
		}
	})
	if !t.Failed() {
		rig.Figure(t, "random lives", "%d of %d steps in all, over all dialects, each equal to the oracle", lives.Load(), steps.Load())
	}
}
