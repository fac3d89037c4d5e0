package replicate_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"sluice/internal/object"
	"sluice/internal/replicate"
)

// FuzzBookkeepingField: whatever any one value in the plan, the batches, the index or the ledger of a pending commit is, a run
// ends and says what became of the table.
func FuzzBookkeepingField(f *testing.F) {
	from, keys := pendingMerge(f)
	keys = slices.DeleteFunc(keys, func(key string) bool { return !strings.HasSuffix(key, ".json") })
	slices.Sort(keys)
	bodies := make([][]byte, len(keys))
	for i, key := range keys {
		bodies[i], _ = readObject(f, from.lake, key)
		count := len(bodies[i])
		for field := range (&editing{}).count(f, bodies[i]) {
			values := []string{`-1`, `9223372036854775807`, `""`, `null`, `[]`, `{}`, `[{}]`, `"../x"`, `true`, `1e300`, `"2026-03-14T12:00:00Z"`}
			for k, value := range values {
				if (field+k+count)%7 == 0 {
					f.Add(byte(i), uint16(field), []byte(value))
				}
			}
		}
	}
	f.Fuzz(func(t *testing.T, which byte, field uint16, value []byte) {
		i := int(which) % len(keys)
		var with any
		if json.Unmarshal(value, &with) != nil {
			return
		}
		b := from.fork()
		b.t = t
		_, err := b.lake.Put(t.Context(), keys[i], (&editing{at: int(field), with: with}).edit(t, bodies[i]), object.PutInput{})
		b.must(err)
		for range 3 {
			if got := b.tickOn(b.lake, b.state); got.Action == "" || got.Action == replicate.Halted && !strings.Contains(got.Reason, ": ") {
				t.Fatalf("%s, value %d set to %s: %s (%s)", keys[i], field, value, got.Action, got.Reason)
			}
		}
	})
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
