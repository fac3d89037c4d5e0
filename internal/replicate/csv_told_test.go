package replicate_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sluice/internal/object"
	"sluice/internal/replicate"
	"sluice/statestore"
)

// text writes a file of the table product, dated now.
func (w *world) text(name, body string) {
	w.t.Helper()
	path := filepath.Join(w.root, "raw/store/product", name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		w.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(body), 0o644); err != nil {
		w.t.Fatal(err)
	}
	if err := os.Chtimes(path, w.now(), w.now()); err != nil {
		w.t.Fatal(err)
	}
}

// changeText lets a minute pass and writes a CDC file of the table product.
func (w *world) changeText(body string) {
	w.t.Helper()
	w.pass(time.Minute)
	w.text(w.now().Format("20060102-150405")+"000.csv", body)
}

// TestAChangeThatLeavesOutItsOrderIsAsOldAsItsRow: what the order column was is what it is.
func TestAChangeThatLeavesOutItsOrderIsAsOldAsItsRow(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ body, want string }{
		"than the lake's":              {"U,1,desk,~\n", "1 desk 5"},
		"than one before it":           {"U,1,stool,7\nU,1,desk,~\n", "1 desk 7"},
		"before a newer one":           {"U,1,desk,~\nU,1,~,6\n", "1 desk 6"},
		"behind one that is stale":     {"U,1,desk,~\nU,1,stool,6\nU,1,bed,5\n", "1 stool 6"},
		"a delete":                     {"D,1,NULL,~\n", "2 lamp 5"},
		"a stale one before it counts": {"U,1,stool,4\n", "1 chair 5"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newCSVWorld(t, nil)
			w.startInOrder()
			w.changeText(c.body)
			w.run("store.product", replicate.Merged)
			if got := w.rows("product", "id, name, dept")[0]; got != c.want {
				t.Errorf("%s, want %s", got, c.want)
			}
		})
	}
}

// startInOrder loads two rows whose column dept orders their changes.
func (w csvWorld) startInOrder() {
	w.t.Helper()
	w.text("LOAD00000001.csv", "1,chair,5\n2,lamp,5\n")
	w.tick()
	key, order := "id", "dept"
	_, err := w.engine().Activate(w.t.Context(), "store.product", replicate.Activation{
		PrimaryKey: &key, OrderColumn: &order, CSV: map[string]string{statestore.CSVSchema: productSchema, statestore.CSVNoSup: "~"},
	})
	if err != nil {
		w.t.Fatal(err)
	}
	w.run("store.product", replicate.Loaded)
}

// TestAStaleChangeBehindOneThatLeavesOutItsOrderHalts: the first counts and the second does not, which one net change cannot say.
func TestAStaleChangeBehindOneThatLeavesOutItsOrderHalts(t *testing.T) {
	t.Parallel()
	w := newCSVWorld(t, nil)
	w.startInOrder()
	w.changeText("U,1,desk,~\nU,1,stool,4\n")
	got := w.run("store.product", replicate.Halted)
	if !strings.HasPrefix(got.Reason, "input:") || !strings.Contains(got.Reason, "the lake's row is newer") || !strings.Contains(got.Reason, "row 1") {
		t.Error(got.Reason)
	}
}

