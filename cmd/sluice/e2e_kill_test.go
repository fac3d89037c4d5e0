//go:build linux

package main_test

import (
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"sluice/scripts/dmsgen"
	"sluice/scripts/rig"
)

// visits is a table of few partitions, between which rows move.
func visits() dmsgen.Table {
	return dmsgen.Table{Schema: "shop", Name: "visit", Key: []string{"id"}, Columns: []dmsgen.Column{
		{Name: "id", Type: "int"}, {Name: "page", Type: "text"}, {Name: "shelf", Type: "int"},
	}}
}

const (
	trialShelves = 3
	trialRows    = 30
)

// trial is a table on stores of its own, and a run of it that is stopped at one of its writes.
type trial struct {
	*site
	history     *history
	rng         *rand.Rand
	brake       brake
	reader      *reader
	fingerprint string   // of the full load before the run
	args        []string // the run
}

// newTrial returns a table with a full load and changes behind it: its next run makes two commits. With reload that has
// happened, and there are another full load and changes behind it.
func newTrial(s *site, seed uint64, reload bool) *trial {
	s.t.Helper()
	tr := &trial{site: s, history: newHistory(visits(), true), rng: rand.New(rand.NewPCG(seed, 7)), args: []string{"run", "--json"}}
	s.fill(tr.history, trialRows, trialShelves)
	s.feed(tr.history, tr.rng, trialRows/2, trialShelves)
	s.tick("registered")
	s.well("activate", "shop.visit", "--primary-key", "id", "--partition-key", "shelf")
	if reload {
		s.tick("merged")
		tr.history.reached("")
		tr.fingerprint = s.items()[0]["LoadFingerprint"]
		s.again(tr.history, 3)
		s.feed(tr.history, tr.rng, trialRows/2, trialShelves)
	}
	tr.brake, tr.reader = s.brake(), s.reader(tr.history)
	return tr
}

// newCompaction returns a table whose rows lie in many files, which is to be compacted.
func newCompaction(s *site, seed uint64) *trial {
	s.t.Helper()
	tr := newTrial(s, seed, false)
	s.tick("merged")
	for range 3 {
		s.feed(tr.history, tr.rng, trialRows/2, trialShelves)
		s.tick("merged")
	}
	tr.history.reached("")
	tr.fingerprint = s.items()[0]["LoadFingerprint"]
	tr.history.compacted = true
	tr.args = []string{"compact", "shop.visit", "--json"}
	return tr
}

// killedAt kills a run at its n-th write, looks at what it left, and has the next run end in the source's table. It says
// which write that was, "" when the run had not so many.
func (tr *trial) killedAt(n int, m mode) (what string) {
	tr.t.Helper()
	moment := tr.brake.arm(n, m)
	p := tr.start(tr.brake.env(), tr.args...)
	there := moment.await(p)
	if killed := p.kill(); !there || !killed {
		tr.recovers()
		return ""
	}
	tr.left()
	tr.recovers()
	if m == late {
		answer := moment.arrive(tr.t)
		if strings.Contains(moment.what, "/tables/visit/") && !refused(answer) {
			tr.t.Errorf("%s arrived behind the next run and was answered by %d", moment.what, answer)
		}
		tr.recovers()
	}
	return moment.what
}

// killedTwice kills a run at its n-th write and the one that takes over at its k-th. Then the next ends in the source's table,
// also when what the dead had sent arrives behind it, the younger first.
func (tr *trial) killedTwice(n, k int, m mode) (kills int) {
	tr.t.Helper()
	var sent []*moment
	for _, at := range []int{n, k} {
		moment := tr.brake.arm(at, m)
		p := tr.start(tr.brake.env(), tr.args...)
		there := moment.await(p)
		if killed := p.kill(); !there || !killed {
			break
		}
		kills++
		sent = append(sent, moment)
		tr.left()
		tr.expire()
	}
	tr.recovers()
	for _, moment := range slices.Backward(sent) {
		if m == late {
			moment.arrive(tr.t)
			tr.recovers()
		}
	}
	return kills
}

