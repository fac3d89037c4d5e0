package replicate_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sluice/internal/object"
	"sluice/internal/object/objectfault"
	"sluice/internal/replicate"
	"sluice/scripts/rig"
	"sluice/statestore"
	"sluice/statestore/statestorefault"
)

// fleet is twenty tables in simulated time: every hour sources change, something goes wrong at random in lake, control
// table, clocks or operators, and a run is made; every day the janitor cleans.
type fleet struct {
	*world
	seed    uint64
	rng     *rand.Rand
	raw     *object.Memory
	lake    *object.Memory
	memory  *statestore.Memory
	members []*member
	late    []func() // requests under way, whose senders have gone on or died
	skew    time.Duration
	log     []string

	faults, died, races, cleaned int
	compacted                    atomic.Int64 // lake files that were emptied
}

func newFleet(t testing.TB, seed uint64, tables int) *fleet {
	t.Helper()
	w := &world{t: t, clock: noon, objects: map[string]replicate.Objects{}}
	f := &fleet{world: w, seed: seed, rng: rand.New(rand.NewPCG(seed, 1<<32))}
	f.raw, f.lake, f.memory = object.NewMemory(w.now), object.NewMemory(w.now), statestore.NewMemory(w.now)
	w.objects["raw"], w.objects["lake"], w.state = f.raw, f.lake, statestore.New(f.memory)
	settings := replicate.DefaultSettings()
	settings.Settle, settings.FullLoadQuiet, settings.TargetFileBytes, settings.Compression = 0, 0, 1<<20, "none"
	settings.Compact = seed%2 == 1
	w.config = replicate.Config{RawBucket: "raw", LakeBucket: "lake", Schema: "*", Owner: "run", Settings: settings}
	for n := range tables {
		f.members = append(f.members, newMember(f, n))
		f.members[n].reload()
	}
	f.tick()
	for _, m := range f.members {
		f.activate("shop."+m.table.Name, strings.Join(m.table.Key, ","), m.partition)
	}
	return f
}

// note remembers what happened lately.
func (f *fleet) note(format string, args ...any) {
	f.log = append(f.log, f.clock.Format("2006-01-02 15:04 ")+fmt.Sprintf(format, args...))
	if len(f.log) > 300 {
		f.log = f.log[100:]
	}
}

// fatal ends the test with what happened lately and the command that plays the same life again.
func (f *fleet) fatal(format string, args ...any) {
	f.t.Helper()
	f.t.Fatalf("%s\nagain: SLUICE_FLEET=%d go test ./internal/replicate -run 'TestFleetOfOneSeed$' -v\n%s",
		fmt.Sprintf(format, args...), f.seed, strings.Join(f.log, "\n"))
}

// fleetStores are lake and control table as one process sees them, and whether something is to go wrong.
type fleetStores struct {
	lake  object.Store
	state statestore.Backend
	wrong bool
}

// broken returns stores in which one effect goes wrong, more often than not.
func (f *fleet) broken() fleetStores {
	s := fleetStores{lake: f.lake, state: f.memory}
	how, crash := 1+f.rng.IntN(5), f.rng.IntN(2) == 0
	lake, state := objectfault.New(f.lake, objectfault.Fault{}), statestorefault.New(f.memory, statestorefault.Fault{})
	switch n := f.rng.IntN(10); {
	case n < 4:
		at := 1 + f.rng.IntN(40)
		lake = objectfault.New(f.lake, objectfault.Fault{At: at, How: objectfault.How(how), Crash: crash})
		f.note("lake: effect %d goes wrong in way %d, crash %v", at, how, crash)
	case n < 6:
		at := 1 + f.rng.IntN(30)
		state = statestorefault.New(f.memory, statestorefault.Fault{At: at, How: statestorefault.How(min(how, 4)), Crash: crash})
		f.note("control table: effect %d goes wrong in way %d, crash %v", at, min(how, 4), crash)
	default:
		return s
	}
	state.DieWith(lake.Dead)
	lake.DieWith(state.Dead)
	s.lake, s.state, s.wrong = lake, state, true
	f.faults++
	f.late = append(f.late, func() {
		if lake.Dead() || state.Dead() {
			f.died++
		}
		ctx := context.WithoutCancel(f.t.Context())
		_, _ = lake.Arrive(ctx), state.Arrive(ctx)
	})
	return s
}

