//go:build linux

package main_test

import (
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sluice/scripts/rig"
)

// files returns what lies in the table's folder of the lake.
func (tr *trial) files() map[string]string { return tr.reader.list() }

// stopped starts a run and stops it at its n-th write. It returns nil when the run had not so many.
func (tr *trial) stopped(n int, m mode) (*process, *moment) {
	tr.t.Helper()
	moment := tr.brake.arm(n, m)
	p := tr.start(tr.brake.env(), "run", "--json")
	if !moment.await(p) {
		return nil, nil
	}
	p.signal(syscall.SIGSTOP)
	time.Sleep(20 * time.Millisecond) // the signal takes a moment, in which a run that was nearly done may end
	select {
	case <-p.ended:
		return nil, nil
	default:
		return p, moment
	}
}

// overtaken stops a run at its n-th write, lets its lease run out, and has others finish its commit and make two more.
// Then it goes on, and its write arrives: it must change nothing.
func (tr *trial) overtaken(n int, m mode) bool {
	tr.t.Helper()
	p, moment := tr.stopped(n, m)
	if p == nil {
		return false
	}
	tr.left()
	tr.forget()
	for range 2 {
		tr.recovers()
		tr.feed(tr.history, tr.rng, trialRows/2, trialShelves)
	}
	tr.recovers()
	before := tr.files()
	p.signal(syscall.SIGCONT)
	answer := moment.arrive(tr.t)
	got := p.outcome()
	if diff := cmp.Diff(before, tr.files()); diff != "" {
		tr.t.Errorf("stopped at %s (%s), the run went on and changed the lake:\n%s", moment.what, m, diff)
	}
	if m == late && strings.Contains(moment.what, "/tables/visit/") && !refused(answer) {
		tr.t.Errorf("%s arrived behind three other commits and was answered by %d", moment.what, answer)
	}
	tr.quiet(got)
	tr.left()
	tr.recovers()
	return true
}

// quiet holds the end of a run that was overtaken against what a script is promised.
func (tr *trial) quiet(got outcome) {
	tr.t.Helper()
	if got.status != 0 || got.stderr != "" {
		tr.t.Errorf("an overtaken run: exit %d\n%s%s", got.status, got.stdout, got.stderr)
		return
	}
	switch action := tr.lines(got.stdout)["shop.visit"].text("action"); action {
	case "busy", "idle", "loaded", "merged":
	default:
		tr.t.Errorf("an overtaken run says %s", got.stdout)
	}
}

// heldUp stops a run whose lease is a lock: others are busy until it goes on, or is killed.
func (tr *trial) heldUp(n int, m mode, kill bool) bool {
	tr.t.Helper()
	p, moment := tr.stopped(n, m)
	if p == nil {
		return false
	}
	tr.settled(moment)
	before := tr.files()
	got := tr.run("run", "--json")
	action := tr.lines(got.stdout)["shop.visit"].text("action")
	busy := got.status == 0 && (action == "busy" || action == "idle")                   // idle: the run had finished, and stands still behind that
	locked := got.status == 1 && strings.Contains(got.stderr, "control file is locked") // stopped while it wrote there
	if !busy && !locked {
		tr.t.Errorf("beside a run that stands still: exit %d\n%s%s", got.status, got.stdout, got.stderr)
	}
	if diff := cmp.Diff(before, tr.files()); diff != "" {
		tr.t.Errorf("a busy run changed the lake:\n%s", diff)
	}
	if kill {
		if !p.kill() {
			tr.t.Error("a process that stood still ended by itself")
		}
		tr.left()
		tr.recovers()
		return true
	}
	p.signal(syscall.SIGCONT)
	if tr.s3 != nil {
		moment.arrive(tr.t)
	}
	if got := p.outcome(); got.status != 0 || got.stderr != "" {
		tr.t.Errorf("a run that went on: exit %d\n%s%s", got.status, got.stdout, got.stderr)
	}
	tr.equal(visits(), tr.history.truth)
	tr.recovers()
	return true
}

// settled waits until what a run had sent when it was stopped has arrived, but for what the brake holds.
func (tr *trial) settled(m *moment) {
	tr.t.Helper()
	for end := time.Now().Add(patience); ; {
		before := tr.everything()
		time.Sleep(20 * time.Millisecond)
		if diff := cmp.Diff(before, tr.everything()); diff == "" {
			return
		} else if time.Now().After(end) {
			tr.t.Fatalf("stopped at %s, and still writing:\n%s", m.what, diff)
		}
	}
}

// standStill is one trial with a run that is stopped, and continued or killed. It stopped if the run had n writes.
func (tr *trial) standStill(n int, m mode) tally {
	tr.t.Helper()
	if w, ok := tr.brake.(*watch); ok {
		w.bodiesOnly() // stopped while it writes the control file, a process holds everybody up, for ten seconds
	}
	var there bool
	if tr.table != nil {
		there = tr.overtaken(n, m)
	} else {
		there = tr.heldUp(n, m, n%2 == 0)
	}
	if there {
		tr.reader.stopped++
	}
	if tr.t.Failed() {
		tr.t.Errorf("stopped at write %d, which is %s", n, m)
	}
	return tr.reader.tally
}

// TestE2E_StoodStill stops runs in the middle of a load and a merge, for longer than their lease.
func TestE2E_StoodStill(t *testing.T) {
	sum := &total{}
	t.Cleanup(func() {
		rig.Figure(t, "stopped processes", "%d, at writes of a load and a merge, on three pairs of stores; %s", sum.stopped, &sum.tally)
	})
	for name, open := range pairs() {
		for kind, reload := range map[string]bool{"load": false, "reload": true} {
			t.Run(name+"/"+kind, func(t *testing.T) {
				t.Parallel()
				for i, m := 0, done; !t.Failed(); i, m = i+1, done+late-m {
					got := newTrial(open(t), uint64(i), reload).standStill(6+23*i, m)
					if sum.add(got); got.stopped == 0 {
						break
					}
				}
			})
		}
	}
}
