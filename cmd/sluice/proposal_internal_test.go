package main

import (
	"testing"

	"sluice/internal/lake"
	"sluice/internal/replicate"
)

func TestProposalText(t *testing.T) {
	run := &replicate.Forecast{
		Table: "store.product", Action: replicate.Loaded, Inputs: []string{"store/product/LOAD00000001.parquet", "store/product/LOAD00000002.parquet"}, Files: []string{},
		FilesCreated: 3, Rows: 1_000_000, BytesToRead: 200 << 20, BytesToWrite: 100 << 20,
	}
	others := []lake.KeyCount{
		{Columns: []string{"code"}, Rows: 1_000_000, Distinct: 999_998, Repeats: 2, Exact: true, Whole: true},
		{Columns: []string{"v"}, Rows: 1211, Distinct: 7, Repeats: 112, Exact: true},
	}
	keys := []lake.KeyCount{
		{Columns: []string{"id"}, Rows: 1_000_000, Distinct: 1_000_000, Exact: true, Whole: true},
		{Columns: []string{"region", "nr"}, Rows: 1_000_000, Distinct: 996_000, Whole: true},
	}
	table := func(active bool, p *replicate.Proposal) replicate.Table {
		product := someTables()[0]
		product.Active, product.PrimaryKey, product.Proposal = active, "null", p
		return product
	}
	found := &replicate.Proposal{Keys: keys, Others: others, Rows: 1_000_000, Files: 2, Read: 30 << 20, Run: run}
	for name, c := range map[string]struct {
		table replicate.Table
		args  []string
	}{
		"proposal":         {table(true, found), nil},
		"proposal-dry":     {table(false, found), []string{"--dry-run"}},
		"proposal-verbose": {table(true, found), []string{"-v"}},
		"proposal-json":    {table(true, found), []string{"--json"}},
		"proposal-none":    {table(true, &replicate.Proposal{Keys: []lake.KeyCount{}, Others: others, Reason: "there is no full load to look at", Run: &replicate.Forecast{Action: replicate.Idle}}), nil},
		"proposal-key-dry": {table(false, &replicate.Proposal{Keys: []lake.KeyCount{}, Others: []lake.KeyCount{}, Run: run}), []string{"--dry-run", "--primary-key", "id"}},
	} {
		t.Run(name, func(t *testing.T) {
			s := &session{engine: &fakeEngine{tables: []replicate.Table{c.table}}}
			if got := s.run(t, append([]string{"activate", "store.product"}, c.args...)...); got != exitWell || s.stderr.Len() > 0 {
				t.Errorf("exit %d, stderr %s", got, s.stderr.String())
			}
			golden(t, name, s.stdout.String())
		})
	}
}
