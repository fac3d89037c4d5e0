package replicate_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"sluice/internal/object/objectfault"
	"sluice/internal/replicate"
	"sluice/scripts/dmsgen"
	"sluice/scripts/rig"
	"sluice/statestore/statestorefault"
)

// history is a random life of a table with a contract. Its oracle is told the good rows alone.
type history struct {
	*bench
	rng  *rand.Rand
	next int
}

func (h *history) name() any {
	switch h.rng.IntN(5) {
	case 0:
		return fmt.Sprint("bad!", h.rng.IntN(50))
	case 1:
		return nil
	}
	return fmt.Sprint("n", h.rng.IntN(50))
}

func (h *history) row(id int) []any {
	return []any{id, h.name(), []any{"x", "y", "z"}[h.rng.IntN(3)]}
}

func (h *history) change() dmsgen.Change {
	switch h.rng.IntN(5) {
	case 0, 1:
		h.next++
		return insert(h.row(h.next)...)
	case 2:
		return remove(h.row(1 + h.rng.IntN(h.next))...)
	}
	return update(h.row(1 + h.rng.IntN(h.next))...)
}

// fails ends a run at one of its effects.
func (h *history) fails() {
	lake := objectfault.New(h.lake, objectfault.Fault{At: 1 + h.rng.IntN(25), How: []objectfault.How{objectfault.Before, objectfault.After}[h.rng.IntN(2)], Crash: true})
	state := statestorefault.New(h.state, statestorefault.Fault{})
	state.DieWith(lake.Dead)
	h.tickOn(lake, state)
}

func (h *history) live(steps int) {
	for range steps {
		switch h.rng.IntN(12) {
		case 0, 1, 2, 3, 4:
			var list []dmsgen.Change
			for range 1 + h.rng.IntN(12) {
				list = append(list, h.change())
			}
			h.changeRuled(list...)
		case 5:
			h.reload()
		case 6, 7:
			h.fails()
		case 8:
			h.pass(9 * 24 * time.Hour) // beyond the horizon
			h.must(h.settle())
		default:
			h.must(h.settle())
		}
	}
	h.must(h.settle())
}

// reload loads the rows that the source has, some of them bad, in place of the set before. What waits is merged first: which of a load and of changes
// that it holds are kept out is decided by who comes first.
func (h *history) reload() {
	h.must(h.settle())
	rows := h.oracle.Rows()
	for range 8 {
		h.next++
		rows = append(rows, h.row(h.next))
	}
	for _, key := range h.rawKeys("LOAD") {
		h.removeRaw(key)
	}
	h.loadRuled(1+h.rng.IntN(9), rows...)
	h.must(h.settle())
}

func TestContract_RandomHistoriesEndAsTheOracleSays(t *testing.T) {
	t.Parallel()
	kept, verified := 0, 0
	for seed := range uint64(80) {
		t.Run(fmt.Sprintf("seed=%d", seed), func(t *testing.T) {
			h := &history{bench: newBench(t, product()), rng: rand.New(rand.NewPCG(seed, 5))}
			h.cramped = seed%3 == 1
			var rows [][]any
			for range 1 + h.rng.IntN(40) {
				h.next++
				rows = append(rows, h.row(h.next))
			}
			h.loadRuled(1+h.rng.IntN(9), rows...)
			h.begin("id", []string{"", "dept"}[seed%2])
			h.contracted(shouting)
			h.live(30)
			h.watermark = "" // a load may have superseded the last file
			h.must(h.wrong())
			v, err := h.engineOn(h.lake, h.state).Verify(t.Context(), "store.product", replicate.VerifyOptions{MemoryBytes: replicate.MinVerifyBytes, Differences: 3})
			if err != nil || v.Complete && !v.Equal {
				t.Errorf("verify: %+v, %v", v, err)
			}
			if v.Well() {
				verified++
			}
			kept += len(h.kept)
		})
	}
	if kept < 1500 || verified < 60 {
		t.Errorf("%d rows kept out, %d lakes verified: too few to say anything", kept, verified)
	}
	rig.Figure(t, "histories with a contract", "80, %d rows kept out, %d lakes verified", kept, verified)
}
