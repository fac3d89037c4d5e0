package replicate_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sluice/internal/replicate"
	"sluice/scripts/dmsgen"
	"sluice/statestore"
)

// csvWorld is a world whose files are CSV.
type csvWorld struct {
	*world
	out *dmsgen.Writer
}

func newCSVWorld(t *testing.T, change func(*dmsgen.Settings)) csvWorld {
	t.Helper()
	w := newWorld(t)
	s := dmsgen.DefaultSettings()
	s.Format = dmsgen.CSV
	if change != nil {
		change(&s)
	}
	return csvWorld{w, w.writer(s)}
}

func (w csvWorld) load(t dmsgen.Table, rows ...[]any) {
	w.t.Helper()
	if _, err := w.out.WriteLoad(w.t.Context(), t, w.now(), rows...); err != nil {
		w.t.Fatal(err)
	}
}

func (w csvWorld) change(t dmsgen.Table, changes ...dmsgen.Change) {
	w.t.Helper()
	w.pass(time.Minute)
	if _, err := w.out.WriteChanges(w.t.Context(), t, w.now(), changes...); err != nil {
		w.t.Fatal(err)
	}
}

// activateCSV activates the table product with settings of its CSV files.
func (w csvWorld) activateCSV(settings map[string]string) {
	w.t.Helper()
	key := "id"
	if _, err := w.engine().Activate(w.t.Context(), "store.product", replicate.Activation{PrimaryKey: &key, CSV: settings}); err != nil {
		w.t.Fatal(err)
	}
}

func (w csvWorld) acknowledged(accept string) {
	w.t.Helper()
	if _, err := w.engine().Acknowledge(w.t.Context(), "store.product", accept); err != nil {
		w.t.Fatal(err)
	}
}

const productSchema = "id int, name string, dept string"

func TestCSVIsLoadedAndMerged(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name     string
		writer   func(*dmsgen.Settings)
		settings map[string]string
	}{
		{"as it comes", nil, map[string]string{statestore.CSVSchema: productSchema}},
		{"gzip", func(s *dmsgen.Settings) { s.Compression = "gzip" }, map[string]string{statestore.CSVSchema: productSchema}},
		{"header and schema", func(s *dmsgen.Settings) { s.CSV.Header = true }, map[string]string{statestore.CSVSchema: "dept string, id int, name string"}},
		{"other delimiters", func(s *dmsgen.Settings) { s.CSV.Delimiter, s.CSV.RowDelimiter = "\t", "|\n" }, map[string]string{
			statestore.CSVSchema: productSchema, statestore.CSVDelimiter: `\t`, statestore.CSVRowDelimiter: `|\n`,
		}},
		{"another null value", func(s *dmsgen.Settings) { s.CSV.Null = `\N` }, map[string]string{statestore.CSVSchema: productSchema, statestore.CSVNull: `\\N`}},
		{"op in the load", func(s *dmsgen.Settings) { s.OpInLoad = true }, map[string]string{statestore.CSVSchema: productSchema}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			w := newCSVWorld(t, test.writer)
			w.load(product(), []any{1, "chair, \"old\"\nred", "home"}, []any{2, nil, ""}, []any{3, "lamp", "light"})
			w.tick()
			w.activateCSV(test.settings)
			w.run("store.product", replicate.Loaded)
			w.change(product(), update(2, "desk", nil), remove(3, "lamp", "light"), insert(4, "bed", "home"))
			w.run("store.product", replicate.Merged)
			want := []string{"1 chair, \"old\"\nred home", "2 desk NULL", "4 bed home"}
			if diff := cmp.Diff(want, w.rows("product", "id, name, dept")); diff != "" {
				t.Errorf("rows (-want +got):\n%s", diff)
			}
			if got := w.rows("product", "typeof(id)"); got[0] != "INTEGER" {
				t.Errorf("id is %s", got[0])
			}
		})
	}
}

