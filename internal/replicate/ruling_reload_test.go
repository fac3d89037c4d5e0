package replicate_test

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sluice/internal/replicate"
	"sluice/scripts/dmsgen"
	"sluice/statestore"
)

// single returns the settings of a load with one row in each file, counted from n.
func single(n int) dmsgen.Settings {
	s := dmsgen.DefaultSettings()
	s.RowsPerFile, s.FirstLoad = 1, n
	return s
}

// inSegment returns the settings of one segment of a parallel load.
func inSegment(folder string) dmsgen.Settings {
	s := dmsgen.DefaultSettings()
	s.SegmentFolder = folder
	return s
}

// snapshot returns what lies below a folder of the lake bucket: bytes and date of every file.
func (w *world) snapshot(folder string) map[string]string {
	w.t.Helper()
	all := map[string]string{}
	root := filepath.Join(w.root, "lake", folder)
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		body, err := os.ReadFile(path)
		all[strings.TrimPrefix(path, root)] = fmt.Sprintf("%s %x", info.ModTime().Format(time.RFC3339Nano), body)
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return all
}

// unchanged runs, has nothing to do and makes sure that neither the lake with its bookkeeping nor the item was touched.
func (w *world) unchanged(table, path string) {
	w.t.Helper()
	lake, item := w.snapshot(""), w.item(path)
	w.run(table, replicate.Idle)
	if diff := cmp.Diff(item, w.item(path)); diff != "" {
		w.t.Errorf("the run changed the control item (-before +after):\n%s", diff)
	}
	if !cmp.Equal(lake, w.snapshot("")) {
		w.t.Error("the run touched a file of the lake bucket")
	}
}

// TestRuling04_Set changes a recorded set of three LOAD files of one row each.
func TestRuling04_Set(t *testing.T) {
	key := func(n int) string { return single(1).LoadKey(product(), n) }
	kept := []string{"1 a", "2 b", "3 c"}
	cases := []struct {
		name   string
		change func(w *world)
		action replicate.Action
		reason []string
		rows   []string
	}{
		{
			"grows", func(w *world) { w.loadAs(single(4), w.now(), []any{4, "d", ""}) },
			replicate.Loaded, nil,
			[]string{"1 a", "2 b", "3 c", "4 d"},
		},
		{
			"shrinks: what is gone may have been lost", func(w *world) { w.removeRaw(key(3)) },
			replicate.Halted,
			[]string{"vanished: ", "LOAD00000003"},
			kept,
		},
		{"same names, other content", func(w *world) {
			w.loadAs(single(1), w.now(), []any{1, "A", ""}, []any{2, "B", ""}, []any{5, "E", ""})
		}, replicate.Loaded, nil, []string{"1 A", "2 B", "5 E"}},
		{"other content and fewer, the rest removed", func(w *world) {
			w.loadAs(single(1), w.now(), []any{1, "A", ""})
			w.removeRaw(key(2), key(3))
		}, replicate.Loaded, nil, []string{"1 A"}},
		{"other content and more", func(w *world) {
			w.loadAs(single(1), w.now(), []any{1, "A", ""}, []any{2, "B", ""}, []any{3, "C", ""}, []any{4, "D", ""})
		}, replicate.Loaded, nil, []string{"1 A", "2 B", "3 C", "4 D"}},
		{"same rows under new dates", func(w *world) {
			w.loadAs(single(1), w.now(), []any{1, "a", ""}, []any{2, "b", ""}, []any{3, "c", ""})
		}, replicate.Idle, []string{"recorded again"}, kept},
		{"touched in part", func(w *world) { w.dateRaw(key(2), w.now()) }, replicate.Idle, []string{"recorded again"}, kept},
		{"written again, the first with the same content", func(w *world) {
			w.loadAs(single(1), w.now(), []any{1, "a", ""}, []any{2, "B", ""}, []any{3, "c", ""})
		}, replicate.Loaded, nil, []string{"1 a", "2 B", "3 c"}},
		{"numbering restarted over a longer old set", func(w *world) {
			w.loadAs(single(1), w.now(), []any{1, "A", ""}, []any{3, "C", ""})
		}, replicate.Halted, []string{"reload: ", "LOAD00000001.parquet, store/product/LOAD00000002.parquet), others stayed (store/product/LOAD00000003.parquet)", "--accept reload"}, kept},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			w.loadAs(single(1), w.now(), []any{1, "a", ""}, []any{2, "b", ""}, []any{3, "c", ""})
			w.activate("store.product", "id", "")
			w.run("store.product", replicate.Loaded)
			w.pass(time.Hour)
			before := w.snapshot("product")
			c.change(w)
			got := w.run("store.product", c.action)
			for _, text := range c.reason {
				if !strings.Contains(got.Reason, text) {
					t.Errorf("reason %q does not hold %q", got.Reason, text)
				}
			}
			w.wantProduct(c.rows...)
			if c.action == replicate.Loaded {
				w.wantItem(statestore.Generation, "2")
				if c.name != "grows" { // there the first object is the old one
					w.wantItem(statestore.LastFullLoadDate, "2026-03-14 13:00:00")
				}
			} else {
				w.wantItem(statestore.Generation, "1")
				if !cmp.Equal(before, w.snapshot("product")) {
					t.Error("the lake was touched")
				}
			}
			if c.action != replicate.Halted {
				w.unchanged("store.product", productPath)
			}
		})
	}
}

