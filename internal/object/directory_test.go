package object_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sluice/internal/object"
	"sluice/internal/object/objecttest"
)

func wantIs(t *testing.T, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("got error %v, want %v", err, want)
	}
}

func TestDirectory(t *testing.T) {
	objecttest.Run(t, func(t *testing.T) object.Store {
		t.Helper()
		return object.NewDirectory(t.TempDir())
	})
}

func TestDirectoryDeleteRace(t *testing.T) {
	objecttest.RunDeleteRace(t, object.NewDirectory(t.TempDir()))
}

func TestDirectoryNoBucket(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, root := range map[string]string{"missing": filepath.Join(t.TempDir(), "none"), "file": file} {
		t.Run(name, func(t *testing.T) { objecttest.RunNoBucket(t, object.NewDirectory(root)) })
	}
}

func TestDirectoryRefusesKeys(t *testing.T) {
	root := filepath.Join(t.TempDir(), "root")
	if err := os.Mkdir(root, 0o700); err != nil {
		t.Fatal(err)
	}
	store := object.NewDirectory(root)
	if _, err := store.Put(t.Context(), "file", nil, object.PutInput{}); err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{
		"", ".", "..", "../x", "a/../../x", "a/../x", "/etc/passwd", "a//b", "a/", "./a", "a\x00b",
		"_sluice/.lock", "_sluice/.tmp", "_sluice/.tmp/x",
	} {
		_, err := store.Put(t.Context(), key, []byte("x"), object.PutInput{})
		wantIs(t, err, object.ErrKey)
		_, err = store.Head(t.Context(), key)
		wantIs(t, err, object.ErrKey)
		_, _, err = store.Get(t.Context(), key, object.GetInput{})
		wantIs(t, err, object.ErrKey)
		wantIs(t, store.Delete(t.Context(), key, ""), object.ErrKey)
	}
	for _, key := range []string{"file/below", "_sluice"} {
		_, err := store.Put(t.Context(), key, []byte("x"), object.PutInput{})
		wantIs(t, err, object.ErrKey)
	}
	for _, prefix := range []string{"../", "a/../", "/"} {
		for _, err := range store.List(t.Context(), object.ListInput{Prefix: prefix}) {
			wantIs(t, err, object.ErrKey)
		}
	}
	if names, err := os.ReadDir(filepath.Dir(root)); err != nil || len(names) != 1 {
		t.Errorf("beside the root there is %v, %v", names, err)
	}
	if names, err := os.ReadDir(filepath.Join(root, "_sluice", ".tmp")); err != nil || len(names) != 0 {
		t.Errorf("left behind: %v, %v", names, err)
	}
}

func TestDirectoryReadsMakeNothing(t *testing.T) {
	root := t.TempDir()
	if err := os.WriteFile(filepath.Join(root, "LOAD00000001.csv"), []byte("I,1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(root, "empty", "folder"), 0o700); err != nil {
		t.Fatal(err)
	}
	store := object.NewDirectory(root)
	ctx := t.Context()
	var got []string
	for e, err := range store.List(ctx, object.ListInput{Delimiter: "/"}) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, e.Key)
	}
	if diff := cmp.Diff([]string{"LOAD00000001.csv"}, got); diff != "" {
		t.Errorf("listing (-want +got):\n%s", diff)
	}
	body, _, err := store.Get(ctx, "LOAD00000001.csv", object.GetInput{})
	if err != nil {
		t.Fatal(err)
	}
	if err := body.Close(); err != nil {
		t.Error(err)
	}
	_, err = store.Head(ctx, "none")
	wantIs(t, err, object.ErrNotFound)
	wantIs(t, store.Delete(ctx, "none", ""), object.ErrNotFound)
	if err := store.Create(ctx, "a", object.PutInput{}).Abort(ctx); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(filepath.Join(root, "_sluice")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("_sluice was made: %v", err)
	}
}

func TestDirectoryHides(t *testing.T) {
	root := t.TempDir()
	store := object.NewDirectory(root)
	ctx := t.Context()
	if _, err := store.Put(ctx, "a", nil, object.PutInput{}); err != nil {
		t.Fatal(err)
	}
	left := filepath.Join(root, "_sluice", ".tmp", "LEFT")
	if err := os.WriteFile(left, []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("a", filepath.Join(root, "link")); err != nil {
		t.Fatal(err)
	}
	for _, in := range []object.ListInput{{}, {Delimiter: "/"}, {Prefix: "a"}} {
		for e, err := range store.List(ctx, in) {
			if err != nil || e.Key != "a" {
				t.Errorf("list %+v: got %q, %v", in, e.Key, err)
			}
		}
	}
	for e, err := range store.List(ctx, object.ListInput{Prefix: "_sluice/.tmp/"}) {
		t.Errorf("got %q, %v", e.Key, err)
	}
	_, err := store.Head(ctx, "link")
	wantIs(t, err, object.ErrNotFound)
	_, _, err = store.Get(ctx, "link", object.GetInput{})
	wantIs(t, err, object.ErrNotFound)
	_, err = store.Put(ctx, "link", nil, object.PutInput{})
	wantIs(t, err, object.ErrKey)
}

// TestDirectoryETags writes faster than a file system's clock ticks, so that inodes come back.
func TestDirectoryETags(t *testing.T) {
	for name, root := range map[string]string{"disk": t.TempDir(), "memory": shm(t)} {
		t.Run(name, func(t *testing.T) {
			store := object.NewDirectory(root)
			seen := map[string]bool{}
			for range 300 {
				info, err := store.Put(t.Context(), "a", []byte("same"), object.PutInput{})
				if err != nil {
					t.Fatal(err)
				}
				if seen[info.ETag] {
					t.Fatalf("the ETag %s comes back", info.ETag)
				}
				seen[info.ETag] = true
			}
		})
	}
}

// shm returns a directory in memory where there is one.
func shm(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "object-test-") //nolint:usetesting // T.TempDir is on the disk
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	return dir
}