func TestCSVWithAHeaderAndNoSchemaIsText(t *testing.T) {
	t.Parallel()
	w := newCSVWorld(t, func(s *dmsgen.Settings) { s.CSV.Header = true })
	w.load(product(), []any{1, "chair", "home"})
	w.tick()
	w.activateCSV(map[string]string{statestore.CSVHeader: "true"})
	w.run("store.product", replicate.Loaded)
	w.change(product(), update(1, "desk", "home"))
	w.run("store.product", replicate.Merged)
	if diff := cmp.Diff([]string{"1 desk VARCHAR"}, w.rows("product", "id, name, typeof(id)")); diff != "" {
		t.Error(diff)
	}
}

func TestCSVWithoutHeaderAndSchemaHaltsAndSaysTheRemedy(t *testing.T) {
	t.Parallel()
	w := newCSVWorld(t, nil)
	w.load(product(), []any{1, "chair", "home"})
	w.tick()
	key := "id"
	said, err := w.engine().Activate(w.t.Context(), "store.product", replicate.Activation{PrimaryKey: &key})
	if err != nil || !strings.Contains(said.Warning, "--csv-schema FILE") {
		t.Errorf("activate warns: %q, %v", said.Warning, err)
	}
	got := w.run("store.product", replicate.Halted)
	if !strings.HasPrefix(got.Reason, "input:") || !strings.Contains(got.Reason, "--csv-header true") || !strings.Contains(got.Reason, "--csv-schema FILE") || !strings.Contains(got.Reason, "LOAD00000001.csv") {
		t.Error(got.Reason)
	}
	w.activateCSV(map[string]string{statestore.CSVSchema: productSchema})
	w.acknowledged("")
	w.run("store.product", replicate.Loaded)
}

// TestCSVIsTypedByTheLake: a lake that was loaded from Parquet, as an adopted one is, goes on with CSV that has a header.
func TestCSVIsTypedByTheLake(t *testing.T) {
	t.Parallel()
	w := newCSVWorld(t, func(s *dmsgen.Settings) { s.CSV.Header = true })
	w.world.load(product(), []any{1, "chair", "home"})
	w.tick()
	w.activate("store.product", "id", "")
	w.run("store.product", replicate.Loaded)
	w.change(product(), insert(2, "desk", nil))
	w.run("store.product", replicate.Merged)
	if diff := cmp.Diff([]string{"1 chair INTEGER", "2 desk INTEGER"}, w.rows("product", "id, name, typeof(id)")); diff != "" {
		t.Error(diff)
	}
}

func TestACSVValueBeyondTheLakesTypeHaltsAndIsWidenedWhenAccepted(t *testing.T) {
	t.Parallel()
	w := newCSVWorld(t, func(s *dmsgen.Settings) { s.CSV.Header = true })
	w.world.load(product(), []any{1, "chair", "home"})
	w.tick()
	w.activate("store.product", "id", "")
	w.run("store.product", replicate.Loaded)
	wide := product()
	wide.Columns = slices.Clone(wide.Columns)
	wide.Columns[0].Type = "bigint"
	w.change(wide, insert(int64(3_000_000_000), "desk", nil))
	got := w.run("store.product", replicate.Halted)
	if !strings.HasPrefix(got.Reason, "schema:") || !strings.Contains(got.Reason, `column "id"`) || strings.Contains(got.Reason, "3000000000") {
		t.Error(got.Reason)
	}
	w.acknowledged("schema")
	w.run("store.product", replicate.Merged)
	if diff := cmp.Diff([]string{"1 BIGINT", "3000000000 BIGINT"}, w.rows("product", "id, typeof(id)")); diff != "" {
		t.Error(diff)
	}
}

