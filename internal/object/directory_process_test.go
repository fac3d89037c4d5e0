//go:build unix

package object_test

import (
	"bufio"
	"context"
	"errors"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"sluice/internal/object"
)

// increments is what each process adds to the counter.
const increments = 40

// child runs the test of this name, in a process of its own, with the directory root.
func child(t *testing.T, name, root string) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+name+"$", "-test.count=1")
	cmd.Env = append(os.Environ(), "OBJECT_TEST_CHILD="+name, "OBJECT_TEST_ROOT="+root)
	cmd.Stderr = os.Stderr
	return cmd
}

// isChild returns the root given to a child.
func isChild(t *testing.T) (root string, ok bool) {
	t.Helper()
	return os.Getenv("OBJECT_TEST_ROOT"), os.Getenv("OBJECT_TEST_CHILD") == t.Name()
}

// TestDirectoryTwoProcesses lets two processes, of two goroutines each, count by compare and replace: no count is lost.
func TestDirectoryTwoProcesses(t *testing.T) {
	if root, ok := isChild(t); ok {
		t.Run("count", func(t *testing.T) { countTwice(t, root) })
		return
	}
	root := t.TempDir()
	if _, err := object.NewDirectory(root).Put(t.Context(), "n", []byte("0"), object.PutInput{}); err != nil {
		t.Fatal(err)
	}
	first, second := child(t, t.Name(), root), child(t, t.Name(), root)
	if err := errors.Join(first.Start(), second.Start()); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(first.Wait(), second.Wait()); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(filepath.Join(root, "n"))
	if err != nil || string(got) != strconv.Itoa(4*increments) {
		t.Errorf("got %s, %v, want %d", got, err, 4*increments)
	}
}

func countTwice(t *testing.T, root string) {
	t.Helper()
	for _, name := range []string{"one", "two"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			store := object.NewDirectory(root)
			for done := 0; done < increments; {
				if increment(t, store) {
					done++
				}
			}
		})
	}
}

func increment(t *testing.T, store *object.Directory) bool {
	t.Helper()
	body, info, err := store.Get(t.Context(), "n", object.GetInput{})
	if err != nil {
		t.Fatal(err)
	}
	line, _ := bufio.NewReader(body).ReadString('\n') // ends with io.EOF
	if err := body.Close(); err != nil {
		t.Fatal(err)
	}
	n, err := strconv.Atoi(line)
	if err != nil {
		t.Fatal(err)
	}
	_, err = store.Put(t.Context(), "n", []byte(strconv.Itoa(n+1)), object.PutInput{
		Condition: object.Condition{IfMatch: info.ETag},
	})
	if err != nil && !errors.Is(err, object.ErrPrecondition) {
		t.Fatal(err)
	}
	return err == nil
}

// TestDirectoryKilledHolder kills a process that holds the lock.
func TestDirectoryKilledHolder(t *testing.T) {
	if root, ok := isChild(t); ok {
		f, err := os.OpenFile(filepath.Join(root, "_sluice", ".lock"), os.O_RDWR, 0)
		if err != nil {
			t.Fatal(err)
		}
		if err := unix.Flock(int(f.Fd()), unix.LOCK_EX); err != nil {
			t.Fatal(err)
		}
		_, _ = os.Stdout.WriteString("held\n")
		time.Sleep(time.Minute)
		return
	}
	root := t.TempDir()
	store := object.NewDirectory(root)
	if _, err := store.Put(t.Context(), "a", []byte("old"), object.PutInput{}); err != nil {
		t.Fatal(err)
	}
	holder := child(t, t.Name(), root)
	startAndAwait(t, holder, "held")

	short, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	_, err := store.Put(short, "a", []byte("new"), object.PutInput{})
	wantIs(t, err, context.DeadlineExceeded)
	wantFile(t, filepath.Join(root, "a"), "old")

	if err := holder.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = holder.Wait() // says that it was killed
	if _, err := store.Put(t.Context(), "a", []byte("new"), object.PutInput{}); err != nil {
		t.Error(err)
	}
	wantFile(t, filepath.Join(root, "a"), "new")
	wantNoTemps(t, root)
}

