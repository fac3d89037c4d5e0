package main_test

import (
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sluice/scripts/dmsgen"
)

// source is a database: the sample, and a random table that is partitioned by a region.
type source struct {
	sample *dmsgen.Sample
	stream *dmsgen.Stream
	random dmsgen.Table // the stream's, as it is now
	truth  *dmsgen.Oracle
	rng    *rand.Rand
}

func newSource(seed uint64) *source {
	t := dmsgen.RandomTable(seed)
	t.Columns = append(t.Columns, dmsgen.Column{Name: "region", Type: "text"})
	mix := dmsgen.Mix{Inserts: 3, Updates: 4, Deletes: 2, Moves: 1}
	return &source{
		sample: dmsgen.NewSample(time.Now()), stream: dmsgen.NewStream(seed, t, mix), random: t,
		truth: dmsgen.NewOracle(t), rng: rand.New(rand.NewPCG(seed, 5)),
	}
}

func (d *source) tables() []dmsgen.Table { return append(slices.Clone(d.sample.Tables()), d.random) }

func (d *source) oracle(t dmsgen.Table) *dmsgen.Oracle {
	if t.Name == d.random.Name {
		return d.truth
	}
	return d.sample.Oracle(t.Name)
}

// place gives a row of the stream one of six regions, and the values of columns that came later.
func (d *source) place(row []any) []any {
	if row == nil {
		return nil
	}
	row = slices.Clone(row)
	for len(row) < len(d.random.Columns) {
		row = append(row, int64(d.rng.IntN(100)))
	}
	regions := []any{"north", "south", "a/b=c", "Über Land", "100%", nil}
	row[d.stream.Table.Index("region")] = regions[d.rng.IntN(len(regions))]
	return row
}

// changes makes changes of the random table. The rows before them are those of the truth.
func (d *source) changes(n int) []dmsgen.Change {
	changes := d.stream.Changes(n)
	for i, c := range changes {
		c.Row = d.place(c.Row)
		if known, ok := d.truth.Row(d.truth.Key(c.Row)); ok && c.Before == nil {
			c.Before = known
		} else if c.Before != nil {
			c.Before, _ = d.truth.Row(d.truth.Key(c.Before))
		}
		d.truth.Apply(c)
		changes[i] = c
	}
	return changes
}

// widen adds a column to the random table; rows that are there have NULL in it.
func (d *source) widen(name string) {
	d.random.Columns = append(slices.Clone(d.random.Columns), dmsgen.Column{Name: name, Type: "int"})
	wide := dmsgen.NewOracle(d.random)
	for _, row := range d.truth.Rows() {
		wide.Apply(dmsgen.Change{Op: dmsgen.Insert, Row: append(slices.Clone(row), nil)})
	}
	d.truth = wide
}

// loadAll writes the full load of every table.
func (s *site) loadAll(d *source) {
	s.t.Helper()
	for range 200 {
		d.truth.Apply(dmsgen.Change{Op: dmsgen.Insert, Row: d.place(d.stream.Row())})
	}
	for _, t := range d.tables() {
		s.load(t, 2500, d.oracle(t).Rows()...)
	}
}

func (s *site) activateAll(d *source) {
	s.t.Helper()
	for _, t := range d.tables() {
		args := []string{"activate", t.Schema + "." + t.Name, "--primary-key", joined(t.Key)}
		switch t.Name {
		case "productorder":
			args = append(args, "--partition-key", "create_dt")
		case d.random.Name:
			args = append(args, "--partition-key", "region")
		}
		s.well(args...)
	}
}

func joined(names []string) string {
	text := ""
	for i, name := range names {
		if i > 0 {
			text += ","
		}
		text += name
	}
	return text
}

func (s *site) compare(d *source) {
	s.t.Helper()
	for _, t := range d.tables() {
		s.equal(t, d.oracle(t))
	}
}

func (s *site) round(round []dmsgen.TableChanges, d *source) {
	s.t.Helper()
	for _, c := range round {
		s.change(c.Table, c.Changes...)
	}
	s.change(d.random, d.changes(60)...)
}

// planned says what a run is to do, runs, and holds its lines against the plan's. The plan must change nothing.
func (s *site) planned(actions ...string) map[string]line {
	s.t.Helper()
	before, items := s.everything(), s.well("control", "export")
	plan := s.lines(s.well("plan", "--json"))
	if diff := cmp.Diff(before, s.everything()); diff != "" {
		s.t.Errorf("plan changed a bucket:\n%s", diff)
	}
	if diff := cmp.Diff(items, s.well("control", "export")); diff != "" {
		s.t.Errorf("plan changed the control table:\n%s", diff)
	}
	found := s.tick(actions...)
	for name, did := range found {
		p := plan[name]
		if did["action"] != p["action"] || p.number("inputs_after") != 0 {
			s.t.Errorf("%s: plan says %s, run %s", name, p["action"], did["action"])
		}
		inputs, _ := p["inputs"].([]any)
		counts, _ := p["counts"].(map[string]any)
		got := map[string]int64{
			"inputs": int64(len(inputs)), "files_created": p.number("files_created"),
			"files_rewritten": p.number("files_rewritten"), "rows": p.number("rows"),
		}
		want := map[string]int64{
			"inputs": did.number("inputs"), "files_created": did.number("files_created"),
			"files_rewritten": did.number("files_rewritten") + did.number("files_emptied"),
			"rows":            did.number("inserts") + did.number("updates") + did.number("deletes"),
		}
		for _, count := range []string{"changes", "inserts", "updates", "deletes", "noops", "strays", "stale", "duplicates", "anomalies", "superseded"} {
			want[count], got[count] = did.number(count), line(counts).number(count)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			s.t.Errorf("%s: run and plan differ (-run +plan):\n%s", name, diff)
		}
	}
	return found
}