// TestColumnsThatTheSourceLeftOutStayAsTheyAre: with CsvNoSupValue an update says only what changed.
func TestColumnsThatTheSourceLeftOutStayAsTheyAre(t *testing.T) {
	t.Parallel()
	left := dmsgen.Missing{}
	for _, partition := range []string{"", "dept"} {
		t.Run("partition "+partition, func(t *testing.T) {
			t.Parallel()
			w := newCSVWorld(t, func(s *dmsgen.Settings) { s.CSV.NoSup = "~" })
			w.load(product(), []any{1, "chair", "home"}, []any{2, nil, "home"}, []any{3, "lamp", nil}, []any{4, "bed", "home"})
			w.tick()
			w.activateCSV(map[string]string{statestore.CSVSchema: productSchema, statestore.CSVNoSup: "~"})
			w.activate("store.product", "id", partition)
			w.run("store.product", replicate.Loaded)
			w.change(product(), update(1, left, "office"), update(1, "stool", left), update(2, left, left), update(3, left, "light"),
				insert(5, "desk", "home"), update(5, left, "office"), update(4, left, "office"), remove(4, "bed", "office"))
			got := w.run("store.product", replicate.Merged)
			want := []string{"1 stool office", "2 NULL home", "3 lamp light", "5 desk office"}
			if diff := cmp.Diff(want, w.rows("product", "id, name, dept")); diff != "" {
				t.Errorf("rows (-want +got):\n%s", diff)
			}
			if got.Updates+got.Noops != 3 || got.Inserts != 1 || got.Deletes != 1 {
				t.Errorf("%d updates, %d noops, %d inserts, %d deletes", got.Updates, got.Noops, got.Inserts, got.Deletes)
			}
			w.change(product(), update(3, "torch", left))
			w.run("store.product", replicate.Merged)
			if diff := cmp.Diff([]string{"3 torch light"}, w.rows("product", "id, name, dept")[2:3]); diff != "" {
				t.Error(diff)
			}
			if v := w.verify("store.product"); v.Well() || !strings.Contains(v.Reason, "CsvNoSupValue") {
				t.Errorf("verify: %+v", v)
			}
		})
	}
}