// TestRandomOrdersAndColumnsThatAreLeftOut holds a lake against changes that count or not one after the other, by an order column
// that they may leave out, too. Where some of a key's changes count and others do not the table may halt, and never has other rows.
func TestRandomOrdersAndColumnsThatAreLeftOut(t *testing.T) {
	t.Parallel()
	merged := 0
	for seed := range uint64(40) {
		rng := rand.New(rand.NewPCG(seed, 9))
		w := newCSVWorld(t, nil)
		w.startInOrder()
		truth := map[int][2]string{1: {"chair", "5"}, 2: {"lamp", "5"}}
		for batch := range 6 {
			var body strings.Builder
			stale, fresh := false, false
			for n := range 1 + rng.IntN(4) {
				id := 1 + rng.IntN(2)
				name, order := fmt.Sprintf("n%d.%d", batch, n), fmt.Sprint(3+rng.IntN(6))
				row := truth[id]
				if rng.IntN(3) == 0 {
					order = "~"
				}
				if rng.IntN(2) == 0 {
					name = "~"
				}
				fmt.Fprintf(&body, "U,%d,%s,%s\n", id, name, order)
				if order != "~" && order < row[1] {
					stale = true
					continue
				}
				fresh = true
				if name != "~" {
					row[0] = name
				}
				if order != "~" {
					row[1] = order
				}
				truth[id] = row
			}
			w.changeText(body.String())
			got := w.tick()["store.product"]
			if got.Action == replicate.Halted && stale && fresh && strings.Contains(got.Reason, "the lake's row is newer") {
				break
			}
			want := []string{"1 " + truth[1][0] + " " + truth[1][1], "2 " + truth[2][0] + " " + truth[2][1]}
			if diff := cmp.Diff(want, w.rows("product", "id, name, dept")); diff != "" || got.Action != replicate.Merged {
				t.Fatalf("seed %d, batch %d: %s (%s) of\n%s%s", seed, batch, got.Action, got.Reason, body.String(), diff)
			}
			merged++
		}
	}
	if merged < 60 {
		t.Errorf("only %d batches merged", merged)
	}
}

