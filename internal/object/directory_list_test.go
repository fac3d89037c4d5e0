package object_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"sluice/internal/object"
)

// TestDirectoryListsLikeMemory compares a walk of folders with a sorted list of keys.
func TestDirectoryListsLikeMemory(t *testing.T) {
	var n int
	base := t.TempDir()
	element := rapid.StringMatching(`[a!\-.0_~]{1,3}`).Filter(func(s string) bool { return s != "." && s != ".." })
	key := rapid.Custom(func(t *rapid.T) string {
		return filepath.ToSlash(filepath.Join(rapid.SliceOfN(element, 1, 4).Draw(t, "elements")...))
	})
	rapid.Check(t, func(rt *rapid.T) {
		n++
		root := filepath.Join(base, fmt.Sprint(n))
		memory, directory := object.NewMemory(time.Now), object.NewDirectory(root)
		for _, k := range rapid.SliceOfN(key, 0, 12).Draw(rt, "keys") {
			path := filepath.Join(root, k)
			if os.MkdirAll(filepath.Dir(path), 0o700) != nil || os.WriteFile(path, nil, 0o600) != nil {
				continue // a file where a folder would have to be, or the other way round
			}
			if _, err := memory.Put(t.Context(), k, nil, object.PutInput{}); err != nil {
				rt.Fatal(err)
			}
		}
		if err := os.MkdirAll(root, 0o700); err != nil {
			rt.Fatal(err)
		}
		part := func(name string) string {
			s := key.Draw(rt, name) + rapid.SampledFrom([]string{"", "/", "/a"}).Draw(rt, name+" end")
			return s[:rapid.IntRange(0, len(s)).Draw(rt, name+" length")]
		}
		in := object.ListInput{
			Prefix: part("prefix"), StartAfter: part("after"), Delimiter: rapid.SampledFrom([]string{"", "/"}).Draw(rt, "delimiter"),
		}
		if diff := gocmp.Diff(listed(rt, memory, in), listed(rt, directory, in)); diff != "" {
			rt.Errorf("list %+v (-memory +directory):\n%s", in, diff)
		}
	})
}

func listed(t *rapid.T, store object.Reader, in object.ListInput) (keys []string) {
	t.Helper()
	for e, err := range store.List(t.Context(), in) {
		if err != nil {
			t.Fatal(err)
		}
		keys = append(keys, fmt.Sprint(e.Key, " ", e.Prefix))
	}
	return keys
}