// TestRuling04_TouchedRefreshes records new ETags and dates, so that the next difference is judged by them.
func TestRuling04_TouchedRefreshes(t *testing.T) {
	w := newWorld(t)
	w.start([]any{1, "a", ""})
	first := w.item(productPath)[statestore.LoadFingerprint]
	w.pass(time.Hour)
	w.dateRaw("store/product/LOAD00000001.parquet", w.now())
	w.run("store.product", replicate.Idle)
	w.wantItem(statestore.LastFullLoadDate, "2026-03-14 13:00:00")
	if got := w.item(productPath)[statestore.LoadFingerprint]; got == first {
		t.Error("the fingerprint is that of the old ETag")
	}
	w.change(product(), update(1, "b", ""))
	w.run("store.product", replicate.Merged)
	w.wantProduct("1 b")
}

// TestRuling04_RecordKeepsSchema is a defect's: a commit that only recorded wrote an index without
// columns, after which files of ours took order and number of columns from the next change.
func TestRuling04_RecordKeepsSchema(t *testing.T) {
	w := newWorld(t)
	table := product()
	table.Columns = append(table.Columns, dmsgen.Column{Name: "price", Type: "int"})
	w.load(table, []any{1, "a", "x", 7})
	w.activate("store.product", "id", "dept")
	w.run("store.product", replicate.Loaded)
	w.pass(time.Hour)
	w.dateRaw("store/product/LOAD00000001.parquet", w.now())
	w.run("store.product", replicate.Idle)
	other := product()
	other.Columns = []dmsgen.Column{{Name: "dept", Type: "text"}, {Name: "name", Type: "text"}, {Name: "id", Type: "int"}}
	w.change(other, insert("z", "b", 2))
	w.run("store.product", replicate.Merged)
	created := w.files("product/dept=z")
	if len(created) != 1 {
		t.Fatalf("files of the new partition: %v", created)
	}
	if diff := cmp.Diff([]string{"Op", "id", "name", "price"}, w.columnsOf(created[0])); diff != "" {
		t.Errorf("columns (-want +got):\n%s", diff)
	}
	w.wantProduct("1 a", "2 b")
}

// TestRuling04_PartlyReplacedAccepted loads all of a mixed set once the operator says so.
func TestRuling04_PartlyReplacedAccepted(t *testing.T) {
	w := newWorld(t)
	w.loadAs(single(1), w.now(), []any{1, "a", ""}, []any{2, "b", ""})
	w.activate("store.product", "id", "")
	w.run("store.product", replicate.Loaded)
	w.pass(time.Hour)
	w.loadAs(single(1), w.now(), []any{1, "A", ""})
	w.haltsWith("reload", "LOAD00000001", "LOAD00000002")
	w.change(product(), update(2, "change", ""))
	w.haltsWith("reload")
	w.wantProduct("1 a", "2 b")
	w.accept("reload")
	w.run("store.product", replicate.Merged)
	w.wantProduct("1 A", "2 change")
	w.wantItem(statestore.Accept, "")
	w.unchanged("store.product", productPath)
}

// TestRuling04_PartlyReplacedSegments has one segment that stays, one that is gone and one that is new.
func TestRuling04_PartlyReplacedSegments(t *testing.T) {
	w := newWorld(t)
	w.loadAs(inSegment("p1"), w.now(), []any{1, "a", ""})
	gone := w.loadAs(inSegment("p2"), w.now(), []any{2, "b", ""})
	w.activate("store.product", "id", "")
	w.run("store.product", replicate.Loaded)
	w.pass(time.Hour)
	w.removeRaw(gone...)
	w.loadAs(inSegment("p3"), w.now(), []any{3, "c", ""})
	w.haltsWith("reload", "p2/LOAD00000001", "p3/LOAD00000001", "others stayed (store/product/p1/LOAD00000001")
	w.wantProduct("1 a", "2 b")
}

