package objecttest

import (
	"bytes"
	"errors"
	"fmt"
	"testing"

	"sluice/internal/object"
)

const mib = 1 << 20

func uploadCases() []testCase {
	return []testCase{
		{"upload sizes", testSizes},
		{"upload copies ranges", testCopies},
		{"upload of 20 MiB with copies", testMixture},
		{"upload whose source is gone or changed", testSources},
		{"upload that loses a race", testLateCondition},
		{"upload aborted", testAbort},
		{"upload that ended", testEnded},
	}
}

// piece is what an upload appends: bytes of its own, or a range of the source.
type piece struct {
	write          []byte
	offset, length int
}

// upload writes the pieces and returns the body that has to come of them.
func upload(t *testing.T, u object.Upload, source object.Info, from []byte, pieces []piece) []byte {
	t.Helper()
	var want []byte
	for i, p := range pieces {
		if p.write != nil {
			if n, err := u.Write(p.write); err != nil || n != len(p.write) {
				t.Fatalf("piece %d: wrote %d of %d bytes: %v", i, n, len(p.write), err)
			}
			want = append(want, p.write...)
			continue
		}
		err := u.CopyFrom(t.Context(), object.CopyInput{
			Key: source.Key, ETag: source.ETag, Offset: int64(p.offset), Length: int64(p.length),
		})
		if err != nil {
			t.Fatalf("piece %d: %v", i, err)
		}
		want = append(want, from[p.offset:p.offset+p.length]...)
	}
	return want
}

func testSizes(e env) {
	t, store := e.T, e.store
	for _, size := range []int{0, 1, 5 * mib, partBytes - 1, partBytes, partBytes + 1, 2 * partBytes, 20*mib + 7} {
		body := random(uint64(size), size)
		u := store.Create(t.Context(), "a", object.PutInput{})
		for rest := body; len(rest) > 0; {
			n := min(len(rest), 3*mib+11)
			upload(t, u, object.Info{}, nil, []piece{{write: rest[:n]}})
			rest = rest[n:]
		}
		info, err := u.Close(t.Context())
		if err != nil {
			t.Fatalf("%d bytes: %v", size, err)
		}
		if head, err := store.Head(t.Context(), "a"); err != nil || head.ETag != info.ETag || info.Size != int64(size) {
			t.Errorf("%d bytes: closed as %+v, head says %+v, %v", size, info, head, err)
		}
		wantBody(t, store, "a", body)
		if got := u.Counts(); got != (object.Counts{BytesWritten: int64(size)}) {
			t.Errorf("%d bytes: got counts %+v", size, got)
		}
	}
}

func testCopies(e env) {
	t, store := e.T, e.store
	from := random(1, 16*mib)
	source := put(t, store, "source dir/a=b%20+c", string(from))
	for _, c := range []struct {
		name   string
		pieces []piece
	}{
		{"1 B", []piece{{offset: 5, length: 1}}},
		{"5 MiB - 1", []piece{{offset: 7, length: 5*mib - 1}}},
		{"5 MiB", []piece{{offset: 7, length: 5 * mib}}},
		{"6 MiB", []piece{{offset: 1, length: 6 * mib}}},
		{"everything", []piece{{length: 16 * mib}}},
		{"1 B and 12 MiB", []piece{{write: []byte("x")}, {offset: 9, length: 12 * mib}}},
		{"1 B and 10 MiB", []piece{{write: []byte("x")}, {offset: 9, length: 10 * mib}}},
		{"6 MiB and 6 MiB", []piece{{write: random(2, 6*mib)}, {offset: 3 * mib, length: 6 * mib}}},
		{"a full part and 6 MiB", []piece{{write: random(2, partBytes)}, {offset: 3, length: 6 * mib}, {write: []byte("y")}}},
		{"nothing", []piece{{length: 0}, {offset: 1, length: 0}}},
	} {
		u := store.Create(t.Context(), "a", object.PutInput{})
		want := upload(t, u, source, from, c.pieces)
		if _, err := u.Close(t.Context()); err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		t.Log(c.name, u.Counts())
		wantBody(t, store, "a", want)
		if n := u.Counts(); n.BytesWritten+n.BytesCopied != int64(len(want)) || n.BytesRead > n.BytesWritten {
			t.Errorf("%s: got counts %+v of %d bytes", c.name, n, len(want))
		}
	}
}