// TestALateFileBelowAChangeThatLeavesOutColumnsHalts: what that change left out is what the late file says, and the lake has what was before.
func TestALateFileBelowAChangeThatLeavesOutColumnsHalts(t *testing.T) {
	t.Parallel()
	for late, want := range map[string]replicate.Action{
		"U,1,stool,office\n": replicate.Halted, "D,1,stool,office\n": replicate.Halted, "U,2,stool,~\n": replicate.Merged, "U,3,stool,~\n": replicate.Merged,
	} {
		t.Run(late, func(t *testing.T) {
			t.Parallel()
			w := newCSVWorld(t, nil)
			w.text("LOAD00000001.csv", "1,chair,home\n2,lamp,home\n3,bed,home\n")
			w.tick()
			w.activateCSV(map[string]string{statestore.CSVSchema: productSchema, statestore.CSVNoSup: "~"})
			w.run("store.product", replicate.Loaded)
			w.pass(time.Minute)
			w.changeText("U,1,desk,~\nU,3,desk,den\n")
			w.run("store.product", replicate.Merged)
			w.text(w.now().Add(-30*time.Second).Format("20060102-150405")+"000.csv", late)
			w.run("store.product", want)
			rows := []string{"1 desk home", "2 lamp home", "3 desk den"}
			if strings.HasPrefix(late, "U,2") {
				rows[1] = "2 stool home"
			}
			if diff := cmp.Diff(rows, w.rows("product", "id, name, dept")); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// meanwhile is a bucket in which something happens once, before the first write below a prefix.
type meanwhile struct {
	replicate.Objects
	prefix string
	once   *sync.Once
	do     func()
	met    *int
}

func (m meanwhile) Put(ctx context.Context, key string, body []byte, in object.PutInput) (object.Info, error) {
	if strings.HasPrefix(key, m.prefix) {
		*m.met++
		m.once.Do(m.do)
	}
	return m.Objects.Put(ctx, key, body, in)
}

// TestCSVIsReadAnewWhenItsSettingsChangeWhileARunPlans: the commit is refused, and what is planned then goes by the new settings.
func TestCSVIsReadAnewWhenItsSettingsChangeWhileARunPlans(t *testing.T) {
	t.Parallel()
	w := newCSVWorld(t, nil)
	w.text("LOAD00000001.csv", "1,chair,home\n2,NULL,home\n")
	w.tick()
	w.activateCSV(map[string]string{statestore.CSVSchema: productSchema})
	w.objects["lake"] = meanwhile{w.objects["lake"], "_sluice/product/ledger/", &sync.Once{}, func() {
		w.activateCSV(map[string]string{statestore.CSVNull: "home"})
	}, new(int)}
	w.run("store.product", replicate.Loaded)
	if diff := cmp.Diff([]string{"1 chair true false", "2 NULL true false"}, w.rows("product", "id, name, dept is null, name is null")); diff != "" {
		t.Error(diff)
	}
}

// TestARowThatBeginsWithOpIsNotTakenForAHeader where the columns are known: a text may be Op.
func TestARowThatBeginsWithOpIsNotTakenForAHeader(t *testing.T) {
	t.Parallel()
	for header, want := range map[string][]string{"": nil, "false": {"Op 1 chair"}} {
		t.Run("header "+header, func(t *testing.T) {
			t.Parallel()
			w := newCSVWorld(t, nil)
			w.text("LOAD00000001.csv", "Op,1,chair\n")
			w.tick()
			w.activateCSV(map[string]string{statestore.CSVSchema: "dept string, id int, name string", statestore.CSVHeader: header})
			got := w.tick()["store.product"]
			if want == nil && (got.Action != replicate.Halted || !strings.Contains(got.Reason, "--csv-header")) {
				t.Errorf("%s: %s", got.Action, got.Reason)
			}
			if diff := cmp.Diff(want, w.rows("product", "dept, id, name")); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestAByteOrderMarkHalts: it would make Op another column, and the delete an insert.
func TestAByteOrderMarkHalts(t *testing.T) {
	t.Parallel()
	w := newCSVWorld(t, nil)
	w.text("LOAD00000001.csv", "id,name,dept\n1,chair,home\n")
	w.tick()
	w.activateCSV(map[string]string{statestore.CSVHeader: "true"})
	w.run("store.product", replicate.Loaded)
	w.changeText("\ufeffOp,id,name,dept\nD,1,chair,home\n")
	if got := w.run("store.product", replicate.Halted); !strings.Contains(got.Reason, "byte order mark") {
		t.Error(got.Reason)
	}
}

// TestAFullLoadInTwoFormatsHalts: an endpoint that was changed to another format writes beside what it wrote before, and the rows of both
// would be in the lake.
func TestAFullLoadInTwoFormatsHalts(t *testing.T) {
	t.Parallel()
	w := newCSVWorld(t, nil)
	w.text("LOAD00000001.csv", "1,chair,home\n2,NULL,home\n")
	w.tick()
	w.activateCSV(map[string]string{statestore.CSVSchema: productSchema})
	w.run("store.product", replicate.Loaded)
	w.pass(time.Hour)
	w.world.load(product(), []any{1, "desk", "home"})
	got := w.run("store.product", replicate.Halted)
	if !strings.HasPrefix(got.Reason, "reload:") || !strings.Contains(got.Reason, "LOAD00000001.csv and") || !strings.Contains(got.Reason, "LOAD00000001.parquet") {
		t.Error(got.Reason)
	}
	if err := os.Remove(filepath.Join(w.root, "raw/store/product/LOAD00000001.csv")); err != nil {
		t.Fatal(err)
	}
	w.acknowledged("")
	w.run("store.product", replicate.Loaded)
	if diff := cmp.Diff([]string{"1 desk home"}, w.rows("product", "id, name, dept")); diff != "" {
		t.Error(diff)
	}
}

// TestACommitIsRefusedWhenACSVSettingChangedWhileItWasPlanned, whichever it is.
func TestACommitIsRefusedWhenACSVSettingChangedWhileItWasPlanned(t *testing.T) {
	t.Parallel()
	for attribute, value := range map[string]string{
		statestore.CSVHeader: "false", statestore.CSVDelimiter: ",", statestore.CSVRowDelimiter: `\n`, statestore.CSVNull: "NULL",
		statestore.CSVNoSup: "~", statestore.CSVQuotes: "true", statestore.CSVSchema: productSchema + "\n",
	} {
		t.Run(attribute, func(t *testing.T) {
			t.Parallel()
			w := newCSVWorld(t, nil)
			w.text("LOAD00000001.csv", "1,chair,home\n")
			w.tick()
			w.activateCSV(map[string]string{statestore.CSVSchema: productSchema})
			plans := 0
			w.objects["lake"] = meanwhile{w.objects["lake"], "_sluice/product/ledger/", &sync.Once{}, func() {
				w.set("raw/store/product/", map[string]string{attribute: value})
			}, &plans}
			w.run("store.product", replicate.Loaded)
			if plans != 2 {
				t.Errorf("%d plans", plans)
			}
		})
	}
}
