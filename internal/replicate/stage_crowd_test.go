package replicate_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"sluice/internal/replicate"
	"sluice/scripts/rig"
	"sluice/statestore"
)

// crowd is a table at which many executions work at once, none of which waits for another or for itself: what any of
// them was ever told to do may be done at any time, in any order, twice, or beside something else.
type crowd struct {
	*bench
	mu      sync.Mutex // guards rng
	rng     *rand.Rand
	told    []func() replicate.Step
	handed  int
	fenced  int
	refused int // steps that came before what they build on
}

func (c *crowd) n(n int) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.rng.IntN(n)
}

func (c *crowd) dawdle() {
	time.Sleep(time.Duration(max(c.n(8)-5, 0)) * 100 * time.Microsecond)
}

func (c *crowd) engine() *replicate.Engine {
	return c.engineOn(dawdling{c.lake, c.dawdle}, unleased{c.state, c.dawdle})
}

func (c *crowd) plan(stage replicate.Stage) replicate.Step {
	o := replicate.StepOptions{InlineBytes: []int64{0, 0, 1 << 30}[c.n(3)]}
	if c.n(4) == 0 {
		o.StopAt = c.now()
	}
	return c.engine().Plan(c.t.Context(), benchPath, stage, o)
}

// remember adds what a step hands over to what is told.
func (c *crowd) remember(s replicate.Step) {
	if s.Next != replicate.NextApply {
		return
	}
	h, path := *s.Handover, s.Path
	c.handed++
	for phase := range h.Phases {
		if h.Phases[phase].Ops == 0 {
			continue
		}
		var batches []replicate.Batch
		c.json(h.Phases[phase].Key, &batches)
		for _, b := range batches {
			for _, op := range b.Ops { // a worker for each
				one := b
				one.Ops = []replicate.Op{op}
				c.told = append(c.told, func() replicate.Step { return c.engine().ApplyBatch(c.t.Context(), one, replicate.StepOptions{}) })
			}
		}
	}
	c.told = append(c.told,
		func() replicate.Step { return c.engine().Register(c.t.Context(), path, h, replicate.StepOptions{}) },
		func() replicate.Step { return c.engine().Finish(c.t.Context(), path, h, replicate.StepOptions{}) })
}

// pick is something to do: plan, or what an earlier plan said.
func (c *crowd) pick() func() replicate.Step {
	if len(c.told) == 0 || c.n(6) == 0 {
		stage := []replicate.Stage{replicate.StageMerge, replicate.StageMerge, replicate.StageLoad}[c.n(3)]
		return func() replicate.Step { return c.plan(stage) }
	}
	late := c.n(12) // rather what is new
	if c.n(5) == 0 {
		late = c.n(len(c.told))
	}
	return c.told[max(len(c.told)-1-late, 0)]
}

// work does up to three things at once.
func (c *crowd) work() {
	steps := make([]replicate.Step, 1+c.n(3))
	var group sync.WaitGroup
	for i := range steps {
		do := c.pick()
		group.Go(func() { steps[i] = do() })
	}
	group.Wait()
	for _, s := range steps {
		switch {
		case s.Action == replicate.Halted && strings.HasPrefix(s.Reason, "reload: LOAD object"): // the newer load takes its place
		case s.Action == replicate.Halted:
			c.t.Errorf("halted: %s", s.Reason)
		case s.Action == replicate.Failed && !strings.Contains(s.Reason, "is not written yet"):
			c.t.Errorf("failed: %s", s.Reason)
		case s.Action == replicate.Failed:
			c.refused++
		}
		c.remember(s)
	}
}

// happens is what happens to the table beside the executions.
func (c *crowd) happens() {
	id, dept := c.n(6), string(rune('w'+c.n(4)))
	switch c.n(12) {
	case 0, 1, 2, 3:
		c.change(update(id, fmt.Sprint("v", c.n(99)), dept), insert(10+c.n(4), "new", dept))
	case 4:
		c.change(remove(10+c.n(4), "", ""))
	case 5:
		if c.item().Pending() {
			c.attributes(map[string]string{statestore.Accept: "foreign"})
			c.fenced++
		}
	case 6:
		c.config.Compact = !c.config.Compact
	case 7:
		c.pass(time.Duration(c.n(120)) * time.Second)
	case 8:
		if c.n(3) == 0 {
			c.pass(time.Hour)
			c.removeRaw(c.rawKeys("LOAD")...)
			c.load(3, c.oracle.Rows()...)
		}
	}
}

// TestExecutionsOfOneTableInAnyOrder plays lives in which no lease and no state machine keeps order. Rows 0 to 5 are never
// deleted: a reader has to see them at every moment.
func TestExecutionsOfOneTableInAnyOrder(t *testing.T) {
	t.Parallel()
	handed, fenced, refused := 0, 0, 0
	for seed := range uint64(40) {
		t.Run(fmt.Sprintf("seed=%d", seed), func(t *testing.T) {
			c := &crowd{bench: newBench(t, product()), rng: rand.New(rand.NewPCG(seed, 6))}
			var rows [][]any
			for id := range 6 {
				rows = append(rows, []any{id, "a", string(rune('w' + id%4))})
			}
			c.removeRaw(c.rawKeys("LOAD")...)
			c.load(3, rows...)
			c.begin("id", "dept")
			c.must(c.settle())
			for range 120 {
				if c.n(4) == 0 {
					c.happens()
				}
				c.work()
				seen := c.rows()
				for id := range 6 {
					if len(seen[fmt.Sprint(id)]) == 0 {
						t.Fatalf("row %d is nowhere", id)
					}
				}
			}
			c.must(c.settle())
			for _, do := range c.told { // much too late
				do()
			}
			c.must(c.wrong())
			handed, fenced, refused = handed+c.handed, fenced+c.fenced, refused+c.refused
		})
	}
	if handed < 300 || fenced < 20 || refused < 300 {
		t.Errorf("%d commits handed over, %d fenced, %d steps refused: too few to say anything", handed, fenced, refused)
	}
	rig.Figure(t, "executions in any order", "%d commits handed over, %d fenced, %d steps refused", handed, fenced, refused)
}
