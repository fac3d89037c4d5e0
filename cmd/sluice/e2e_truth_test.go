package main_test

import (
	"encoding/hex"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/google/go-cmp/cmp"

	"sluice/scripts/dmsgen"
	"sluice/scripts/rig"
)

// glob matches the lake files of a table.
func (s *site) glob(table string) string { return filepath.Join(s.lake, table, "**", "*.parquet") }

// equal compares a table of the lake, as DuckDB reads it, with the truth, row by row.
func (s *site) equal(t dmsgen.Table, truth *dmsgen.Oracle) {
	s.t.Helper()
	want := []string{}
	for _, row := range truth.Rows() {
		texts := make([]string, len(row))
		for i, v := range row {
			texts[i] = rig.Text(asRead(v))
		}
		want = append(want, strings.Join(texts, "|"))
	}
	var columns []string
	for _, c := range t.Columns {
		name := `"` + c.Name + `"`
		if c.Type == "timestamp" { // of a zone or of none, as the input's footer says; the time is the same
			name += "::timestamp"
		}
		columns = append(columns, name)
	}
	sql := fmt.Sprintf("select %s from read_parquet(?, hive_partitioning=true, hive_types_autocast=false, union_by_name=true)", strings.Join(columns, ", "))
	got := rig.DuckDB(s.t).Strings(sql, s.glob(t.Name))
	slices.Sort(want)
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		s.t.Fatalf("%s.%s: source and lake differ (-source +lake):\n%.3000s", t.Schema, t.Name, diff)
	}
}

// asRead returns a canonical value of dmsgen as a rig.Reader gives it.
func asRead(v any) any {
	switch v := v.(type) {
	case float32:
		return float64(v)
	case []byte:
		return hex.EncodeToString(v)
	}
	return v
}
