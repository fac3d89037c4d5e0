package replicate_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"sluice/internal/object"
	"sluice/internal/replicate"
	"sluice/scripts/dmsgen"
	"sluice/statestore"
)

// between is a lake in which something happens once, right before the first write below a prefix.
type between struct {
	*object.Memory
	text string
	once *sync.Once
	do   func()
}

func (s between) meet(key string) {
	if strings.HasPrefix(key, s.text) {
		s.once.Do(s.do)
	}
}

func (s between) Put(ctx context.Context, key string, body []byte, in object.PutInput) (object.Info, error) {
	s.meet(key)
	return s.Memory.Put(ctx, key, body, in)
}

func (s between) Create(ctx context.Context, key string, in object.PutInput) object.Upload {
	s.meet(key)
	return s.Memory.Create(ctx, key, in)
}

const (
	whileBuilding   = "_sluice/product/rebuild/"
	beforeTheCommit = "_sluice/product/ledger/" // which is written with the plan
)

// rebuildWhile rebuilds, and lets something happen at that moment of it.
func (b *bench) rebuildWhile(moment string, do func()) (replicate.Result, error) {
	b.t.Helper()
	met := false
	lake := between{b.lake, moment, &sync.Once{}, func() { met = true; do() }}
	got, err := b.engineOn(lake, b.state).Rebuild(b.t.Context(), "store.product")
	if !met {
		b.t.Fatalf("nothing was written below %s", moment)
	}
	return got, err
}

// other runs as somebody else does; the lease of the rebuild, if it has one yet, has run out by then.
func (b *bench) other() {
	c := *b
	c.config.Owner = "other"
	c.tickOn(b.lake, b.state)
}

// TestRebuild_WhileTheTableGoesOn lets another run merge while rows are made anew, and between what was made and
// its commit: whatever the table has by then is in the fresh generation, and the watermark never moves back.
func TestRebuild_WhileTheTableGoesOn(t *testing.T) {
	t.Parallel()
	for _, moment := range []string{whileBuilding, beforeTheCommit} {
		for name, happens := range map[string]func(b *bench){
			"a merge": func(b *bench) {
				b.change(update(1, "meanwhile", "z"), insert(40, "m", "x"), remove(6, "", ""))
				b.other()
			},
			"changes that nobody merges": func(b *bench) { b.change(update(1, "meanwhile", "z")) },
			"a late file": func(b *bench) {
				_, err := b.writer(dmsgen.DefaultSettings()).WriteChanges(b.t.Context(), b.table, noon.Add(3*time.Minute), insert(41, "late", "x"))
				b.must(err)
				b.oracle.Apply(insert(41, "late", "x"))
				b.other()
			},
			"a change file written again": func(b *bench) {
				key := b.rawKeys("/2026")[0]
				info, err := b.raw.Head(b.t.Context(), key)
				b.must(err)
				at := info.LastModified
				_, err = b.writer(dmsgen.DefaultSettings()).WriteChanges(b.t.Context(), b.table, at, insert(6, "f", "new"), update(1, "A", "y"), remove(3, "c", "y"), insert(42, "mended", "x"))
				b.must(err)
				b.oracle.Apply(insert(42, "mended", "x"))
				b.other()
			},
			"a run that dies on its way": func(b *bench) {
				b.change(update(1, "meanwhile", "z"), insert(40, "m", "x"))
				for i := 1; !b.item().Pending(); i++ {
					b.dies(i)
				}
			},
		} {
			t.Run(name+" at "+moment, func(t *testing.T) {
				t.Parallel()
				b := lived(t)
				got, err := b.rebuildWhile(moment, func() { happens(b) })
				if err != nil || got.Action != replicate.Rebuilt {
					t.Fatalf("%s: %s, %v", got.Action, got.Reason, err)
				}
				b.must(b.settle())
				b.must(b.wrong())
				if got := b.item()[statestore.Generation]; got != "2" {
					t.Errorf("generation %s", got)
				}
			})
		}
	}
}

