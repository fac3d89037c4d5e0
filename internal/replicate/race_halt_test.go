package replicate_test

import (
	"context"
	"maps"
	"strings"
	"sync"
	"testing"
	"time"

	"sluice/internal/object"
	"sluice/internal/object/objectfault"
	"sluice/internal/replicate"
	"sluice/statestore"
)

// torn is a bucket of a gateway before a file system: the first HEAD behind a write finds it half done, with the ETag that
// the object gets and the metadata that it had.
type torn struct {
	object.Store
	mu    sync.Mutex
	heads map[string]object.Info // as they were last found
	met   int
}

func (s *torn) Head(ctx context.Context, key string) (object.Info, error) {
	info, err := s.Store.Head(ctx, key)
	if err != nil || !strings.HasPrefix(key, "product/") {
		return info, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	before, known := s.heads[key]
	s.heads[key] = info
	if known && before.ETag != info.ETag && !maps.Equal(before.Metadata, info.Metadata) {
		s.met++
		info.Metadata = before.Metadata
	}
	return info, nil
}

// TestAHeadInTheMiddleOfAWriteIsNoForeignFile loses the answer to each write in turn, and has the HEAD that asks what became
// of it find the write half done. The table was halted; four processes on a real gateway met it within seconds.
func TestAHeadInTheMiddleOfAWriteIsNoForeignFile(t *testing.T) {
	b := partitioned(t)
	b.change(update(1, "A", "x"), remove(3, "c", "y"), insert(6, "f", "new"))
	met := 0
	for n := 1; ; n++ {
		c := b.fork()
		faulty := objectfault.New(c.lake, objectfault.Fault{At: n, How: objectfault.After})
		lake := &torn{Store: faulty, heads: map[string]object.Info{}}
		for entry, err := range c.lake.List(t.Context(), object.ListInput{Prefix: "product/"}) {
			c.must(err)
			lake.heads[entry.Key], err = c.lake.Head(t.Context(), entry.Key)
			c.must(err)
		}
		if got := c.tickOn(lake, c.state); got.Action == replicate.Halted {
			t.Errorf("answer %d is lost: %s", n, got.Reason)
		}
		c.must(c.settle())
		c.must(c.wrong())
		if met += lake.met; !faulty.Fired() {
			break
		}
	}
	if met == 0 {
		t.Error("no write was found half done")
	}
}

// halting is a control table that says so before a halt is recorded.
type halting struct {
	statestore.Backend
	before func()
}

func (s halting) Update(ctx context.Context, u statestore.Update) (statestore.Item, error) {
	if u.Set[statestore.Status] == statestore.StatusHalted {
		s.before()
	}
	return s.Backend.Update(ctx, u)
}

// TestAHaltThatComesTooLateIsNone lets another run go on, on inputs that were mended meanwhile, before the first records that
// they are broken. The control table refused the halt, as it has to; the run said halted all the same, and exited with 3.
func TestAHaltThatComesTooLateIsNone(t *testing.T) {
	b := partitioned(t)
	b.change(update(1, "A", "x"))
	key := strings.TrimPrefix(b.watermark, "raw/")
	right, info := readObject(t, b.raw, key)
	put := func(body []byte) {
		b.must(b.sink(t.Context(), key, body, info.LastModified))
	}
	put([]byte("broken"))
	state := halting{b.state, func() {
		put(right)
		b.must(b.settle())
	}}
	got := b.tickOn(b.lake, state)
	if got.Action != replicate.Busy || got.Err != nil || got.NewlyHalted {
		t.Errorf("got %s: %s (%v), want busy", got.Action, got.Reason, got.Err)
	}
	b.must(b.wrong())
}

// TestAHaltOverAnItemThatCannotBeReadIsSaid: the control table refuses that halt, too, and nobody has gone on.
func TestAHaltOverAnItemThatCannotBeReadIsSaid(t *testing.T) {
	b := partitioned(t)
	b.change(update(1, "A", "x"))
	_, err := b.state.Update(t.Context(), statestore.Update{Path: benchPath, Set: map[string]string{statestore.Seq: "one"}})
	b.must(err)
	if got := b.tickOn(b.lake, b.state); got.Action != replicate.Halted || !strings.Contains(got.Reason, "Seq") {
		t.Errorf("got %s: %s, want halted", got.Action, got.Reason)
	}
}

// TestAnInputThatIsWrittenAgainWhileItIsPlannedIsPlannedAgain has a full load replaced between its listing and its reading.
// The table was reported as failed, and the tick exited with 1.
func TestAnInputThatIsWrittenAgainWhileItIsPlannedIsPlannedAgain(t *testing.T) {
	b := partitioned(t)
	b.load(10, []any{1, "first", "x"})
	var once sync.Once
	raw := reading{b.raw, func(key string) {
		if strings.HasPrefix(key, "store/product/LOAD") {
			once.Do(func() { b.load(10, []any{1, "second", "x"}, []any{2, "B", "y"}) })
		}
	}}
	e, err := replicate.New(b.config, replicate.Stores{
		Objects: func(_ context.Context, bucket string) (replicate.Objects, error) {
			if bucket == "raw" {
				return raw, nil
			}
			return b.lake, nil
		},
		State: statestore.New(b.state), Now: b.now,
	})
	b.must(err)
	*b.clock = b.clock.Add(time.Minute)
	b.must(e.Run(t.Context(), func(r replicate.Result) {
		if r.Action != replicate.Loaded {
			t.Errorf("got %s: %s, want loaded", r.Action, r.Reason)
		}
	}))
	b.must(b.wrong())
}
