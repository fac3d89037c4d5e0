package main_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"sluice/scripts/dmsgen"
	"sluice/scripts/rig"
	"sluice/scripts/rig/proxy"
)

// troubled is a site on S3 and DynamoDB, which the command alone reaches through proxies that make trouble.
type troubled struct {
	*site
	objects, control *proxy.Proxy
}

func inTrouble(t testing.TB) troubled {
	t.Helper()
	s := onS3(t, true)
	p := troubled{s, proxy.New(t, s.s3.Endpoint), proxy.New(t, s.table.Endpoint)}
	s.env = append(s.env, "AWS_ENDPOINT_URL_S3="+p.objects.URL, "AWS_ENDPOINT_URL_DYNAMODB="+p.control.URL)
	return p
}

func (p troubled) heal() {
	p.objects.Heal()
	p.control.Heal()
}

// figures adds up runs, requests and faults over many sites.
type figures struct {
	mu                     sync.Mutex
	runs, failed, requests int
	faults                 map[proxy.Kind]int
}

func (f *figures) add(got outcome) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.runs++
	if got.status != 0 {
		f.failed++
	}
}

func (f *figures) close(p troubled) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, one := range []*proxy.Proxy{p.objects, p.control} {
		f.requests += len(one.Requests(""))
		for kind, n := range one.Counts() {
			f.faults[kind] += n
		}
	}
}

func (f *figures) say(t *testing.T) {
	t.Helper()
	var kinds []string
	total := 0
	for _, kind := range slices.Sorted(maps.Keys(f.faults)) {
		kinds = append(kinds, fmt.Sprintf("%d %s", f.faults[kind], kind))
		total += f.faults[kind]
	}
	rig.Figure(t, "store trouble", "%d runs of the command, %d of them ended with an error, %d requests, %d faults (%s), wrong 0",
		f.runs, f.failed, f.requests, total, strings.Join(kinds, ", "))
}

// life is what happens to a table: everything follows from the seed, and from how likely faults may be at most.
type life struct {
	seed uint64
	bad  []float64 // one is drawn for each run
}

// mild is what make test has time for: pauses take most of it.
func mild() []float64 { return []float64{0.06} }

func harsh() []float64 { return []float64{0.1, 0.1, 0.2, 0.5} }

// envTroubleSeed repeats one life of TestSoakTrouble in TestE2E_Trouble.
const envTroubleSeed = "SLUICE_TROUBLE_SEED"

// TestE2E_Trouble runs the command under programs of faults. A run may fail, saying that the next one goes on; when
// the trouble is over one run makes lake and source equal.
func TestE2E_Trouble(t *testing.T) {
	seeds, bad := []uint64{1, 2}, mild()
	if text := os.Getenv(envTroubleSeed); text != "" {
		seed, err := strconv.ParseUint(text, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		seeds, bad = []uint64{seed}, harsh()
	}
	sum := &figures{faults: map[proxy.Kind]int{}}
	t.Run("lives", func(t *testing.T) {
		for _, seed := range seeds {
			t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
				t.Parallel()
				liveInTrouble(t, life{seed, bad}, sum)
			})
		}
	})
	sum.say(t)
}

// TestSoakTrouble does the same with other seeds until its time is over.
func TestSoakTrouble(t *testing.T) {
	end := time.Now().Add(rig.Soak(t, 0.08))
	sum := &figures{faults: map[proxy.Kind]int{}}
	for seed := uint64(time.Now().Unix()); time.Now().Before(end) && !t.Failed(); seed++ {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) { liveInTrouble(t, life{seed, harsh()}, sum) })
	}
	sum.say(t)
}