// TestRebuild_GivesUp where going on would undo what happened meanwhile; the lake is what the others made of it.
func TestRebuild_GivesUp(t *testing.T) {
	t.Parallel()
	for _, moment := range []string{whileBuilding, beforeTheCommit} {
		for name, tc := range map[string]struct {
			happens func(b *bench)
			text    string
		}{
			"a full load": {func(b *bench) {
				b.load(2, []any{1, "newer", "x"}, []any{9, "i", "w"})
				b.other()
			}, "loaded anew meanwhile"},
			"a full load that nobody loads": {func(b *bench) {
				b.load(2, []any{1, "newer", "x"}, []any{9, "i", "w"})
			}, "a new full load"},
			"another rebuild": {func(b *bench) { b.rebuild() }, "loaded anew meanwhile"},
			"another key":     {func(b *bench) { b.attributes(map[string]string{statestore.OrderColumn: "name"}) }, "settings of store.product changed"},
			"switched off":    {func(b *bench) { b.attributes(map[string]string{statestore.ActiveFlag: "false"}) }, "not active"},
			"an input lost":   {func(b *bench) { b.removeRaw(b.rawKeys("/2026")[0]) }, "missing store/product/2026"},
		} {
			t.Run(name+" at "+moment, func(t *testing.T) {
				t.Parallel()
				b := lived(t)
				got, err := b.rebuildWhile(moment, func() { *b.clock = b.clock.Add(2 * time.Minute); tc.happens(b) })
				said := got.Reason
				if err != nil {
					said = err.Error()
				}
				if got.Action == replicate.Rebuilt && moment == beforeTheCommit && (tc.text == "a new full load" || strings.HasPrefix(tc.text, "missing")) {
					return // it came behind the last look, as after any commit
				}
				if !strings.Contains(said, tc.text) || err != nil && !errors.Is(err, replicate.ErrUsage) || err == nil && got.Action != replicate.Idle {
					t.Errorf("%s: %s, %v", got.Action, got.Reason, err)
				}
				b.attributes(map[string]string{statestore.ActiveFlag: "true", statestore.OrderColumn: ""})
				if name != "an input lost" {
					b.must(b.settle())
				}
				if got, want := b.rows(), b.wanted(); len(got) != len(want) {
					t.Errorf("rows %v, want %v", got, want)
				}
			})
		}
	}
}

// TestRebuild_NeverGoesBack: another run took an input that is not settled yet for this one. A commit without it would
// take its rows out of the lake.
func TestRebuild_NeverGoesBack(t *testing.T) {
	t.Parallel()
	b := lived(t)
	c := *b
	c.config.Settle = 20 * time.Millisecond // the clock stands still
	got, err := c.rebuildWhile(whileBuilding, func() {
		at := b.clock.Add(time.Minute)
		b.change(update(1, "young", "z"))
		b.other()
		*b.clock = at
	})
	if err != nil || got.Action != replicate.Failed || !strings.Contains(got.Reason, "is consumed by the table and not yet") {
		t.Errorf("%s: %s, %v", got.Action, got.Reason, err)
	}
	b.must(b.wrong())
	*b.clock = b.clock.Add(time.Minute)
	c.rebuild()
	b.must(b.wrong())
}

// rebuildSleeping rebuilds, and does something whenever the rebuild waits.
func (b *bench) rebuildSleeping(ctx context.Context, waiting func(ctx context.Context) error) (replicate.Result, error) {
	b.t.Helper()
	e, err := replicate.New(b.config, replicate.Stores{
		Objects: func(_ context.Context, bucket string) (replicate.Objects, error) {
			if bucket == "raw" {
				return b.raw, nil
			}
			return b.lake, nil
		},
		State: statestore.New(b.state), Now: b.now,
		Sleep: func(ctx context.Context, _ time.Duration) error { return waiting(ctx) },
	})
	b.must(err)
	return e.Rebuild(ctx, "store.product")
}

// TestRebuild_WaitsForTheLease of a run that is at work: what was made anew is worth it. After minutes it is not.
func TestRebuild_WaitsForTheLease(t *testing.T) {
	t.Parallel()
	for _, patient := range []bool{true, false} {
		b := lived(t)
		state := statestore.New(b.state)
		b.must(state.Claim(t.Context(), benchPath, "other", time.Hour))
		waits := 0
		got, err := b.rebuildSleeping(t.Context(), func(ctx context.Context) error {
			if waits++; waits == 3 && patient {
				return state.Release(ctx, benchPath, "other")
			}
			return nil
		})
		want, owner := replicate.Rebuilt, ""
		if !patient {
			want, owner = replicate.Busy, "other"
		}
		if err != nil || got.Action != want || b.item()[statestore.LeaseOwner] != owner || waits < 3 || waits > 100 {
			t.Errorf("%s: %s, %v, after %d waits; lease of %q", got.Action, got.Reason, err, waits, b.item()[statestore.LeaseOwner])
		}
		b.must(b.wrong())
	}
}

// TestRebuild_Interrupted leaves the table as it was.
func TestRebuild_Interrupted(t *testing.T) {
	t.Parallel()
	b := lived(t)
	b.must(statestore.New(b.state).Claim(t.Context(), benchPath, "other", time.Hour))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	got, err := b.rebuildSleeping(ctx, func(ctx context.Context) error { cancel(); return ctx.Err() })
	if err != nil || got.Action != replicate.Failed || !errors.Is(got.Err, context.Canceled) || !strings.Contains(got.Reason, "the lake is as it was") {
		t.Errorf("%s: %s, %v", got.Action, got.Reason, err)
	}
	b.must(b.wrong())
}
