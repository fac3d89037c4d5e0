package replicate_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/deprecated"

	"sluice/internal/replicate"
	"sluice/scripts/dmsgen"
	"sluice/scripts/rig"
	"sluice/statestore"
)

// ancestorRow is a row of table sale as the ancestor's Spark job writes it: the columns of the LOAD files,
// Op behind them, timestamps as INT96.
type ancestorRow struct {
	ID   *int32           `parquet:"id,optional"`
	Name *string          `parquet:"name,optional"`
	At   deprecated.Int96 `parquet:"at,optional"`
	Op   *string          `parquet:"Op,optional"`
}

// sale is the ancestor's table; its lake is partitioned by shop in some tests, whose type is int.
func sale() dmsgen.Table {
	return dmsgen.Table{
		Schema: "store", Name: "sale", Key: []string{"id"},
		Columns: []dmsgen.Column{{Name: "id", Type: "int"}, {Name: "name", Type: "text"}, {Name: "at", Type: "timestamp"}, {Name: "shop", Type: "int"}},
	}
}

const (
	salePath = "raw/store/sale/"
	saleLoad = "raw/store/sale/LOAD00000001.parquet"
)

// soldAt is the time of every row in these tests.
func soldAt() time.Time { return time.Date(2026, 1, 2, 3, 4, 5, 678_000_000, time.UTC) }

func (w *world) sold(id int, name string, shop int) []any { return []any{id, name, soldAt(), shop} }

// spark writes a lake file as the ancestor does.
func (w *world) spark(name string, ids ...int32) {
	w.t.Helper()
	at := soldAt()
	julian := uint32(at.Unix()/86400 + 2440588)
	nanos := uint64(at.Sub(at.Truncate(day)))
	rows := make([]ancestorRow, len(ids))
	for i, id := range ids {
		text, op := string('a'-1+id), "I"
		rows[i] = ancestorRow{ID: &id, Name: &text, At: deprecated.Int96{uint32(nanos), uint32(nanos >> 32), julian}, Op: &op}
	}
	var body bytes.Buffer
	out := parquet.NewGenericWriter[ancestorRow](&body, parquet.Compression(&parquet.Snappy))
	if _, err := out.Write(rows); err != nil {
		w.t.Fatal(err)
	}
	if err := out.Close(); err != nil {
		w.t.Fatal(err)
	}
	path := filepath.Join(w.root, "lake", "sale", name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		w.t.Fatal(err)
	}
	if err := os.WriteFile(path, body.Bytes(), 0o644); err != nil {
		w.t.Fatal(err)
	}
}

// adopt imports a control item as the ancestor keeps it.
func (w *world) adopt(changed map[string]string) {
	w.t.Helper()
	item := map[string]string{
		"path": salePath, "bucket": "raw", "prefix": "store/", "folder": "sale/", "PrimaryKey": "id", "PartitionKey": "null",
		"LastFullLoadDate": "2026-03-14 12:00:00", "LastIncrementalFile": salePath + "20260314-120200000.parquet",
		"ActiveFlag": "true", "out_path": "lake/",
	}
	for name, v := range changed {
		item[name] = v
	}
	line, err := json.Marshal(item)
	if err != nil {
		w.t.Fatal(err)
	}
	if n, err := w.engine().Import(w.t.Context(), bytes.NewReader(line), false); n != 1 || err != nil {
		w.t.Fatalf("imported %d items: %v", n, err)
	}
}

// ancestral returns a world whose table sale the ancestor has merged so far: a load and two CDC files in
// raw, which say other things than the lake so that applying any of them again would show.
func ancestral(t *testing.T) *world {
	t.Helper()
	w := newWorld(t)
	w.load(sale(), w.sold(1, "load", 5), w.sold(2, "load", 5), w.sold(3, "load", 6))
	w.dateRaw(strings.TrimPrefix(saleLoad, "raw/"), noon.Add(700*time.Millisecond))
	w.change(sale(), update(w.sold(1, "first", 5)...))
	w.change(sale(), update(w.sold(2, "second", 5)...), insert(w.sold(9, "second", 5)...))
	return w
}

const (
	sparkOne = "part-00000-4c4a1f0e-0000-4000-8000-000000000000-c000.snappy.parquet"
	sparkTwo = "part-00001-4c4a1f0e-0000-4000-8000-000000000000-c000.snappy.parquet"
)

func (w *world) wantSale(want ...string) {
	w.t.Helper()
	if diff := cmp.Diff(want, w.rows("sale", `"Op", id, name, epoch_ms("at"::timestamp) = 1767323045678`)); diff != "" {
		w.t.Errorf("lake (-want +got):\n%s", diff)
	}
}

