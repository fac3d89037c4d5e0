package replicate_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sluice/internal/replicate"
	"sluice/scripts/rig"
)

// ruled is rows of every type that contracts speak of, with values at and around the bounds of the tests.
const ruled = `select i::int as id,
	case when i % 7 = 3 then null else (i - 20)::int end as n,
	(i * 5)::utinyint as tiny,
	case i when 1 then 18446744073709551615::ubigint when 2 then 9223372036854775808::ubigint else i::ubigint end as big,
	case i when 5 then 9223372036854775807 else (i * 1000000007)::bigint end as wide,
	((i - 20)::decimal(10,2) / 100)::decimal(10,2) as price,
	case i when 4 then 9999999999999999999999999999.9999999999::decimal(38,10) when 6 then -0.0000000001::decimal(38,10) else i::decimal(38,10) end as exact,
	case i when 7 then 'nan'::double when 8 then 'infinity'::double when 9 then -0.0::double else i / 10.0::double end as d,
	(i / 8.0)::float as f,
	case when i % 5 = 0 then null else date '1969-12-01' + i::int end as day,
	timestamp '2026-03-01 00:00:00' + interval (i * 997) minute as ts,
	(timestamp '2026-03-01 00:00:00' + interval (i * 997) minute)::timestamp_ms as ts_ms,
	(timestamp '2026-03-01 00:00:00' + interval (i * 997) minute)::timestamp_ns as ts_ns,
	time '00:00:00' + interval (i * 31) minute as clock,
	case i % 4 when 0 then 'new' when 1 then 'sold' when 2 then 'NEW' else null end as state,
	repeat('é', i) as name,
	case when i % 3 = 0 then 'AB-' || i else 'ab' || chr(10) || i end as code,
	i % 2 = 0 as flag,
	('00000000-0000-0000-0000-0000000000' || lpad(i::varchar, 2, '0'))::uuid as u
	from range(0, 44) r(i)`

// rulesOfContracts are rules, and when DuckDB calls a row bad.
func rulesOfContracts() map[string]struct{ rule, bad string } {
	return map[string]struct{ rule, bad string }{
		"not null":                     {"{column: n, not_null: true}", "n is null"},
		"least int":                    {"{column: n, min: -3}", "n < -3"},
		"most int, finer than it is":   {"{column: n, max: 3.5}", "n > 3.5"},
		"least int, finer than it is":  {"{column: n, min: -3.5}", "n < -3.5"},
		"a bound below every int":      {"{column: n, min: -99999999999999999999}", "false"},
		"a bound above every int":      {"{column: n, min: 99999999999999999999}", "n is not null"},
		"unsigned small":               {"{column: tiny, min: 10, max: 200}", "tiny < 10 or tiny > 200"},
		"unsigned beyond 2^63":         {"{column: big, max: 9223372036854775808}", "big > 9223372036854775808::ubigint"},
		"the largest bigint":           {"{column: wide, max: 9223372036854775806}", "wide = 9223372036854775807"},
		"decimal":                      {"{column: price, min: -0.05, max: 0.17}", "price < -0.05 or price > 0.17"},
		"decimal, finer than it is":    {"{column: price, min: -0.055, max: 0.175}", "price < -0.055 or price > 0.175"},
		"decimal of 38 digits":         {"{column: exact, max: 9999999999999999999999999999.9999999998}", "exact > 9999999999999999999999999999.9999999998::decimal(38,10)"},
		"decimal just below zero":      {"{column: exact, min: 0}", "exact < 0"},
		"double, NaN is in no range":   {"{column: d, min: 0.3, max: 4}", "d < 0.3 or d > 4 or isnan(d)"},
		"float":                        {"{column: f, min: 0.125, max: 5.375}", "f < 0.125 or f > 5.375"},
		"date before 1970":             {"{column: day, min: 1969-12-24, max: '1970-01-03'}", "day < date '1969-12-24' or day > date '1970-01-03'"},
		"timestamp":                    {"{column: ts, min: 2026-03-02, max: '2026-03-20T16:37:00Z'}", "ts < timestamp '2026-03-02' or ts > timestamp '2026-03-20 16:37:00'"},
		"timestamp to a microsecond":   {"{column: ts, max: '2026-03-20 16:36:59.999999'}", "ts > timestamp '2026-03-20 16:36:59.999999'"},
		"timestamp in milliseconds":    {"{column: ts_ms, max: '2026-03-20 16:36:59.999999'}", "ts_ms > timestamp '2026-03-20 16:36:59.999999'"},
		"timestamp in nanoseconds":     {"{column: ts_ns, min: '2026-03-20 16:37:00'}", "ts_ns < timestamp '2026-03-20 16:37:00'"},
		"time of day":                  {"{column: clock, min: '01:02:00', max: '20:40:00'}", "clock < time '01:02:00' or clock > time '20:40:00'"},
		"allowed texts":                {"{column: state, in: [new, sold]}", "state not in ('new', 'sold')"},
		"allowed numbers":              {"{column: n, in: [-1, 0, +1, 22.0]}", "n not in (-1, 0, 1, 22)"},
		"allowed decimals":             {"{column: price, in: [0.1, -0.2]}", "price not in (0.1, -0.2)"},
		"allowed wide decimals":        {"{column: exact, in: [3, 5.0]}", "exact not in (3, 5)"},
		"allowed doubles":              {"{column: d, in: [0.3, 0]}", "d not in (0.3, 0)"},
		"allowed dates":                {"{column: day, in: [1969-12-31, 1970-01-02]}", "day not in (date '1969-12-31', date '1970-01-02')"},
		"allowed booleans":             {"{column: flag, in: [true]}", "not flag"},
		"allowed uuids":                {"{column: u, in: [00000000-0000-0000-0000-000000000007]}", "u <> '00000000-0000-0000-0000-000000000007'::uuid"},
		"length in characters":         {"{column: name, min_length: 2, max_length: 40}", "length(name) not between 2 and 40"},
		"pattern of the whole text":    {`{column: code, pattern: 'AB-[0-9]|AB-1[0-9]'}`, `not regexp_full_match(code, 'AB-[0-9]|AB-1[0-9]')`},
		"a type that holds it":         {"{column: n, type: bigint}", "false"},
		"a decimal that holds it":      {"{column: price, type: 'decimal(12,2)'}", "false"},
		"a type that does not":         {"{column: wide, type: int}", "true"},
		"a column that is there":       {"{column: n, required: true}", "false"},
		"several of one column":        {"{column: n, not_null: true, min: 0, max: 20, in: [1, 2, 3, 25]}", "n is null or n not in (1, 2, 3)"},
		"the key":                      {"{column: id, min: 1, max: 42}", "id < 1 or id > 42"},
		"a timestamp of any precision": {"{column: ts_ns, type: timestamp}", "false"},
	}
}

