package replicate_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sluice/internal/object"
	"sluice/internal/replicate"
	"sluice/scripts/rig"
	"sluice/statestore"
)

// unleased is a control table on which everybody gets the lease.
type unleased struct {
	statestore.Backend
	dawdle func()
}

func (u unleased) Claim(context.Context, string, string, time.Duration) error { return nil }
func (u unleased) Renew(context.Context, string, string, time.Duration) error { return nil }
func (u unleased) Release(context.Context, string, string) error              { return nil }

func (u unleased) Read(ctx context.Context, path string) (statestore.Item, error) {
	u.dawdle()
	return u.Backend.Read(ctx, path)
}

func (u unleased) Update(ctx context.Context, c statestore.Update) (statestore.Item, error) {
	u.dawdle()
	return u.Backend.Update(ctx, c)
}

// dawdling is a bucket that waits at random before what it does.
type dawdling struct {
	object.Store
	dawdle func()
}

func (d dawdling) Head(ctx context.Context, key string) (object.Info, error) {
	d.dawdle()
	return d.Store.Head(ctx, key)
}

func (d dawdling) Put(ctx context.Context, key string, body []byte, in object.PutInput) (object.Info, error) {
	d.dawdle()
	return d.Store.Put(ctx, key, body, in)
}

func (d dawdling) Create(ctx context.Context, key string, in object.PutInput) object.Upload {
	return dawdlingUpload{d.Store.Create(ctx, key, in), d.dawdle}
}

type dawdlingUpload struct {
	object.Upload
	dawdle func()
}

func (u dawdlingUpload) Close(ctx context.Context) (object.Info, error) {
	u.dawdle()
	return u.Upload.Close(ctx)
}

// dawdle waits now and then, so that two runs meet in every order.
func dawdle(seed uint64) func() {
	var mu sync.Mutex
	random := rand.New(rand.NewPCG(seed, 0))
	return func() {
		mu.Lock()
		n := random.IntN(8)
		mu.Unlock()
		if n < 3 {
			time.Sleep(time.Duration(n*n) * 100 * time.Microsecond)
		}
	}
}

// TestTwoRunsWithoutALease lets two runs work on one table at once, in many orders.
func TestTwoRunsWithoutALease(t *testing.T) {
	t.Parallel()
	const rounds = 40
	total := 0
	try := func(name string, b *bench, judge func(*bench)) {
		for seed := range uint64(rounds) {
			total++
			if err := together(b.fork(), seed, judge); err != nil {
				t.Errorf("%s, seed %d: %v", name, seed, err)
			}
		}
	}
	for _, s := range scenarios() {
		if !s.big && s.between == nil {
			b := s.world(t)
			b.inOrder = false
			try(s.name, b, nil)
		}
	}
	for _, d := range disturbances() {
		from := d.make(t)
		if b := d.replaced(from, d.effects(from)-2).world(t); b != nil {
			b.inOrder = false
			try(d.name, b, d.judge)
		}
	}
	rig.Figure(t, "races", "%d of two runs at once, without a lease", total)
}

// together lets two runs meet. judge is what an operator does when they halt; nil = they may not.
func together(b *bench, seed uint64, judge func(*bench)) error {
	var group sync.WaitGroup
	halts := make(chan string, 64)
	for n := range uint64(2) {
		wait := dawdle(2*seed + n)
		e := b.engineOn(dawdling{b.lake, wait}, unleased{b.state, wait})
		group.Go(func() {
			for range 2 {
				_ = e.Run(context.Background(), func(r replicate.Result) {
					if r.Action == replicate.Halted {
						halts <- r.Reason
					}
				})
			}
		})
	}
	group.Wait()
	close(halts)
	for reason := range halts {
		if judge == nil {
			return fmt.Errorf("halted: %s", reason)
		}
	}
	p := scenario{judge: judge}.player(b)
	return errors.Join(p.settle(), b.wrong())
}

// standing is a bucket at which the process stands still when it begins a lake file.
type standing struct {
	object.Store
	still func()
}

func (s standing) Create(ctx context.Context, key string, in object.PutInput) object.Upload {
	if strings.HasPrefix(key, "product/") {
		s.still()
	}
	return s.Store.Create(ctx, key, in)
}

// TestAProcessThatStoodStillLooksBeforeItSends lets days pass between the
// beginning of a body and its end; meanwhile the commit was finished and its files were cleaned away.
func TestAProcessThatStoodStillLooksBeforeItSends(t *testing.T) {
	b := partitioned(t)
	b.change(insert(6, "f", "new"))
	before, bodies := b.rows(), 0
	lake := standing{b.lake, func() {
		bodies++
		*b.clock = b.clock.Add(16 * 24 * time.Hour)
		_, err := b.state.Update(t.Context(), statestore.Update{Path: benchPath, Remove: []string{statestore.CommitID, statestore.CommitPlan}})
		b.must(err)
	}}
	if got := b.tickOn(lake, b.state); got.Action != replicate.Busy {
		t.Errorf("action %s (%s), want busy", got.Action, got.Reason)
	}
	if bodies != 1 {
		t.Errorf("an op of a commit that was finished elsewhere was begun %d times", bodies)
	}
	if diff := cmp.Diff(before, b.rows()); diff != "" {
		t.Errorf("a late body reached the lake (-want +got):\n%s", diff)
	}
}

// reading is a bucket that says so before it is read.
type reading struct {
	*object.Memory
	before func(key string)
}

func (r reading) Get(ctx context.Context, key string, in object.GetInput) (io.ReadCloser, object.Info, error) {
	r.before(key)
	return r.Memory.Get(ctx, key, in)
}

// TestAPlanWhoseFilesAnotherRunRewroteStartsOver lets another run merge while the first is looking for its keys: that
// the file it reads has changed is no trouble with storage. It was reported as failed.
func TestAPlanWhoseFilesAnotherRunRewroteStartsOver(t *testing.T) {
	b := partitioned(t)
	b.change(update(1, "A", "x"), remove(3, "c", "y"))
	var once sync.Once
	met := false
	lake := reading{b.lake, func(key string) {
		if strings.HasPrefix(key, "product/") {
			once.Do(func() {
				met = true
				b.must(b.settle())
			})
		}
	}}
	if got := b.tickOn(lake, b.state); got.Action != replicate.Idle || !met {
		t.Errorf("got %s: %s; met %v", got.Action, got.Reason, met)
	}
	b.must(b.wrong())
}