// TestRuling10_UpToDate adopts lakes that lack nothing: the first run touches no lake file, the second
// nothing at all, and the next day's first run only the day of the listing.
func TestRuling10_UpToDate(t *testing.T) {
	cases := []struct {
		name  string
		set   map[string]string
		files []string
	}{
		{"plain", nil, []string{sparkOne, sparkTwo}},
		{"partitioned", map[string]string{"PartitionKey": "shop"}, []string{"shop=5/" + sparkOne, "shop=6/" + sparkTwo}},
		{"second element of the load is newer", map[string]string{}, []string{sparkOne, sparkTwo}},
		{"no key", map[string]string{"PrimaryKey": "null"}, []string{sparkOne, sparkTwo}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			w := ancestral(t)
			if strings.HasPrefix(c.name, "second") {
				s := dmsgen.DefaultSettings()
				s.FirstLoad = 2
				if _, err := w.writer(s).WriteLoad(t.Context(), sale(), noon.Add(time.Minute), w.sold(4, "load", 5)); err != nil {
					t.Fatal(err)
				}
			}
			w.spark(c.files[0], 1, 2)
			w.spark(c.files[1], 3)
			w.adopt(c.set)
			before := w.snapshot("sale")
			got := w.run("store.sale", replicate.Idle)
			if got.Inputs != 0 || got.FilesRewritten+got.FilesCreated+got.FilesEmptied != 0 {
				t.Errorf("the first run consumed or wrote something: %+v", got)
			}
			item := w.item(salePath)
			if item[statestore.LastFullLoadDate] != "2026-03-14 12:00:00" && !strings.HasPrefix(c.name, "second") ||
				item[statestore.LastIncrementalFile] != salePath+"20260314-120200000.parquet" || item[statestore.LoadFingerprint] == "" {
				t.Errorf("item behind the first run: %v", item)
			}
			w.unchanged("store.sale", salePath)
			w.pass(day)
			bookkeeping := w.snapshot("_sluice")
			w.run("store.sale", replicate.Idle)
			item[statestore.ListedOn] = "2026-03-15"
			item[statestore.InputsDigest] = w.item(salePath)[statestore.InputsDigest] // its anchor follows the horizon
			if diff := cmp.Diff(item, w.item(salePath)); diff != "" {
				t.Errorf("the day's first run changed the item (-want +got):\n%s", diff)
			}
			if !cmp.Equal(before, w.snapshot("sale")) || !cmp.Equal(bookkeeping, w.snapshot("_sluice")) {
				t.Error("a file of the lake bucket was touched")
			}
			w.unchanged("store.sale", salePath)
		})
	}
}

// TestRuling10_LoadedOrNot compares the first LOAD object's date, noon and 700 ms, with LastFullLoadDate.
func TestRuling10_LoadedOrNot(t *testing.T) {
	cases := []struct {
		name, last string
		action     replicate.Action
		want       []string
	}{
		{"equal in whole seconds", "2026-03-14 12:00:00", replicate.Idle, []string{"I 1 a true", "I 2 b true", "I 3 c true"}},
		{"older", "2026-03-14 12:00:01", replicate.Idle, []string{"I 1 a true", "I 2 b true", "I 3 c true"}},
		{"newer by a second", "2026-03-14 11:59:59", replicate.Merged, []string{"I 3 load true", "I 9 second true", "U 1 first true", "U 2 second true"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			w := ancestral(t)
			w.spark(sparkOne, 1, 2, 3)
			w.adopt(map[string]string{"LastFullLoadDate": c.last})
			w.run("store.sale", c.action)
			w.wantSale(c.want...)
			w.unchanged("store.sale", salePath)
		})
	}
}

// TestRuling10_NewerLoadIsAReload is a defect's: the load that an adopted table lacks ran
// though its ReloadPolicy is fence, or though the dates of raw cannot be trusted.
func TestRuling10_NewerLoadIsAReload(t *testing.T) {
	for name, prepare := range map[string]func(w *world){
		"fence": func(w *world) { w.set(salePath, map[string]string{statestore.ReloadPolicy: "fence"}) },
		"skew":  func(w *world) { w.dateRaw("store/sale/20260314-120200000.parquet", noon.Add(7*time.Hour)) },
	} {
		t.Run(name, func(t *testing.T) {
			w := ancestral(t)
			w.pass(8 * time.Hour)
			w.spark(sparkOne, 1, 2, 3)
			w.adopt(map[string]string{"LastFullLoadDate": "2026-03-01 00:00:00"})
			prepare(w)
			before := w.snapshot("sale")
			got := w.run("store.sale", replicate.Halted)
			if !strings.HasPrefix(got.Reason, "reload: ") || !strings.Contains(got.Reason, "--accept reload") {
				t.Errorf("reason %q", got.Reason)
			}
			if !cmp.Equal(before, w.snapshot("sale")) {
				t.Error("the lake was touched")
			}
		})
	}
}

// TestRuling10_BehindTheWatermark merges what the ancestor had not merged, in place, and nothing of what it had:
// files that it consumed are known from then on, so that late ones can be told.
func TestRuling10_BehindTheWatermark(t *testing.T) {
	w := ancestral(t)
	w.spark(sparkOne, 1, 2)
	w.spark(sparkTwo, 3)
	w.adopt(nil)
	w.change(sale(), update(w.sold(1, "new", 5)...), remove(w.sold(3, "", 6)...))
	w.run("store.sale", replicate.Merged)
	w.wantSale("I 2 b true", "U 1 new true")
	w.changeAt(sale(), noon.Add(90*time.Second), insert(w.sold(4, "late", 5)...), update(w.sold(2, "late", 5)...))
	w.run("store.sale", replicate.Merged)
	w.wantSale("I 2 b true", "I 4 late true", "U 1 new true")
	w.unchanged("store.sale", salePath)
}

