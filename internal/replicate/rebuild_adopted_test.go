package replicate_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sluice/internal/replicate"
	"sluice/scripts/rig"
	"sluice/statestore"
)

// TestRebuild_AdoptedLake rebuilds what the ancestor left: rows twice after a crash of its, changes lost, a row that
// nobody wrote. Raw has everything, so the lake says afterwards what the source says; types of columns stay.
func TestRebuild_AdoptedLake(t *testing.T) {
	for name, c := range map[string]struct {
		set map[string]string
		dir string
	}{"plain": {nil, ""}, "partitioned": {map[string]string{"PartitionKey": "shop"}, "shop=5/"}} {
		t.Run(name, func(t *testing.T) {
			w := ancestral(t)
			w.spark(c.dir+sparkOne, 1, 2, 5)
			w.spark(c.dir+sparkTwo, 1, 2)
			w.adopt(c.set)
			w.run("store.sale", replicate.Idle)
			types := w.types("sale")
			got, err := w.engine().Rebuild(t.Context(), "store.sale")
			if err != nil || got.Action != replicate.Rebuilt || got.Inputs != 3 {
				t.Fatalf("%+v, %v", got, err)
			}
			w.wantSale("I 3 load true", "I 9 second true", "U 1 first true", "U 2 second true")
			if diff := cmp.Diff([]string{"1 5", "2 5", "3 6", "9 5"}, w.rows("sale", "id, shop")); diff != "" {
				t.Errorf("partition column (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(types, w.types("sale")); diff != "" {
				t.Errorf("types (-before +after):\n%s", diff)
			}
			w.run("store.sale", replicate.Idle)
			w.verified("store.sale")
			w.pass(20 * day)
			w.verified("store.sale")
			w.change(sale(), update(w.sold(3, "new", 5)...))
			w.run("store.sale", replicate.Merged)
			w.wantSale("I 9 second true", "U 1 first true", "U 2 second true", "U 3 new true")
			w.unchanged("store.sale", salePath)
		})
	}
}

func (w *world) verified(table string) {
	w.t.Helper()
	v, err := w.engine().Verify(w.t.Context(), table, replicate.VerifyOptions{MemoryBytes: replicate.MinVerifyBytes})
	if err != nil || !v.Well() {
		w.t.Errorf("verify: %+v, %v", v, err)
	}
}

// types returns name and type of the columns that the ancestor's files have, as DuckDB reads them.
func (w *world) types(folder string) []string {
	w.t.Helper()
	glob := w.root + "/lake/" + folder + "/**/*.parquet"
	return rig.DuckDB(w.t).Strings("select column_name || ' ' || column_type from (describe select id, name, \"at\" from read_parquet(?, union_by_name=true))", glob)
}

// TestRebuild_AdoptedWithoutItsLoad refuses: what the ancestor loaded, raw does not show any more.
func TestRebuild_AdoptedWithoutItsLoad(t *testing.T) {
	w := ancestral(t)
	w.spark(sparkOne, 1, 2, 3)
	w.removeRaw(strings.TrimPrefix(saleLoad, "raw/"))
	w.adopt(nil)
	w.run("store.sale", replicate.Idle)
	_, err := w.engine().Rebuild(t.Context(), "store.sale")
	if !errors.Is(err, replicate.ErrUsage) || !strings.Contains(err.Error(), "adopted without its full load") {
		t.Errorf("got %v", err)
	}
	if got := w.item(salePath)[statestore.Generation]; got != "" {
		t.Errorf("generation %s", got)
	}
}
