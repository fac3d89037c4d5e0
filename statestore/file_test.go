package statestore_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"sluice/statestore"
)

// holdFile names the control file in the environment of a second process: see TestFileOtherProcess.
const holdFile = "SLUICE_TEST_HOLD_FILE"

// TestFileOtherProcess is not a test of its own: it is the second process of those below.
func TestFileOtherProcess(t *testing.T) {
	path := os.Getenv(holdFile)
	if path == "" {
		t.Skip("only as a second process")
	}
	if err := openFile(t, path).Claim(t.Context(), product, "other", 0); err != nil {
		t.Fatal(err)
	}
	fmt.Println("\nheld")
	time.Sleep(time.Minute)
}

func TestFileLeaseDiesWithItsProcess(t *testing.T) {
	t.Parallel()
	f := fileWithProduct(t)
	other := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestFileOtherProcess$")
	other.Env = append(os.Environ(), holdFile+"="+f.path)
	out, err := other.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := other.Start(); err != nil {
		t.Fatal(err)
	}
	held := false
	for lines := bufio.NewScanner(out); !held && lines.Scan(); {
		held = lines.Text() == "held"
	}
	if err := f.Claim(t.Context(), product, "me", time.Hour); !held || !errors.Is(err, statestore.ErrLeased) {
		t.Errorf("while the other process holds it (%v): got %v", held, err)
	}
	if _, err := f.Update(t.Context(), statestore.Update{Path: product, Set: map[string]string{"a": "1"}}); err != nil {
		t.Errorf("a lease must not keep others from the item: %v", err)
	}
	if err := other.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = other.Wait() // killed
	if err := f.Claim(t.Context(), product, "me", time.Hour); err != nil {
		t.Errorf("after the other process was killed: %v", err)
	}
}

func TestFileLeaseOfAnotherOpening(t *testing.T) {
	t.Parallel()
	f := fileWithProduct(t)
	again := openFile(t, f.path)
	if err := f.Claim(t.Context(), product, "me", 0); err != nil {
		t.Fatal(err)
	}
	if err := again.Claim(t.Context(), product, "me", 0); !errors.Is(err, statestore.ErrLeased) {
		t.Errorf("second claim in the process: got %v", err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if err := again.Claim(t.Context(), product, "me", 0); err != nil {
		t.Errorf("after Close: %v", err)
	}
}

func TestFileReadingCreatesNothing(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	f := openFile(t, filepath.Join(dir, "_sluice", "control.db"))
	_, err := f.Read(t.Context(), product)
	errs := []error{err, f.Claim(t.Context(), product, "me", 0), f.Renew(t.Context(), product, "me", 0)}
	_, err = f.Update(t.Context(), statestore.Update{Path: product, Set: map[string]string{"a": "1"}})
	for _, err := range append(errs, err) {
		if !errors.Is(err, statestore.ErrNotFound) {
			t.Errorf("got %v", err)
		}
	}
	for item, err := range f.List(t.Context()) {
		t.Errorf("listed %v, %v", item, err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 0 {
		t.Errorf("made %v, %v", entries, err)
	}
}

// TestFileJustBorn reads a file that another process has created and not yet written.
func TestFileJustBorn(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "control.db")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	f := openFile(t, path)
	if _, err := f.Read(t.Context(), product); !errors.Is(err, statestore.ErrNotFound) {
		t.Errorf("got %v", err)
	}
	if err := f.Create(t.Context(), statestore.Item{"path": product}); err != nil {
		t.Errorf("create: %v", err)
	}
}

func TestFileLockedByAnother(t *testing.T) {
	t.Parallel()
	f := fileWithProduct(t)
	db, err := bbolt.Open(f.path, 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := f.Read(ctx, product); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("within the caller's time: got %v", err)
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		if _, err := f.Read(t.Context(), product); err != nil {
			t.Errorf("waiting: %v", err)
		}
	})
	time.Sleep(20 * time.Millisecond)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	wg.Wait()
}

// TestFileManyOpenings lets eight users of one file count together.
func TestFileManyOpenings(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "control.db")
	const users, rounds = 8, 10
	var wg sync.WaitGroup
	for user := range users {
		f := openFile(t, path)
		wg.Go(func() {
			for round := range rounds {
				item := statestore.Item{"path": fmt.Sprintf("raw/s/t%d-%d/", user, round)}
				if err := f.Create(t.Context(), item); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	n := 0
	for _, err := range openFile(t, path).List(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		n++
	}
	if n != users*rounds {
		t.Errorf("%d of %d items", n, users*rounds)
	}
}

func TestFileThatIsNone(t *testing.T) {
	t.Parallel()
	if _, err := statestore.OpenFile(""); !errors.Is(err, statestore.ErrInvalid) {
		t.Errorf("no path: got %v", err)
	}
	path := filepath.Join(t.TempDir(), "control.db")
	if err := os.WriteFile(path, []byte("not a table, but more than nothing"), 0o600); err != nil {
		t.Fatal(err)
	}
	f := openFile(t, path)
	if _, err := f.Read(t.Context(), product); err == nil || errors.Is(err, statestore.ErrNotFound) {
		t.Errorf("another file: got %v", err)
	}
	if err := f.Create(t.Context(), statestore.Item{"path": product}); err == nil {
		t.Error("another file was written to")
	}
}

// namedFile is a File that knows its path.
type namedFile struct {
	*statestore.File
	path string
}

func fileWithProduct(t *testing.T) namedFile {
	t.Helper()
	path := filepath.Join(t.TempDir(), "control.db")
	f := openFile(t, path)
	if err := f.Create(t.Context(), statestore.Item{"path": product}); err != nil {
		t.Fatal(err)
	}
	return namedFile{File: f, path: path}
}

// TestFileThatIsThereIsNotWritten: every run wrote the file, also one with nothing to do.
func TestFileThatIsThereIsNotWritten(t *testing.T) {
	path := filepath.Join(t.TempDir(), "control.db")
	f, err := statestore.OpenFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var before os.FileInfo
	for range 2 {
		if err := f.EnsureTable(t.Context()); err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if before != nil && !info.ModTime().Equal(before.ModTime()) {
			t.Errorf("written at %s, then at %s", before.ModTime(), info.ModTime())
		}
		before = info
		time.Sleep(20 * time.Millisecond)
	}
}
