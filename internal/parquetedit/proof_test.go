package parquetedit_test

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/parquet-go/parquet-go"

	"sluice/internal/parquetedit"
	"sluice/scripts/rig"
)

// subject is a file and what is known of it.
type subject struct {
	name    string
	body    []byte
	file    *parquetedit.File
	columns []parquetedit.Column
	values  [][]parquet.Value
	faults  []fault
	did     parquetedit.Stats // by the rewriting that it comes from
}

func newSubject(tb testing.TB, name string, b []byte) subject {
	tb.Helper()
	f := open(tb, b)
	vs := valuesOf(tb, f)
	return subject{name: name, body: b, file: f, columns: f.Columns(), values: vs, faults: audited(f.Columns(), vs, b)}
}

// edited applies a script and holds the new file against the naive rewrite: values, NULLs, and all that it says of itself. With
// other it is read by parquet-go as well, page index and all.
func (x subject) edited(tb testing.TB, s parquetedit.Script, other bool) subject {
	tb.Helper()
	var out bytes.Buffer
	src := source(x.body)
	did, err := parquetedit.Rewrite(context.Background(), x.file, s, parquetedit.NewOutput(src, &out))
	if err != nil {
		tb.Fatalf("%s: %v", x.name, err)
	}
	values := naive(x.values, s)
	y := subject{name: x.name, body: out.Bytes(), file: open(tb, out.Bytes()), values: values, did: did}
	y.columns = y.file.Columns()
	if d := firstOther(tb, y.file, values); d != "" {
		tb.Errorf("%s: %s", x.name, d)
	}
	if other && !hasEmptyPage(y.body) { // parquet-go panics at a V2 page of no rows
		if _, err := parquet.OpenFile(bytes.NewReader(y.body), int64(len(y.body))); err != nil {
			tb.Fatalf("%s: parquet-go: %v", x.name, err)
		}
		if d := firstDiff(showAll(values), readOther(tb, y.body)); d != "" {
			tb.Errorf("%s: parquet-go: %s", x.name, d)
		}
	}
	y.faults = audited(y.columns, values, y.body)
	for _, f := range newFaults(x.faults, y.faults) {
		tb.Errorf("%s: %s", x.name, f.text)
	}
	return y
}

// TestRandomEdits: files of all writers, rewritten by random scripts, and what comes out rewritten again, hold the values of the naive
// rewrite and say nothing of themselves that is not so.
func TestRandomEdits(t *testing.T) {
	files, names := subjects(t)
	rig.Figure(t, "proof", "%d random edit scripts over %d files", randomEdits(t, files, names, 1, 1000), len(files))
}

// randomEdits tries so many scripts and gives their number.
func randomEdits(t *testing.T, files map[string][]byte, names []string, seed uint64, scripts int) int {
	t.Helper()
	const chain = 4 // scripts one after the other
	done, known := 0, make([]subject, len(names))
	for i, name := range names {
		known[i] = newSubject(t, name, files[name])
	}
	for round := uint64(0); done < scripts && !t.Failed(); round++ {
		for i, x := range known {
			x.name = fmt.Sprintf("%s, seed %d, round %d", x.name, seed, round)
			rng := rand.New(rand.NewPCG(seed, round<<16+uint64(i)))
			for n := range chain {
				x = x.edited(t, someScript(rng, x.columns, x.values), n == chain-1)
				done++
				if t.Failed() || done == scripts {
					return done
				}
			}
		}
	}
	return done
}

// TestSoakRandomEdits tries ten thousand scripts, and more until its share of the soak is over.
func TestSoakRandomEdits(t *testing.T) {
	end := time.Now().Add(rig.Soak(t, 0.02))
	files, names := subjects(t)
	done := 0
	for seed := uint64(2); (done < 10_000 || time.Now().Before(end)) && !t.Failed(); seed++ {
		done += randomEdits(t, files, names, seed, 1000)
	}
	rig.Figure(t, "proof", "%d random edit scripts over %d files", done, len(files))
}
