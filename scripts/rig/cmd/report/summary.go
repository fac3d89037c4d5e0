package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// event is a line of go test -json; see go doc test2json.
type event struct {
	Action     string
	Package    string
	ImportPath string
	Test       string
	Output     string
	Elapsed    float64 // seconds
}

// test names a test of a package; with Test empty it is the package itself.
type test struct{ Package, Test string }

// timed is a package that ended.
type timed struct {
	name    string
	seconds float64
	tests   int
}

// summary is what was seen of a test run. Output is kept until its test has ended: that of a passing test is dropped.
type summary struct {
	output   map[test][]string
	tests    map[string]int // tests that ended, by package
	packages []timed
	skipped  []string
	figures  []string // "kind: words", see rig.Figure
	failed   []string
}

func newSummary() *summary {
	return &summary{output: map[test][]string{}, tests: map[string]int{}}
}

// add takes one line and returns what is to be printed for it. What is no event is printed as it is.
func (s *summary) add(line []byte) string {
	var e event
	if err := json.Unmarshal(line, &e); err != nil {
		return string(line) + "\n"
	}
	key := test{e.Package, e.Test}
	switch e.Action {
	case "output":
		s.output[key] = append(s.output[key], e.Output)
	case "build-output":
		return e.Output
	case "build-fail":
		s.failed = append(s.failed, e.ImportPath+" (build)")
	case "pass", "fail", "skip":
		said := strings.Join(s.output[key], "")
		delete(s.output, key)
		if e.Test == "" {
			return s.endPackage(e, said)
		}
		return s.endTest(e, said)
	}
	return ""
}

func (s *summary) endTest(e event, said string) string {
	s.tests[e.Package]++
	switch e.Action {
	case "skip":
		s.skipped = append(s.skipped, e.Package+" "+e.Test+": "+reason(said))
	case "fail":
		s.failed = append(s.failed, e.Package+" "+e.Test)
		return said
	case "pass":
		for line := range strings.Lines(said) {
			if _, figure, found := strings.Cut(line, ".go:"); found {
				if _, figure, found = strings.Cut(figure, ": figure: "); found {
					s.figures = append(s.figures, strings.TrimSpace(figure))
				}
			}
		}
	}
	return ""
}

// endPackage prints the line of a package, and all it said when it failed: a panic or a race is told there, and in
// the tests that it kept from ending.
func (s *summary) endPackage(e event, said string) string {
	if e.Action == "skip" {
		return "" // no test files
	}
	s.packages = append(s.packages, timed{e.Package, e.Elapsed, s.tests[e.Package]})
	if e.Action == "pass" {
		return fmt.Sprintf("ok    %-36s %4d tests %8.2f s\n", e.Package, s.tests[e.Package], e.Elapsed)
	}
	s.failed = append(s.failed, e.Package)
	for key, lines := range s.output {
		if key.Package == e.Package {
			said = strings.Join(lines, "") + said
			delete(s.output, key)
		}
	}
	return said
}

// reason returns the words of t.Skip in a test's output: the line after "file.go:12: ".
func reason(said string) string {
	for line := range strings.Lines(said) {
		if _, words, found := strings.Cut(line, ".go:"); found {
			_, words, _ = strings.Cut(words, ": ")
			return strings.TrimSpace(words)
		}
	}
	return "no reason given"
}

// print writes the closing lines. Packages run side by side, so their seconds may add up to more than took.
func (s *summary) print(out io.Writer, took time.Duration) {
	if len(s.skipped) > 0 {
		_, _ = fmt.Fprintf(out, "\nskipped:\n  %s\n", strings.Join(s.skipped, "\n  ")) // errors come back from Flush
	}
	if len(s.figures) > 0 {
		slices.Sort(s.figures)
		_, _ = fmt.Fprintf(out, "\nfigures:\n  %s\n", strings.Join(s.figures, "\n  "))
	}
	slices.SortFunc(s.packages, func(a, b timed) int {
		return cmp.Or(cmp.Compare(b.seconds, a.seconds), cmp.Compare(a.name, b.name))
	})
	var sum float64
	var tests int
	for _, p := range s.packages {
		sum += p.seconds
		tests += p.tests
	}
	_, _ = fmt.Fprintf(out, "\n%8s %6s  package\n", "seconds", "share")
	for _, p := range s.packages {
		share := 0.0
		if sum > 0 {
			share = 100 * p.seconds / sum
		}
		_, _ = fmt.Fprintf(out, "%8.2f %5.1f%%  %s\n", p.seconds, share, p.name)
	}
	_, _ = fmt.Fprintf(out, "%8.2f in %d packages, %d tests; %.1f s with the compiler, packages side by side\n",
		sum, len(s.packages), tests, took.Seconds())
	for _, name := range s.failed {
		_, _ = fmt.Fprintf(out, "FAILED %s\n", name)
	}
	if len(s.packages) == 0 {
		_, _ = fmt.Fprintln(out, "FAILED no package was tested")
	}
}

func (s *summary) passed() bool { return len(s.failed) == 0 && len(s.packages) > 0 }
