package objecttest

import (
	"testing"

	"sluice/internal/object"
)

func writeCases() []testCase {
	var cases []testCase
	for _, w := range writers() {
		cases = append(cases, testCase{"conditions of " + w.name, func(e env) {
			testConditions(e, w)
		}})
	}
	return append(cases,
		testCase{"conditional delete", testDelete},
		testCase{"probe", func(e env) {
			t, store := e.T, e.store
			for range 2 {
				if err := object.Probe(t.Context(), store, "_sluice/"); err != nil {
					t.Error(err)
				}
			}
			wantKeys(t, store, object.ListInput{}, []string{"_sluice/probe"})
		}})
}

// writer is one way of writing a whole object.
type writer struct {
	name  string
	write func(t *testing.T, store object.Store, w write) (object.Info, error)
}

type write struct {
	key, body string
	object.Condition
}

func writers() []writer {
	create := func(t *testing.T, store object.Store, w write, parts bool) (object.Info, error) {
		t.Helper()
		u := store.Create(t.Context(), w.key, object.PutInput{Condition: w.Condition, AsParts: parts})
		if _, err := u.Write([]byte(w.body)); err != nil {
			return object.Info{}, err
		}
		return u.Close(t.Context())
	}
	return []writer{
		{"put", func(t *testing.T, store object.Store, w write) (object.Info, error) {
			t.Helper()
			return store.Put(t.Context(), w.key, []byte(w.body), object.PutInput{Condition: w.Condition})
		}},
		{"create", func(t *testing.T, store object.Store, w write) (object.Info, error) {
			t.Helper()
			return create(t, store, w, false)
		}},
		{"create as parts", func(t *testing.T, store object.Store, w write) (object.Info, error) {
			t.Helper()
			return create(t, store, w, true)
		}},
	}
}

// testConditions goes through every outcome; after each the key holds what the last successful write left.
func testConditions(e env, w writer) {
	t, store := e.T, e.store
	var last object.Info
	etag := map[string]func() string{
		"":      func() string { return "" },
		"right": func() string { return last.ETag },
		"wrong": func() string { return `"0123456789abcdef0123456789abcdef"` },
	}
	for _, c := range []struct {
		body        string
		ifMatch     string
		ifNoneMatch bool
		want        error
		wantBody    string
	}{
		{"1", "wrong", false, object.ErrNotFound, ""},
		{"2", "", true, nil, "2"},
		{"3", "", true, object.ErrPrecondition, "2"},
		{"4", "wrong", false, object.ErrPrecondition, "2"},
		{"5", "right", false, nil, "5"},
		{"6", "right", false, nil, "6"},
		{"7", "", false, nil, "7"},
	} {
		info, err := w.write(t, store, write{"dir/a", c.body, object.Condition{
			IfMatch: etag[c.ifMatch](), IfNoneMatch: c.ifNoneMatch,
		}})
		wantError(t, "body "+c.body, err, c.want)
		if err == nil && (info.ETag == "" || info.ETag == last.ETag || info.Size != 1 || info.Key != "dir/a") {
			t.Errorf("body %s: got %+v after %+v", c.body, info, last)
		}
		if err == nil {
			last = info
		}
		if c.wantBody == "" {
			wantGone(t, store, "dir/a")
			continue
		}
		wantBody(t, store, "dir/a", []byte(c.wantBody))
		if head, err := store.Head(t.Context(), "dir/a"); err != nil || head.ETag != last.ETag {
			t.Errorf("body %s: head says %s, %v, want %s", c.body, head.ETag, err, last.ETag)
		}
	}
	if _, err := w.write(t, store, write{"dir/a", "8", object.Condition{IfMatch: last.ETag, IfNoneMatch: true}}); err == nil {
		t.Error("both conditions at once: got no error")
	}
}

func testDelete(e env) {
	t, store := e.T, e.store
	before := put(t, store, "a/b", "one")
	after := put(t, store, "a/b", "two")
	put(t, store, "a/c", "three")
	wantError(t, "old ETag", store.Delete(t.Context(), "a/b", before.ETag), object.ErrPrecondition)
	wantBody(t, store, "a/b", []byte("two"))
	if err := store.Delete(t.Context(), "a/b", after.ETag); err != nil {
		t.Error(err)
	}
	wantGone(t, store, "a/b")
	if err := store.Delete(t.Context(), "a/c", ""); err != nil {
		t.Error(err)
	}
	wantKeys(t, store, object.ListInput{}, nil)
	wantKeys(t, store, object.ListInput{Delimiter: "/"}, nil)
	put(t, store, "a/b", "four")
	wantBody(t, store, "a/b", []byte("four"))
}
