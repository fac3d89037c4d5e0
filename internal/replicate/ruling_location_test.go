package replicate_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sluice/internal/replicate"
	"sluice/statestore"
)

// wantOut wants a table registered with an out_path.
func (w *world) wantOut(path, out string) {
	w.t.Helper()
	if got := w.item(path)[statestore.OutPath]; got != out {
		w.t.Errorf("out_path of %s is %q, want %q", path, got, out)
	}
}

func TestRuling24_TwoSchemasWithOneTableName(t *testing.T) {
	w := newWorld(t)
	w.begin("id", "", rowsOf("id, v", "1, 'store'"))
	w.write("raw", "shop/t/LOAD00000001.parquet", rowsOf("id, v", "1, 'shop'"))
	got := w.run("shop.t", replicate.Registered)
	if !strings.Contains(got.Reason, "lake/shop/") {
		t.Errorf("the line does not say where the lake is: %q", got.Reason)
	}
	w.wantOut(storyPath, "lake/")
	w.wantOut("raw/shop/t/", "lake/shop/")
	w.activate("shop.t", "id", "")
	w.run("shop.t", replicate.Loaded)
	w.wantRows("id, v", "1 store")
	if diff := cmp.Diff([]string{"1 shop"}, w.rows("shop/t", "id, v")); diff != "" {
		t.Errorf("shop.t (-want +got):\n%s", diff)
	}
	w.write("raw", "third/t/LOAD00000001.parquet", rowsOf("id, v", "1, 'third'"))
	w.run("third.t", replicate.Registered)
	w.wantOut("raw/third/t/", "lake/third/")
}

// TestRuling24_TwoSchemasWithOneTableNameFoundInOneTick: the first tick over a source with two such schemas gave both
// tables one folder, and the second one halted for good.
func TestRuling24_TwoSchemasWithOneTableNameFoundInOneTick(t *testing.T) {
	w := newWorld(t)
	for _, schema := range []string{"one", "two"} {
		w.write("raw", schema+"/t/LOAD00000001.parquet", rowsOf("id, v", "1, '"+schema+"'"))
	}
	w.tick()
	w.wantOut("raw/one/t/", "lake/")
	w.wantOut("raw/two/t/", "lake/two/")
}

func TestRuling24_ASchemaNamedLikeATableGetsAFolderOfItsOwn(t *testing.T) {
	w := newWorld(t)
	for _, table := range []string{"app/orders", "app/sales"} {
		w.write("raw", table+"/LOAD00000001.parquet", "select 1 as id, '"+table+"' as v")
	}
	w.run("app.sales", replicate.Registered)
	w.write("raw", "sales/orders/LOAD00000001.parquet", "select 1 as id, 'sales/orders' as v")
	w.run("sales.orders", replicate.Registered)
	w.wantOut("raw/sales/orders/", "lake/sales-2/") // lake/sales/ is the folder of app.sales
	for _, table := range []string{"app.orders", "app.sales", "sales.orders"} {
		w.activate(table, "id", "")
		w.run(table, replicate.Loaded)
	}
	for folder, want := range map[string]string{"orders": "app/orders", "sales": "app/sales", "sales-2/orders": "sales/orders"} {
		if diff := cmp.Diff([]string{"1 " + want}, w.rows(folder, "id, v")); diff != "" {
			t.Errorf("%s (-want +got):\n%s", folder, diff)
		}
	}
}

func TestRuling24_ATableNamedLikeAMovedSchemaGetsAFolderOfItsOwn(t *testing.T) {
	w := newWorld(t)
	w.write("raw", "app/orders/LOAD00000001.parquet", "select 1 as id")
	w.run("app.orders", replicate.Registered)
	w.write("raw", "sales/orders/LOAD00000001.parquet", "select 1 as id")
	w.run("sales.orders", replicate.Registered)
	w.wantOut("raw/sales/orders/", "lake/sales/")
	w.write("raw", "app/sales/LOAD00000001.parquet", "select 1 as id")
	w.run("app.sales", replicate.Registered)
	w.wantOut("raw/app/sales/", "lake/app/")
}

