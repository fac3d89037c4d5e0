package statestoretest

import (
	"sync"
	"testing"
	"time"

	"sluice/statestore"
)

const ttl = 90 * time.Second

func runLeases(t *testing.T, open Open) {
	t.Helper()
	t.Run("one after another", func(t *testing.T) {
		b := open(t)
		create(t, b, base(t), changed(base(t), statestore.Item{"path": table(1)}))
		do := func(name string, got, want error) {
			t.Helper()
			if want == nil && got != nil || want != nil {
				t.Run(name, func(t *testing.T) { wantErr(t, got, want) })
			}
		}
		ctx := t.Context()
		do("renew a free one", b.Renew(ctx, tablePath, "a", ttl), statestore.ErrLeased)
		do("release a free one", b.Release(ctx, tablePath, "a"), nil)
		do("claim", b.Claim(ctx, tablePath, "a", ttl), nil)
		do("claim again", b.Claim(ctx, tablePath, "a", ttl), nil)
		do("claim another's", b.Claim(ctx, tablePath, "b", ttl), statestore.ErrLeased)
		do("claim another table", b.Claim(ctx, table(1), "b", ttl), nil)
		do("renew", b.Renew(ctx, tablePath, "a", ttl), nil)
		do("renew another's", b.Renew(ctx, tablePath, "b", ttl), statestore.ErrLeased)
		do("release another's", b.Release(ctx, tablePath, "b"), nil)
		do("still claimed", b.Claim(ctx, tablePath, "b", ttl), statestore.ErrLeased)
		do("release", b.Release(ctx, tablePath, "a"), nil)
		do("release twice", b.Release(ctx, tablePath, "a"), nil)
		wantItem(t, b, base(t))
		do("claim after release", b.Claim(ctx, tablePath, "b", ttl), nil)
		do("renew what was lost", b.Renew(ctx, tablePath, "a", ttl), statestore.ErrLeased)
		do("release, then", b.Release(ctx, tablePath, "b"), nil)
		do("claim without item", b.Claim(ctx, table(2), "a", ttl), statestore.ErrNotFound)
		do("renew without item", b.Renew(ctx, table(2), "a", ttl), statestore.ErrNotFound)
		do("release without item", b.Release(ctx, table(2), "a"), nil)
	})
}

// Clock is a time that tests set.
type Clock struct {
	mu  sync.Mutex
	now time.Time
}

// NewClock returns a clock that stands still at a fixed time.
func NewClock() *Clock { return &Clock{now: time.Date(2026, 1, 31, 23, 59, 59, 999_000_000, time.UTC)} }

// Now returns the clock's time, in a zone other than UTC.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now.In(time.FixedZone("", -5*3600))
}

// Pass moves the clock.
func (c *Clock) Pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// RunClock runs what only leases by clock must do: b is an empty table whose leases run by clock.
func RunClock(t *testing.T, b statestore.Backend, clock *Clock) {
	t.Helper()
	t.Run("leases by clock", func(t *testing.T) {
		ctx := t.Context()
		create(t, b, base(t))
		wantErr(t, b.Claim(ctx, tablePath, "a", ttl), nil)
		wantItem(t, b, changed(base(t), statestore.Item{"LeaseOwner": "a", "LeaseUntil": "2026-02-01T00:01:29.999Z"}))
		clock.Pass(ttl)
		wantErr(t, b.Claim(ctx, tablePath, "b", ttl), statestore.ErrLeased)
		wantErr(t, b.Renew(ctx, tablePath, "a", ttl), nil)
		clock.Pass(ttl)
		wantErr(t, b.Claim(ctx, tablePath, "b", ttl), statestore.ErrLeased)
		clock.Pass(time.Millisecond)
		wantErr(t, b.Claim(ctx, tablePath, "b", ttl), nil)
		wantErr(t, b.Renew(ctx, tablePath, "a", ttl), statestore.ErrLeased)
		wantErr(t, b.Release(ctx, tablePath, "a"), nil)
		wantErr(t, b.Renew(ctx, tablePath, "b", ttl), nil)
		clock.Pass(24 * time.Hour)
		wantErr(t, b.Renew(ctx, tablePath, "b", ttl), nil) // run out, but nobody took it
		wantErr(t, b.Release(ctx, tablePath, "b"), nil)
		wantItem(t, b, base(t))
	})
}
