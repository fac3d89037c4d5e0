package main

import (
	"testing"

	"sluice/internal/replicate"
)

func TestCompactText(t *testing.T) {
	forecast := replicate.Forecast{
		Table: "store.product", Action: replicate.Compacted, Inputs: []string{}, Files: []string{"product/a.parquet", "product/b.parquet"},
		Rewritten: 2, FilesCreated: 1, Rows: 6, BytesToRead: 3 << 20, BytesToWrite: 3 << 20,
	}
	for name, args := range map[string][]string{
		"compact": {"compact", "store.product"}, "compact-verbose": {"compact", "store.product", "-v"}, "compact-json": {"compact", "store.product", "--json"},
		"compact-dry": {"compact", "store.product", "--dry-run"}, "compact-dry-verbose": {"compact", "store.product", "--dry-run", "-v"},
		"compact-dry-json": {"compact", "store.product", "--dry-run", "--json"},
	} {
		t.Run(name, func(t *testing.T) {
			s := &session{engine: &fakeEngine{results: []replicate.Result{compacted()}, forecasts: []replicate.Forecast{forecast}}}
			if status := s.run(t, args...); status != exitWell || s.stderr.Len() > 0 || s.engine.table != "store.product" {
				t.Errorf("exit %d, table %q, stderr %s", status, s.engine.table, s.stderr.String())
			}
			golden(t, name, s.stdout.String())
		})
	}
}