// liveInTrouble is a table's life: a load, merges with moves between partitions, sometimes a reload, every run under
// another program.
func liveInTrouble(t *testing.T, l life, sum *figures) {
	t.Helper()
	t.Cleanup(func() {
		if t.Failed() {
			again := fmt.Sprintf("%s=%d ", envTroubleSeed, l.seed)
			if len(l.bad) == 1 {
				again = ""
			}
			t.Logf("seed %d; again: %s.tools/bin/rig -- go test ./cmd/sluice -run 'TestE2E_Trouble$' -count 1", l.seed, again)
		}
	})
	rng := rand.New(rand.NewPCG(l.seed, 11))
	p := inTrouble(t)
	defer sum.close(p)
	truth := dmsgen.NewOracle(wide())
	for id := range 40 {
		truth.Apply(dmsgen.Change{Op: dmsgen.Insert, Row: []any{id, "entry", id % shelvesInTrouble}})
	}
	p.load(wide(), 0, truth.Rows()...)
	p.tick("registered")
	p.well("activate", "shop.visit", "--primary-key", "id", "--partition-key", "shelf")
	for range 2 + rng.IntN(3) {
		bad := l.bad[rng.IntN(len(l.bad))]
		p.objects.Program(proxy.Random(rng, proxy.S3Kinds(), bad)...)
		p.control.Program(proxy.Random(rng, proxy.DynamoDBKinds(), 2*bad)...)
		p.runInTrouble(sum)
		switch rng.IntN(4) {
		case 0:
			p.load(wide(), 0, truth.Rows()...)
		default:
			p.browseInTrouble(truth, rng)
		}
	}
	p.runInTrouble(sum)
	p.heal()
	p.forget()
	p.tick("loaded", "merged", "idle")
	p.equal(wide(), truth)
	p.writesNothing()
}

const shelvesInTrouble = 6

// browseInTrouble makes changes in every partition, with rows that move.
func (p troubled) browseInTrouble(truth *dmsgen.Oracle, rng *rand.Rand) {
	p.t.Helper()
	var changes []dmsgen.Change
	for range 20 {
		id := rng.IntN(50)
		before, known := truth.Row(truth.Key([]any{id}))
		c := dmsgen.Change{Op: dmsgen.Insert, Row: []any{id, fmt.Sprint("seen ", rng.IntN(1000)), rng.IntN(shelvesInTrouble)}}
		switch {
		case known && rng.IntN(4) == 0:
			c = dmsgen.Change{Op: dmsgen.Delete, Row: before}
		case known:
			c.Op, c.Before = dmsgen.Update, before
		}
		truth.Apply(c)
		changes = append(changes, c)
	}
	p.change(wide(), changes...)
}

// runInTrouble runs once. It has to end soon, well or with an error that says that the next run goes on; never in a halt.
func (p troubled) runInTrouble(sum *figures) {
	p.t.Helper()
	began := time.Now()
	got := p.run("run", "--json")
	sum.add(got)
	said := got.stdout + got.stderr
	if got.status > 1 || got.status < 0 || strings.Contains(said, "panic") || got.status == 1 && !strings.Contains(said, "next run") {
		p.t.Fatalf("exit %d\n%s", got.status, said)
	}
	if took := time.Since(began); took > 2*time.Minute {
		p.t.Errorf("took %s", took)
	}
}

// TestE2E_TroubleThatStays ends a run soon, with exit 1 and what is wrong, where, and what to do; the next one goes on.
func TestE2E_TroubleThatStays(t *testing.T) {
	for name, c := range map[string]struct {
		program func(p troubled)
		says    []string
	}{
		"S3 is not there": {func(p troubled) {
			p.env = append(p.env, "AWS_ENDPOINT_URL_S3="+proxy.Refused(p.t))
		}, []string{"store unavailable", "connection refused", "check the endpoint"}},
		"DynamoDB is not there": {func(p troubled) {
			p.env = append(p.env, "AWS_ENDPOINT_URL_DYNAMODB="+proxy.Refused(p.t))
		}, []string{"control table unavailable", "connection refused", "check the endpoint"}},
		"lake files cannot be written": {func(p troubled) {
			part := func(r *http.Request) bool { return strings.Contains(r.URL.Path, "/tables/visit/shelf=") }
			p.objects.Program(proxy.Rule{Kind: proxy.Refused500, Operation: "PutObject", Match: part})
		}, []string{"shop.visit", "/tables/visit/shelf=", "store unavailable", "the next run goes on"}},
		"lake files are not listed": {func(p troubled) {
			p.objects.Hide(func(key string) bool { return strings.Contains(key, "visit/shelf=3/part-") })
		}, []string{"shop.visit", "listing is behind", "visit/shelf=3/part-", "the next run goes on"}},
		"updates are refused": {func(p troubled) {
			p.control.Program(proxy.Rule{Kind: proxy.Refused500, Operation: "UpdateItem"})
		}, []string{"shop.visit", "control table unavailable", p0Table, "the next run goes on"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := inTrouble(t)
			truth := dmsgen.NewOracle(wide())
			for id := range 12 {
				truth.Apply(dmsgen.Change{Op: dmsgen.Insert, Row: []any{id, "entry", id % shelvesInTrouble}})
			}
			p.load(wide(), 0, truth.Rows()...)
			p.tick("registered")
			p.well("activate", "shop.visit", "--primary-key", "id", "--partition-key", "shelf")
			p.tick("loaded")
			p.browseInTrouble(truth, rand.New(rand.NewPCG(4, 4)))
			env := p.env
			c.program(p)
			began := time.Now()
			got := p.run("run")
			said := got.stdout + got.stderr
			if took := time.Since(began); got.status != 1 || took > 40*time.Second {
				t.Errorf("exit %d after %s\n%s", got.status, took, said)
			}
			for _, text := range c.says {
				if text == p0Table {
					text = p.table.Name
				}
				if !strings.Contains(said, text) {
					t.Errorf("says nothing of %q:\n%s", text, said)
				}
			}
			p.heal()
			p.env = env
			p.tick("merged")
			p.equal(wide(), truth)
		})
	}
}

