package main

import (
	"testing"

	"sluice/internal/replicate"
)

// someVerifications has a table in each state.
func someVerifications() map[string]replicate.Verification {
	equal := replicate.Verification{
		Table: "store.product", Path: "raw/store/product/", Equal: true, Complete: true, RowsRaw: 1200, RowsLake: 1200,
		Inputs: 14, Files: 3, Waiting: 1, Passes: 1, BytesRead: 3 << 20, Seconds: 1.25, OpCompared: true, Differences: []replicate.Difference{},
	}
	different := equal
	different.Equal, different.RowsLake, different.Passes, different.Undecided = false, 1201, 3, 2
	different.Missing, different.Surplus, different.Duplicates, different.Different = 1, 1, 1, 1
	different.Differences = []replicate.Difference{
		{Kind: "different", Key: "id=5", RowsRaw: 1, RowsLake: 1, Columns: column("name", `"a"`, `"b"`), LakeFile: "product/part-0.parquet", Input: "store/product/LOAD00000001.parquet"},
		{Kind: "missing", Key: "id=6", RowsRaw: 1, Columns: column("name", `"a"`, ""), Input: "store/product/20250102-000000000.parquet"},
		{Kind: "surplus", Key: "id=7", RowsLake: 1, Columns: column("name", "", "NULL"), LakeFile: "product/part-0.parquet"},
		{Kind: "duplicate", Key: "", RowsRaw: 1, RowsLake: 2, LakeFile: "product/part-1.parquet", Input: "store/product/LOAD00000001.parquet"},
	}
	unsure := different
	unsure.Complete, unsure.Differences, unsure.Reason = false, nil, "no bookkeeping goes back to the full load"
	unknown := replicate.Verification{
		Table: "store.product", Path: "raw/store/product/", Inputs: 3, Differences: []replicate.Difference{},
		Reason: "raw no longer has what the lake was made from: store/product/LOAD00000001.parquet; nothing was compared",
		Gone:   []string{"store/product/LOAD00000001.parquet"},
	}
	return map[string]replicate.Verification{"verify": equal, "verify-different": different, "verify-unsure": unsure, "verify-unknown": unknown}
}

func column(name, raw, lake string) []replicate.ColumnDifference {
	return []replicate.ColumnDifference{{Column: name, Raw: raw, Lake: lake}}
}

func TestVerify(t *testing.T) {
	for name, v := range someVerifications() {
		for form, flags := range map[string][]string{name: nil, name + "-json": {"--json"}} {
			t.Run(form, func(t *testing.T) {
				s := &session{engine: &fakeEngine{verified: v}}
				want := exitFailed
				if v.Well() {
					want = exitWell
				}
				if got := s.run(t, append([]string{"verify", "store.product", "--memory", "64MiB", "--differences", "4"}, flags...)...); got != want {
					t.Errorf("got exit %d, want %d", got, want)
				}
				if s.engine.table != "store.product" || s.engine.verify != (replicate.VerifyOptions{MemoryBytes: 64 << 20, Differences: 4}) {
					t.Errorf("asked for %s with %+v", s.engine.table, s.engine.verify)
				}
				if s.stderr.Len() > 0 {
					t.Errorf("stderr: %s", s.stderr.String())
				}
				golden(t, form, s.stdout.String())
			})
		}
	}
}

func TestVerifyRefusesLittleMemory(t *testing.T) {
	for _, flag := range [][]string{{"--memory", "15MiB"}, {"--differences", "-1"}} {
		s := &session{engine: &fakeEngine{}}
		if got := s.run(t, append([]string{"verify", "store.product"}, flag...)...); got != exitUsage {
			t.Errorf("%v: got exit %d, want %d", flag, got, exitUsage)
		}
	}
}
