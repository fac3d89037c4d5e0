package objecttest

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sluice/internal/object"
)

func listCases() []testCase {
	return []testCase{
		{"list of nothing", func(e env) {
			t, store := e.T, e.store
			wantKeys(t, store, object.ListInput{}, nil)
			wantKeys(t, store, object.ListInput{Prefix: "a/b"}, nil)
		}},
		{"list has more than one page", testPages},
		{"list order is by bytes of whole keys", testOrder},
		{"list filters", testFilters},
		{"list and odd characters", testOddKeys},
		{"list tells what head tells", testListInfo},
		{"list stops when asked", testListStop},
		{"list refuses other delimiters", func(e env) {
			t, store := e.T, e.store
			for _, err := range store.List(t.Context(), object.ListInput{Delimiter: "x"}) {
				if err == nil {
					t.Error("got no error")
				}
			}
		}},
	}
}

func keys(t *testing.T, store object.Store, in object.ListInput) []string {
	t.Helper()
	var got []string
	for e, err := range store.List(t.Context(), in) {
		if err != nil {
			t.Fatalf("list %+v: %v", in, err)
		}
		if e.Prefix != (in.Delimiter != "" && strings.HasSuffix(e.Key, in.Delimiter)) {
			t.Errorf("list %+v: %q is a prefix: %t", in, e.Key, e.Prefix)
		}
		got = append(got, e.Key)
	}
	return got
}

func wantKeys(t *testing.T, store object.Store, in object.ListInput, want []string) {
	t.Helper()
	if diff := cmp.Diff(want, keys(t, store, in)); diff != "" {
		t.Errorf("list %+v (-want +got):\n%s", in, diff)
	}
}

func testPages(e env) {
	t, store := e.T, e.store
	const n = 2500
	want := make([]string, n)
	for i := range want {
		want[i] = fmt.Sprintf("t/%04d", i)
		put(t, store, want[i], "")
	}
	put(t, store, "s", "")
	put(t, store, "u/1", "")
	wantKeys(t, store, object.ListInput{Prefix: "t/"}, want)
	wantKeys(t, store, object.ListInput{Prefix: "t/", StartAfter: "t/0999"}, want[1000:])
	wantKeys(t, store, object.ListInput{Prefix: "t/", StartAfter: "t/2498x"}, want[2499:])
	wantKeys(t, store, object.ListInput{Delimiter: "/"}, []string{"s", "t/", "u/"})
}

func testOrder(e env) {
	t, store := e.T, e.store
	want := []string{"a", "a b/x", "a!", "a-b/x", "a.b", "a0/x", "aa", "b/c-d/x", "b/c/x", "b/c/y/z", "b/c0", "é", "z", "\U0001F600"}
	slices.Sort(want)
	for _, i := range []int{7, 3, 0, 13, 1, 9, 5, 2, 12, 4, 8, 6, 11, 10} {
		put(t, store, want[i], "")
	}
	wantKeys(t, store, object.ListInput{}, want)
	for i, after := range want {
		wantKeys(t, store, object.ListInput{StartAfter: after}, slices.Clip(append([]string(nil), want[i+1:]...)))
	}
}

