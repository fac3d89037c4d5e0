package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sluice/internal/replicate"
)

// updateGolden says whether -update was given: then golden files are written, not compared.
func updateGolden() bool {
	f := flag.Lookup("update")
	return f != nil && f.Value.String() == "true"
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name+".txt")
	if updateGolden() {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", file, diff)
	}
}

// fakeEngine answers what it was told to and remembers what it was asked.
type fakeEngine struct {
	results   []replicate.Result
	forecasts []replicate.Forecast
	tables    []replicate.Table
	checks    []replicate.Check
	verified  replicate.Verification
	cleanings []replicate.Cleaning
	commits   []replicate.Commit
	rest      replicate.HistoryRest
	query     replicate.HistoryQuery
	err       error

	table, accept string
	activation    replicate.Activation
	verify        replicate.VerifyOptions
	imported      string
	force         bool
	cancel        func() // called while running
}

func (f *fakeEngine) Run(_ context.Context, report func(replicate.Result)) error {
	for _, r := range f.results {
		report(r)
	}
	if f.cancel != nil {
		f.cancel()
	}
	return f.err
}

func (f *fakeEngine) Forecast(_ context.Context, report func(replicate.Forecast)) error {
	for _, r := range f.forecasts {
		report(r)
	}
	return f.err
}

func (f *fakeEngine) Tables(context.Context) ([]replicate.Table, error) { return f.tables, f.err }

func (f *fakeEngine) one(table string) (replicate.Table, error) {
	f.table = table
	if f.err != nil {
		return replicate.Table{}, f.err
	}
	return f.tables[0], nil
}

func (f *fakeEngine) Activate(_ context.Context, table string, a replicate.Activation) (replicate.Table, error) {
	f.activation = a
	return f.one(table)
}

func (f *fakeEngine) Deactivate(_ context.Context, table string) (replicate.Table, error) {
	return f.one(table)
}

func (f *fakeEngine) Acknowledge(_ context.Context, table, accept string) (replicate.Table, error) {
	f.accept = accept
	return f.one(table)
}

func (f *fakeEngine) Verify(_ context.Context, table string, o replicate.VerifyOptions) (replicate.Verification, error) {
	f.table, f.verify = table, o
	return f.verified, f.err
}

func (f *fakeEngine) Rebuild(_ context.Context, table string) (replicate.Result, error) {
	f.table = table
	if f.err != nil {
		return replicate.Result{}, f.err
	}
	return f.results[0], nil
}

func (f *fakeEngine) ForecastRebuild(_ context.Context, table string) (replicate.Forecast, error) {
	f.table = table
	if f.err != nil {
		return replicate.Forecast{}, f.err
	}
	return f.forecasts[0], nil
}

func (f *fakeEngine) Compact(_ context.Context, table string) (replicate.Result, error) {
	f.table = table
	if f.err != nil {
		return replicate.Result{}, f.err
	}
	return f.results[0], nil
}

func (f *fakeEngine) ForecastCompact(_ context.Context, table string) (replicate.Forecast, error) {
	f.table = table
	if f.err != nil {
		return replicate.Forecast{}, f.err
	}
	return f.forecasts[0], nil
}

func (f *fakeEngine) History(_ context.Context, table string, q replicate.HistoryQuery, report func(replicate.Commit)) (replicate.HistoryRest, error) {
	f.table, f.query = table, q
	for _, c := range f.commits {
		report(c)
	}
	return f.rest, f.err
}

func (f *fakeEngine) Export(_ context.Context, w io.Writer) error {
	_, err := io.WriteString(w, `{"path":"raw/s/t/"}`+"\n")
	return errors.Join(err, f.err)
}

func (f *fakeEngine) Import(_ context.Context, r io.Reader, force bool) (int, error) {
	body, err := io.ReadAll(r)
	f.imported, f.force = string(body), force
	return strings.Count(f.imported, "\n"), errors.Join(err, f.err)
}

func (f *fakeEngine) Doctor(_ context.Context, report func(replicate.Check)) error {
	for _, c := range f.checks {
		report(c)
	}
	return f.err
}

// fakeJanitor is the janitor over the same answers.
type fakeJanitor struct{ *fakeEngine }

func (f fakeJanitor) Run(_ context.Context, report func(replicate.Cleaning)) error {
	for _, c := range f.cleanings {
		report(c)
	}
	return f.err
}

// session is one process of the command over a fake engine.
type session struct {
	engine         *fakeEngine
	env            map[string]string
	options        options // as the engine was opened with
	dry            bool    // as the janitor was opened with
	stdout, stderr bytes.Buffer
	stdin          string
	ctx            context.Context
}

func (s *session) run(t *testing.T, args ...string) int {
	t.Helper()
	if s.ctx == nil {
		s.ctx = t.Context()
	}
	a := &app{
		stdin: strings.NewReader(s.stdin), stdout: &s.stdout, stderr: &s.stderr,
		env: func(name string) (string, bool) { value, ok := s.env[name]; return value, ok },
		now: func() time.Time { return time.Date(2025, 1, 2, 3, 4, 5, 0, time.UTC) },
		open: func(_ context.Context, o *options, _ watcher) (engine, error) {
			s.options = *o
			return s.engine, nil
		},
		janitor: func(_ context.Context, o *options, _ watcher, dry bool) (janitor, error) {
			s.options, s.dry = *o, dry
			return fakeJanitor{s.engine}, nil
		},
	}
	return a.run(s.ctx, args)
}