func TestRuling24_OwnerDecidesARace(t *testing.T) {
	w := newWorld(t)
	w.loadOf(1, rowsOf("id, v", "1, 'store'"))
	w.write("raw", "shop/t/LOAD00000001.parquet", rowsOf("id, v", "1, 'shop'"))
	for _, path := range []string{storyPath, "raw/shop/t/"} { // two runs registered them at once
		item, err := statestore.NewItem(path, "lake/")
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := w.state.Register(t.Context(), item); err != nil {
			t.Fatal(err)
		}
	}
	w.activate(storyTable, "id", "")
	w.run(storyTable, replicate.Loaded)
	w.activate("shop.t", "id", "")
	got := w.run("shop.t", replicate.Halted)
	if !strings.HasPrefix(got.Reason, "location: ") || !strings.Contains(got.Reason, storyPath) || !strings.Contains(got.Reason, "--out-path") {
		t.Errorf("halt: %q", got.Reason)
	}
	w.run(storyTable, replicate.Idle)
	w.wantRows("id, v", "1 store")
	out := "lake/shop/"
	if _, err := w.engine().Activate(t.Context(), "shop.t", replicate.Activation{OutPath: &out}); err != nil {
		t.Fatalf("the remedy of the halt: %v", err)
	}
	if _, err := w.engine().Acknowledge(t.Context(), "shop.t", ""); err != nil {
		t.Fatal(err)
	}
	w.run("shop.t", replicate.Loaded)
	if diff := cmp.Diff([]string{"1 shop"}, w.rows("shop/t", "id, v")); diff != "" {
		t.Errorf("shop.t (-want +got):\n%s", diff)
	}
	w.wantRows("id, v", "1 store")
}

func TestRuling24_OutPathIsSetWhileTheLakeIsEmpty(t *testing.T) {
	w := newWorld(t)
	w.loadOf(1, rowsOf("id, v", "1, 'a'"))
	w.run(storyTable, replicate.Registered)
	key, out := "id", "lake/elsewhere"
	activation := replicate.Activation{PrimaryKey: &key, OutPath: &out}
	if _, err := w.engine().Activate(t.Context(), storyTable, activation); err != nil {
		t.Fatal(err)
	}
	w.wantOut(storyPath, "lake/elsewhere/")
	w.run(storyTable, replicate.Loaded)
	if diff := cmp.Diff([]string{"1 a"}, w.rows("elsewhere/t", "id, v")); diff != "" {
		t.Errorf("lake (-want +got):\n%s", diff)
	}
	*activation.OutPath = "lake/third/"
	if _, err := w.engine().Activate(t.Context(), storyTable, activation); !errors.Is(err, replicate.ErrUsage) {
		t.Errorf("moving a lake that is there: %v, want ErrUsage", err)
	}
	w.wantOut(storyPath, "lake/elsewhere/")
}

func TestRuling24_OutPathInAnotherTablesFolderIsRefused(t *testing.T) {
	w := newWorld(t)
	w.begin("id", "", rowsOf("id, v", "1, 'store'"))
	w.pass(time.Second)
	w.write("raw", "shop/t/LOAD00000001.parquet", rowsOf("id, v", "1, 'shop'"))
	w.run("shop.t", replicate.Registered)
	for _, out := range []string{"lake/", "s3://lake", "lake/t/", "lake/t/deeper/"} {
		_, err := w.engine().Activate(t.Context(), "shop.t", replicate.Activation{OutPath: &out})
		if !errors.Is(err, replicate.ErrUsage) {
			t.Errorf("out_path %s: %v, want ErrUsage", out, err)
		}
	}
	w.run("shop.t", replicate.Inactive)
	out := "lake/t2/"
	if _, err := w.engine().Activate(t.Context(), "shop.t", replicate.Activation{OutPath: &out}); err != nil {
		t.Fatal(err)
	}
	w.run("shop.t", replicate.Loaded)
	w.wantRows("id, v", "1 store")
}

func TestRuling24_AnOutPathWhoseBucketIsMissingCanBeSetAnew(t *testing.T) {
	w := newWorld(t)
	w.loadOf(1, rowsOf("id, v", "1, 'a'"))
	w.run(storyTable, replicate.Registered)
	w.set(storyPath, map[string]string{statestore.OutPath: "nowhere/", "PrimaryKey": "id", "ActiveFlag": "true"})
	w.run(storyTable, replicate.Failed)
	out := "lake/"
	if _, err := w.engine().Activate(t.Context(), storyTable, replicate.Activation{OutPath: &out}); err != nil {
		t.Fatal(err)
	}
	w.run(storyTable, replicate.Loaded)
	w.wantRows("id, v", "1 a")
}

// TestRuling24_TheLakeOfTheAncestorDoesNotMove has lake files and no owner.json: the operator was told to restore it.
func TestRuling24_TheLakeOfTheAncestorDoesNotMove(t *testing.T) {
	w := newWorld(t)
	w.load(product(), []any{1, "a", "x"})
	w.tick()
	w.activate("store.product", "id", "")
	w.run("store.product", replicate.Loaded)
	if err := os.RemoveAll(filepath.Join(w.root, "lake", "_sluice")); err != nil {
		t.Fatal(err)
	}
	out := "lake/elsewhere/"
	_, err := w.engine().Activate(t.Context(), "store.product", replicate.Activation{OutPath: &out})
	if !errors.Is(err, replicate.ErrUsage) || !strings.Contains(err.Error(), "has a lake") {
		t.Errorf("got %v", err)
	}
}
