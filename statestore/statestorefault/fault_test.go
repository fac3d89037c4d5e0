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
		return statestorefault.New(statestore.NewMemory(time.Now), 0, statestorefault.Before)
	})
}

// TestModes breaks the second of three effects.
func TestModes(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		mode         statestorefault.Mode
		second       bool // whether the second effect happens
		third, alive bool // whether the third does, and reading
	}{
		"before":      {statestorefault.Before, false, true, true},
		"after":       {statestorefault.After, true, true, true},
		"dying first": {statestorefault.DyingFirst, false, false, false},
		"dying after": {statestorefault.DyingAfter, true, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inner := statestore.NewMemory(time.Now)
			b := statestorefault.New(inner, 2, tc.mode)
			if err := b.Create(t.Context(), statestore.Item{"path": product}); err != nil {
				t.Errorf("first: %v", err)
			}
			for n, attr := range []string{"second", "third"} {
				_, err := b.Update(t.Context(), statestore.Update{Path: product, Set: map[string]string{attr: "1"}})
				if fails := n == 0 || !tc.third; errors.Is(err, statestorefault.ErrInjected) != fails {
					t.Errorf("%s: %v", attr, err)
				}
			}
			if _, err := b.Read(t.Context(), product); (err == nil) != tc.alive {
				t.Errorf("read: %v", err)
			}
			for _, err := range b.List(t.Context()) {
				if (err == nil) != tc.alive {
					t.Errorf("list: %v", err)
				}
			}
			item, err := inner.Read(t.Context(), product)
			if err != nil || (item["second"] == "1") != tc.second || (item["third"] == "1") != tc.third {
				t.Errorf("item %v, error %v", item, err)
			}
			if b.Effects() != 3 {
				t.Errorf("counted %d effects", b.Effects())
			}
		})
	}
}

// TestEveryEffect counts every call that may change something and fails it.
func TestEveryEffect(t *testing.T) {
	t.Parallel()
	for n := range 6 {
		b := statestorefault.New(statestore.NewMemory(time.Now), n+1, statestorefault.Before)
		errs := []error{
			b.EnsureTable(t.Context()),
			b.Create(t.Context(), statestore.Item{"path": product}),
		}
		_, update := b.Update(t.Context(), statestore.Update{Path: product, Set: map[string]string{"a": "1"}})
		errs = append(errs, update, b.Claim(t.Context(), product, "me", time.Minute),
			b.Renew(t.Context(), product, "me", time.Minute), b.Release(t.Context(), product, "me"))
		for m, err := range errs {
			if errors.Is(err, statestorefault.ErrInjected) != (m == n) {
				t.Errorf("fault at %d, effect %d: %v", n+1, m+1, err)
			}
		}
	}
}