// p0Table stands for the name of the control table.
const p0Table = "<control table>"

// TestE2E_WritesWhoseAnswersAreLostEndAsApplied: every first sending takes place and is answered with 500, so that the
// second one meets what the first left behind.
func TestE2E_WritesWhoseAnswersAreLostEndAsApplied(t *testing.T) {
	t.Parallel()
	p := inTrouble(t)
	truth := dmsgen.NewOracle(wide())
	for id := range 30 {
		truth.Apply(dmsgen.Change{Op: dmsgen.Insert, Row: []any{id, "entry", id % shelvesInTrouble}})
	}
	p.load(wide(), 0, truth.Rows()...)
	rng := rand.New(rand.NewPCG(5, 5))
	for _, kind := range []proxy.Kind{proxy.Lost500, proxy.LostAnswer} {
		p.objects.Program(proxy.Rule{Kind: kind, Operation: "PutObject", Match: everyOther()},
			proxy.Rule{Kind: kind, Operation: "CompleteMultipartUpload", Match: everyOther()})
		p.control.Program(proxy.Rule{Kind: kind, Operation: "UpdateItem", Match: everyOther()}, proxy.Rule{Kind: kind, Operation: "PutItem", Match: everyOther()})
		if kind == proxy.Lost500 {
			p.tick("registered")
			p.well("activate", "shop.visit", "--primary-key", "id", "--partition-key", "shelf")
			p.tick("loaded")
		}
		p.browseInTrouble(truth, rng)
		p.tick("merged")
		p.equal(wide(), truth)
	}
	puts, met := p.objects.Requests("PutObject"), p.objects.Counts()
	if lost := met[proxy.Lost500] + met[proxy.LostAnswer]; lost < 40 {
		t.Errorf("%d lost answers of %d PUT requests", lost, len(puts))
	}
	p.heal()
	p.writesNothing()
}

// everyOther matches the first, third, … request for each path.
func everyOther() func(*http.Request) bool {
	count := map[string]int{}
	return func(r *http.Request) bool {
		count[r.URL.Path]++
		return count[r.URL.Path]%2 == 1
	}
}

// TestE2E_ClocksThatDiffer: the store's clock is ten minutes behind, right, and ten minutes ahead. What looks as if it
// came from the future waits; nothing is loaded again because its date has changed, and nothing is lost.
func TestE2E_ClocksThatDiffer(t *testing.T) {
	t.Parallel()
	p := inTrouble(t)
	truth := dmsgen.NewOracle(wide())
	for id := range 12 {
		truth.Apply(dmsgen.Change{Op: dmsgen.Insert, Row: []any{id, "entry", id % shelvesInTrouble}})
	}
	p.load(wide(), 0, truth.Rows()...)
	rng := rand.New(rand.NewPCG(6, 6))
	shift := func(d time.Duration) {
		p.objects.Shift(d)
		p.control.Shift(d)
	}
	shift(-10 * time.Minute)
	p.tick("registered")
	p.well("activate", "shop.visit", "--primary-key", "id", "--partition-key", "shelf")
	p.tick("loaded")
	p.browseInTrouble(truth, rng)
	p.tick("merged")
	p.equal(wide(), truth)
	for _, d := range []time.Duration{0, -10 * time.Minute, 10 * time.Minute, -10 * time.Minute, 0} {
		shift(d)
		p.browseInTrouble(truth, rng)
		if d > 0 {
			p.tick("idle")
			continue
		}
		p.tick("merged")
		p.equal(wide(), truth)
	}
	p.tick("idle")
}