// startAndAwait starts the process and waits for a line of its output.
func startAndAwait(t *testing.T, cmd *exec.Cmd, line string) {
	t.Helper()
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	got, err := bufio.NewReader(out).ReadString('\n')
	if err != nil || strings.TrimSpace(got) != line {
		t.Fatalf("got %q, %v, want %q", got, err, line)
	}
}

// TestDirectoryKilledWriter kills a process that writes all the time: there are whole objects only.
func TestDirectoryKilledWriter(t *testing.T) {
	body := strings.Repeat("0123456789", 100_000)
	if root, ok := isChild(t); ok {
		_, _ = os.Stdout.WriteString("writing\n")
		for i := 0; ; i++ {
			_, err := object.NewDirectory(root).Put(t.Context(), "t/"+strconv.Itoa(i%3), []byte(body), object.PutInput{})
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	root := t.TempDir()
	store := object.NewDirectory(root)
	for i := range 3 {
		writer := child(t, t.Name(), root)
		startAndAwait(t, writer, "writing")
		time.Sleep(time.Duration(20+13*i) * time.Millisecond)
		if err := writer.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = writer.Wait() // says that it was killed
		for e, err := range store.List(t.Context(), object.ListInput{}) {
			if err != nil || !strings.HasPrefix(e.Key, "t/") || e.Size != int64(len(body)) {
				t.Errorf("got %+v, %v", e, err)
			}
		}
	}
}

// TestDirectoryFull writes where no file may grow beyond 1 MiB, which fails in the middle of a write as a full disk does.
func TestDirectoryFull(t *testing.T) {
	root, ok := isChild(t)
	if !ok {
		root := t.TempDir()
		store := object.NewDirectory(root)
		for _, key := range []string{"old", "source"} {
			if _, err := store.Put(t.Context(), key, make([]byte, 2<<20), object.PutInput{}); err != nil {
				t.Fatal(err)
			}
		}
		if out, err := child(t, t.Name(), root).Output(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		for e, err := range store.List(t.Context(), object.ListInput{}) {
			if err != nil || e.Size != 2<<20 || (e.Key != "old" && e.Key != "source") {
				t.Errorf("got %+v, %v", e, err)
			}
		}
		wantNoTemps(t, root)
		return
	}
	signal.Ignore(unix.SIGXFSZ)
	limit := unix.Rlimit{Cur: 1 << 20, Max: 1 << 20}
	if err := unix.Setrlimit(unix.RLIMIT_FSIZE, &limit); err != nil {
		t.Fatal(err)
	}
	store := object.NewDirectory(root)
	_, err := store.Put(t.Context(), "old", make([]byte, 3<<20), object.PutInput{})
	wantIs(t, err, unix.EFBIG)
	source, err := store.Head(t.Context(), "source")
	if err != nil {
		t.Fatal(err)
	}
	u := store.Create(t.Context(), "new", object.PutInput{})
	err = u.CopyFrom(t.Context(), object.CopyInput{Key: "source", ETag: source.ETag, Length: source.Size})
	wantIs(t, err, unix.EFBIG)
	if err := u.Abort(t.Context()); err != nil {
		t.Error(err)
	}
}

func wantFile(t *testing.T, path, want string) {
	t.Helper()
	if got, err := os.ReadFile(path); err != nil || string(got) != want {
		t.Errorf("got %q, %v, want %q", got, err, want)
	}
}

func wantNoTemps(t *testing.T, root string) {
	t.Helper()
	names, err := os.ReadDir(filepath.Join(root, "_sluice", ".tmp"))
	if err != nil || len(names) > 0 {
		t.Errorf("left behind: %v, %v", names, err)
	}
}