func TestContract_EachRuleAsDuckDBJudges(t *testing.T) {
	for name, tt := range rulesOfContracts() {
		text := "on_violation: quarantine\nrules:\n  - " + tt.rule + "\n"
		t.Run("load/"+name, func(t *testing.T) {
			w := newWorld(t)
			key := w.loadOf(1, ruled)
			w.run(storyTable, replicate.Registered)
			w.activate(storyTable, "id", "")
			w.contracted(text)
			w.wantJudged(w.run(storyTable, replicate.Loaded), key, tt.bad)
		})
		t.Run("merge/"+name, func(t *testing.T) {
			w := newWorld(t)
			w.begin("id", "")
			key := w.changeOf(`select case when id % 2 = 0 then 'I' else 'U' end as "Op", * from (` + ruled + `)`)
			w.contracted(text)
			w.wantJudged(w.tick()[storyTable], key, tt.bad)
		})
	}
}

// wantJudged wants the good rows of a file in the lake and the bad ones in the quarantine, all columns as they are.
func (w *world) wantJudged(got replicate.Result, key, bad string) {
	w.t.Helper()
	if got.Action == replicate.Halted || got.Action == replicate.Failed {
		w.t.Fatalf("%s (%s)", got.Action, got.Reason)
	}
	input := fmt.Sprintf("read_parquet('%s')", filepath.Join(w.root, "raw", key))
	duck := rig.DuckDB(w.t)
	columns := strings.Join(duck.Columns("select * from "+input), ", ")
	good := duck.Query(fmt.Sprintf("select %s from %s where not coalesce(%s, false) order by id", strings.TrimPrefix(columns, "Op, "), input, bad))
	wrong := duck.Query(fmt.Sprintf("select %s, file_row_number from (select *, file_row_number from read_parquet('%s', file_row_number=true)) where coalesce(%s, false) order by id",
		columns, filepath.Join(w.root, "raw", key), bad))
	var lake, kept [][]any
	if len(good) > 0 {
		lake = duck.Query(fmt.Sprintf("select %s from read_parquet('%s') order by id", strings.TrimPrefix(columns, "Op, "), filepath.Join(w.root, "lake", storyFolder, "*.parquet")))
	}
	if len(wrong) > 0 {
		kept = duck.Query(fmt.Sprintf("select %s, _sluice_row from read_parquet('%s') where _sluice_file = '%s' order by id", columns,
			filepath.Join(w.root, "lake", "_sluice", storyFolder, "quarantine", "*.parquet"), key))
	}
	if len(good) == 0 {
		good = nil
	}
	if len(wrong) == 0 {
		wrong = nil
	}
	if diff := cmp.Diff(good, lake); diff != "" {
		w.t.Errorf("lake (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(wrong, kept); diff != "" {
		w.t.Errorf("quarantine (-want +got):\n%s", diff)
	}
	if int(got.Quarantined) != len(wrong) {
		w.t.Errorf("%d rows counted, want %d", got.Quarantined, len(wrong))
	}
	if v := w.verify(storyTable); !v.Well() {
		w.t.Errorf("verify: %+v", v)
	}
}

func TestContract_HaltsAtTheFirstRowThatViolatesEachRule(t *testing.T) {
	for name, tt := range rulesOfContracts() {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			key := w.loadOf(1, ruled)
			w.run(storyTable, replicate.Registered)
			w.activate(storyTable, "id", "")
			w.contracted("rules:\n  - " + tt.rule + "\n")
			first := rig.DuckDB(t).Query(fmt.Sprintf("select min(id) from read_parquet('%s') where coalesce(%s, false)", filepath.Join(w.root, "raw", key), tt.bad))[0][0]
			if first == nil {
				w.run(storyTable, replicate.Loaded)
				return
			}
			got := w.wantHalt("contract", key, fmt.Sprintf("row %v ", first), "acknowledge")
			for _, value := range []string{"NEW", "é", "ab\n"} {
				if strings.Contains(got.Reason, value) {
					t.Errorf("the reason says a value: %s", got.Reason)
				}
			}
			if rows := w.rows(storyFolder, "*"); len(rows) > 0 {
				t.Errorf("the lake has %q", rows)
			}
			w.contracted("")
			w.acknowledge("")
			w.run(storyTable, replicate.Loaded)
		})
	}
}
