package statestoretest

import (
	"strings"
	"testing"

	"sluice/statestore"
)

// listed is more than a page holds: 1,200 items of over 1 KB are two pages of 1 MB.
const listed = 1200

func runList(t *testing.T, open Open) {
	t.Helper()
	t.Run("empty", func(t *testing.T) {
		for item, err := range open(t).List(t.Context()) {
			t.Errorf("got %v, %v", item, err)
		}
	})
	t.Run("1200 items", func(t *testing.T) {
		b := open(t)
		for n := range listed {
			create(t, b, statestore.Item{statestore.Path: table(n), "Padding": strings.Repeat("x", 1100)})
		}
		seen := map[string]bool{}
		for item, err := range b.List(t.Context()) {
			if err != nil {
				t.Fatal(err)
			}
			if path := item[statestore.Path]; seen[path] || len(item["Padding"]) != 1100 {
				t.Fatalf("%s again, or cut", path)
			}
			seen[item[statestore.Path]] = true
		}
		if len(seen) != listed || !seen[table(0)] || !seen[table(listed-1)] {
			t.Errorf("listed %d of %d", len(seen), listed)
		}
	})
	t.Run("changing while listing", func(t *testing.T) {
		b := open(t)
		create(t, b, statestore.Item{statestore.Path: table(1)}, statestore.Item{statestore.Path: table(2)})
		for item, err := range b.List(t.Context()) {
			if err != nil {
				t.Fatal(err)
			}
			_, err = b.Update(t.Context(), statestore.Update{Path: item[statestore.Path], Set: map[string]string{"Seen": "1"}})
			wantErr(t, err, nil)
		}
	})
	t.Run("stopped early", func(t *testing.T) {
		b := open(t)
		create(t, b, statestore.Item{statestore.Path: table(1)}, statestore.Item{statestore.Path: table(2)})
		n := 0
		for _, err := range b.List(t.Context()) {
			wantErr(t, err, nil)
			n++
			break
		}
		if n != 1 {
			t.Errorf("got %d items", n)
		}
	})
}
