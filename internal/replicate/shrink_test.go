package replicate_test

import (
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
)

// attempt is a test within a test: where it fails it ends, and its failure is kept instead of told.
type attempt struct {
	testing.TB
	mu       sync.Mutex
	failure  strings.Builder
	cleanups []func()
	failed   bool
}

// try runs a function as a test of its own, and returns how it failed, "" for not at all.
func try(t testing.TB, run func(t testing.TB)) string {
	t.Helper()
	a := &attempt{TB: t}
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer func() {
			for _, cleanup := range slices.Backward(a.cleanups) {
				cleanup()
			}
		}()
		defer func() {
			if r := recover(); r != nil {
				a.say(fmt.Sprint("panic: ", r))
			}
		}()
		run(a)
	}()
	<-done
	if a.failed && a.failure.Len() == 0 {
		return "it failed without a word"
	}
	return a.failure.String()
}

func (a *attempt) say(text string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.failed = true
	a.failure.WriteString(text + "\n")
}

func (a *attempt) Helper() {}

func (a *attempt) Failed() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.failed
}

func (a *attempt) Cleanup(f func()) { a.cleanups = append(a.cleanups, f) }

func (a *attempt) Error(args ...any) { a.say(fmt.Sprint(args...)) }

func (a *attempt) Errorf(format string, args ...any) { a.say(fmt.Sprintf(format, args...)) }

func (a *attempt) Fatal(args ...any) {
	a.say(fmt.Sprint(args...))
	runtime.Goexit()
}

func (a *attempt) Fatalf(format string, args ...any) {
	a.say(fmt.Sprintf(format, args...))
	runtime.Goexit()
}

func (a *attempt) Fail() { a.say("") }

func (a *attempt) FailNow() {
	a.say("")
	runtime.Goexit()
}

// shrunk leaves steps out as long as what is left fails, halves first and single steps last, and returns the steps and
// their failure. It tries no more than most times.
func shrunk(steps []int, failure string, most int, play func(steps []int) string) ([]int, string) {
	for size := (len(steps) + 1) / 2; size > 0 && len(steps) > 0; {
		smaller := false
		for at := 0; at < len(steps) && most > 0; most-- {
			rest := slices.Delete(slices.Clone(steps), at, min(at+size, len(steps)))
			if again := play(rest); again != "" {
				steps, failure, smaller = rest, again, true
				continue
			}
			at += size
		}
		if !smaller {
			size /= 2
		}
		size = min(size, len(steps))
	}
	return steps, failure
}

// outcome plays a life of so many steps from a seed, and returns "" where it went well. Where it fails, it tells the least of its
// steps that fail, too. What happened in it is counted.
func outcome(t testing.TB, seed uint64, steps int, c *census) string {
	t.Helper()
	play := func(steps []int) string {
		return try(t, func(t testing.TB) {
			t.Helper()
			l := newLife(t, seed)
			l.census = c
			l.liveThe(steps)
		})
	}
	all := slices.Collect(upTo(steps))
	failure := play(all)
	if failure == "" {
		c.lived()
		return ""
	}
	c = nil
	const most = 300
	least, failure := shrunk(all, failure, most, play)
	text := strings.Trim(strings.ReplaceAll(fmt.Sprint(least), " ", ", "), "[]")
	return fmt.Sprintf("seed %d fails within %d steps, and with these alone: newLife(t, %d).liveThe([]int{%s})\n%s", seed, steps, seed, text, failure)
}

func TestShrunk(t *testing.T) {
	tries := 0
	fails := func(steps []int) string { // needs 3 and 17, in a life of forty steps
		tries++
		if slices.Contains(steps, 3) && slices.Contains(steps, 17) {
			return fmt.Sprint("fails with ", len(steps))
		}
		return ""
	}
	steps, failure := shrunk(slices.Collect(upTo(40)), "fails with 40", 300, fails)
	if !slices.Equal(steps, []int{3, 17}) || failure != "fails with 2" || tries > 100 {
		t.Errorf("got %v (%s) after %d tries", steps, failure, tries)
	}
	if steps, _ := shrunk([]int{1, 2, 3}, "", 300, func([]int) string { return "always" }); len(steps) != 0 {
		t.Errorf("what always fails needs %v", steps)
	}
}

func TestTry(t *testing.T) {
	cleaned := false
	for name, c := range map[string]struct {
		run  func(testing.TB)
		want string
	}{
		"well":   {func(testing.TB) {}, ""},
		"fatal":  {func(t testing.TB) { t.Helper(); t.Cleanup(func() { cleaned = true }); t.Fatalf("bad %d", 1) }, "bad 1\n"},
		"errors": {func(t testing.TB) { t.Helper(); t.Error("a"); t.Errorf("b") }, "a\nb\n"},
		"panic":  {func(testing.TB) { panic("oh") }, "panic: oh\n"},
	} {
		if got := try(t, c.run); got != c.want {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
	if !cleaned {
		t.Error("what failed was not cleaned up")
	}
}