func testFilters(e env) {
	t, store := e.T, e.store
	for _, key := range []string{
		"_sluice/t/commits/1.json", "_sluice/control.db", "raw/s/t/20260101-1.csv", "raw/s/t/20260102-1.csv",
		"raw/s/t/LOAD1.csv", "raw/s/t/seg/LOAD1.csv", "raw/s/t2/LOAD1.csv", "raw/s-2/t/LOAD1.csv", "raw0",
	} {
		put(t, store, key, "x")
	}
	for _, c := range []struct {
		in   object.ListInput
		want []string
	}{
		{object.ListInput{Delimiter: "/"}, []string{"_sluice/", "raw/", "raw0"}},
		{object.ListInput{Prefix: "_sluice/"}, []string{"_sluice/control.db", "_sluice/t/commits/1.json"}},
		{object.ListInput{Prefix: "raw/", Delimiter: "/"}, []string{"raw/s-2/", "raw/s/"}},
		{object.ListInput{Prefix: "raw/s", Delimiter: "/"}, []string{"raw/s-2/", "raw/s/"}},
		{object.ListInput{Prefix: "raw/s/t", Delimiter: "/"}, []string{"raw/s/t/", "raw/s/t2/"}},
		{object.ListInput{Prefix: "raw/s/t/2"}, []string{"raw/s/t/20260101-1.csv", "raw/s/t/20260102-1.csv"}},
		{
			object.ListInput{Prefix: "raw/s/t/", StartAfter: "raw/s/t/20260101-1.csv", Delimiter: "/"},
			[]string{"raw/s/t/20260102-1.csv", "raw/s/t/LOAD1.csv", "raw/s/t/seg/"},
		},
		{object.ListInput{Prefix: "raw/s/t/", StartAfter: "raw/s/t/LOAD9"}, []string{"raw/s/t/seg/LOAD1.csv"}},
		{
			object.ListInput{StartAfter: "raw/s/t/seg/A"},
			[]string{"raw/s/t/seg/LOAD1.csv", "raw/s/t2/LOAD1.csv", "raw0"},
		},
		{
			object.ListInput{Prefix: "raw/s/t/", StartAfter: "raw/r"},
			[]string{"raw/s/t/20260101-1.csv", "raw/s/t/20260102-1.csv", "raw/s/t/LOAD1.csv", "raw/s/t/seg/LOAD1.csv"},
		},
		{object.ListInput{Prefix: "raw/s/t/", StartAfter: "raw/s/u"}, nil},
		{object.ListInput{Prefix: "raw/s/", StartAfter: "raw/s/t/", Delimiter: "/"}, []string{"raw/s/t2/"}},
		{object.ListInput{Prefix: "raw/s/t/LOAD1.csv"}, []string{"raw/s/t/LOAD1.csv"}},
		{object.ListInput{Prefix: "raw/s/t/LOAD1.csv/"}, nil},
	} {
		wantKeys(t, store, c.in, c.want)
	}
}

func testOddKeys(e env) {
	t, store := e.T, e.store
	var want []string
	for _, name := range []string{
		"day=2026-01-01", "a%2Fb", "a+b", "a b", " lead", "q?x#y", "üñ", "&<>\"'", "a\\b", "*[x]", "c:d", "tab\tx",
		"~", "=", "%", "__HIVE_DEFAULT_PARTITION__", "a;b,c@d$e!f(g)",
	} {
		key := "odd/" + name + "/part-0.parquet"
		want = append(want, key)
		put(t, store, key, name)
		wantBody(t, store, key, []byte(name))
		wantKeys(t, store, object.ListInput{Prefix: "odd/" + name}, []string{key})
	}
	slices.Sort(want)
	wantKeys(t, store, object.ListInput{}, want)
	for i, key := range want {
		wantKeys(t, store, object.ListInput{StartAfter: key}, append([]string(nil), want[i+1:]...))
	}
}

func testListInfo(e env) {
	t, store := e.T, e.store
	put(t, store, "a", "")
	put(t, store, "b", "four")
	for e, err := range store.List(t.Context(), object.ListInput{}) {
		if err != nil {
			t.Fatal(err)
		}
		head, err := store.Head(t.Context(), e.Key)
		if err != nil {
			t.Fatal(err)
		}
		if d := head.LastModified.Sub(e.LastModified); d.Abs().Seconds() >= 1 { // HEAD tells whole seconds
			t.Errorf("%s: listed as of %s, head says %s", e.Key, e.LastModified, head.LastModified)
		}
		head.Metadata, head.LastModified = nil, e.LastModified
		if diff := cmp.Diff(head, e.Info); diff != "" {
			t.Errorf("%s (-head +listing):\n%s", e.Key, diff)
		}
	}
}

func testListStop(e env) {
	t, store := e.T, e.store
	for _, key := range []string{"a/1", "a/2", "b"} {
		put(t, store, key, "")
	}
	n := 0
	for _, err := range store.List(t.Context(), object.ListInput{}) {
		if n++; err != nil || n == 2 {
			break
		}
	}
	if n != 2 {
		t.Errorf("got %d entries, want 2", n)
	}
}