func TestAColumnThatTheSourceLeftOutHaltsWhereNothingSaysWhatItWas(t *testing.T) {
	t.Parallel()
	left := dmsgen.Missing{}
	for name, changes := range map[string][]dmsgen.Change{
		"the lake has no such row":       {update(9, left, "home")},
		"a change before it deletes it":  {remove(1, "chair", "home"), update(1, left, "home")},
		"the key changes, too":           {{Op: dmsgen.Update, Row: []any{7, left, "home"}, Before: []any{1, "chair", "home"}}},
		"the key itself is not told":     {update(left, "chair", "home")},
		"an insert that leaves out some": {insert(8, left, "home")},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newCSVWorld(t, func(s *dmsgen.Settings) {
				s.CSV.NoSup, s.CSV.Header, s.BeforeImages = "~", true, dmsgen.KeyImages
			})
			w.load(product(), []any{1, "chair", "home"})
			w.tick()
			w.activateCSV(map[string]string{statestore.CSVSchema: productSchema, statestore.CSVNoSup: "~"})
			w.run("store.product", replicate.Loaded)
			w.change(product(), changes...)
			got := w.run("store.product", replicate.Halted)
			if !strings.Contains(got.Reason, "CsvNoSupValue") && !strings.HasPrefix(got.Reason, "key:") {
				t.Error(got.Reason)
			}
			if diff := cmp.Diff([]string{"1 chair home"}, w.rows("product", "id, name, dept")); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestAFullLoadThatLeavesOutColumnsHalts(t *testing.T) {
	t.Parallel()
	w := newCSVWorld(t, func(s *dmsgen.Settings) { s.CSV.NoSup = "~" })
	w.load(product(), []any{1, "chair", dmsgen.Missing{}})
	w.tick()
	w.activateCSV(map[string]string{statestore.CSVSchema: productSchema, statestore.CSVNoSup: "~"})
	got := w.run("store.product", replicate.Halted)
	if !strings.HasPrefix(got.Reason, "input:") || !strings.Contains(got.Reason, `column "dept"`) || !strings.Contains(got.Reason, "supplemental logging") {
		t.Error(got.Reason)
	}
}

func TestCSVSettingsThatCannotBeHalt(t *testing.T) {
	t.Parallel()
	for attribute, value := range map[string]string{
		statestore.CSVHeader: "maybe", statestore.CSVQuotes: "no", statestore.CSVSchema: "id", statestore.CSVDelimiter: `\q`, statestore.CSVRowDelimiter: ",",
	} {
		t.Run(attribute, func(t *testing.T) {
			t.Parallel()
			w := newCSVWorld(t, nil)
			w.load(product(), []any{1, "chair", "home"})
			w.tick()
			w.activateCSV(map[string]string{statestore.CSVSchema: productSchema})
			w.set("raw/store/product/", map[string]string{attribute: value})
			got := w.run("store.product", replicate.Halted)
			if !strings.HasPrefix(got.Reason, "settings:") || !strings.Contains(got.Reason, attribute) {
				t.Error(got.Reason)
			}
		})
	}
}

// TestAPartitionedCSVLoadOfManyBlocks reads blocks in ops of their own, compressed and not.
func TestAPartitionedCSVLoadOfManyBlocks(t *testing.T) {
	t.Parallel()
	for _, compression := range []string{"none", "gzip"} {
		for _, partition := range []string{"", "dept"} {
			t.Run(compression+" "+partition, func(t *testing.T) {
				t.Parallel()
				w := newCSVWorld(t, func(s *dmsgen.Settings) { s.Compression = compression })
				w.config.TargetFileBytes, w.config.Compression = 1<<20, "none"
				var rows [][]any
				for i := range 120_000 {
					rows = append(rows, []any{i, strings.Repeat(fmt.Sprint(i*7919%104729), 15), []any{"a", "b", "c", nil}[i*i%4]})
				}
				if compression == "gzip" {
					w.ticker = (&workflow{world: w.world, rng: rand.New(rand.NewPCG(1, 1)), inline: 1}).tick // each batch of ops opens the file anew, by the plan alone
				}
				w.load(product(), rows...)
				w.tick()
				w.activateCSV(map[string]string{statestore.CSVSchema: productSchema})
				w.activate("store.product", "id", partition)
				got := w.run("store.product", replicate.Loaded)
				if got.Inserts != 120_000 || got.FilesCreated < 2 {
					t.Errorf("%d rows in %d files", got.Inserts, got.FilesCreated)
				}
				want := []string{"120000 120000 7199940000 0"}
				if diff := cmp.Diff(want, w.rows("product", "count(*), count(distinct id), sum(id), count(*) filter (name <> repeat((id::bigint*7919%104729)::varchar, 15))")); diff != "" {
					t.Error(diff)
				}
			})
		}
	}
}

// TestRawAsCSVSurvivesVerifyAndRebuild: both read the inputs again, and find the same rows in them.
func TestRawAsCSVSurvivesVerifyAndRebuild(t *testing.T) {
	t.Parallel()
	w := newCSVWorld(t, func(s *dmsgen.Settings) { s.CSV.Header = true })
	w.load(product(), []any{1, "chair", "home"}, []any{2, "desk", nil})
	w.tick()
	w.activateCSV(map[string]string{statestore.CSVSchema: productSchema})
	w.run("store.product", replicate.Loaded)
	w.change(product(), update(2, "desk", "home"), remove(1, "chair", "home"))
	w.run("store.product", replicate.Merged)
	if v := w.verify("store.product"); !v.Well() || v.RowsRaw != 1 {
		t.Errorf("%+v", v)
	}
	if got, err := w.engine().Rebuild(context.Background(), "store.product"); err != nil || got.Action != replicate.Rebuilt {
		t.Fatalf("%s (%s) %v", got.Action, got.Reason, err)
	}
	if diff := cmp.Diff([]string{"2 desk home INTEGER"}, w.rows("product", "id, name, dept, typeof(id)")); diff != "" {
		t.Error(diff)
	}
	if files, _ := filepath.Glob(filepath.Join(w.root, "raw/store/product/*.csv")); len(files) != 2 {
		t.Errorf("%v", files)
	}
}
