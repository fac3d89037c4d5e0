//go:build linux

package main_test

import (
	"fmt"
	"math/rand/v2"
	"path"
	"strings"
	"sync"

	"sluice/scripts/dmsgen"
	"sluice/scripts/rig"
)

// history is everything that a table ever was at the source, so that somebody can be judged who read the lake at any
// moment. Its states are numbered: 0 is the empty table, each full load and each change file makes the next. The first
// column is what tells rows apart, also where the table has no key; the last is the partition's, if there is one.
//
// The lake goes from state to state, too. It is at least at the state that a watermark named before somebody looked, and
// at most at the last that was written before he had done.
type history struct {
	table       dmsgen.Table
	partitioned bool
	truth       *dmsgen.Oracle

	mu      sync.Mutex
	keys    map[string][]version
	states  int            // number of the last
	inputs  map[string]int // state by name of the change file, and of the last full load as aLoad
	reloads []int          // states made by a full load
	lake    int            // the lake is there, or farther

	compacted bool // rows go from file to file, though nothing of them changes
}

// aLoad is the name of a full load among a history's inputs.
const aLoad = "LOAD"

// version is a row from a state on, until the next version. A row that is not there is "".
type version struct {
	since    int
	row, dir string
}

func newHistory(t dmsgen.Table, partitioned bool) *history {
	return &history{table: t, partitioned: partitioned, truth: dmsgen.NewOracle(t), keys: map[string][]version{}, inputs: map[string]int{}}
}

// text is a row as a reader shows it, with what tells it apart and its partition.
func (h *history) text(row []any) (key, text, dir string) {
	texts := make([]string, len(row))
	for i, v := range row {
		texts[i] = rig.Text(asRead(v))
	}
	if h.partitioned {
		dir = texts[len(texts)-1]
	}
	return texts[0], strings.Join(texts, "|"), dir
}

// set notes a version of a row; h.mu is held.
func (h *history) set(key string, v version) {
	list := h.keys[key]
	if n := len(list) - 1; n >= 0 && list[n].since == v.since {
		list = list[:n] // only what is left at the end of a file is ever in the lake
	}
	h.keys[key] = append(list, v)
}

// changed makes the next state by changes. It is to be called before the file is written: the lake may be there at once.
func (h *history) changed(changes ...dmsgen.Change) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.states++
	for _, c := range changes {
		key, text, dir := h.text(c.Row)
		if c.Op == dmsgen.Delete {
			text, dir = "", ""
		}
		h.set(key, version{h.states, text, dir})
	}
	h.truth.Apply(changes...)
}

// loaded makes the next state by a full load of the truth as it is, without some rows. It is to be called before the
// load is written.
func (h *history) loaded(without ...[]any) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.states++
	h.reloads = append(h.reloads, h.states)
	h.inputs[aLoad] = h.states
	for _, row := range without {
		h.truth.Apply(dmsgen.Change{Op: dmsgen.Delete, Row: row})
		key, _, _ := h.text(row)
		h.set(key, version{since: h.states})
	}
	for _, row := range h.truth.Rows() {
		key, text, dir := h.text(row)
		if list := h.keys[key]; len(list) == 0 || list[len(list)-1].row != text {
			h.set(key, version{h.states, text, dir})
		}
	}
}

// wrote notes the name of the file that made the last state.
func (h *history) wrote(input string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.inputs[path.Base(input)] = h.states
}

// reached notes that the lake has everything up to an input, or with "" everything that was written.
func (h *history) reached(input string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	state, known := h.inputs[path.Base(input)]
	if input == "" {
		state, known = h.states, true
	}
	if known {
		h.lake = max(h.lake, state)
	}
}

// span returns the states between which the lake is.
func (h *history) span() (from, to int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.lake, h.states
}

// churn returns changes of n rows: new ones, rows with another text, rows that go to another of the partitions, deletes.
// Without a key there are new rows only. The text names the state, so that no version of a row is like another.
func (h *history) churn(rng *rand.Rand, n, partitions int) []dmsgen.Change {
	changes := make([]dmsgen.Change, n)
	latest := map[string][]any{} // of this file
	for i := range changes {
		id := rng.IntN(h.next() + n/4 + 1)
		if len(h.table.Key) == 0 {
			id = h.next() + i
		}
		row := []any{id, fmt.Sprintf("state %d, change %d", h.states+1, i)}
		if h.partitioned {
			row = append(row, rng.IntN(partitions))
		}
		key, _, _ := h.text(row)
		before, known := latest[key], latest[key] != nil
		if _, seen := latest[key]; !seen && len(h.table.Key) > 0 {
			before, known = h.truth.Row(h.truth.Key(row))
		}
		c := dmsgen.Change{Op: dmsgen.Insert, Row: row}
		switch {
		case known && rng.IntN(5) == 0:
			c, row = dmsgen.Change{Op: dmsgen.Delete, Row: before}, nil
		case known && h.partitioned && rng.IntN(2) == 0:
			row[len(row)-1] = before[len(before)-1] // it stays where it is
			c.Op, c.Before = dmsgen.Update, before
		case known:
			c.Op, c.Before = dmsgen.Update, before
		}
		latest[key], changes[i] = row, c
	}
	return changes
}

// next is a number for a new row.
func (h *history) next() int { return len(h.keys) }

// feed writes changes of n rows.
func (s *site) feed(h *history, rng *rand.Rand, n, partitions int) {
	s.t.Helper()
	changes := h.churn(rng, n, partitions)
	h.changed(changes...)
	h.wrote(s.change(h.table, changes...))
}

// again writes another full load, which lacks n rows that no change ever touched: changes that are of the second in which
// it starts are merged on top of it.
func (s *site) again(h *history, n int) {
	s.t.Helper()
	var without [][]any
	for _, row := range h.truth.Rows() {
		if key, _, _ := h.text(row); len(without) < n && len(h.keys[key]) == 1 {
			without = append(without, row)
		}
	}
	h.loaded(without...)
	s.load(h.table, 0, h.truth.Rows()...)
}

// fill writes a full load of n rows.
func (s *site) fill(h *history, n, partitions int) {
	s.t.Helper()
	for id := range n {
		row := []any{id, "loaded"}
		if h.partitioned {
			row = append(row, id%partitions)
		}
		h.truth.Apply(dmsgen.Change{Op: dmsgen.Insert, Row: row})
	}
	h.loaded()
	s.load(h.table, 0, h.truth.Rows()...)
}
