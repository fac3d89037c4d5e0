package model

import (
	"hash/maphash"
	"slices"
)

// machine emits the successors of states.
type machine struct {
	sc      *Scenario
	mutant  Mutant
	plans   []*Plan
	numbers map[Plan]uint16
	actor   actor
	next    func(*State, Step)
}

func newMachine(sc *Scenario, mutant Mutant) *machine {
	return &machine{sc: sc, mutant: mutant, numbers: map[Plan]uint16{}}
}

// Step is one effect, for a reader of traces.
type Step struct {
	Actor   actor
	Does    string
	On      token
	Outcome string
	Healthy bool // it happens when nothing goes wrong: the continuation that every state must have
}

type actor uint8

const (
	workerA actor = iota
	workerB
	network
	theOperator
	theWorld
	theJanitor
)

// successors calls next with every state that may follow, healthy ones of the
// workers first, in the same order each time.
func (m *machine) successors(s *State, next func(*State, Step)) {
	m.next = next
	for w := range s.Workers {
		m.actor = actor(w)
		m.run(s, w)
	}
	m.actor = theOperator
	m.operator(s)
	m.actor = theWorld
	m.world(s)
	m.actor = network
	m.arrive(s)
	if m.sc.Janitor {
		m.actor = theJanitor
		m.janitor(s)
	}
}

// emit hands a successor on.
func (m *machine) emit(n *State, step Step) {
	step.Actor = m.actor
	m.next(n, step)
}

// canonical gives equal situations the same state: what nobody can read any more is
// forgotten, files and requests are sorted, and of two workers, which are alike, the smaller comes first.
func (m *machine) canonical(s *State) (swapped bool) {
	slices.SortFunc(s.Files[:], compareFiles)
	slices.SortFunc(s.Flights[:], compareRequests)
	if swapped = compareWorkers(&s.Workers[0], &s.Workers[1]) < 0; swapped {
		s.Workers[0], s.Workers[1] = s.Workers[1], s.Workers[0]
	}
	ids, plans := m.used(s)
	for i := range s.Commits {
		c := &s.Commits[i]
		if plans&(1<<i) == 0 {
			c.Plan = 0
		}
		if ids&(1<<i) == 0 {
			*c = Commit{}
		}
	}
	return swapped
}

// Report is what a check of one scenario found.
type Report struct {
	States, Steps int
	Depth         int  // effects of the longest shortest trace
	Whole         bool // every reachable state was looked at
	Violation     *Violation
	Trace         []Line // the shortest, to the violation
}

type digest [2]uint64

// search is a breadth-first search: what it finds first is shortest.
type search struct {
	*machine
	seeds   [2]maphash.Seed
	ids     map[digest]uint32
	parents []uint32
	healthy []uint32 // id of each state's healthy successor; itself = none
	layer   []State
	limit   int
	report  Report
}

const unexplored = ^uint32(0)

// Check looks at every state of a scenario, or at the first limit ones, and at the healthy continuation of each.
func Check(sc *Scenario, mutant Mutant, limit int) Report {
	c := &search{machine: newMachine(sc, mutant), ids: map[digest]uint32{}, limit: limit}
	c.seeds = [2]maphash.Seed{maphash.MakeSeed(), maphash.MakeSeed()}
	start := c.initial()
	c.canonical(&start)
	c.add(&start, 0)
	first := uint32(0)
	for c.report.Violation == nil && len(c.layer) > 0 && len(c.parents) < limit {
		layer := c.layer
		c.layer = nil
		c.report.Depth++
		for i := range layer {
			c.expand(&layer[i], first+uint32(i))
		}
		first += uint32(len(layer))
	}
	c.report.Whole = len(c.layer) == 0
	c.report.States = len(c.parents)
	if c.report.Violation == nil {
		c.converge(first)
	}
	return c.report
}

func (c *search) digest(s *State) digest {
	return digest{maphash.Comparable(c.seeds[0], *s), maphash.Comparable(c.seeds[1], *s)}
}

// add returns a canonical state's id, and looks at it when it is new.
func (c *search) add(s *State, parent uint32) uint32 {
	d := c.digest(s)
	if id, known := c.ids[d]; known {
		return id
	}
	id := uint32(len(c.parents))
	c.ids[d] = id
	c.parents = append(c.parents, parent)
	c.healthy = append(c.healthy, unexplored)
	c.layer = append(c.layer, *s)
	if v := c.check(s); v != nil && c.report.Violation == nil {
		c.report.Violation, c.report.Trace = v, c.trace(id)
	}
	return id
}

func (c *search) expand(s *State, id uint32) {
	c.healthy[id] = id
	c.successors(s, func(n *State, step Step) {
		if c.report.Violation != nil {
			return
		}
		c.report.Steps++
		next := *n
		c.canonical(&next)
		to := c.add(&next, id)
		if step.Healthy && c.healthy[id] == id {
			c.healthy[id] = to
		}
	})
	if c.report.Violation == nil && c.healthy[id] == id {
		if v := c.settled(s); v != nil {
			c.report.Violation, c.report.Trace = v, c.trace(id)
		}
	}
}

// converge follows the healthy continuation of every state to its end. first is the
// first state that was not expanded.
func (c *search) converge(first uint32) {
	for i := range c.layer { // where the search was bounded
		c.followOn(c.layer[i], first+uint32(i))
	}
	good := make([]bool, len(c.healthy))
	var path []uint32
	for id := range c.healthy {
		path = path[:0]
		at := uint32(id)
		on := map[uint32]bool(nil)
		for !good[at] && c.healthy[at] != at && c.healthy[at] != unexplored {
			path = append(path, at)
			if len(path) > 200 && on == nil {
				on = map[uint32]bool{}
			}
			if on != nil {
				if on[at] {
					c.report.Violation = &Violation{Converges, "the next runs go round in a circle"}
					c.report.Trace = c.trace(uint32(id))
					return
				}
				on[at] = true
			}
			at = c.healthy[at]
		}
		for _, p := range path {
			good[p] = true
		}
	}
}

// followOn walks on from a state that was not expanded.
func (c *search) followOn(s State, id uint32) {
	for range 400 {
		next, moved := c.continued(&s)
		if !moved {
			if v := c.settled(&s); v != nil && c.report.Violation == nil {
				c.report.Violation, c.report.Trace = v, c.trace(id)
			}
			return
		}
		if at, known := c.ids[c.digest(&next)]; known && at < id {
			return // judged there
		}
		if v := c.check(&next); v != nil && c.report.Violation == nil {
			c.report.Violation, c.report.Trace = v, c.trace(id)
			return
		}
		s = next
	}
	if c.report.Violation == nil {
		c.report.Violation, c.report.Trace = &Violation{Converges, "the next runs go round in a circle"}, c.trace(id)
	}
}

// continued returns the healthy successor of a state.
func (c *search) continued(s *State) (next State, moved bool) {
	c.successors(s, func(n *State, step Step) {
		if step.Healthy && !moved {
			next, moved = *n, true
		}
	})
	if moved {
		c.canonical(&next)
	}
	return next, moved
}
