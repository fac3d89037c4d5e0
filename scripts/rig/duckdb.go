package rig

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// Reader asks DuckDB, a reader of Parquet that shares no code with sluice. It has a database of its own, in memory,
// for the length of one test.
//
// Values come back exact, in these Go types:
//
//	NULL                             nil
//	BOOLEAN                          bool
//	integers, HUGEINT of sums too    int64; string where 64 signed bits do not hold it
//	FLOAT, DOUBLE                    float64; "NaN", "Infinity", "-Infinity"
//	DECIMAL                          string with all digits of the scale: "1.10"
//	DATE                             "2024-01-31"
//	TIME                             "01:02:03.500000"
//	TIMESTAMP                        "2024-01-31 01:02:03.000000"; nine digits for TIMESTAMP_NS
//	TIMESTAMP WITH TIME ZONE         the same in UTC, with a closing Z
//	BLOB                             string of lower-case hex digits
//	VARCHAR, UUID, ENUM, JSON        string
//	LIST                             []any
//	STRUCT                           map[string]any
//	MAP                              []any of map[string]any with "key" and "value"
//
// Cast anything else to VARCHAR. Arguments take the place of ? in the SQL: nil, bool, integers, floats, strings.
type Reader struct {
	t      testing.TB
	duck   *duck
	number int
}

// DuckDB returns a reader for this test. The process behind it is started once for a test binary and ends with it.
func DuckDB(t testing.TB) *Reader {
	t.Helper()
	d, err := startDuck(setting(t, EnvDuckDB))
	if err != nil {
		t.Fatalf("start DuckDB: %v", err)
	}
	r := &Reader{t: t, duck: d, number: d.newNumber()}
	t.Cleanup(func() {
		if _, err := d.ask(request{DB: r.number, Close: true}); err != nil {
			t.Errorf("close DuckDB: %v", err)
		}
	})
	return r
}

// Query runs SQL and returns its rows. An error ends the test with the SQL in the message.
func (r *Reader) Query(sql string, args ...any) [][]any {
	r.t.Helper()
	return r.run(sql, args).Rows
}

// Maps is Query with every row as a map by column name. Two columns of one name end the test.
func (r *Reader) Maps(sql string, args ...any) []map[string]any {
	r.t.Helper()
	got := r.run(sql, args)
	out := make([]map[string]any, len(got.Rows))
	for i, row := range got.Rows {
		out[i] = make(map[string]any, len(row))
		for j, value := range row {
			out[i][got.Columns[j]] = value
		}
		if len(out[i]) != len(row) {
			r.t.Fatalf("columns of one name in %q of:\n%s", got.Columns, sql)
		}
	}
	return out
}

// Strings is Query with every row as one line, its values joined by "|" and NULL as the word NULL:
// what a test compares, and what its reader can read.
func (r *Reader) Strings(sql string, args ...any) []string {
	r.t.Helper()
	got := r.run(sql, args)
	out := make([]string, len(got.Rows))
	for i, row := range got.Rows {
		words := make([]string, len(row))
		for j, value := range row {
			words[j] = Text(value)
		}
		out[i] = strings.Join(words, "|")
	}
	return out
}

// Columns returns the names of the columns that SQL yields, in their order.
func (r *Reader) Columns(sql string, args ...any) []string {
	r.t.Helper()
	return r.run(sql, args).Columns
}

// Try is Query for a test that expects an error.
func (r *Reader) Try(sql string, args ...any) ([][]any, error) {
	got, err := r.duck.ask(request{DB: r.number, SQL: sql, Args: args})
	return got.Rows, err
}

func (r *Reader) run(sql string, args []any) reply {
	r.t.Helper()
	got, err := r.duck.ask(request{DB: r.number, SQL: sql, Args: args})
	if err != nil {
		r.t.Fatalf("DuckDB: %v\nin: %s\nwith: %v", err, sql, args)
	}
	return got
}

// Text returns a value of a [Reader] as Strings shows it, and a float of any width and size as its reader would.
func Text(value any) string {
	switch v := value.(type) {
	case nil:
		return "NULL"
	case float32:
		return Text(float64(v)) // as DuckDB hands a FLOAT over
	case float64:
		if math.IsInf(v, 0) {
			return strings.NewReplacer("+Inf", "Infinity", "-Inf", "-Infinity").Replace(fmt.Sprint(v))
		}
		return strconv.FormatFloat(v, 'g', -1, 64)
	case []any:
		words := make([]string, len(v))
		for i, item := range v {
			words[i] = Text(item)
		}
		return "[" + strings.Join(words, ", ") + "]"
	case map[string]any:
		words := make([]string, 0, len(v))
		for _, key := range slices.Sorted(maps.Keys(v)) {
			words = append(words, key+": "+Text(v[key]))
		}
		return "{" + strings.Join(words, ", ") + "}"
	}
	return fmt.Sprint(value)
}

type request struct {
	DB    int    `json:"db"`
	SQL   string `json:"sql,omitempty"`
	Args  []any  `json:"args,omitempty"`
	Close bool   `json:"close,omitempty"`
}

type reply struct {
	Columns []string `json:"columns"`
	Rows    [][]any  `json:"rows"`
	Error   string   `json:"error"`
}

// parseReply reads an answer of duck.py, whose numbers are whole where they have neither point nor exponent.
func parseReply(line []byte) (reply, error) {
	decoder := json.NewDecoder(bytes.NewReader(line))
	decoder.UseNumber()
	var got reply
	if err := decoder.Decode(&got); err != nil {
		return reply{}, fmt.Errorf("answer %q: %w", line, err)
	}
	if got.Error != "" {
		return reply{}, errors.New(got.Error)
	}
	for _, row := range got.Rows {
		for i := range row {
			row[i] = plain(row[i])
		}
	}
	return got, nil
}

// plain replaces the json.Numbers of a decoded value by int64 and float64.
func plain(value any) any {
	switch v := value.(type) {
	case json.Number:
		if whole, err := v.Int64(); err == nil {
			return whole
		}
		float, err := v.Float64()
		if err != nil {
			return v.String()
		}
		return float
	case []any:
		for i := range v {
			v[i] = plain(v[i])
		}
	case map[string]any:
		for key := range v {
			v[key] = plain(v[key])
		}
	}
	return value
}

// Python returns a Python that has the packages of requirements.lock: DuckDB and pyarrow, a reader and writer of Parquet that shares no
// code with either sluice or DuckDB. For what needs more than SQL.
func Python(t testing.TB) string {
	t.Helper()
	return setting(t, EnvDuckDB)
}
