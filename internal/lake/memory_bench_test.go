package lake_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"sync/atomic"
	"testing"
	"time"

	"github.com/parquet-go/parquet-go"

	"sluice/internal/dms"
	"sluice/internal/lake"
	"sluice/internal/parquetedit"
)

// orders is a table like TPC-H lineitem with a key of one column.
func orders() []parquetedit.Column {
	columns := cols("id bigint, part bigint, supplier bigint, line int, quantity bigint, price bigint, discount int, tax int, flag string, status string, " +
		"ship date, commit date, receipt date, instruct string, mode string, comment string")
	return columns
}

// orderRow is the row of an order; another version has other values in most columns.
func orderRow(id, version uint64) []parquet.Value {
	x := (id*2 + version + 1) * 0x9e3779b97f4a7c15
	next := func(n uint64) uint64 { x ^= x << 13; x ^= x >> 7; x ^= x << 17; return x % n }
	words := []string{"carefully ", "final ", "deposits ", "sleep ", "quickly ", "ironic ", "requests ", "among "}
	long := func(v uint64) parquet.Value { return parquet.Int64Value(int64(v)) }
	short := func(v uint64) parquet.Value { return parquet.Int32Value(int32(v)) }
	str := func(s string) parquet.Value { return parquet.ByteArrayValue([]byte(s)) }
	return []parquet.Value{
		long(id), long(next(200_000)), long(next(10_000)), short(next(7)), long(1 + next(50)), long(next(10_000_000)), short(next(11)), short(next(9)),
		str("RAN"[next(3):][:1]), str("OF"[next(2):][:1]), short(8036 + next(2500)), short(8036 + next(2500)), short(8036 + next(2500)),
		str([]string{"DELIVER IN PERSON", "COLLECT COD", "NONE", "TAKE BACK RETURN"}[next(4)]),
		str([]string{"AIR", "MAIL", "RAIL", "SHIP", "TRUCK", "FOB", "REG AIR"}[next(7)]),
		str(words[next(8)] + words[next(8)] + words[next(8)] + fmt.Sprint(next(1000))),
	}
}

// orderFile writes rows of orders to a file and opens it: nothing of it stays in memory.
func orderFile(tb testing.TB, name string, op bool, rows func(yield func(id, version uint64) bool)) *parquetedit.File {
	tb.Helper()
	path := filepath.Join(tb.TempDir(), name)
	f, err := os.Create(path)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = f.Close() })
	columns := orders()
	if op {
		columns = append(cols("Op string"), columns...)
	}
	out := bufio.NewWriterSize(f, 1<<20)
	w, err := parquetedit.NewWriter(out, columns, parquetedit.WriterOptions{Compression: "snappy"})
	if err != nil {
		tb.Fatal(err)
	}
	values := make([][]parquet.Value, len(columns))
	flush := func() {
		if err := w.Write(values); err != nil {
			tb.Fatal(err)
		}
		for c := range values {
			values[c] = values[c][:0]
		}
	}
	for id, version := range rows {
		row := orderRow(id, version)
		if op {
			row = append([]parquet.Value{text("U")}, row...)
		}
		for c := range values {
			values[c] = append(values[c], row[c])
		}
		if len(values[0]) == 8192 {
			flush()
		}
	}
	flush()
	if err := w.Close(); err != nil {
		tb.Fatal(err)
	}
	if err := out.Flush(); err != nil {
		tb.Fatal(err)
	}
	return openPath(tb, f)
}

func openPath(tb testing.TB, f *os.File) *parquetedit.File {
	tb.Helper()
	info, err := f.Stat()
	if err != nil {
		tb.Fatal(err)
	}
	open, err := parquetedit.Open(context.Background(), parquetedit.ReaderAt{ReaderAt: f, N: info.Size()})
	if err != nil {
		tb.Fatal(err)
	}
	return open
}

// peak watches what the process holds until the function it returns is called, which gives the most in MiB: what the
// Go runtime has from the system and has not given back.
func peak(tb testing.TB) func() float64 {
	tb.Helper()
	runtime.GC()
	debug.FreeOSMemory()
	samples := []metrics.Sample{{Name: "/memory/classes/total:bytes"}, {Name: "/memory/classes/heap/released:bytes"}}
	var most atomic.Uint64
	stop, done := make(chan struct{}), make(chan struct{})
	look := func() {
		metrics.Read(samples)
		if n := samples[0].Value.Uint64() - samples[1].Value.Uint64(); n > most.Load() {
			most.Store(n)
		}
	}
	go func() {
		defer close(done)
		for {
			look()
			select {
			case <-stop:
				return
			case <-time.After(2 * time.Millisecond):
			}
		}
	}()
	return func() float64 {
		close(stop)
		<-done
		return float64(most.Load()) / (1 << 20)
	}
}