func testMixture(e env) {
	t, store := e.T, e.store
	from := random(3, 25*mib)
	source := put(t, store, "source", string(from))
	old := put(t, store, "a", "old")
	u := store.Create(t.Context(), "a", object.PutInput{Condition: object.Condition{IfMatch: old.ETag}})
	want := upload(t, u, source, from, []piece{
		{write: []byte("PAR1")},
		{offset: 4, length: 12 * mib},
		{write: random(4, 1234)},
		{offset: 13 * mib, length: 5*mib - 1},
		{offset: 20 * mib, length: 1},
		{write: random(5, 9*mib)},
		{offset: 2 * mib, length: 6 * mib},
		{length: 1},
		{offset: mib, length: 12 * mib},
		{write: []byte("PAR1")},
	})
	wantBody(t, store, "a", []byte("old"))
	info, err := u.Close(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	wantBody(t, store, "a", want)
	if info.Size != int64(len(want)) {
		t.Errorf("got size %d, want %d", info.Size, len(want))
	}
	if n := u.Counts(); n.BytesCopied < 18*mib {
		t.Errorf("got counts %+v, want 18 MiB copied at least", n)
	}
}

func testSources(e env) {
	t, store := e.T, e.store
	old := put(t, store, "changed", string(random(1, 7*mib)))
	put(t, store, "changed", string(random(2, 7*mib)))
	for _, length := range []int64{10, 7 * mib} {
		for _, c := range []struct {
			key  string
			want error
		}{{"changed", object.ErrPrecondition}, {"missing", object.ErrNotFound}} {
			u := store.Create(t.Context(), "a", object.PutInput{})
			err := u.CopyFrom(t.Context(), object.CopyInput{Key: c.key, ETag: old.ETag, Length: length})
			if err == nil {
				_, err = u.Close(t.Context())
			}
			name := fmt.Sprintf("%d bytes of %s", length, c.key)
			wantError(t, name, err, c.want)
			wantError(t, name, err, object.ErrSource)
			if err := u.Abort(t.Context()); err != nil {
				t.Errorf("%s: abort: %v", name, err)
			}
			wantGone(t, store, "a")
		}
	}
	u := store.Create(t.Context(), "a", object.PutInput{})
	err := u.CopyFrom(t.Context(), object.CopyInput{Key: "changed", ETag: put(t, store, "changed", "x").ETag, Length: 2})
	wantError(t, "range beyond the end", err, object.ErrRange)
	wantGone(t, store, "a")
	if err := errors.Join(err, u.Abort(t.Context())); !errors.Is(err, object.ErrRange) {
		t.Error(err)
	}
}

// testLateCondition changes the key while a large upload is under way.
func testLateCondition(e env) {
	t, store := e.T, e.store
	body := random(1, partBytes+1)
	old := put(t, store, "replace", "old")
	for _, c := range []struct {
		key string
		object.Condition
	}{{"create", object.Condition{IfNoneMatch: true}}, {"replace", object.Condition{IfMatch: old.ETag}}} {
		u := store.Create(t.Context(), c.key, object.PutInput{Condition: c.Condition})
		upload(t, u, object.Info{}, nil, []piece{{write: body}})
		put(t, store, c.key, "faster")
		_, err := u.Close(t.Context())
		wantError(t, c.key, err, object.ErrPrecondition)
		wantBody(t, store, c.key, []byte("faster"))
		if err := u.Abort(t.Context()); err != nil {
			t.Errorf("abort after a lost close: %v", err)
		}
	}
}

func testAbort(e env) {
	t, store := e.T, e.store
	for _, size := range []int{0, 1, partBytes + 1} {
		u := store.Create(t.Context(), "a", object.PutInput{})
		upload(t, u, object.Info{}, nil, []piece{{write: bytes.Repeat([]byte("x"), size)}})
		for range 2 {
			if err := u.Abort(t.Context()); err != nil {
				t.Errorf("%d bytes: %v", size, err)
			}
		}
		wantGone(t, store, "a")
		wantKeys(t, store, object.ListInput{}, nil)
	}
}

func testEnded(e env) {
	t, store := e.T, e.store
	u := store.Create(t.Context(), "a", object.PutInput{})
	if _, err := u.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := u.Abort(t.Context()); err != nil {
		t.Errorf("abort after close: %v", err)
	}
	wantBody(t, store, "a", nil)
	if _, err := u.Write([]byte("x")); err == nil {
		t.Error("write after close: got no error")
	}
	if err := u.CopyFrom(t.Context(), object.CopyInput{Key: "a", ETag: `"x"`, Length: 1}); err == nil {
		t.Error("copy after close: got no error")
	}
	if _, err := u.Close(t.Context()); err == nil {
		t.Error("close after close: got no error")
	}
	wantBody(t, store, "a", nil)
}
