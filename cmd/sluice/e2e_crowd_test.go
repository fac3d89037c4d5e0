//go:build linux

package main_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"sluice/scripts/dmsgen"
	"sluice/scripts/rig"
)

// crowd is several processes at once over the same tables, which change all the time, and readers beside them.
type crowd struct {
	*site
	visits, items, journal *history
	readers                []*reader
	until                  time.Time

	mu sync.Mutex
	tally
}

const crowdShelves = 6

// newCrowd returns a site with three tables, loaded by nobody yet: one of partitions between which rows move, one of one
// folder, one without a key.
func newCrowd(s *site) *crowd {
	s.t.Helper()
	columns := []dmsgen.Column{{Name: "id", Type: "int"}, {Name: "text", Type: "text"}}
	c := &crowd{
		site:    s,
		visits:  newHistory(visits(), true),
		items:   newHistory(dmsgen.Table{Schema: "shop", Name: "item", Key: []string{"id"}, Columns: columns}, false),
		journal: newHistory(dmsgen.Table{Schema: "shop", Name: "journal", Columns: columns}, false),
	}
	for _, h := range c.tables() {
		s.fill(h, 120, crowdShelves)
	}
	s.tick("registered")
	s.well("activate", "shop.visit", "--primary-key", "id", "--partition-key", "shelf")
	s.well("activate", "shop.item", "--primary-key", "id")
	s.well("activate", "shop.journal")
	for _, h := range c.tables() {
		c.readers = append(c.readers, s.reader(h))
	}
	return c
}

func (c *crowd) tables() []*history { return []*history{c.visits, c.items, c.journal} }

// work runs so many processes at once, again and again for so long, while changes arrive and readers look.
func (c *crowd) work(seed uint64, processes int, length time.Duration) {
	c.t.Helper()
	c.until = time.Now().Add(length)
	var workers sync.WaitGroup
	for i := range processes {
		workers.Go(func() { c.runs(rand.New(rand.NewPCG(seed, uint64(i)))) })
	}
	workers.Go(func() { c.cleans() })
	for _, r := range c.readers {
		r.begin()
	}
	c.arrive(rand.New(rand.NewPCG(seed, 1000)))
	workers.Wait()
	for _, r := range c.readers {
		r.stop()
		c.add(r.tally)
	}
	c.expire()
	c.fine(c.run("run", "--json")) // a load that was overtaken may halt once more
	for range 2 {
		c.tick("loaded", "merged", "idle")
	}
	for _, h := range c.tables() {
		c.equal(h.table, h.truth)
		c.well("verify", h.table.Schema+"."+h.table.Name)
	}
	c.writesNothing()
}

// arrive writes changes, and now and then a full load of the table that has partitions.
func (c *crowd) arrive(rng *rand.Rand) {
	for time.Now().Before(c.until) && !c.t.Failed() {
		h := c.tables()[rng.IntN(3)]
		if h == c.visits && rng.IntN(8) == 0 {
			c.again(h, 2)
		} else {
			c.feed(h, rng, 1+rng.IntN(30), crowdShelves)
		}
		time.Sleep(time.Duration(rng.IntN(60)) * time.Millisecond)
	}
}

// runs starts one process after the other, and kills every third.
func (c *crowd) runs(rng *rand.Rand) {
	for time.Now().Before(c.until) && !c.t.Failed() {
		p := c.start(nil, "run", "--json")
		killed := false
		if rng.IntN(3) == 0 {
			time.Sleep(time.Duration(rng.IntN(150)) * time.Millisecond)
			killed = p.kill()
			c.expire() // also of those who live: a lease is never what makes anything correct
		}
		c.count(killed)
		if got := p.outcome(); !killed {
			c.fine(got)
		}
	}
}

// cleans runs the janitor again and again. The lake is young, so that it deletes nothing, but on a directory emptied files
// are given a date that lets it.
func (c *crowd) cleans() {
	duck := c.readers[0].duck
	for time.Now().Before(c.until) && !c.t.Failed() {
		for _, r := range c.readers {
			if c.dirs == nil {
				break
			}
			// A file that is just replaced fails the query; the next round asks again.
			emptied, _ := duck.Try("select distinct file_name from parquet_file_metadata(?) where num_rows = 0", filepath.Join(r.dir, "**", "*.parquet"))
			then := time.Now().AddDate(0, 0, -20)
			for _, row := range emptied {
				_ = os.Chtimes(rig.Text(row[0]), then, then) // it may be deleted
			}
		}
		got := c.start(nil, "janitor", "--json").outcome()
		if got.status != 0 || got.stderr != "" {
			c.t.Errorf("a janitor beside others: exit %d\n%s%s", got.status, got.stdout, got.stderr)
			return
		}
		c.mu.Lock()
		c.janitors++
		for _, l := range c.lines(got.stdout) {
			c.deleted += int(l.number("files_deleted"))
		}
		c.mu.Unlock()
		time.Sleep(200 * time.Millisecond)
	}
}

func (c *crowd) count(killed bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.processes++
	if killed {
		c.killed++
	}
}

// fine holds a run that was left alone against what a script is promised, and notes how far the lake is. It may halt the
// table of which a full load was replaced while it was loaded: the next run clears that by itself.
func (c *crowd) fine(got outcome) {
	if got.stderr != "" || got.status != 0 && got.status != 3 {
		c.t.Errorf("a run beside others: exit %d\n%s%s", got.status, got.stdout, got.stderr)
		return
	}
	want := 0
	for name, l := range c.lines(got.stdout) {
		switch action := l.text("action"); {
		case action == "halted" && name == "shop.visit" && strings.HasPrefix(l.text("reason"), "reload: LOAD object"):
			want = 3
			c.overtaken()
		case slices.Contains([]string{"loaded", "merged", "idle", "busy"}, action):
		default:
			c.t.Errorf("%s: %s (%s)", name, l["action"], l["reason"])
		}
		for _, h := range c.tables() {
			if name == h.table.Schema+"."+h.table.Name {
				h.reached(l.text("last_incremental_file"))
			}
		}
	}
	if got.status != want {
		c.t.Errorf("exit %d, want %d\n%s", got.status, want, got.stdout)
	}
}

func (c *crowd) overtaken() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.overtakes++
}

// TestE2E_Crowd has two and four processes work on the same tables, some of them killed, while changes arrive and readers
// look.
func TestE2E_Crowd(t *testing.T) {
	sum := &total{}
	t.Cleanup(func() {
		rig.Figure(t, "processes at once", "%d, two and four at a time on three tables and three pairs of stores, %d of them killed; %d janitors beside them deleted %d emptied files", sum.processes, sum.killed, sum.janitors, sum.deleted)
		rig.Figure(t, "reader", "beside processes at once: %s", &sum.tally)
	})
	for name, open := range pairs() {
		for _, processes := range []int{2, 4} {
			t.Run(fmt.Sprintf("%s/%d", name, processes), func(t *testing.T) {
				t.Parallel()
				c := newCrowd(open(t))
				c.work(uint64(processes), processes, 2*time.Second)
				sum.add(c.tally)
			})
		}
	}
}