// BenchmarkMergeOfAMillion merges one change file of a million updates into four lake files of half a million rows each, under a memory limit
// of 460 MiB: what a process of 512 MiB has.
func BenchmarkMergeOfAMillion(b *testing.B) {
	m := newBigMerge(b, 1_000_000, 4)
	b.Run("whole", func(b *testing.B) { m.run(b, 0, 460<<20) })
	b.Run("parts=4", func(b *testing.B) { m.run(b, 4, 460<<20) })
}

// BenchmarkMergeOfTenMillion merges ten times as many into twenty such files, of which every row changes. Whole it has no limit.
func BenchmarkMergeOfTenMillion(b *testing.B) {
	m := newBigMerge(b, 10_000_000, 20)
	b.Run("parts=20", func(b *testing.B) { m.run(b, 20, 460<<20) })
	b.Run("whole", func(b *testing.B) { m.run(b, 0, math.MaxInt64) })
}

// bigMerge is a change file of many updates, in no order, and lake files of half a million rows each.
type bigMerge struct {
	changes int64
	input   *parquetedit.File
	known   []*lake.File
	opened  map[string]*parquetedit.File
	schema  *lake.Schema
}

func newBigMerge(b *testing.B, changes, files uint64) *bigMerge {
	b.Helper()
	const each = 500_000
	m := &bigMerge{changes: int64(changes), opened: map[string]*parquetedit.File{}, schema: &lake.Schema{Columns: orders(), Key: []string{"id"}}}
	m.input = orderFile(b, "changes.parquet", true, func(yield func(id, version uint64) bool) {
		for i := range changes {
			if !yield(i*999_983*(files*each/changes)%(files*each), 1) {
				return
			}
		}
	})
	for n := range files {
		key := fmt.Sprintf("lake-%d.parquet", n)
		f := orderFile(b, key, false, func(yield func(id, version uint64) bool) {
			for i := range uint64(each) {
				if !yield(n*each+i, 0) {
					return
				}
			}
		})
		m.opened[key] = f
		m.known = append(m.known, &lake.File{Key: key, ETag: "x", Size: 1 << 20, Rows: f.NumRows()})
	}
	return m
}

func (m *bigMerge) open(_ context.Context, f *lake.File) (*parquetedit.File, error) {
	return m.opened[f.Key], nil
}

// run merges, with the changes folded in so many parts, 0 for whole, and tells the most memory that each stage held.
func (m *bigMerge) run(b *testing.B, parts int, limit int64) {
	b.Helper()
	defer debug.SetMemoryLimit(debug.SetMemoryLimit(limit))
	path := filepath.Join(b.TempDir(), "object.parquet")
	stages := map[string]float64{}
	stage := func(name string, work func() error) {
		stop := peak(b)
		if err := work(); err != nil {
			b.Fatal(err)
		}
		stages[name] = max(stages[name], stop())
	}
	for b.Loop() {
		var merge *lake.Merge
		stage("plan", func() (err error) {
			merge, err = m.plan(b, parts)
			return err
		})
		if merge.Counts.Updates != m.changes {
			b.Fatalf("%+v", merge.Counts)
		}
		object, err := os.Create(path)
		if err != nil {
			b.Fatal(err)
		}
		var spans []lake.Span
		stage("write", func() error {
			spans, err = merge.WriteChanges(b.Context(), object)
			return err
		})
		merge = nil
		stage("apply", func() error {
			written := openPath(b, object)
			for i, span := range spans {
				slice, err := lake.ReadSlice(b.Context(), written, m.schema, span)
				if err != nil {
					return err
				}
				if _, err := slice.Rewrite(b.Context(), m.opened[fmt.Sprintf("lake-%d.parquet", i)], discard{}, lake.FileOptions{}); err != nil {
					return err
				}
			}
			return object.Close()
		})
	}
	most := 0.0
	for name, mib := range stages {
		b.ReportMetric(mib, name+"-MiB")
		most = max(most, mib)
	}
	b.ReportMetric(most, "peak-MiB")
}

func (m *bigMerge) plan(b *testing.B, parts int) (*lake.Merge, error) {
	b.Helper()
	reader, err := dms.Open(m.input, dms.Options{})
	if err != nil {
		return nil, err
	}
	in, limits := lake.Input{Name: "changes", Reader: reader}, lake.Limits{TargetFileBytes: 128 << 20, Parallel: 2}
	if parts > 0 {
		batch := &lake.Batch{Schema: m.schema, Inputs: []lake.Input{in}, Parts: parts}
		return batch.PlanMerge(b.Context(), m.known, m.open, limits)
	}
	fold, err := lake.NewFold(m.schema, lake.FoldOptions{})
	if err != nil {
		return nil, err
	}
	if err := fold.Add(b.Context(), in); err != nil {
		return nil, err
	}
	changes, err := fold.Net()
	if err != nil {
		return nil, err
	}
	fold = nil
	return changes.PlanMerge(b.Context(), m.known, m.open, limits)
}

// discard is an output that nobody reads.
type discard struct{}

func (discard) Write(p []byte) (int, error)                   { return io.Discard.Write(p) }
func (discard) CopyRange(_ context.Context, _, _ int64) error { return nil }
