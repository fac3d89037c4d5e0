package replicate_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"sluice/internal/object/objectfault"
	"sluice/internal/replicate"
	"sluice/scripts/dmsgen"
	"sluice/statestore"
)

// FuzzBookkeepingField: whatever any one value in the plan, the batches, the index or the ledger of a pending commit is, a run
// ends and says what became of the table.
func FuzzBookkeepingField(f *testing.F) {
	type object struct {
		from *bench
		key  string
		body []byte
	}
	var books []object
	merge, merged := pendingMerge(f)
	load, loaded := pendingCSVLoad(f)
	for from, keys := range map[*bench][]string{merge: merged, load: loaded} {
		for _, key := range keys {
			if strings.HasSuffix(key, ".json") {
				body, _ := readObject(f, from.lake, key)
				books = append(books, object{from, key, body})
			}
		}
	}
	slices.SortFunc(books, func(a, b object) int { return strings.Compare(a.key+string(a.body), b.key+string(b.body)) })
	for i, book := range books {
		count := len(book.body)
		for field := range (&editing{}).count(f, book.body) {
			values := []string{`-1`, `9223372036854775807`, `""`, `null`, `[]`, `{}`, `[{}]`, `"../x"`, `true`, `1e300`, `"2026-03-14T12:00:00Z"`}
			for k, value := range values {
				if (field+k+count)%7 == 0 {
					f.Add(byte(i), uint16(field), []byte(value))
				}
			}
		}
	}
	f.Fuzz(func(t *testing.T, which byte, field uint16, value []byte) {
		book := books[int(which)%len(books)]
		var with any
		if json.Unmarshal(value, &with) != nil {
			return
		}
		b := book.from.fork()
		b.t = t
		b.put(book.key, (&editing{at: int(field), with: with}).edit(t, book.body))
		for range 3 {
			if got := b.tickOn(b.lake, b.state); got.Action == "" || got.Action == replicate.Halted && !strings.Contains(got.Reason, ": ") {
				t.Fatalf("%s, value %d set to %s: %s (%s)", book.key, field, value, got.Action, got.Reason)
			}
		}
	})
}

// pendingCSVLoad is a full load of CSV files that was committed and not applied, and the keys of its bookkeeping.
func pendingCSVLoad(t testing.TB) (*bench, []string) {
	t.Helper()
	b := newBench(t, product())
	b.writes.Format, b.writes.CSV.Header = dmsgen.CSV, true
	b.load(2, []any{1, "a", "x"}, []any{2, "b", "y"}, []any{3, "c", "z"})
	b.tickOn(b.lake, b.state)
	_, err := b.state.Update(t.Context(), statestore.Update{Path: benchPath, Set: map[string]string{statestore.CSVHeader: "true", statestore.CSVSchema: "id int, name string, dept string"}})
	b.must(err)
	b.activate("id", "")
	for i := 1; i < 50; i++ {
		died := b.fork()
		died.t = t
		died.tickOn(objectfault.New(died.lake, objectfault.Fault{At: i, How: objectfault.Before, Crash: true}), died.state)
		if died.item().Pending() {
			return died, died.keys("_sluice/")
		}
	}
	t.Fatalf("the load was never pending: %v", b.item())
	return nil, nil
}

// editing replaces one value of a JSON document, counted in the order in which it is walked through.
type editing struct {
	at, met int
	with    any
}

func (e *editing) edit(t testing.TB, body []byte) []byte {
	t.Helper()
	var doc any
	if err := json.Unmarshal(body, &doc); err != nil {
		t.Fatal(err)
	}
	edited, err := json.Marshal(e.walk(doc))
	if err != nil {
		t.Fatal(err)
	}
	return edited
}

// count is how many values a document has.
func (e *editing) count(t testing.TB, body []byte) int {
	t.Helper()
	e.at = -1
	e.edit(t, body)
	return e.met
}

func (e *editing) walk(v any) any {
	e.met++
	if e.met-1 == e.at {
		return e.with
	}
	switch v := v.(type) {
	case map[string]any:
		names := make([]string, 0, len(v))
		for name := range v {
			names = append(names, name)
		}
		slices.Sort(names)
		for _, name := range names {
			v[name] = e.walk(v[name])
		}
	case []any:
		for i := range v {
			v[i] = e.walk(v[i])
		}
	}
	return v
}
