package main

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sluice/internal/replicate"
)

func TestRebuildText(t *testing.T) {
	forecast := replicate.Forecast{
		Table: "store.product", Action: replicate.Rebuilt, Inputs: []string{"store/product/LOAD00000001.parquet", "store/product/20250102-000000000.parquet"},
		Files: []string{"product/part-1.parquet"}, Rewritten: 1, Rows: 6, BytesToRead: 3 << 20, BytesToWrite: 1 << 20,
	}
	for name, args := range map[string][]string{
		"rebuild": {"rebuild", "store.product"}, "rebuild-verbose": {"rebuild", "store.product", "-v"}, "rebuild-json": {"rebuild", "store.product", "--json"},
		"rebuild-dry": {"rebuild", "store.product", "--dry-run"}, "rebuild-dry-verbose": {"rebuild", "store.product", "--dry-run", "-v"},
		"rebuild-dry-json": {"rebuild", "store.product", "--dry-run", "--json"},
	} {
		t.Run(name, func(t *testing.T) {
			s := &session{engine: &fakeEngine{results: []replicate.Result{rebuilt()}, forecasts: []replicate.Forecast{forecast}}}
			if status := s.run(t, args...); status != exitWell || s.stderr.Len() > 0 || s.engine.table != "store.product" {
				t.Errorf("exit %d, table %q, stderr %s", status, s.engine.table, s.stderr.String())
			}
			golden(t, name, s.stdout.String())
		})
	}
}

// TestHistoryAsks hands on what the flags say.
func TestHistoryAsks(t *testing.T) {
	key := "store/product/20250102-000000000.parquet"
	for name, tc := range map[string]struct {
		args []string
		want replicate.HistoryQuery
	}{
		"nothing":    {nil, replicate.HistoryQuery{Limit: 20}},
		"all":        {[]string{"--limit", "0"}, replicate.HistoryQuery{}},
		"all inputs": {[]string{"-v"}, replicate.HistoryQuery{Limit: 20, Keys: true}},
		"one input":  {[]string{"--input", key}, replicate.HistoryQuery{Limit: 20, Input: key}},
	} {
		t.Run(name, func(t *testing.T) {
			s := &session{engine: &fakeEngine{}}
			if status := s.run(t, append([]string{"history", "store.product"}, tc.args...)...); status != exitWell {
				t.Fatalf("exit %d: %s", status, s.stderr.String())
			}
			if diff := cmp.Diff(tc.want, s.engine.query); diff != "" || s.engine.table != "store.product" {
				t.Errorf("table %s (-want +got):\n%s", s.engine.table, diff)
			}
		})
	}
}

// TestHistorySaysWhereItEnds.
func TestHistorySaysWhereItEnds(t *testing.T) {
	for name, tc := range map[string]struct {
		engine fakeEngine
		args   []string
		want   string
	}{
		"no commits":            {fakeEngine{}, nil, "no commits are recorded"},
		"whole":                 {fakeEngine{commits: someCommits(), rest: replicate.HistoryRest{First: 1}}, nil, "LOAD00000001.parquet"},
		"limited":               {fakeEngine{commits: someCommits(), rest: replicate.HistoryRest{First: 1, Older: 5}}, nil, "5 older commits more: --limit 0 shows all"},
		"cleaned":               {fakeEngine{commits: someCommits(), rest: replicate.HistoryRest{First: 7}}, nil, "commits before number 7 were cleaned away"},
		"input found nowhere":   {fakeEngine{rest: replicate.HistoryRest{First: 1}}, []string{"--input", "x"}, "no commit took x"},
		"input maybe long gone": {fakeEngine{rest: replicate.HistoryRest{First: 9}}, []string{"--input", "x"}, "no commit since number 9 took x; older commits were cleaned away"},
	} {
		t.Run(name, func(t *testing.T) {
			s := &session{engine: &tc.engine}
			s.run(t, append([]string{"history", "store.product"}, tc.args...)...)
			if !strings.Contains(s.stdout.String(), tc.want) {
				t.Errorf("nothing of %q in:\n%s", tc.want, s.stdout.String())
			}
		})
	}
}