// TestRuling10_OldChanges adopts a table whose consumed files are older than the horizon: no ledger ever knows them.
func TestRuling10_OldChanges(t *testing.T) {
	w := ancestral(t)
	w.spark(sparkOne, 1, 2, 3)
	w.pass(100 * day)
	w.adopt(nil)
	for range 3 {
		w.run("store.sale", replicate.Idle)
		w.wantSale("I 1 a true", "I 2 b true", "I 3 c true")
		w.pass(day)
	}
}

// TestRuling10_NoLoadInRaw adopts a table whose LOAD files a lifecycle rule removed; a new full load is a reload then.
func TestRuling10_NoLoadInRaw(t *testing.T) {
	w := ancestral(t)
	w.spark(sparkOne, 1, 2, 3)
	w.removeRaw(strings.TrimPrefix(saleLoad, "raw/"))
	w.adopt(nil)
	w.run("store.sale", replicate.Idle)
	w.unchanged("store.sale", salePath)
	w.wantSale("I 1 a true", "I 2 b true", "I 3 c true")
	w.pass(time.Hour)
	w.load(sale(), w.sold(7, "reload", 5))
	w.run("store.sale", replicate.Loaded)
	w.wantSale("I 7 reload true")
}

// columnsOf returns the columns inside one lake file, in their order.
func (w *world) columnsOf(file string) []string {
	w.t.Helper()
	return rig.DuckDB(w.t).Columns("select * from read_parquet(?, hive_partitioning=false) limit 0", filepath.Join(w.root, "lake", file))
}

// TestRuling11_ColumnOrder merges into files that have Op last and INT96: they keep their order; files of ours put Op first.
func TestRuling11_ColumnOrder(t *testing.T) {
	w := ancestral(t)
	w.spark("shop=5/"+sparkOne, 1, 2)
	w.spark("shop=6/"+sparkTwo, 3)
	w.adopt(map[string]string{"PartitionKey": "shop"})
	w.run("store.sale", replicate.Idle)
	untouched := w.snapshot("sale/shop=6")
	w.change(sale(), update(w.sold(1, "new", 5)...), insert(w.sold(4, "d", 7)...))
	w.run("store.sale", replicate.Merged)
	w.wantSale("I 2 b true", "I 3 c true", "I 4 d true", "U 1 new true")
	if !cmp.Equal(untouched, w.snapshot("sale/shop=6")) {
		t.Error("a partition that no change is of was touched")
	}
	if diff := cmp.Diff([]string{"id", "name", "at", "Op"}, w.columnsOf("sale/shop=5/"+sparkOne)); diff != "" {
		t.Errorf("rewritten file of the ancestor (-want +got):\n%s", diff)
	}
	created := w.files("sale/shop=7")
	if len(created) != 1 {
		t.Fatalf("files of the new partition: %v", created)
	}
	if diff := cmp.Diff([]string{"Op", "id", "name", "at"}, w.columnsOf(created[0])); diff != "" {
		t.Errorf("file of ours (-want +got):\n%s", diff)
	}
	w.unchanged("store.sale", salePath)
}

// TestRuling11_PartitionTypes moves rows between the partitions of an adopted lake: what type shop has, only the inputs tell.
func TestRuling11_PartitionTypes(t *testing.T) {
	w := ancestral(t)
	w.spark("shop=5/"+sparkOne, 1, 2)
	w.spark("shop=6/"+sparkTwo, 3)
	w.adopt(map[string]string{"PartitionKey": "shop", "PrimaryKey": "id,shop"})
	w.change(sale(), update(w.sold(1, "new", 5)...), remove(w.sold(3, "", 6)...), insert(w.sold(3, "other", 5)...), remove(w.sold(2, "", 6)...))
	got := w.run("store.sale", replicate.Merged)
	if got.Inserts != 1 || got.Updates != 1 || got.Deletes != 1 {
		t.Errorf("%d inserts, %d updates, %d deletes, want one of each", got.Inserts, got.Updates, got.Deletes)
	}
	want := []string{"1 new 5", "2 b 5", "3 other 5"}
	if diff := cmp.Diff(want, w.rows("sale", "id, name, shop")); diff != "" {
		t.Errorf("lake (-want +got):\n%s", diff)
	}
	dirs := slices.Compact(slices.Sorted(func(yield func(string) bool) {
		for _, f := range w.files("sale") {
			if !yield(filepath.Dir(f)) {
				return
			}
		}
	}))
	if diff := cmp.Diff([]string{"sale/shop=5", "sale/shop=6"}, dirs); diff != "" {
		t.Errorf("partitions (-want +got):\n%s", diff)
	}
}
