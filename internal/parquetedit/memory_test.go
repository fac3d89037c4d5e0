package parquetedit_test

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/parquet-go/parquet-go"

	"sluice/internal/parquetedit"
)

// reopened is a file that takes from a memory.
func reopened(tb testing.TB, m *parquetedit.Memory, b []byte) *parquetedit.File {
	tb.Helper()
	f, err := m.Open(context.Background(), source(b))
	if err != nil {
		tb.Fatal(err)
	}
	return f
}

// TestFilesAtWorkTogetherKeepTheirBytesApart: files of all writers that are read, rewritten and copied at the same time, columns of each at the
// same time, out of one memory. What one leaves is what another takes next.
func TestFilesAtWorkTogetherKeepTheirBytesApart(t *testing.T) {
	const workers, rounds = 4, 60
	files, names := subjects(t)
	known := make([]subject, len(names))
	for i, name := range names {
		known[i] = newSubject(t, name, files[name])
	}
	var memory parquetedit.Memory
	for n := range uint64(workers) {
		t.Run(fmt.Sprint("worker ", n), func(t *testing.T) {
			t.Parallel()
			rng := rand.New(rand.NewPCG(11, n))
			for round := 0; round < rounds && !t.Failed(); round++ {
				x := known[rng.IntN(len(known))]
				if round%3 == 0 {
					b, values := mixed(t, rng, 0)
					x = subject{name: "mixed", body: b, columns: open(t, b).Columns(), values: values, faults: audited(open(t, b).Columns(), values, b)}
				}
				x.name, x.file = fmt.Sprintf("%s, round %d", x.name, round), reopened(t, &memory, x.body)
				s := someScript(rng, x.columns, x.values)
				s.Parallel = 3
				y := x.edited(t, s, false)
				y.copied(t, &memory)
			}
		})
	}
}

// copied takes the row groups over into a new file, and holds it against the values.
func (x subject) copied(tb testing.TB, m *parquetedit.Memory) {
	tb.Helper()
	var b bytes.Buffer
	w, err := parquetedit.NewWriter(&b, x.columns, parquetedit.WriterOptions{Compression: "snappy", Parallel: 2, Memory: m})
	if err != nil {
		tb.Error(x.name, err)
		return
	}
	origins := make([]parquetedit.Origin, len(x.columns))
	for c := range origins {
		origins[c].Column = c
	}
	f := reopened(tb, m, x.body)
	for rg := range f.RowGroups() {
		if err := w.CopyRows(tb.Context(), f, rg, origins); err != nil {
			tb.Errorf("%s: %v", x.name, err)
			return
		}
	}
	if err := w.Close(); err != nil {
		tb.Errorf("%s: %v", x.name, err)
		return
	}
	g := reopened(tb, m, b.Bytes())
	if d := firstOther(tb, g, x.values); d != "" {
		tb.Errorf("%s, copied: %s", x.name, d)
	}
	for _, f := range audited(x.columns, x.values, b.Bytes()) {
		tb.Errorf("%s, copied: %s", x.name, f.text)
	}
}

// TestAColumnThatIsReadWhileAnotherIs: columns of a file are read in step, so what one hands over stays as it is while another is read.
func TestAColumnThatIsReadWhileAnotherIs(t *testing.T) {
	columns, vs, b := pagesFile(t)
	f := open(t, b)
	for c := 1; c < len(columns); c++ {
		err := f.ReadColumn(t.Context(), 0, c, func(first int64, values []parquet.Value) error {
			err := f.ReadColumn(t.Context(), 0, c-1, func(int64, []parquet.Value) error { return nil })
			for i, v := range values {
				if want := vs[c][first+int64(i)]; !same(v, want) {
					return fmt.Errorf("row %d: %s, want %s", first+int64(i), show(v), show(want))
				}
			}
			return err
		})
		if err != nil {
			t.Errorf("column %q: %v", columns[c].Name, err)
		}
	}
}
