package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sluice/internal/replicate"
	"sluice/scripts/dmsgen"
)

// naiveEngine makes the lake anew from all of raw at every run: a file per
// table, or per day of productorder, written only when its bytes differ.
type naiveEngine struct {
	fakeEngine
	raw, lake string
	active    bool
	lose      bool // drop a row, as an engine with a fault would
}

func (n *naiveEngine) Activate(context.Context, string, replicate.Activation) (replicate.Table, error) {
	n.active = true
	return replicate.Table{}, nil
}

func (n *naiveEngine) Run(ctx context.Context, report func(replicate.Result)) error {
	for _, table := range dmsgen.NewSample(time.Now()).Tables() {
		if !n.active {
			report(replicate.Result{Table: "sampledb." + table.Name, Action: replicate.Registered})
			continue
		}
		if err := n.make(ctx, table); err != nil {
			return err
		}
		report(replicate.Result{Table: "sampledb." + table.Name, Action: replicate.Merged})
	}
	return nil
}

func (n *naiveEngine) make(ctx context.Context, table dmsgen.Table) error {
	truth, err := n.fold(table)
	if err != nil {
		return err
	}
	parts, stored := map[string][][]any{}, table
	for _, row := range truth.Rows() {
		folder := ""
		if day := table.Index("create_dt"); day >= 0 {
			folder = "create_dt=" + row[day].(string)
			row = row[:day]
		}
		parts[folder] = append(parts[folder], row)
	}
	if day := table.Index("create_dt"); day >= 0 {
		stored.Columns = table.Columns[:day]
	}
	for folder, rows := range parts {
		if n.lose {
			rows = rows[1:]
		}
		sink := dmsgen.SinkFunc(func(_ context.Context, _ string, body []byte, _ time.Time) error {
			return writeIfNew(filepath.Join(n.lake, table.Name, folder, "part.parquet"), body)
		})
		w, err := dmsgen.NewWriter(sink, dmsgen.DefaultSettings())
		if err != nil {
			return err
		}
		if _, err := w.WriteLoad(ctx, stored, time.Now(), rows...); err != nil {
			return err
		}
	}
	return nil
}

// fold reads a table's raw files in the order of their names, LOAD first.
func (n *naiveEngine) fold(table dmsgen.Table) (*dmsgen.Oracle, error) {
	truth := dmsgen.NewOracle(table)
	folder := filepath.Join(n.raw, table.Folder())
	for _, pattern := range []string{"LOAD*", "2*"} {
		names, err := filepath.Glob(filepath.Join(folder, pattern))
		if err != nil {
			return nil, err
		}
		for _, name := range names {
			body, err := os.ReadFile(name)
			if err != nil {
				return nil, err
			}
			file, err := dmsgen.Read(body)
			if err != nil {
				return nil, err
			}
			applyFile(truth, file)
		}
	}
	return truth, nil
}

func applyFile(truth *dmsgen.Oracle, file *dmsgen.Rows) {
	for _, row := range file.Rows {
		op := dmsgen.Insert
		if file.Columns[0] == "Op" {
			op, row = dmsgen.Op(row[0].(string)), row[1:]
		}
		truth.Apply(dmsgen.Change{Op: op, Row: row})
	}
}

func writeIfNew(name string, body []byte) error {
	if old, err := os.ReadFile(name); err == nil && bytes.Equal(old, body) {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	return os.WriteFile(name, body, 0o600)
}

// play runs the demo over a naive engine.
func play(t *testing.T, n *naiveEngine, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	a := &app{
		stdout: &out, stderr: &errs, now: time.Now,
		env: func(string) (string, bool) { return "", false },
		open: func(_ context.Context, o *options, _ watcher) (engine, error) {
			if o.settings.Settle != 0 || o.settings.FullLoadQuiet != 0 {
				t.Errorf("settle %v, full-load-quiet %v", o.settings.Settle, o.settings.FullLoadQuiet)
			}
			n.raw, n.lake = o.raw, o.lake
			return n, nil
		},
	}
	status = a.run(t.Context(), append([]string{"demo"}, args...))
	return status, out.String(), errs.String()
}

func TestDemoPlays(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "d")
	status, stdout, stderr := play(t, &naiveEngine{}, "--dir", dir)
	if status != exitWell {
		t.Fatalf("exit %d: %s", status, stderr)
	}
	for _, want := range []string{
		"sluice activate sampledb.store",
		"productorder: 6000 rows inserted, 0 updated, 0 deleted",
		"~ 1001  name: Kettle No. 1 → Sample Product, dept: Kitchen → Sample Dept, category: Kettles → Sample Category",
		"+ 1009 | 125 Technology Dr. | Irvine | CA | US | 92618",
		"productorder: 1345 rows inserted, 0 updated, 0 deleted",
		"left alone productorder/create_dt=2025-01-06/part.parquet",
		"productorder: 0 rows inserted, 2 updated, 2 deleted",
		"~ 9  create_dt: 2025-01-06 → 2025-01-08",
		"lake = source, row by row: store 9, product 24, productorder 7343",
		"sluice tables --raw " + dir + "/raw --lake " + dir + "/lake",
	} {
		if !strings.Contains(stdout, want) {
			t.Errorf("no %q in\n%s", want, stdout)
		}
	}
}

func TestDemoFindsAWrongLake(t *testing.T) {
	status, _, stderr := play(t, &naiveEngine{lose: true}, "--dir", t.TempDir())
	if status != exitFailed || !strings.Contains(stderr, "please report this") {
		t.Errorf("exit %d: %s", status, stderr)
	}
}

// TestDemoOnTheEngine plays on the real engine, built as the command builds it.
func TestDemoOnTheEngine(t *testing.T) {
	var out, errs bytes.Buffer
	a := &app{stdout: &out, stderr: &errs, now: time.Now, open: openEngine, env: func(string) (string, bool) { return "", false }}
	if status := a.run(t.Context(), []string{"demo", "--dir", t.TempDir()}); status != exitWell {
		t.Fatalf("exit %d: %s\n%s", status, errs.String(), out.String())
	}
	for _, want := range []string{
		"sampledb.product              registered",
		"left alone productorder/create_dt=2025-01-06/",
		"~ 9  create_dt: 2025-01-06 → 2025-01-08",
		"lake = source, row by row: store 9, product 24, productorder 7343",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, out.String())
		}
	}
}
