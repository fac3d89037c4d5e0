package objecttest

import (
	"github.com/google/go-cmp/cmp"

	"sluice/internal/object"
)

func readCases() []testCase {
	return []testCase{
		{"get of ranges", testRanges},
		{"get and head of what is not there", testNotFound},
		{"get if match", testGetIfMatch},
		{"empty object", func(e env) {
			t, store := e.T, e.store
			put(t, store, "a", "")
			wantBody(t, store, "a", nil)
		}},
		{"get outlives a replacement", testGetOutlives},
		{"metadata", testMetadata},
	}
}

func testRanges(e env) {
	t, store := e.T, e.store
	info := put(t, store, "a", "0123456789")
	put(t, store, "empty", "")
	for _, c := range []struct {
		in   object.GetInput
		want string
	}{
		{object.GetInput{}, "0123456789"},
		{object.GetInput{Length: 1}, "0"},
		{object.GetInput{Offset: 9}, "9"},
		{object.GetInput{Offset: 3, Length: 4}, "3456"},
		{object.GetInput{Offset: 8, Length: 100}, "89"},
		{object.GetInput{Offset: 3, Length: 4, IfMatch: info.ETag}, "3456"},
	} {
		got, gotInfo := get(t, store, "a", c.in)
		if string(got) != c.want || gotInfo.Size != 10 || gotInfo.ETag != info.ETag {
			t.Errorf("get %+v: got %q of %d bytes as %s, want %q of 10 as %s",
				c.in, got, gotInfo.Size, gotInfo.ETag, c.want, info.ETag)
		}
	}
	for _, c := range []struct {
		key string
		in  object.GetInput
	}{
		{"a", object.GetInput{Offset: 10}},
		{"a", object.GetInput{Offset: 11, Length: 1}},
		{"a", object.GetInput{Offset: -1}},
		{"a", object.GetInput{Length: -1}},
		{"empty", object.GetInput{Length: 1}},
	} {
		_, _, err := store.Get(t.Context(), c.key, c.in)
		wantError(t, c.key, err, object.ErrRange)
	}
}

func testNotFound(e env) {
	t, store := e.T, e.store
	put(t, store, "a/b", "x")
	for _, key := range []string{"x", "a", "a/c", "x/y"} {
		_, err := store.Head(t.Context(), key)
		wantError(t, "head "+key, err, object.ErrNotFound)
		_, _, err = store.Get(t.Context(), key, object.GetInput{})
		wantError(t, "get "+key, err, object.ErrNotFound)
		_, _, err = store.Get(t.Context(), key, object.GetInput{IfMatch: `"x"`})
		wantError(t, "get if match "+key, err, object.ErrNotFound)
		wantError(t, "delete "+key, store.Delete(t.Context(), key, ""), object.ErrNotFound)
		wantError(t, "delete if match "+key, store.Delete(t.Context(), key, `"x"`), object.ErrNotFound)
	}
	wantKeys(t, store, object.ListInput{}, []string{"a/b"})
}

func testGetIfMatch(e env) {
	t, store := e.T, e.store
	before := put(t, store, "a", "one")
	after := put(t, store, "a", "two")
	if before.ETag == after.ETag {
		t.Fatalf("the ETag stays %s", before.ETag)
	}
	_, _, err := store.Get(t.Context(), "a", object.GetInput{IfMatch: before.ETag})
	wantError(t, "get", err, object.ErrPrecondition)
	if got, _ := get(t, store, "a", object.GetInput{IfMatch: after.ETag}); string(got) != "two" {
		t.Errorf("got %q, want two", got)
	}
}

func testGetOutlives(e env) {
	t, store := e.T, e.store
	put(t, store, "a", "one")
	body, _, err := store.Get(t.Context(), "a", object.GetInput{})
	if err != nil {
		t.Fatal(err)
	}
	put(t, store, "a", "two")
	p := make([]byte, 3)
	if _, err := body.Read(p); err != nil && string(p) != "one" {
		t.Error(err)
	}
	if err := body.Close(); err != nil {
		t.Error(err)
	}
	if string(p) != "one" {
		t.Errorf("got %q, want one", p)
	}
}

func testMetadata(e env) {
	t, store := e.T, e.store
	want := map[string]string{"sluice-commit": "0123abcd", "sluice-op": "17"}
	ctx := t.Context()
	if _, err := store.Put(ctx, "put", nil, object.PutInput{Metadata: want}); err != nil {
		t.Fatal(err)
	}
	for _, parts := range []bool{false, true} {
		u := store.Create(ctx, "create", object.PutInput{Metadata: want, AsParts: parts})
		if _, err := u.Close(ctx); err != nil {
			t.Fatal(err)
		}
		for _, key := range []string{"put", "create"} {
			info, err := store.Head(ctx, key)
			if err != nil {
				t.Fatal(err)
			}
			_, got := get(t, store, key, object.GetInput{})
			for _, metadata := range []map[string]string{info.Metadata, got.Metadata} {
				if diff := cmp.Diff(want, metadata); diff != "" && metadata != nil {
					t.Errorf("%s (-want +got):\n%s", key, diff)
				}
			}
		}
	}
}
