package replicate_test

import (
	"testing"
)

// pairs plays the pairs that begin with a fault: the next run fails so, and the one behind it at every effect in
// every way.
func (s scenario) pairs(b *bench, want *ending, first step, say *verdicts) {
	begin := func() (*player, error) {
		p := s.player(b.fork())
		return p, p.fail(first)
	}
	p, err := begin()
	if err != nil {
		say.point(point{s.name, []step{first}}, p.bench, err)
		return
	}
	waits := len(p.under.requests) > 0 // for this world: another one has to begin anew
	_, effects, err := p.fork().run(step{})
	if err != nil {
		say.point(point{s.name, []step{first}}, p.bench, err)
		return
	}
	for _, second := range s.steps(effects, ways(), []moment{atOnce, atTheEnd}) {
		q := p
		if waits {
			q, err = begin()
		} else {
			q = p.fork()
		}
		if err == nil {
			err = q.fail(second)
		}
		if err == nil {
			err = q.end(want)
		}
		say.point(point{s.name, []step{first, second}}, q.bench, err)
	}
}

// pairScenarios are those whose pairs are all played when there is time.
func pairScenarios(t testing.TB) []scenario {
	t.Helper()
	var all []scenario
	for _, name := range []string{
		"load", "merge", "partition-move", "reload", "keyless-append", "schema-rewrite", "truncate",
		"rebuild", "deactivated", "janitor", "merge+janitor",
	} {
		s, err := scenarioNamed(t, name)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, s)
	}
	for _, d := range disturbances() {
		if d.name == "merge-foreign" || d.name == "reload-overtaken" || d.name == "first-load-overtaken" {
			all = append(all, d.last(t))
		}
	}
	return all
}

// last is the disturbance of the commit that died of the last effect at which something was pending.
func (d disturbance) last(t testing.TB) scenario {
	t.Helper()
	from := d.make(t)
	for i := d.effects(from); i > 0; i-- {
		if s := d.replaced(from, i); s.world(t) != nil {
			return s
		}
	}
	t.Fatalf("%s: nothing was pending at any effect", d.name)
	return scenario{}
}

// pairUnits are the pairs of every first fault.
func pairUnits(t testing.TB) []unit {
	t.Helper()
	var list []unit
	for _, s := range pairScenarios(t) {
		b := s.world(t)
		want := s.healthy(t, b.fork())
		for _, first := range s.steps(want.effects, ways(), []moment{atOnce, 3, atTheEnd}) {
			list = append(list, func(say *verdicts) { s.pairs(b, want, first, say) })
		}
	}
	return shuffled(list)
}

// TestTwoRunsInARowMayFail plays some of the pairs that make soak plays.
func TestTwoRunsInARowMayFail(t *testing.T) {
	t.Parallel()
	say := &verdicts{t: t}
	list := pairUnits(t)
	for _, u := range list[:6] {
		u(say)
	}
	say.figure("crash pairs", 6, len(list))
}
