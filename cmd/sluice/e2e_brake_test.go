//go:build linux

package main_test

import (
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// brake counts the writes of a process, and stops it at one of them: the n-th of a load and a merge is about the same
// in every run of the same work, whatever the machine's speed.
type brake interface {
	env() []string             // for the process under the brake
	arm(n int, m mode) *moment // at the n-th write from now on; 0 for none
	count() int                // writes since then
	modes() []mode             // that it knows
}

// mode is what happens to the write that a moment is about.
type mode int

const (
	lost mode = iota // it never arrives: its sender dies before it
	done             // it is done, and its sender does not hear of it
	late             // it arrives when the test says so, long after its sender's death
)

func (m mode) String() string { return [...]string{"lost", "done", "late"}[m] }

// moment is a write of a process that the brake was set to.
type moment struct {
	reached chan struct{} // closed when the process is there
	deliver chan struct{} // closed when a write that is late is to go on its way
	answer  chan int      // what the store said to it, as an HTTP status; 0 when its sender did not wait for that
	what    string        // for messages; may be read behind reached
}

func newMoment() *moment {
	return &moment{reached: make(chan struct{}), deliver: make(chan struct{}), answer: make(chan int, 1)}
}

// await returns true when the process is there, false when it ended before.
func (m *moment) await(p *process) bool {
	p.t.Helper()
	select {
	case <-m.reached:
		return true
	case <-p.ended:
		return false
	}
}

// arrive lets a write that is late arrive and returns the store's answer; the sender of one that is done hears of it now,
// unless it is gone: then there is 0.
func (m *moment) arrive(t testing.TB) int {
	t.Helper()
	close(m.deliver)
	select {
	case status := <-m.answer:
		return status
	case <-time.After(patience):
		t.Fatalf("%s: no answer", m.what)
		return 0
	}
}

// brake returns the brake of the site's stores.
func (s *site) brake() brake {
	s.t.Helper()
	if s.s3 != nil {
		return newGate(s)
	}
	return newWatch(s)
}

// watch is the brake of a directory: it is told by the kernel when a body begins, when a file gets its name, and when the
// control file is written. The process goes on for the moment that it takes to hear of it: every write is a done one.
type watch struct {
	control int // the kernel's number of the control file

	mu    sync.Mutex
	only  bool // bodies count, the control file does not
	seen  int
	at    int
	armed *moment
}

func newWatch(s *site) *watch {
	s.t.Helper()
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	if err != nil {
		s.t.Fatal(err)
	}
	told := os.NewFile(uintptr(fd), "inotify")
	s.t.Cleanup(func() { _ = told.Close() }) // only read
	bodies := filepath.Join(s.lake, "_sluice", ".tmp")
	if err := os.MkdirAll(bodies, 0o777); err != nil {
		s.t.Fatal(err)
	}
	add := func(name string, events uint32) int {
		number, err := unix.InotifyAddWatch(fd, name, events)
		if err != nil {
			s.t.Fatalf("watch %s: %v", name, err)
		}
		return number
	}
	add(bodies, unix.IN_CREATE|unix.IN_MOVED_FROM)
	w := &watch{control: add(filepath.Join(s.lake, "_sluice", "control.db"), unix.IN_MODIFY)}
	go w.listen(told)
	return w
}

// bodiesOnly has the writes of the control file not count.
func (w *watch) bodiesOnly() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.only = true
}

func (w *watch) listen(told *os.File) {
	var buffer [1 << 16]byte
	for {
		n, err := told.Read(buffer[:])
		if err != nil {
			return // closed
		}
		for at := 0; at+unix.SizeofInotifyEvent <= n; {
			event := (*unix.InotifyEvent)(unsafe.Pointer(&buffer[at])) // as the kernel writes it
			w.event(int(event.Wd))
			at += unix.SizeofInotifyEvent + int(event.Len)
		}
	}
}

func (w *watch) event(number int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.only && number == w.control {
		return
	}
	w.seen++
	if w.armed != nil && w.seen == w.at {
		close(w.armed.reached)
	}
}

func (w *watch) env() []string { return nil }

func (w *watch) modes() []mode { return []mode{done} }

func (w *watch) count() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.seen
}

func (w *watch) arm(n int, _ mode) *moment {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.seen, w.at, w.armed = 0, n, newMoment()
	w.armed.what = "file"
	return w.armed
}

// refused says whether the store turned a write down.
func refused(status int) bool { return status >= http.StatusBadRequest }
