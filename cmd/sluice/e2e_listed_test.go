//go:build linux

package main_test

import (
	"math/rand/v2"
	"strings"
	"testing"

	"sluice/scripts/rig"
)

// TestE2E_ListedBeforeReadBehind shows what no writer of plain files can spare a reader: one who lists the files before a
// commit and opens them behind it misses the rows that moved to a new file. One who opened them when he listed them does
// not. The first is counted apart by judge, and would be a fault of the second.
func TestE2E_ListedBeforeReadBehind(t *testing.T) {
	s := onDisk(t)
	h, rng := newHistory(visits(), true), rand.New(rand.NewPCG(4, 4))
	s.fill(h, trialRows, trialShelves)
	s.tick("registered")
	s.well("activate", "shop.visit", "--primary-key", "id", "--partition-key", "shelf")
	s.tick("loaded")
	h.reached("")
	r := s.reader(h)
	listed := r.list()
	r.instant()
	s.feed(h, rng, trialRows, trialShelves)
	s.tick("merged")
	var names []string
	for name := range listed {
		names = append(names, "'"+name+"'")
	}
	found := rig.DuckDB(t).Strings("select id, page, shelf from read_parquet([" + strings.Join(names, ", ") + "], hive_partitioning=true, hive_types_autocast=false)")
	rows := map[string][]string{}
	for _, row := range found {
		id, _, _ := strings.Cut(row, "|")
		rows[id] = append(rows[id], row)
	}
	from, to := h.span()
	if v := h.judge(rows, from, to, false); v.slipped == 0 || len(v.faults) > 0 {
		t.Errorf("listed before, read behind: %d slipped, faults %q", v.slipped, v.faults)
	}
	if v := h.judge(rows, from, to, true); v.missing == 0 {
		t.Error("a reader of one instant may miss rows")
	}
	r.instant()
	if r.snapshots != 2 {
		t.Errorf("%d snapshots, want 2", r.snapshots)
	}
}

// TestJudge has the judge find what a reader must not see.
func TestJudge(t *testing.T) {
	stays, moves, goes := "1|a|0", "2|b|0", "3|c|0"
	h := newHistory(visits(), true)
	for key, versions := range map[string][]version{
		"1": {{1, stays, "0"}, {2, "1|A|0", "0"}},
		"2": {{1, moves, "0"}, {3, "2|b|1", "1"}},
		"3": {{1, goes, "0"}, {3, "", ""}},
	} {
		h.keys[key] = versions
	}
	for name, tc := range map[string]struct {
		rows                             []string
		from, to                         int
		still                            bool
		missing, wrong, doubled, slipped int
	}{
		"all old":                       {rows: []string{stays, moves, goes}, from: 1, to: 1, still: true},
		"all new":                       {rows: []string{"1|A|0", "2|b|1"}, from: 3, to: 3, still: true},
		"each old or new":               {rows: []string{stays, "2|b|1", goes}, from: 1, to: 3, still: true},
		"older than the lake":           {rows: []string{stays, moves, goes}, from: 2, to: 2, still: true, wrong: 1},
		"newer than the source":         {rows: []string{"1|A|0", moves, goes}, from: 1, to: 1, still: true, wrong: 1},
		"deleted, and there":            {rows: []string{"1|A|0", "2|b|1", goes}, from: 3, to: 3, still: true, wrong: 1},
		"never at the source":           {rows: []string{stays, moves, goes, "4|d|0"}, from: 1, to: 1, still: true, wrong: 1},
		"missing":                       {rows: []string{moves, goes}, from: 1, to: 1, still: true, missing: 1},
		"missing while listings change": {rows: []string{moves, goes}, from: 1, to: 3, missing: 1},
		"moving, and missing":           {rows: []string{stays}, from: 1, to: 3, still: true, missing: 1},
		"slipped past a listing":        {rows: []string{stays}, from: 1, to: 3, slipped: 1},
		"moving, twice":                 {rows: []string{stays, moves, "2|b|1"}, from: 1, to: 3, still: true},
		"moving, three times":           {rows: []string{stays, moves, moves, "2|b|1"}, from: 1, to: 3, still: true, doubled: 1},
		"staying, twice":                {rows: []string{stays, "1|A|0", moves}, from: 1, to: 3, doubled: 1},
	} {
		t.Run(name, func(t *testing.T) {
			rows := map[string][]string{}
			for _, row := range tc.rows {
				id, _, _ := strings.Cut(row, "|")
				rows[id] = append(rows[id], row)
			}
			v := h.judge(rows, tc.from, tc.to, tc.still)
			if v.missing != tc.missing || v.wrong != tc.wrong || v.doubled != tc.doubled || v.slipped != tc.slipped {
				t.Errorf("missing %d, wrong %d, doubled %d, slipped %d; want %d, %d, %d, %d: %q",
					v.missing, v.wrong, v.doubled, v.slipped, tc.missing, tc.wrong, tc.doubled, tc.slipped, v.faults)
			}
		})
	}
}