// TestRuling04_ChangesVanishedWithTheOldSet is how DMS prepares a target: it empties the folder and loads anew.
func TestRuling04_ChangesVanishedWithTheOldSet(t *testing.T) {
	w := newWorld(t)
	w.start([]any{1, "a", ""}, []any{2, "b", ""})
	w.removeRaw(w.mergedChange(1, "changed"), w.mergedChange(2, "changed"))
	w.pass(time.Hour)
	w.load(product(), []any{1, "A", ""})
	w.run("store.product", replicate.Loaded)
	w.wantProduct("1 A")
	w.wantItem(statestore.LastIncrementalFile, productPath+"0.parquet")
}

// mergedChange writes a CDC file that updates one row, and merges it.
func (w *world) mergedChange(id int, name string) (key string) {
	w.t.Helper()
	key = w.change(product(), update(id, name, ""))
	w.run("store.product", replicate.Merged)
	return key
}

// TestRuling04_Fence keeps the lake at a new full load until the operator accepts it; the table's
// first load, and one that was only touched, need no accept.
func TestRuling04_Fence(t *testing.T) {
	w := newWorld(t)
	w.load(product(), []any{1, "a", ""})
	w.activate("store.product", "id", "")
	w.set(productPath, map[string]string{statestore.ReloadPolicy: "fence"})
	w.run("store.product", replicate.Loaded)
	w.pass(time.Hour)
	w.dateRaw("store/product/LOAD00000001.parquet", w.now())
	w.run("store.product", replicate.Idle)
	w.load(product(), []any{1, "A", ""})
	w.haltsWith("reload", "fence", "LOAD00000001", "--accept reload")
	w.change(product(), insert(2, "change", ""))
	w.haltsWith("reload")
	w.wantProduct("1 a")
	w.accept("")
	w.haltsWith("reload")
	w.accept("reload")
	w.run("store.product", replicate.Merged)
	w.wantProduct("1 A", "2 change")
}

// TestRuling04_ReloadPolicyUnknown halts rather than guess.
func TestRuling04_ReloadPolicyUnknown(t *testing.T) {
	w := newWorld(t)
	w.load(product(), []any{1, "a", ""})
	w.activate("store.product", "id", "")
	w.set(productPath, map[string]string{statestore.ReloadPolicy: "never"})
	w.haltsWith("settings", "ReloadPolicy", "never")
}

// TestRuling04_SegmentBeforeTheAnchor is a defect's: the folders of a parallel load may sort before the
// dates of CDC files, and a reload of them went unseen until the next day.
func TestRuling04_SegmentBeforeTheAnchor(t *testing.T) {
	for _, folders := range [][2]string{{"0", "1"}, {"1995", "p"}} {
		t.Run(folders[0]+" and "+folders[1], func(t *testing.T) {
			w := newWorld(t)
			w.loadAs(inSegment(folders[0]), w.now(), []any{1, "a", ""})
			w.loadAs(inSegment(folders[1]), w.now(), []any{2, "b", ""})
			w.activate("store.product", "id", "")
			w.run("store.product", replicate.Loaded)
			w.mergedChange(1, "change")
			w.unchanged("store.product", productPath)
			w.pass(time.Minute)
			w.loadAs(inSegment(folders[0]), w.now(), []any{1, "A", ""})
			w.haltsWith("reload", folders[0]+"/LOAD00000001", folders[1]+"/LOAD00000001")
			w.loadAs(inSegment(folders[1]), w.now(), []any{2, "B", ""})
			w.accept("")
			w.run("store.product", replicate.Loaded)
			w.wantProduct("1 A", "2 B")
		})
	}
}

// TestRuling04_ReloadBeginsWithOldContent is a defect's: the first objects of a reload may be what they were;
// recording them at once made the rest of the reload look like a half-replaced set.
func TestRuling04_ReloadBeginsWithOldContent(t *testing.T) {
	w := newWorld(t)
	w.loadAs(single(1), w.now(), []any{1, "a", ""}, []any{2, "b", ""})
	w.activate("store.product", "id", "")
	w.run("store.product", replicate.Loaded)
	w.config.FullLoadQuiet = 30 * time.Minute
	w.pass(time.Hour)
	w.loadAs(single(1), w.now(), []any{1, "a", ""})
	w.changeAt(product(), w.now().Add(-time.Minute), update(2, "change", ""))
	if got := w.run("store.product", replicate.Idle); !strings.Contains(got.Reason, "full load still arriving") {
		t.Errorf("reason %q", got.Reason)
	}
	w.pass(10 * time.Minute)
	w.loadAs(single(2), w.now(), []any{2, "B", ""})
	w.pass(30 * time.Minute)
	w.run("store.product", replicate.Loaded)
	w.wantProduct("1 a", "2 B")
}
