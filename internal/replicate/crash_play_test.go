package replicate_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"sluice/internal/object"
	"sluice/internal/object/objectfault"
	"sluice/internal/replicate"
	"sluice/statestore"
	"sluice/statestore/statestorefault"
)

// scenario brings a table to the point from which every effect of the next runs is broken.
type scenario struct {
	name    string
	doubles bool // a reader may see moved and reloaded rows twice
	make    func(t testing.TB) *bench
	between func(b *bench) // what an operator does between the first run and the next
	judge   func(b *bench) // what an operator does when a run halts; nil = none may
	unsaid  bool           // how it ends, but for the rows, depends on what fails
	first   cleans         // what the first run is; nil = a worker's
	prompt  bool           // no request outlives the time between the first run and the next
	big     bool           // it takes long
	fresh   bool           // a world of it cannot be forked: make makes a new one each time
}

// cleans is a run of the janitor.
type cleans func(b *bench, lake object.Store, state statestore.Backend) replicate.Result

// player plays one point.
type player struct {
	*bench
	scenario scenario
	faults   int  // so far
	later    bool // than the first run
	unheard  bool // of the one that failed, by its sender
	under    underWay
	seen     error // what a reader saw that cannot be
}

func (s scenario) player(b *bench) *player {
	p := &player{bench: b, scenario: s, under: underWay{requests: b.underWay}}
	p.under.come(atOnce)
	return p
}

// fork copies the world and what was played in it; nothing may be under way.
func (p *player) fork() *player {
	return &player{bench: p.bench.fork(), scenario: p.scenario, faults: p.faults, later: p.later, unheard: p.unheard}
}

// world makes the scenario's world, in which the same effect is always the same; nil when there is none.
func (s scenario) world(t testing.TB) *bench {
	t.Helper()
	b := s.make(t)
	if b == nil {
		return nil
	}
	b.told = tally{}
	b.doubles = b.doubles || s.doubles
	b.inOrder = true
	return b
}

// play lets the next runs of b fail as the steps say, and then runs until the
// table is idle on healthy stores. It returns what is wrong then, or was on the way.
func (s scenario) play(b *bench, want *ending, steps ...step) error {
	p := s.player(b)
	for _, st := range steps {
		if err := p.fail(st); err != nil {
			return err
		}
	}
	return p.end(want)
}

// fail runs once with the step's fault. Another process comes next.
func (p *player) fail(st step) error {
	p.faults++
	p.unheard = p.unheard || st.way.unheard()
	if _, _, err := p.run(st); err != nil {
		return fmt.Errorf("run %d, with the fault: %w", p.faults, err)
	}
	p.under.come(atOnce)
	if err := p.torn(); err != nil {
		return fmt.Errorf("a reader, after what came late of run %d: %w", p.faults, err)
	}
	p.next()
	return nil
}

// next is when a process has ended: the operator does what he does after the first, and another one comes.
func (p *player) next() {
	if p.scenario.between != nil && !p.later {
		p.scenario.between(p.bench)
	}
	p.later = true
	p.config.Owner = fmt.Sprint("run ", p.faults+2)
}

// end runs until the table is idle, lets arrive what is still under way, and judges.
func (p *player) end(want *ending) error {
	if err := p.settle(); err != nil {
		return fmt.Errorf("next runs: %w", err)
	}
	p.under.come(atTheEnd)
	*p.clock = p.clock.Add(time.Minute)
	if err := errors.Join(p.settle(), p.wrong()); err != nil {
		return err
	}
	if want == nil || p.scenario.unsaid {
		return nil
	}
	return p.differs(*want, p.unheard)
}

// effects are those of one run.
type effects struct{ lake, state int }

// of returns how many of them a way can break.
func (e effects) of(w way) int {
	if w.lake != 0 {
		return e.lake
	}
	return e.state
}

// run runs once, with the step's fault if it has one, while what is under way arrives.
func (p *player) run(st step) (replicate.Result, effects, error) {
	look := func() {
		if err := p.torn(); err != nil && p.seen == nil {
			p.seen = fmt.Errorf("a reader: %w", err)
		}
	}
	onLake, onState := objectfault.Fault{Crash: st.way.crash}, statestorefault.Fault{Crash: st.way.crash}
	if onLake.How = st.way.lake; onLake.How != 0 {
		onLake.At = st.effect
	}
	if onState.How = st.way.state; onState.How != 0 {
		onState.At = st.effect
	}
	lake, state := objectfault.New(watched{p.lake, look, &sync.Mutex{}}, onLake), statestorefault.New(p.state, onState)
	lake.DieWith(state.Dead)
	state.DieWith(lake.Dead)
	work := (*bench).workOn
	if p.scenario.first != nil && !p.later {
		work = p.scenario.first
	}
	got := work(p.bench, arriving{lake, &p.under}, state)
	if st.way.late {
		p.under.requests = append(p.under.requests, &request{st.moment, func() {
			_ = errors.Join(lake.Arrive(context.Background()), state.Arrive(context.Background())) // nobody hears the answers
		}})
	}
	look()
	return got, effects{lake.Effects(), state.Effects()}, p.judged(got)
}

// judged lets the operator look at a run that halted.
func (p *player) judged(got replicate.Result) error {
	switch {
	case p.seen != nil:
		return p.seen
	case got.Action != replicate.Halted:
		return nil
	case p.scenario.judge == nil:
		return fmt.Errorf("halted: %s", got.Reason)
	}
	p.scenario.judge(p.bench)
	return nil
}

// settle runs on healthy stores until the table is idle; nothing may fail.
func (p *player) settle() error {
	for range 8 {
		got, _, err := p.run(step{})
		if err != nil {
			return err
		}
		switch got.Action {
		case replicate.Idle:
			if item := p.item(); item.Pending() || item.Halted() {
				return fmt.Errorf("idle, and pending %t, halted %t", item.Pending(), item.Halted())
			}
			return nil
		case replicate.Failed, replicate.Inactive:
			return fmt.Errorf("%s: %s", got.Action, got.Reason)
		case replicate.Busy: // a dead run's claim of the lease arrived late: it runs out before the next run
		case replicate.Loaded, replicate.Merged, replicate.Rebuilt, replicate.Registered, replicate.Compacted, replicate.Cleaned, replicate.Started, replicate.Halted:
		}
	}
	return errors.New("not idle after 8 runs")
}

// ending is how a scenario without faults ends: what every other way has to end in, too.
type ending struct {
	effects effects // of the first run
	writes  int     // of all runs, at which requests may arrive
	item    statestore.Item
	told    tally
}

// healthy plays the scenario without a fault.
func (s scenario) healthy(t testing.TB, b *bench) *ending {
	t.Helper()
	p := s.player(b)
	got, effects, err := p.run(step{})
	if err == nil && got.Action == replicate.Failed {
		err = got.Err
	}
	p.next()
	if err := errors.Join(err, p.end(nil)); err != nil {
		t.Fatalf("%s without faults: %v", s.name, err)
	}
	return &ending{effects, p.under.writes, b.item(), b.told}
}

// steps are the faults of a run of so many effects: each effect in every way, at every moment.
func (s scenario) steps(e effects, ways []way, moments []moment) []step {
	var all []step
	for _, w := range ways {
		when := moments
		if !w.late || s.prompt {
			when = []moment{atOnce}
		}
		for i := range e.of(w) {
			for _, m := range when {
				all = append(all, step{w, i + 1, m})
			}
		}
	}
	return all
}
