package statestore_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"sluice/statestore"
)

func BenchmarkFile(b *testing.B) {
	f, err := statestore.OpenFile(filepath.Join(b.TempDir(), "control.db"))
	if err != nil {
		b.Fatal(err)
	}
	for n := range 1200 {
		item := statestore.Item{"path": fmt.Sprintf("raw/store/t%04d/", n), "Ledger": strings.Repeat("x", 300)}
		if err := f.Create(b.Context(), item); err != nil {
			b.Fatal(err)
		}
	}
	b.Run("list 1200 items", func(b *testing.B) {
		for b.Loop() {
			for _, err := range f.List(b.Context()) {
				if err != nil {
					b.Fatal(err)
				}
			}
		}
	})
	b.Run("read", func(b *testing.B) {
		for b.Loop() {
			if _, err := f.Read(b.Context(), "raw/store/t0600/"); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("update", func(b *testing.B) {
		u := statestore.Update{Path: "raw/store/t0600/", Set: map[string]string{"ActiveFlag": "true"}}
		for b.Loop() {
			if _, err := f.Update(b.Context(), u); err != nil {
				b.Fatal(err)
			}
		}
	})
}