// someResults has a table of each kind.
func someResults() []replicate.Result {
	return []replicate.Result{
		{
			Table: "store.product", Path: "raw/store/product/", Action: replicate.Merged, Inputs: 2,
			Counts:  replicate.Counts{Changes: 9, Inserts: 3, Updates: 2, Deletes: 1, Noops: 1, Stale: 2, Ignored: 1},
			Traffic: replicate.Traffic{FilesCreated: 1, FilesRewritten: 2, FilesUntouched: 40, BytesRead: 1 << 20, BytesWritten: 1500, BytesCopied: 3 << 30},
			Seconds: 1.25, LastFullLoadDate: "2025-01-01 00:00:00", LastIncrementalFile: "raw/store/product/20250102-000000000.parquet",
			IgnoredNames: []string{"store/product/notes.txt"},
		},
		{Table: "store.order", Path: "raw/store/order/", Action: replicate.Loaded, Inputs: 1, Counts: replicate.Counts{Inserts: 5}, Traffic: replicate.Traffic{FilesCreated: 1}},
		{Table: "store.calm", Path: "raw/store/calm/", Action: replicate.Idle},
		{Table: "store.waiting", Path: "raw/store/waiting/", Action: replicate.Idle, Reason: "full load still arriving"},
		{Table: "store.new", Path: "raw/store/new/", Action: replicate.Registered},
		{Table: "store.off", Path: "raw/store/off/", Action: replicate.Inactive},
		{Table: "store.taken", Path: "raw/store/taken/", Action: replicate.Busy, Reason: "another run has it"},
	}
}

func rebuilt() replicate.Result {
	return replicate.Result{
		Table: "store.product", Path: "raw/store/product/", Action: replicate.Rebuilt, Inputs: 744,
		Counts: replicate.Counts{Changes: 9000, Inserts: 5000}, Traffic: replicate.Traffic{FilesCreated: 3, FilesEmptied: 41, BytesRead: 3 << 20, BytesWritten: 2 << 20},
		Seconds: 2.5, LastFullLoadDate: "2025-01-01 00:00:00", LastIncrementalFile: "raw/store/product/20250102-000000000.parquet",
	}
}

func compacted() replicate.Result {
	return replicate.Result{
		Table: "store.product", Path: "raw/store/product/", Action: replicate.Compacted,
		Traffic: replicate.Traffic{FilesCreated: 2, FilesEmptied: 412, FilesUntouched: 7, BytesRead: 3 << 20, BytesWritten: 2 << 20},
		Seconds: 2.5, LastFullLoadDate: "2025-01-01 00:00:00", LastIncrementalFile: "raw/store/product/20250102-000000000.parquet",
	}
}

// someCommits has one of each state.
func someCommits() []replicate.Commit {
	made := time.Date(2025, 1, 2, 3, 0, 0, 0, time.UTC)
	of := func(seq uint64, state replicate.CommitState, kind replicate.Kind, inputs ...string) replicate.Commit {
		c := replicate.Commit{
			Table: "store.product", Path: "raw/store/product/", Seq: seq, ID: fmt.Sprintf("%08d89abcdef0123456789abcdef", seq), Kind: kind, State: state,
			Made: made.Add(time.Duration(seq) * time.Hour), Inputs: len(inputs), Counts: replicate.Counts{Inserts: 3, Updates: 20, Deletes: 1}, FilesCreated: 1, FilesRewritten: 2,
		}
		if len(inputs) > 0 {
			c.FirstInput, c.LastInput = inputs[0], inputs[len(inputs)-1]
		}
		return c
	}
	one, two := "store/product/20250102-020000000.parquet", "store/product/20250102-020100000.parquet"
	named := of(12, replicate.Finished, replicate.KindMerge, one, two)
	named.InputKeys = []string{one, two}
	return []replicate.Commit{
		of(14, replicate.Unbound, replicate.KindMerge, one), of(13, replicate.Pending, replicate.KindMerge, one), named,
		of(12, replicate.Lost, replicate.KindMerge, one, two), of(11, replicate.Replaced, replicate.KindFence),
		of(8, replicate.Unknown, replicate.KindLoad, "store/product/LOAD00000001.parquet"),
		{Table: "store.product", Path: "raw/store/product/", Seq: 7, ID: "0000000789abcdef", State: replicate.Unreadable},
	}
}

func halted() replicate.Result {
	return replicate.Result{Table: "store.bad", Path: "raw/store/bad/", Action: replicate.Halted, Reason: "key: column id is NULL in row 7 of raw/store/bad/LOAD00000001.parquet; mend the file"}
}

func failed() replicate.Result {
	return replicate.Result{Table: "store.slow", Path: "raw/store/slow/", Action: replicate.Failed, Reason: "read store/slow/x.parquet: timeout"}
}

func someTables() []replicate.Table {
	return []replicate.Table{
		{
			Table: "store.product", Path: "raw/store/product/", Active: true, PrimaryKey: "id", PartitionKey: "null", OutPath: "lake/",
			LastFullLoadDate: "2025-01-01 00:00:00", LastIncrementalFile: "raw/store/product/20250102-000000000.parquet", LagSeconds: 5400, Status: "ok",
		},
		{
			Table: "store.bad", Path: "raw/store/bad/", Active: true, PrimaryKey: "id,line", PartitionKey: "day", OutPath: "lake/", LagSeconds: -1,
			LastFullLoadDate: "1900-01-01 00:00:00", LastIncrementalFile: "raw/store/bad/0.parquet", Status: "halted", Reason: "key: column id is NULL",
		},
		{Table: "store.off", Path: "raw/store/off/", PrimaryKey: "null", PartitionKey: "null", OutPath: "lake/", LagSeconds: -1, Status: "pending"},
	}
}
