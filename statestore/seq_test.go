package statestore_test

import (
	"errors"
	"testing"

	"pgregory.net/rapid"

	"sluice/statestore"
)

func TestSeqOrder(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		a, b := rapid.Uint64Max(statestore.MaxSeq).Draw(t, "a"), rapid.Uint64Max(statestore.MaxSeq).Draw(t, "b")
		if x, y := statestore.FormatSeq(a), statestore.FormatSeq(b); (a < b) != (x < y) || (a == b) != (x == y) {
			t.Errorf("%d, %d are written %s, %s", a, b, x, y)
		}
		if got, err := statestore.ParseSeq(statestore.FormatSeq(a)); got != a || err != nil {
			t.Errorf("%d comes back as %d, %v", a, got, err)
		}
	})
}

func TestParseSeq(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]error{
		"":              nil,
		"000000000000":  nil,
		"999999999999":  nil,
		"7":             statestore.ErrSeq,
		"0000000000007": statestore.ErrSeq,
		"00000000000x":  statestore.ErrSeq,
		"-00000000007":  statestore.ErrSeq,
		"+00000000007":  statestore.ErrSeq,
		"0000_0000007":  statestore.ErrSeq,
		statestore.FormatSeq(statestore.MaxSeq + 1): statestore.ErrSeq,
	} {
		if _, err := statestore.ParseSeq(s); !errors.Is(err, want) {
			t.Errorf("%q: got %v, want %v", s, err, want)
		}
	}
}

func TestNewItem(t *testing.T) {
	t.Parallel()
	item, err := statestore.NewItem("raw/store/product/", "lake/")
	if err != nil {
		t.Fatal(err)
	}
	for attr, want := range map[string]string{"bucket": "raw", "prefix": "store/", "folder": "product/", "out_path": "lake/"} {
		if item[attr] != want {
			t.Errorf("%s: got %q, want %q", attr, item[attr], want)
		}
	}
	if item.Active() || item.Halted() || item.Pending() {
		t.Errorf("new item: active %v, halted %v, pending %v", item.Active(), item.Halted(), item.Pending())
	}
	if _, err := statestore.NewItem("product/", "lake/"); !errors.Is(err, statestore.ErrInvalid) {
		t.Errorf("short path: got %v", err)
	}
}
