package replicate_test

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"sluice/internal/object"
	"sluice/internal/object/objectlie"
	"sluice/internal/replicate"
	"sluice/scripts/rig"
	"sluice/statestore"
)

// lie puts a lying store in the place of the lake.
func (w *world) lie(c objectlie.Case) {
	w.objects["lake"] = c.On(object.NewDirectory(filepath.Join(w.root, "lake")))
}

// TestALyingStoreIsRefusedByTheFirstCommitAndByDoctor before anything relies on it, with the rule that it breaks.
func TestALyingStoreIsRefusedByTheFirstCommitAndByDoctor(t *testing.T) {
	for _, c := range objectlie.Lies() {
		t.Run(c.Name, func(t *testing.T) {
			w := newWorld(t)
			w.loadOf(1, rowsOf("id, v", "1, 'a'"))
			w.run(storyTable, replicate.Registered)
			w.activate(storyTable, "id", "")
			w.lie(c)
			got := w.run(storyTable, replicate.Failed)
			if !errors.Is(got.Err, object.ErrUnconditional) || !strings.Contains(got.Reason, c.Rule) || !strings.Contains(got.Reason, "use a store that") {
				t.Errorf("run: %s", got.Reason)
			}
			if files := w.files(storyFolder); len(files) > 0 {
				t.Errorf("lake files %q", files)
			}
			if item := w.item(storyPath); item.Pending() || item[statestore.Seq] != statestore.FormatSeq(0) && item[statestore.Seq] != "" {
				t.Errorf("item %v", item)
			}
			check := w.doctor("lake lake/")
			if check.OK || !strings.Contains(check.Detail, c.Rule) || !strings.Contains(check.Remedy, "use a store that") {
				t.Errorf("doctor: %+v", check)
			}
		})
	}
	rig.Figure(t, "lying stores", "%d lies, each refused by the first commit and by doctor, naming the rule", len(objectlie.Lies()))
}

// doctor returns the check of that name.
func (w *world) doctor(name string) (found replicate.Check) {
	w.t.Helper()
	err := w.engine().Doctor(w.t.Context(), func(c replicate.Check) {
		if c.Name == name {
			found = c
		}
	})
	if err != nil || found.Name == "" {
		w.t.Fatalf("no check of %s: %v", name, err)
	}
	return found
}

// TestALyingStoreIsRefusedByATableWithHistory: the table has commits in its history, but not in this lake folder. Only
// a Seq of 0 was taken for a first commit.
func TestALyingStoreIsRefusedByATableWithHistory(t *testing.T) {
	for name, move := range map[string]func(w *world){
		"imported without its lake": func(w *world) {
			for _, file := range append(w.files(storyFolder), w.files("_sluice")...) {
				w.drop("lake", file)
			}
			w.set(storyPath, map[string]string{
				statestore.Index: "", statestore.Ledger: "", statestore.InputsDigest: "",
				statestore.LastFullLoadDate: statestore.NeverDate, statestore.LastIncrementalFile: storyPath + "0.parquet",
			})
		},
		"another out_path": func(w *world) {
			w.set(storyPath, map[string]string{
				statestore.OutPath: "lake/elsewhere/", statestore.Index: "", statestore.Ledger: "", statestore.InputsDigest: "",
				statestore.LastFullLoadDate: statestore.NeverDate, statestore.LastIncrementalFile: storyPath + "0.parquet",
			})
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.begin("id", "", rowsOf("id, v", "1, 'a'"))
			seq := w.item(storyPath)[statestore.Seq]
			move(w)
			w.lie(objectlie.Lies()[0])
			got := w.run(storyTable, replicate.Failed)
			if !errors.Is(got.Err, object.ErrUnconditional) {
				t.Errorf("got %s", got.Reason)
			}
			if item := w.item(storyPath); item.Pending() || item[statestore.Seq] != seq {
				t.Errorf("item %v", item)
			}
		})
	}
}

// TestAStoreIsTriedOnce: later commits read owner.json and leave the probe's object alone.
func TestAStoreIsTriedOnce(t *testing.T) {
	w := newWorld(t)
	w.begin("id", "", rowsOf("id, v", "1, 'a'"))
	probed := string(w.bytes("lake", "_sluice/.probe"))
	w.changeOf(rowsOf(`"Op", id, v`, "'U', 1, 'A'"))
	w.run(storyTable, replicate.Merged)
	if string(w.bytes("lake", "_sluice/.probe")) != probed {
		t.Error("the second commit tried the store again")
	}
	w.wantRows("id, v", "1 A")
}

// TestALakeOfTheAncestorIsNotMoved: it has no owner.json, and activate --out-path said that bookkeeping was gone.
func TestALakeOfTheAncestorIsNotMoved(t *testing.T) {
	w := newWorld(t)
	w.loadOf(1, rowsOf("id, v", "1, 'a'"))
	w.run(storyTable, replicate.Registered)
	w.write("lake", "t/part-0.parquet", rowsOf("id, v", "1, 'a'"))
	out, key := "lake/elsewhere/", "id"
	_, err := w.engine().Activate(t.Context(), storyTable, replicate.Activation{PrimaryKey: &key, OutPath: &out})
	if !errors.Is(err, replicate.ErrUsage) || !strings.Contains(err.Error(), "has a lake in lake/t/ already") {
		t.Errorf("got %v", err)
	}
}