// left looks at the lake as a dead run left it: nothing changes any more, so a reader has to find everything there, at
// least as far as the control table says.
func (tr *trial) left() {
	tr.t.Helper()
	item := tr.items()[0]
	if item["LoadFingerprint"] != tr.fingerprint {
		tr.history.reached(aLoad)
	}
	tr.history.reached(filepath.Base(item["LastIncrementalFile"]))
	before := tr.reader.snapshots
	tr.reader.instant()
	if tr.reader.snapshots == before && len(tr.reader.list()) > 0 {
		tr.t.Error("files changed behind a dead run")
	}
}

// recovers runs until nothing is new and compares the table with the source's.
func (tr *trial) recovers() {
	tr.t.Helper()
	tr.expire()
	tr.tick("loaded", "merged", "compacted", "idle")
	tr.equal(visits(), tr.history.truth)
	tr.history.reached("")
}

// spread kills a run of the same work at every seventh of its writes, in the mode that is its turn. Each trial has stores of
// its own.
func spread(t *testing.T, open func(testing.TB) *trial, once func(tr *trial, n int, m mode) tally) *tally {
	t.Helper()
	healthy := open(t)
	healthy.brake.arm(0, lost)
	healthy.start(healthy.brake.env(), healthy.args...).outcome()
	sum := &tally{writes: healthy.brake.count()}
	modes := healthy.brake.modes()
	for n := 2; n <= sum.writes; n += 7 {
		sum.add(once(open(t), n, modes[n/7%len(modes)]))
		if t.Failed() {
			break
		}
	}
	return sum
}

// killOnce is one trial with one kill.
func (tr *trial) killOnce(n int, m mode) tally {
	tr.t.Helper()
	what := tr.killedAt(n, m)
	if what != "" {
		tr.reader.killed++
	}
	if tr.t.Failed() {
		tr.t.Errorf("killed at write %d, %s, which was %s", n, what, m)
	}
	return tr.reader.tally
}

// compactedOnce is one trial with one kill of a compaction, and the compaction that is not killed, while a reader reads.
func (tr *trial) compactedOnce(n int, m mode) tally {
	tr.t.Helper()
	reader := tr.site.reader(tr.history)
	reader.begin()
	sum := tr.killOnce(n, m)
	if !tr.t.Failed() {
		tr.well(tr.args...)
		tr.equal(visits(), tr.history.truth)
		tr.well("verify", "shop.visit")
		tr.wants(0, []string{"compact", "shop.visit"}, "nothing new")
	}
	reader.stop()
	sum.add(reader.tally)
	return sum
}

// TestE2E_KilledAtItsWrites kills runs that load and merge at every seventh of their writes; make soak does it at each.
func TestE2E_KilledAtItsWrites(t *testing.T) {
	sum := &total{}
	t.Cleanup(func() {
		rig.Figure(t, "killed processes", "%d at the writes of a load and a merge, on three pairs of stores; %s", sum.killed, &sum.tally)
	})
	for name, open := range pairs() {
		for kind, reload := range map[string]bool{"load": false, "reload": true} {
			t.Run(name+"/"+kind, func(t *testing.T) {
				t.Parallel()
				sum.add(*spread(t, func(t testing.TB) *trial { t.Helper(); return newTrial(open(t), 11, reload) }, (*trial).killOnce))
			})
		}
	}
}

// TestE2E_CompactKilledAtItsWrites kills compactions at every seventh of their writes, and has the next one end.
func TestE2E_CompactKilledAtItsWrites(t *testing.T) {
	sum := &total{}
	t.Cleanup(func() {
		rig.Figure(t, "killed processes", "%d at the writes of a compaction, on three pairs of stores; %s", sum.killed, &sum.tally)
	})
	for name, open := range pairs() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := spread(t, func(t testing.TB) *trial { t.Helper(); return newCompaction(open(t), 11) }, (*trial).compactedOnce)
			if sum.add(*got); got.killed < 2 && !t.Failed() {
				t.Errorf("%d of %d writes", got.killed, got.writes)
			}
		})
	}
}