// engineOn is a run's engine; its clock is off by some minutes.
func (f *fleet) engineOn(s fleetStores) *replicate.Engine {
	skew := f.skew
	e, err := replicate.New(f.config, replicate.Stores{
		Objects: func(_ context.Context, bucket string) (replicate.Objects, error) {
			if bucket == "raw" {
				return f.raw, nil
			}
			return s.lake, nil
		},
		State: statestore.New(s.state), Now: func() time.Time { return f.now().Add(skew) }, Sleep: awake,
	})
	if err != nil {
		f.t.Fatal(err)
	}
	return e
}

// runOn makes one tick. Nothing may halt, and only what was broken may fail.
func (f *fleet) runOn(s fleetStores) {
	var mu sync.Mutex
	var bad []string
	err := f.engineOn(s).Run(f.t.Context(), func(r replicate.Result) {
		mu.Lock()
		defer mu.Unlock()
		if r.Action == replicate.Halted || r.Action == replicate.Failed && !s.wrong {
			bad = append(bad, fmt.Sprintf("%s %s: %s", r.Table, r.Action, r.Reason))
		}
	})
	if err != nil && !s.wrong {
		bad = append(bad, err.Error())
	}
	if len(bad) > 0 {
		f.fatal("%s", strings.Join(bad, "\n"))
	}
}

// arrive lets the requests that were under way arrive.
func (f *fleet) arrive() {
	for _, request := range f.late {
		request()
	}
	f.late = nil
}

// hour lets sources live, operators operate, and a run be made.
func (f *fleet) hour() {
	f.pass(59 * time.Minute)
	for _, m := range f.members {
		m.live()
		m.operate()
	}
	f.pass(time.Minute)
	f.skew = time.Duration(f.rng.IntN(11)-5) * time.Minute
	switch s := f.broken(); {
	case f.rng.IntN(10) == 0: // two runs at once, nobody holding a lease
		f.races++
		other := f.broken()
		s.state, other.state = unleased{s.state, func() {}}, unleased{other.state, func() {}}
		compacts, members := f.rng.IntN(2) == 0, f.some()
		var group sync.WaitGroup
		group.Go(func() { f.runOn(s) })
		if compacts {
			f.compactOn(other, members)
		} else {
			f.runOn(other)
		}
		group.Wait()
	case len(f.late) > 0 && f.rng.IntN(2) == 0: // a request of the run before falls into this one
		late := f.late
		f.late = nil
		s.lake = arriving{s.lake, &underWay{requests: []*request{{moment(1 + f.rng.IntN(40)), func() {
			for _, request := range late {
				request()
			}
		}}}}}
		f.runOn(s)
		for _, request := range late {
			request()
		}
	default:
		f.runOn(s)
	}
	if f.rng.IntN(6) == 0 {
		f.compactOn(f.broken(), f.some())
	}
	if f.rng.IntN(3) == 0 {
		f.arrive()
	}
}

// clean runs the janitor, beside a run now and then, or with a fault of its own.
func (f *fleet) clean() {
	var lake replicate.Cleaner = f.lake
	if f.rng.IntN(4) == 0 {
		lake = cleaner{objectfault.New(f.lake, objectfault.Fault{At: 1 + f.rng.IntN(30), How: objectfault.How(1 + f.rng.IntN(3)), Crash: f.rng.IntN(2) == 0})}
	}
	j, err := replicate.NewJanitor(f.config, replicate.JanitorStores{
		Objects: func(context.Context, string) (replicate.Cleaner, error) { return lake, nil },
		State:   f.state, Now: f.now,
	})
	if err != nil {
		f.t.Fatal(err)
	}
	var group sync.WaitGroup
	defer group.Wait()
	if f.rng.IntN(3) == 0 {
		group.Go(func() { f.runOn(fleetStores{lake: f.lake, state: f.memory}) })
	}
	err = j.Run(f.t.Context(), func(c replicate.Cleaning) {
		f.cleaned += len(c.Keys)
		if c.Err != nil && !errors.Is(c.Err, objectfault.ErrInjected) {
			f.fatal("janitor: %s: %s", c.Table, c.Reason)
		}
	})
	if err != nil {
		f.fatal("janitor: %v", err)
	}
}

