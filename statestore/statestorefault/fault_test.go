package statestorefault_test

import (
	"errors"
	"testing"
	"time"

	"sluice/statestore"
	"sluice/statestore/statestorefault"
	"sluice/statestore/statestoretest"
)

const product = "raw/store/product/"

func TestNoFault(t *testing.T) {
	t.Parallel()
	statestoretest.Run(t, func(*testing.T) statestore.Backend {
		return statestorefault.New(statestore.NewMemory(time.Now), statestorefault.Fault{})
	})
}

// TestFaults breaks the second of three effects: the item is made, then an attribute is set, then another.
func TestFaults(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name          string
		how           statestorefault.How
		crash         bool
		fails         bool // whether the caller of the second effect hears an error
		want, arrived string
	}{
		{"before", statestorefault.Before, false, true, "3", "3"},
		{"after", statestorefault.After, false, true, "23", "23"},
		{"delayed", statestorefault.Delayed, false, true, "3", "23"},
		{"twice", statestorefault.Twice, false, false, "23", "23"},
		{"before, dead", statestorefault.Before, true, true, "", ""},
		{"after, dead", statestorefault.After, true, true, "2", "2"},
		{"delayed, dead", statestorefault.Delayed, true, true, "", "2"},
		{"twice, dead", statestorefault.Twice, true, true, "2", "2"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			inner := statestore.NewMemory(time.Now)
			b := statestorefault.New(inner, statestorefault.Fault{At: 2, How: tc.how, Crash: tc.crash})
			if err := b.Create(t.Context(), statestore.Item{"path": product}); err != nil {
				t.Errorf("first: %v", err)
			}
			for _, attr := range []string{"2", "3"} {
				item, err := b.Update(t.Context(), statestore.Update{Path: product, Set: map[string]string{attr: "1"}})
				if fails := attr == "2" && tc.fails || tc.crash; errors.Is(err, statestorefault.ErrInjected) != fails || (item[attr] == "1") == fails {
					t.Errorf("%s: item %v, error %v", attr, item, err)
				}
			}
			_, err := b.Read(t.Context(), product)
			wantAlive(t, err, !tc.crash)
			for _, err := range b.List(t.Context()) {
				wantAlive(t, err, !tc.crash)
			}
			wantSet(t, inner, tc.want)
			if err := b.Arrive(t.Context()); err != nil {
				t.Errorf("arrive: %v", err)
			}
			wantSet(t, inner, tc.arrived)
			if want := map[bool]int{false: 3, true: 2}[tc.crash]; b.Effects() != want || !b.Fired() || b.Dead() != tc.crash {
				t.Errorf("counted %d effects, fired %t, dead %t", b.Effects(), b.Fired(), b.Dead())
			}
		})
	}
}

func wantAlive(t *testing.T, err error, alive bool) {
	t.Helper()
	if errors.Is(err, statestorefault.ErrInjected) == alive {
		t.Errorf("read: %v", err)
	}
}

// wantSet says which of the attributes 2 and 3 the item has.
func wantSet(t *testing.T, b statestore.Backend, want string) {
	t.Helper()
	item, err := b.Read(t.Context(), product)
	got := ""
	for _, attr := range []string{"2", "3"} {
		if item[attr] != "" {
			got += attr
		}
	}
	if err != nil || got != want {
		t.Errorf("attributes %q, error %v, want %q", got, err, want)
	}
}

// TestTwice lets the second of two requests meet what others did meanwhile: a condition refuses it, and without one it
// takes place again.
func TestTwice(t *testing.T) {
	t.Parallel()
	first := statestore.Update{Path: product, Set: map[string]string{"by": "first"}}
	other := statestore.Update{Path: product, Set: map[string]string{"by": "other"}}
	for name, tc := range map[string]struct {
		condition []statestore.Condition
		want      string
		second    error
	}{
		"unconditional": {nil, "first", nil},
		"conditional":   {[]statestore.Condition{{Attr: "by", Test: statestore.Absent}}, "other", statestore.ErrConflict},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inner := statestore.NewMemory(time.Now)
			if err := inner.Create(t.Context(), statestore.Item{"path": product}); err != nil {
				t.Fatal(err)
			}
			b := statestorefault.New(inner, statestorefault.Fault{At: 1, How: statestorefault.Twice})
			sent := first
			sent.If = tc.condition
			for _, u := range []statestore.Update{sent, other} {
				if _, err := b.Update(t.Context(), u); err != nil {
					t.Fatal(err)
				}
			}
			if err := b.Arrive(t.Context()); !errors.Is(err, tc.second) {
				t.Errorf("the second: %v, want %v", err, tc.second)
			}
			if item, err := inner.Read(t.Context(), product); err != nil || item["by"] != tc.want {
				t.Errorf("item %v, error %v, want by %s", item, err, tc.want)
			}
		})
	}
}

// TestEveryEffect counts every call that may change something and fails it.
func TestEveryEffect(t *testing.T) {
	t.Parallel()
	for n := range 6 {
		b := statestorefault.New(statestore.NewMemory(time.Now), statestorefault.Fault{At: n + 1, How: statestorefault.Before})
		for m, err := range every(t, b) {
			if errors.Is(err, statestorefault.ErrInjected) != (m == n) {
				t.Errorf("fault at %d, effect %d: %v", n+1, m+1, err)
			}
		}
	}
}

// TestDieWith ends the process elsewhere.
func TestDieWith(t *testing.T) {
	t.Parallel()
	b := statestorefault.New(statestore.NewMemory(time.Now), statestorefault.Fault{})
	b.DieWith(func() bool { return true })
	for m, err := range every(t, b) {
		if !errors.Is(err, statestorefault.ErrInjected) {
			t.Errorf("effect %d: %v", m+1, err)
		}
	}
	if b.Effects() != 0 {
		t.Errorf("counted %d effects", b.Effects())
	}
}

func every(t *testing.T, b statestore.Backend) []error {
	t.Helper()
	errs := []error{
		b.EnsureTable(t.Context()),
		b.Create(t.Context(), statestore.Item{"path": product}),
	}
	_, update := b.Update(t.Context(), statestore.Update{Path: product, Set: map[string]string{"a": "1"}})
	return append(errs, update, b.Claim(t.Context(), product, "me", time.Minute),
		b.Renew(t.Context(), product, "me", time.Minute), b.Release(t.Context(), product, "me"))
}
