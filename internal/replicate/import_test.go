package replicate_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sluice/internal/replicate"
	"sluice/statestore"
)

// TestImport_SetsNothingBackUnlessForced: the number of the bookkeeping was
// written into an older export, which then passed for the newest state and took the
// table's ledger back with it.
func TestImport_SetsNothingBackUnlessForced(t *testing.T) {
	w := newWorld(t)
	w.load(product(), []any{1, "a", "x"})
	w.run("store.product", replicate.Registered)
	w.activate("store.product", "id", "")
	w.run("store.product", replicate.Loaded)
	var old bytes.Buffer
	if err := w.engine().Export(t.Context(), &old); err != nil {
		t.Fatal(err)
	}
	w.change(product(), update(1, "A", "x"))
	w.run("store.product", replicate.Merged)
	now := w.item("raw/store/product/")
	w.touched = true // an item that is set back says that changes are not merged which are

	if _, err := w.engine().Import(t.Context(), bytes.NewReader(old.Bytes()), false); !errors.Is(err, statestore.ErrSeq) {
		t.Errorf("import of an older export: %v, want %v", err, statestore.ErrSeq)
	}
	some := `{"path":"raw/store/product/","ReloadPolicy":"fence"}`
	if _, err := w.engine().Import(t.Context(), strings.NewReader(some), false); err != nil {
		t.Errorf("import of one attribute: %v", err)
	}
	now[statestore.ReloadPolicy] = "fence"
	if diff := cmp.Diff(now, w.item("raw/store/product/")); diff != "" {
		t.Errorf("item (-before +after):\n%s", diff)
	}
	if _, err := w.engine().Import(t.Context(), bytes.NewReader(old.Bytes()), true); err != nil {
		t.Errorf("forced import: %v", err)
	}
}
