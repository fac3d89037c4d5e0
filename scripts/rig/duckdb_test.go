package rig_test

import (
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"sluice/scripts/rig"
)

func TestDuckDBValues(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, sql string
		want      any
	}{
		{"null", "NULL", nil},
		{"bool", "true", true},
		{"int", "42", int64(42)},
		{"smallest bigint", "-9223372036854775808", int64(-1 << 63)},
		{"beyond bigint", "18446744073709551615::UBIGINT", "18446744073709551615"},
		{"hugeint in range", "7::HUGEINT", int64(7)},
		{"hugeint", "170141183460469231731687303715884105727::HUGEINT", "170141183460469231731687303715884105727"},
		{"double", "0.1::DOUBLE", 0.1},
		{"whole double", "1::DOUBLE", 1.0},
		{"large double", "1e300::DOUBLE", 1e300},
		{"nan", "'NaN'::DOUBLE", "NaN"},
		{"infinity", "'-inf'::DOUBLE", "-Infinity"},
		{"decimal keeps its scale", "1.1::DECIMAL(10,2)", "1.10"},
		{"decimal zero", "0::DECIMAL(38,10)", "0.0000000000"},
		{"decimal of scale 0 is no int", "5::DECIMAL(38,0)", "5"},
		{"date", "DATE '2024-01-31'", "2024-01-31"},
		{"date before 1970", "DATE '0001-01-01'", "0001-01-01"},
		{"time", "TIME '01:02:03.5'", "01:02:03.500000"},
		{"timestamp", "TIMESTAMP '2024-01-31 01:02:03'", "2024-01-31 01:02:03.000000"},
		{"timestamp before 1970", "TIMESTAMP '1969-12-31 23:59:59.999999'", "1969-12-31 23:59:59.999999"},
		{"timestamp in ms", "'2024-01-31 01:02:03.004'::TIMESTAMP_MS", "2024-01-31 01:02:03.004000"},
		{"timestamp in ns", "'2024-01-31 01:02:03.000000004'::TIMESTAMP_NS", "2024-01-31 01:02:03.000000004"},
		{"timestamp with zone", "TIMESTAMPTZ '2024-01-31 01:00:00+02'", "2024-01-30 23:00:00.000000Z"},
		{"blob", `'\x00\xFF'::BLOB`, "00ff"},
		{"empty blob", "''::BLOB", ""},
		{"text", "'é|\n\"'", "é|\n\""},
		{"list", "[1, NULL]", []any{int64(1), nil}},
		{"struct", "{'a': 1.50::DECIMAL(5,2), 'b': [DATE '2024-01-31']}", map[string]any{"a": "1.50", "b": []any{"2024-01-31"}}},
		{"map", "MAP {'k': 2}", []any{map[string]any{"key": "k", "value": int64(2)}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got := rig.DuckDB(t).Query("SELECT " + c.sql)
			if want := [][]any{{c.want}}; !reflect.DeepEqual(got, want) {
				t.Errorf("got %#v, want %#v", got, want)
			}
		})
	}
}

func TestDuckDBReadsParquet(t *testing.T) {
	t.Parallel()
	duck := rig.DuckDB(t)
	file := filepath.Join(t.TempDir(), "a.parquet")
	duck.Query("COPY (SELECT range AS id, CASE WHEN range > 0 THEN 'n' || range END AS name FROM range(3)) TO '" + file + "'")

	got := duck.Strings("SELECT * FROM read_parquet(?) WHERE id < ? ORDER BY id", file, 2)
	if want := []string{"0|NULL", "1|n1"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if got, want := duck.Columns("SELECT * FROM read_parquet(?)", file), []string{"id", "name"}; !slices.Equal(got, want) {
		t.Errorf("columns: got %q, want %q", got, want)
	}
	maps := duck.Maps("SELECT sum(id) AS total FROM read_parquet(?)", file)
	if want := []map[string]any{{"total": int64(3)}}; !reflect.DeepEqual(maps, want) {
		t.Errorf("got %v, want %v", maps, want)
	}
}

func TestDuckDBOfAnotherTestIsAnotherDatabase(t *testing.T) {
	t.Parallel()
	one, two := rig.DuckDB(t), rig.DuckDB(t)
	one.Query("CREATE TABLE here (a INT)")
	if _, err := two.Try("SELECT * FROM here"); err == nil || !strings.Contains(err.Error(), "here does not exist") {
		t.Errorf("got %v, want an error that names the table", err)
	}
	if got := one.Query("SELECT * FROM here"); len(got) != 0 {
		t.Errorf("got %v, want no rows", got)
	}
}

func TestText(t *testing.T) {
	t.Parallel()
	value := map[string]any{"b": []any{int64(1), nil, 0.5}, "a": true}
	if got, want := rig.Text(value), "{a: true, b: [1, NULL, 0.5]}"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