// TestE2E_MainJob is the life of a lake on each pair of stores.
func TestE2E_MainJob(t *testing.T) {
	for name, open := range pairs() {
		d := newSource(uint64(len(name))) // another random table for each
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := open(t)
			s.loadAll(d)
			s.exact(s.tick("registered"))
			s.tick("inactive")
			s.activateAll(d)
			s.exact(s.planned("loaded"))
			s.compare(d)

			s.round(d.sample.RoundOne(), d)
			s.exact(s.planned("merged"))
			s.compare(d)
			s.round(d.sample.RoundTwo(), d)
			s.change(d.random, d.changes(40)...)
			found := s.planned("merged")
			if got := found["sampledb.productorder"]; got.number("files_untouched") == 0 || got.number("files_created") != 1 {
				t.Errorf("an order moved to another partition: %v", got)
			}
			s.compare(d)

			d.widen("later")
			s.change(d.random, d.changes(60)...)
			s.tick("merged", "idle")
			s.compare(d)
			s.reload(d)
			s.writesNothing()
		})
	}
}

// TestE2E_PlanTellsWhatFollows plans a load with changes waiting behind it: the run makes two commits.
func TestE2E_PlanTellsWhatFollows(t *testing.T) {
	s := onDisk(t)
	s.load(shop("item"), 0, []any{1, "a"})
	s.tick("registered")
	s.well("activate", "shop.item", "--primary-key", "id")
	for id := range 2 {
		s.change(shop("item"), dmsgen.Change{Op: dmsgen.Insert, Row: []any{id + 2, "b"}})
	}
	plan := s.lines(s.well("plan", "--json"))["shop.item"]
	if plan.text("action") != "loaded" || plan.number("inputs_after") != 2 || plan.number("rows") != 1 {
		t.Errorf("plan: %v", plan)
	}
	s.wants(0, []string{"plan"}, "1 file in", "then 2 more change files")
	if got := s.tick("merged")["shop.item"]; got.number("inputs") != 3 || got.number("inserts") != 3 {
		t.Errorf("run: %v", got)
	}
	s.wants(0, []string{"plan"}, "nothing to do")
}

// reload writes a full load with other rows than the lake has, and changes behind it.
func (s *site) reload(d *source) {
	s.t.Helper()
	time.Sleep(1100 * time.Millisecond) // changes of the second in which a load starts are merged on top of it
	for i, row := range d.truth.Rows() {
		if i%3 == 0 {
			d.truth.Apply(dmsgen.Change{Op: dmsgen.Delete, Row: row})
		}
	}
	s.load(d.random, 0, d.truth.Rows()...)
	found := s.tick("loaded", "idle")
	if got := found[d.random.Schema+"."+d.random.Name]; got.text("action") != "loaded" {
		s.t.Errorf("reload: %v", got)
	}
	s.compare(d)
	s.change(d.random, d.changes(30)...)
	s.tick("merged", "idle")
	s.compare(d)
}

// writesNothing runs with nothing new.
func (s *site) writesNothing() {
	s.t.Helper()
	before, items := s.everything(), s.well("control", "export")
	s.tick("idle")
	if diff := cmp.Diff(before, s.everything()); diff != "" {
		s.t.Errorf("a run with nothing new wrote:\n%s", diff)
	}
	if diff := cmp.Diff(items, s.well("control", "export")); diff != "" {
		s.t.Errorf("a run with nothing new changed the control table:\n%s", diff)
	}
}

// exact holds lines of run --json against the contract: its fields are all there, others are those added since.
func (s *site) exact(found map[string]line) {
	s.t.Helper()
	want := []string{
		"action", "bytes_copied", "bytes_read", "bytes_written", "deletes", "files_created", "files_emptied", "files_rewritten", "files_untouched",
		"inputs", "inserts", "last_full_load_date", "last_incremental_file", "path", "reason", "seconds", "table", "updates",
	}
	added := []string{"anomalies", "changes", "duplicates", "ignored", "noops", "quarantined", "stale", "strays", "superseded"}
	for name, l := range found {
		names := slices.DeleteFunc(slices.Sorted(maps.Keys(l)), func(field string) bool { return slices.Contains(added, field) })
		if diff := cmp.Diff(want, names); diff != "" {
			s.t.Errorf("%s: fields of the contract (-want +got):\n%s", name, diff)
		}
		for _, field := range want {
			_, isText := l[field].(string)
			wantText := slices.Contains([]string{"table", "path", "action", "reason", "last_full_load_date", "last_incremental_file"}, field)
			if _, isNumber := l[field].(float64); isText != wantText || isNumber == wantText {
				s.t.Errorf("%s: field %s is %v", name, field, l[field])
			}
		}
	}
}
