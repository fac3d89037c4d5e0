package main

import (
	"strings"
	"testing"
	"time"
)

func run(t *testing.T, lines ...string) (string, bool) {
	t.Helper()
	var out strings.Builder
	ok, err := report(strings.NewReader(strings.Join(lines, "\n")), &out, func() time.Time { return time.Time{} })
	if err != nil {
		t.Fatal(err)
	}
	return out.String(), ok
}

func TestReportOfPassingTests(t *testing.T) {
	got, ok := run(t,
		`{"Action":"output","Package":"a","Test":"TestX","Output":"chatter\n"}`,
		`{"Action":"pass","Package":"a","Test":"TestX","Elapsed":1}`,
		`{"Action":"output","Package":"a","Test":"TestY","Output":"    y_test.go:3: no server\n"}`,
		`{"Action":"skip","Package":"a","Test":"TestY","Elapsed":0}`,
		`{"Action":"pass","Package":"a","Elapsed":3}`,
		`{"Action":"skip","Package":"empty","Elapsed":0}`,
		`{"Action":"pass","Package":"b","Elapsed":1}`)
	want := `ok    a                                       2 tests     3.00 s
ok    b                                       0 tests     1.00 s

skipped:
  a TestY: no server

 seconds  share  package
    3.00  75.0%  a
    1.00  25.0%  b
    4.00 in 2 packages, 2 tests; 0.0 s with the compiler, packages side by side
`
	if got != want || !ok {
		t.Errorf("ok %v, got:\n%s\nwant:\n%s", ok, got, want)
	}
}

func TestReportOfFailures(t *testing.T) {
	for name, c := range map[string]struct {
		lines []string
		want  string
	}{
		"test": {[]string{
			`{"Action":"output","Package":"a","Test":"TestX","Output":"got 1, want 2\n"}`,
			`{"Action":"fail","Package":"a","Test":"TestX","Elapsed":1}`,
			`{"Action":"fail","Package":"a","Elapsed":1}`,
		}, "got 1, want 2"},
		"panic, which ends no test": {[]string{
			`{"Action":"output","Package":"a","Test":"TestX","Output":"panic: oh\n"}`,
			`{"Action":"fail","Package":"a","Elapsed":1}`,
		}, "panic: oh"},
		"build": {[]string{
			`{"ImportPath":"a [a.test]","Action":"build-output","Output":"a.go:1:1: wrong\n"}`,
			`{"ImportPath":"a [a.test]","Action":"build-fail"}`,
			`{"Action":"fail","Package":"a","Elapsed":0,"FailedBuild":"a [a.test]"}`,
		}, "a.go:1:1: wrong"},
		"no JSON":    {[]string{`go: no such package`}, "go: no such package"},
		"no package": {nil, "no package was tested"},
	} {
		t.Run(name, func(t *testing.T) {
			if got, ok := run(t, c.lines...); ok || !strings.Contains(got, c.want) {
				t.Errorf("ok %v, want %q in:\n%s", ok, c.want, got)
			}
		})
	}
}

func TestReportPrintsTheFiguresOfPassingTests(t *testing.T) {
	got, ok := run(t,
		`{"Action":"output","Package":"a","Test":"TestX","Output":"    x_test.go:3: figure: points: 7 tried\n"}`,
		`{"Action":"output","Package":"a","Test":"TestX","Output":"    x_test.go:4: no figure: at all\n"}`,
		`{"Action":"pass","Package":"a","Test":"TestX","Elapsed":1}`,
		`{"Action":"output","Package":"a","Test":"TestY","Output":"    y_test.go:9: figure: lives: 3\n"}`,
		`{"Action":"pass","Package":"a","Test":"TestY","Elapsed":1}`,
		`{"Action":"pass","Package":"a","Elapsed":2}`)
	if want := "\nfigures:\n  lives: 3\n  points: 7 tried\n"; !ok || !strings.Contains(got, want) {
		t.Errorf("got %q, want %q in it", got, want)
	}
}
