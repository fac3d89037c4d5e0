package lake_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"sluice/internal/lake"
)

// keyLoad is a load of sheets with the columns a, b, c.
func keyLoad(tb rapid.TB, sheets ...sheet) *lake.Load {
	tb.Helper()
	load := &lake.Load{Schema: &lake.Schema{}}
	for i, s := range sheets {
		load.Inputs = append(load.Inputs, lake.LoadFile{Name: fmt.Sprintf("LOAD%08X", i+1), Open: openBody(tb, s.body(tb))})
	}
	schema, err := lake.LoadSchema(load, lake.Schema{}, false)
	if err != nil {
		tb.Fatal(err)
	}
	load.Schema = &schema
	return load
}

func noProgress(int, int) {}

func TestLoad_CountKeys(t *testing.T) {
	const columns = "id int, ref string, v string"
	first := inputOf(columns, []any{1, "x", "a"}, []any{2, "y", "a"})
	second := inputOf(columns, []any{3, nil, "b"}, []any{4, "x", "b"})
	got, err := keyLoad(t, first, second).CountKeys(t.Context(), lake.DefaultKeyLimits(), noProgress)
	if err != nil {
		t.Fatal(err)
	}
	want := []lake.KeyCount{
		{Columns: []string{"id"}, Rows: 4, Distinct: 4, Exact: true, Whole: true},
		{Columns: []string{"ref"}, Rows: 4, Nulls: 1, Distinct: 2, Repeats: 1, Exact: true, Whole: true},
		{Columns: []string{"v"}, Rows: 4, Distinct: 2, Repeats: 2, Exact: true, Whole: true},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// TestLoad_CountKeys_pairs finds the two columns that tell rows apart together, when none does alone.
func TestLoad_CountKeys_pairs(t *testing.T) {
	s := inputOf("region string, nr int, v string, gap int")
	for region := range 3 {
		for nr := range 5 {
			var gap any
			if nr > 0 {
				gap = nr
			}
			s.rows = append(s.rows, inputOf("region string, nr int, v string, gap int", []any{fmt.Sprint("r", region), nr, "same", gap}).rows...)
		}
	}
	got, err := keyLoad(t, s).CountKeys(t.Context(), lake.DefaultKeyLimits(), noProgress)
	if err != nil {
		t.Fatal(err)
	}
	var unique []string
	for _, k := range got {
		if k.Unique() {
			unique = append(unique, strings.Join(k.Columns, "+"))
		}
	}
	if !slices.Equal(unique, []string{"region+nr"}) || len(got) != 5 {
		t.Errorf("unique %v of %+v", unique, got)
	}
}

// TestLoad_CountKey_inPasses counts what does not fit, exactly as long as there are passes, and says when it estimates.
func TestLoad_CountKey_inPasses(t *testing.T) {
	const rows = 5000
	s, repeating := inputOf("id int"), inputOf("id int")
	for i := range rows {
		s.rows = append(s.rows, inputOf("id int", []any{i}).rows...)
		repeating.rows = append(repeating.rows, inputOf("id int", []any{min(i, rows-8)}).rows...)
	}
	for name, c := range map[string]struct {
		sheet   sheet
		limits  lake.KeyLimits
		repeats int64
		exact   bool
	}{
		"at once":                  {s, lake.KeyLimits{Hashes: rows, Passes: 1}, 0, true},
		"in passes":                {s, lake.KeyLimits{Hashes: 700, Passes: 16}, 0, true},
		"too few passes":           {s, lake.KeyLimits{Hashes: 700, Passes: 4}, 0, false},
		"repeats at once":          {repeating, lake.KeyLimits{Hashes: rows, Passes: 1}, 7, true},
		"repeats behind the limit": {repeating, lake.KeyLimits{Hashes: 700, Passes: 16}, 7, true},
	} {
		t.Run(name, func(t *testing.T) {
			k, err := keyLoad(t, c.sheet).CountKey(t.Context(), []string{"id"}, c.limits)
			if err != nil {
				t.Fatal(err)
			}
			if k.Rows != rows || k.Repeats != c.repeats || k.Exact != c.exact || !k.Whole {
				t.Errorf("%+v", k)
			}
			if off := k.Distinct - (rows - c.repeats); c.exact && off != 0 || max(off, -off) > rows/50 {
				t.Errorf("%d distinct of %d", k.Distinct, rows-c.repeats)
			}
		})
	}
}

// TestLoad_CountKey_givesUpEarly does not read on where it is plain that a column is no key.
func TestLoad_CountKey_givesUpEarly(t *testing.T) {
	s := inputOf("v int")
	for i := range 40_000 {
		s.rows = append(s.rows, inputOf("v int", []any{i % 7}).rows...)
	}
	k, err := keyLoad(t, s).CountKey(t.Context(), []string{"v"}, lake.DefaultKeyLimits())
	if err != nil || k.Whole || k.Rows > 1000 || k.Distinct != 7 || k.Unique() {
		t.Errorf("%+v, %v", k, err)
	}
}

// TestLoad_CountKey_any counts as a map does, whatever the limits.
func TestLoad_CountKey_any(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, seen := inputOf("a int, b string"), map[string]bool{}
		var nulls, repeats int64
		values := rapid.IntRange(1, 60).Draw(t, "values")
		for range rapid.IntRange(0, 90).Draw(t, "rows") {
			a, b := any(rand.IntN(values)), any("x")
			if rapid.IntRange(0, 9).Draw(t, "null") == 0 {
				b = nil
			}
			s.rows = append(s.rows, inputOf("a int, b string", []any{a, b}).rows...)
			switch key := fmt.Sprint(a, b); {
			case b == nil:
				nulls++
			case seen[key]:
				repeats++
			default:
				seen[key] = true
			}
		}
		limits := lake.KeyLimits{Hashes: rapid.IntRange(10, 100).Draw(t, "hashes"), Passes: 40}
		k, err := keyLoad(t, s).CountKey(t.Context(), []string{"a", "b"}, limits)
		if err != nil {
			t.Fatal(err)
		}
		if k.Nulls != nulls || k.Exact && (k.Repeats != repeats || k.Distinct != int64(len(seen))) {
			t.Errorf("%+v, want %d NULL, %d repeats, %d distinct", k, nulls, repeats, len(seen))
		}
	})
}

func TestSchema_Better(t *testing.T) {
	load := keyLoad(t, inputOf("v string, code string, nr int, product_id int, id int, __source_ts_ms int", []any{"a", "b", 1, 2, 3, 4}))
	var keys []lake.KeyCount
	for _, names := range []string{"v", "code", "nr", "product_id", "id", "__source_ts_ms", "v nr"} {
		keys = append(keys, lake.KeyCount{Columns: strings.Fields(names)})
	}
	slices.SortFunc(keys, func(a, b lake.KeyCount) int {
		if load.Schema.Better(a, b) {
			return -1
		}
		return 1
	})
	var got []string
	for _, k := range keys {
		got = append(got, strings.Join(k.Columns, " "))
	}
	if want := []string{"id", "product_id", "nr", "v", "code", "__source_ts_ms", "v nr"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