// judge makes healthy runs and compares every table that is awake and lacks no file with its oracle.
func (f *fleet) judge() {
	f.arrive()
	f.skew = 0
	f.pass(6 * time.Minute) // past a clock that was ahead, and every lease
	for range 3 {
		f.runOn(fleetStores{lake: f.lake, state: f.memory})
		f.pass(2 * time.Minute)
	}
	for _, m := range f.members {
		if m.asleep || len(m.held) > 0 {
			continue
		}
		if diff := cmp.Diff(texts(m.oracle.Rows()), lakeTexts(f.world, m.table)); diff != "" {
			f.fatal("%s: lake (-want +got):\n%s", m.table.Name, diff)
		}
	}
}

// size is what must stay flat.
type size struct {
	bookkeeping, lakeFiles, bytes int
	heap                          uint64
}

func (f *fleet) size() size {
	var s size
	for entry, err := range f.lake.List(f.t.Context(), object.ListInput{}) {
		if err != nil {
			f.t.Fatal(err)
		}
		if strings.HasPrefix(entry.Key, "_sluice/") {
			s.bookkeeping++
		} else {
			s.lakeFiles++
		}
		s.bytes += int(entry.Size)
	}
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	s.heap = m.HeapAlloc
	return s
}

// simulate plays so many hours and returns the largest sizes of the third and of the last quarter of them.
func (f *fleet) simulate(hours int) (third, last size) {
	for h := range hours {
		f.hour()
		if h%24 == 23 || h == hours-1 {
			for _, m := range f.members {
				m.expire()
			}
			f.clean()
			f.judge()
		}
		if h%240 == 239 {
			quarter := &size{}
			switch 4 * h / hours {
			case 2:
				quarter = &third
			case 3:
				quarter = &last
			}
			now := f.size()
			quarter.bookkeeping, quarter.lakeFiles = max(quarter.bookkeeping, now.bookkeeping), max(quarter.lakeFiles, now.lakeFiles)
			quarter.bytes, quarter.heap = max(quarter.bytes, now.bytes), max(quarter.heap, now.heap)
		}
	}
	return third, last
}

func (f *fleet) tell(hours int) {
	rig.Figure(f.t, "hourly runs", "%d of %d tables, %d with a fault (%d died of it), %d of two at once, %d lake files compacted, %d objects deleted by the janitor: every table equal to its oracle (seed %d)",
		hours, len(f.members), f.faults, f.died, f.races, f.compacted.Load(), f.cleaned, f.seed)
}

// TestFleet plays 200 hourly runs over twenty tables.
func TestFleet(t *testing.T) {
	t.Parallel()
	const hours = 200
	f := newFleet(t, 1, 20)
	f.simulate(hours)
	f.tell(hours)
}

// TestFleetOfOneSeed plays the life that another test named.
func TestFleetOfOneSeed(t *testing.T) {
	seed, err := strconv.ParseUint(os.Getenv("SLUICE_FLEET"), 10, 64)
	if err != nil {
		t.Skip("SLUICE_FLEET is not set: it names the seed of a fleet that failed")
	}
	newFleet(t, seed, 20).simulate(10_000)
}

// TestSoakFleet plays 10,000 hourly runs over twenty tables: more than a year, in which nothing may grow.
func TestSoakFleet(t *testing.T) {
	const hours = 10_000
	begin, share := time.Now(), rig.Soak(t, 0.15)
	for seed := uint64(2); seed == 2 || time.Since(begin) < share/2; seed++ {
		f := newFleet(t, seed, 20)
		third, last := f.simulate(hours)
		f.tell(hours)
		rig.Figure(t, "hourly runs", "seed %d: months 7-10 against 10-14: bookkeeping %d and %d objects, lake %d and %d files, %d and %d KiB stored, heap %d and %d MiB",
			seed, third.bookkeeping, last.bookkeeping, third.lakeFiles, last.lakeFiles, third.bytes>>10, last.bytes>>10, third.heap>>20, last.heap>>20)
		const slack = 1.25
		if float64(last.bookkeeping) > slack*float64(third.bookkeeping) || float64(last.lakeFiles) > slack*float64(third.lakeFiles) ||
			float64(last.bytes) > slack*float64(third.bytes) || float64(last.heap) > slack*float64(third.heap)+32<<20 {
			t.Errorf("something grows: %+v, then %+v", third, last)
		}
	}
}
