//go:build linux

package main_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sluice/scripts/rig"
)

// firstSeed is where TestSoakProcesses begins when SLUICE_PROCESSES names no other seed.
const firstSeed = 1

// TestSoakProcesses kills, stops and crowds processes on every pair of stores until the time of make soak is over. A failure
// says how to begin with its seed; the machine's own timing is not in it.
func TestSoakProcesses(t *testing.T) {
	end, seed := time.Now().Add(rig.Soak(t, 0.15)), uint64(firstSeed)
	t.Parallel()
	if text := os.Getenv("SLUICE_PROCESSES"); text != "" {
		var err error
		if seed, err = strconv.ParseUint(text, 10, 64); err != nil {
			t.Fatalf("SLUICE_PROCESSES: %v", err)
		}
	}
	sum, seeds := &total{}, 0
	for ; time.Now().Before(end) && !t.Failed(); seed++ {
		ok := t.Run(fmt.Sprintf("seed=%d", seed), func(t *testing.T) {
			for name, open := range pairs() {
				t.Run(name, func(t *testing.T) {
					t.Parallel()
					sum.add(soakOnce(t, open, seed))
				})
			}
		})
		if seeds++; !ok {
			t.Errorf("repeat: SLUICE_PROCESSES=%d make soak SOAK=10m PKG=./cmd/sluice", seed)
		}
	}
	rig.Figure(t, "killed processes", "soak: %d at writes of loads and merges, one or two in a row, and in crowds; %d seeds", sum.killed, seeds)
	rig.Figure(t, "stopped processes", "soak: %d at writes of loads and merges", sum.stopped)
	rig.Figure(t, "processes at once", "soak: %d, two to four at a time, %d of their loads overtaken by the next, with %d janitors that deleted %d emptied files",
		sum.processes, sum.overtakes, sum.janitors, sum.deleted)
	rig.Figure(t, "reader", "soak: %s", &sum.tally)
}

// soakOnce does what a seed stands for: with its successors it comes by every write, in every mode.
func soakOnce(t *testing.T, open func(testing.TB) *site, seed uint64) tally {
	t.Helper()
	const writes = 62 // of a load and a merge; fewer on some stores
	var sum tally
	rng := rand.New(rand.NewPCG(seed, 9))
	n, reload := 1+int(seed/2*7%writes), seed%2 == 1
	tr := newTrial(open(t), seed, rng.IntN(2) == 0)
	modes := tr.brake.modes()
	first, second, m := 1+rng.IntN(writes), 1+rng.IntN(writes/2), modes[rng.IntN(len(modes))]
	tr.reader.killed += tr.killedTwice(first, second, m)
	sum.add(tr.reader.tally)
	if t.Failed() {
		t.Errorf("killed at writes %d and %d, %s", first, second, m)
		return sum
	}
	for _, m := range modes {
		sum.add(newTrial(open(t), seed, reload).killOnce(n, m))
	}
	sum.add(newTrial(open(t), seed, !reload).standStill(n, []mode{done, late}[rng.IntN(2)]))
	c := newCrowd(open(t))
	c.work(seed, 2+rng.IntN(3), 3*time.Second)
	sum.add(c.tally)
	return sum
}

// TestSoakLease stops a process for longer than its lease of 90 s, by the clock on the wall. Others wait for the lease to run
// out, finish its commit and make two more. It then looks before it writes, and writes nothing.
func TestSoakLease(t *testing.T) {
	if rig.Soak(t, 0.15) < 2*time.Minute {
		t.Skip("takes two minutes, which SOAK does not allow")
	}
	t.Parallel() // to the test above, for it sleeps most of the time
	tr := newTrial(onS3(t, true), 1, true)
	gate, began := tr.brake, time.Now()
	p, moment := tr.stopped(8, done)
	if p == nil {
		t.Fatal("the run had not so many writes")
	}
	for tr.lines(tr.well("run", "--json"))["shop.visit"].text("action") == "busy" {
		time.Sleep(2 * time.Second)
	}
	if waited := time.Since(began); waited < 80*time.Second || waited > 120*time.Second {
		t.Errorf("the lease ran out after %s, want about 90 s", waited)
	}
	for range 2 {
		tr.tick("merged", "idle")
		tr.equal(visits(), tr.history.truth)
		tr.feed(tr.history, tr.rng, trialRows/2, trialShelves)
	}
	tr.tick("merged")
	if !strings.Contains(moment.what, "/tables/visit/") {
		t.Errorf("it stood still at %s, which is no lake file", moment.what)
	}
	before, writes := tr.everything(), gate.count()
	p.signal(syscall.SIGCONT)
	moment.arrive(t)
	tr.quiet(p.outcome())
	if diff := cmp.Diff(before, tr.everything()); diff != "" {
		t.Errorf("it wrote:\n%s", diff)
	}
	if sent := gate.count() - writes; sent > 2 {
		t.Errorf("it sent %d writes, want none but the one without an answer again, and the end of its lease", sent)
	}
	tr.left()
	tr.recovers()
	rig.Figure(t, "stopped processes", "soak: 1 at a lake file, until its lease of 90 s had run out")
}
