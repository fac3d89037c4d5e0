package replicate_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"sluice/internal/object"
	"sluice/internal/replicate"
	"sluice/scripts/dmsgen"
	"sluice/statestore"
)

// What the model of the commit protocol (package model) found in the code, run on the code.

var errGone = errors.New("the process is gone")

// interposed is a bucket that calls what it is given: behind each
// listing of the table's folder, before a created lake file becomes visible.
type interposed struct {
	*object.Memory
	listed, close func()
}

func (p interposed) List(ctx context.Context, in object.ListInput) iter.Seq2[object.Entry, error] {
	return func(yield func(object.Entry, error) bool) {
		for entry, err := range p.Memory.List(ctx, in) {
			if !yield(entry, err) {
				return
			}
		}
		if in.Delimiter == "" && p.listed != nil {
			p.listed()
		}
	}
}

func (p interposed) Create(ctx context.Context, key string, in object.PutInput) object.Upload {
	u := interposedUpload{Upload: p.Memory.Create(ctx, key, in)}
	if strings.Contains(key, "/part-") {
		u.before = p.close
	}
	return u
}

type interposedUpload struct {
	object.Upload
	before func()
}

func (u interposedUpload) Close(ctx context.Context) (object.Info, error) {
	if u.before != nil {
		u.before()
	}
	return u.Upload.Close(ctx)
}

// runOn runs once on the given buckets and control table.
func (b *bench) runOn(raw, lake replicate.Objects, state statestore.Backend) replicate.Result {
	b.t.Helper()
	e, err := replicate.New(b.config, replicate.Stores{
		Objects: func(_ context.Context, bucket string) (replicate.Objects, error) {
			return map[string]replicate.Objects{"raw": raw, "lake": lake}[bucket], nil
		},
		State: statestore.New(state), Now: b.now,
	})
	b.must(err)
	var got replicate.Result
	b.must(e.Run(b.t.Context(), func(r replicate.Result) { got = r }))
	return got
}

// dyingFinish is a control table that a run reaches up to its Finish.
type dyingFinish struct{ statestore.Backend }

func (d dyingFinish) Update(ctx context.Context, u statestore.Update) (statestore.Item, error) {
	for _, attr := range u.Remove {
		if attr == statestore.CommitID {
			return nil, errGone
		}
	}
	return d.Backend.Update(ctx, u)
}

// TestModel_AListingFromBeforeTheLeaseMakesNothingVanish: a run lists raw, another one
// consumes a file that came behind the listing, and the first one takes the lease: for its listing
// the file had vanished, and it halted the table.
func TestModel_AListingFromBeforeTheLeaseMakesNothingVanish(t *testing.T) {
	b := partitioned(t)
	b.change(update(1, "A", "x"))
	b.must(b.settle())
	*b.clock = b.clock.Add(24 * time.Hour) // the day's first run lists the whole folder
	var once sync.Once
	raw := interposed{Memory: b.raw, listed: func() {
		once.Do(func() {
			b.change(update(2, "B", "x"))
			if got := b.tickOn(b.lake, b.state); got.Action != replicate.Merged {
				t.Errorf("the other run: %s: %s", got.Action, got.Reason)
			}
		})
	}}
	if got := b.runOn(raw, b.lake, b.state); got.Action == replicate.Halted {
		t.Errorf("halted: %s", got.Reason)
	}
	b.must(errors.Join(b.settle(), b.wrong()))
}

// TestModel_AHaltEndsWithTheCommitThatItWasOver: a load is overtaken before one of its
// runs has read its source and behind another's reading. The first halts the table, the second
// finishes the commit; the halt stayed, with nothing left to replace, until somebody acknowledged it.
func TestModel_AHaltEndsWithTheCommitThatItWasOver(t *testing.T) {
	b := newBench(t, product())
	b.load(10, []any{1, "a", "x"}, []any{2, "b", "y"})
	b.begin("id", "")
	var once sync.Once
	lake := interposed{Memory: b.lake, close: func() {
		once.Do(func() {
			b.load(10, []any{1, "a2", "x"}, []any{3, "c", "y"})
			if !b.halts("reload") {
				t.Errorf("the other run did not halt: %v", b.item())
			}
		})
	}}
	b.runOn(b.raw, lake, b.state)
	if item := b.item(); item.Halted() && !item.Pending() {
		t.Errorf("nothing is pending, and the table is halted: %s", item[statestore.StatusReason])
	}
	b.must(errors.Join(b.settle(), b.wrong()))
}

// edit writes a lake file again as another writer does: what keep says of its rows
// (by id), and one more row with the id 100 where it says so of that.
func (b *bench) edit(key string, keep func(id int64) bool) {
	b.t.Helper()
	body, _ := readObject(b.t, b.lake, key)
	file, err := dmsgen.Read(body)
	b.must(err)
	table := dmsgen.Table{Schema: "store", Name: "product", Columns: []dmsgen.Column{{Name: "id", Type: "int"}, {Name: "name", Type: "text"}}}
	var rows [][]any
	for _, row := range file.Rows {
		id, err := strconv.ParseInt(fmt.Sprint(row[file.Column("id")]), 10, 64)
		b.must(err)
		if id != 100 && keep(id) {
			rows = append(rows, []any{id, row[file.Column("name")]})
		}
	}
	rows = append(rows, []any{100, "foreign"})
	w, err := dmsgen.NewWriter(dmsgen.SinkFunc(func(ctx context.Context, _ string, body []byte, _ time.Time) error {
		_, err := b.lake.Put(ctx, key, body, object.PutInput{})
		return err
	}), dmsgen.DefaultSettings())
	b.must(err)
	_, err = w.WriteLoad(b.t.Context(), table, b.now(), rows...)
	b.must(err)
}

// writtenBy returns the lake file of a partition, "" for any, that the pending commit wrote, and its partition.
func (b *bench) writtenBy(dept string) (key, in string) {
	b.t.Helper()
	for entry, err := range b.lake.List(b.t.Context(), object.ListInput{Prefix: "product/dept=" + dept}) {
		b.must(err)
		info, err := b.lake.Head(b.t.Context(), entry.Key)
		b.must(err)
		if strings.HasSuffix(info.Metadata["sluice-commit"], "-"+b.item()[statestore.CommitID]) {
			in, _, _ := strings.Cut(strings.TrimPrefix(entry.Key, "product/dept="), "/")
			return entry.Key, in
		}
	}
	b.t.Fatalf("the pending commit wrote no file of dept %q", dept)
	return "", ""
}

func everything(int64) bool { return true }

// TestModel_KeylessRowsAreNotAddedTwiceBehindAForeignChange: another writer changes a
// file that a key-less plan had written already, which takes the plan's mark from it. The plan behind
// the fence took its rows for missing and added them again.
func TestModel_KeylessRowsAreNotAddedTwiceBehindAForeignChange(t *testing.T) {
	cases := []struct {
		name, dept string
		row        int64 // that the plan wrote there
		asks       bool  // nothing tells whether the row is in the file: an operator is asked
	}{
		{"a file that the plan created", "new", 4, false},
		{"a file that the plan added to", "y", 6, true},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			b := keylessPartitioned(t)
			b.change(insert(4, "d", "new"), insert(5, "e", "x"), insert(6, "f", "y"))
			b.runOn(b.raw, b.lake, dyingFinish{b.state})
			key, dept := b.writtenBy(c.dept)
			b.oracle.Apply(insert(100, "foreign", dept))
			b.edit(key, everything)
			if !b.halts("foreign") {
				t.Fatalf("a foreign change does not halt: %v", b.item())
			}
			b.acknowledge("foreign")
			if c.asks {
				if !b.halts("foreign") {
					t.Fatalf("nobody was asked whether the row is in the file: %v, rows %v", b.item(), b.rows())
				}
				b.edit(key, func(id int64) bool { return id != c.row }) // the operator takes the plan's row out
				b.acknowledge("foreign")
			}
			b.must(errors.Join(b.settle(), b.wrong()))
		})
	}
}

// TestModel_AHaltOverAFenceEndsWithTheFence: two runs find behind a fence that an operator has
// to be asked; one halts the table, the operator answers, and the halt of the other arrives while a third run plans on. It
// stayed over the new plan, which nobody had judged.
func TestModel_AHaltOverAFenceEndsWithTheFence(t *testing.T) {
	b := keylessPartitioned(t)
	b.change(insert(6, "f", "y"))
	b.runOn(b.raw, b.lake, dyingFinish{b.state})
	key, dept := b.writtenBy("y")
	b.oracle.Apply(insert(100, "foreign", dept))
	b.edit(key, func(id int64) bool { return id != 6 })
	for range 2 {
		if !b.halts("foreign") {
			t.Fatalf("a foreign change does not halt: %v", b.item())
		}
		b.acknowledge("foreign")
	}
	var once sync.Once
	lake := interposed{Memory: b.lake, listed: func() {
		once.Do(func() {
			fence := statestore.Halted{Path: benchPath, Seq: 2, CommitID: b.item()[statestore.CommitID], Reason: "foreign: late"}
			if fresh, err := statestore.New(b.state).Halt(t.Context(), fence); !fresh || err != nil {
				t.Fatalf("the late halt: %t, %v", fresh, err)
			}
		})
	}}
	b.runOn(b.raw, lake, dyingFinish{b.state})
	if item := b.item(); item.Halted() || !item.Pending() {
		t.Errorf("halted %t, pending %t", item.Halted(), item.Pending())
	}
	b.must(errors.Join(b.settle(), b.wrong()))
}

// oneCreate is a bucket whose writer dies behind the first body.
type oneCreate struct {
	*object.Memory
	made *atomic.Int64
}

func (o oneCreate) Create(ctx context.Context, key string, in object.PutInput) object.Upload {
	return oneCreateUpload{o.Memory.Create(ctx, key, in), o.made}
}

type oneCreateUpload struct {
	object.Upload
	made *atomic.Int64
}

func (u oneCreateUpload) Close(ctx context.Context) (object.Info, error) {
	if u.made.Add(1) > 1 {
		return object.Info{}, errGone
	}
	return u.Upload.Close(ctx)
}

// TestModel_AnUndoneRewritingKeepsAnotherWritersRow: another writer adds a row to a file
// that a rewriting of the table has just made. Accepting the lake as it is undid the rewriting, and the row with it.
func TestModel_AnUndoneRewritingKeepsAnotherWritersRow(t *testing.T) {
	b := partitioned(t)
	b.table.Columns[0].Type = "bigint"
	b.change(update(1, "A", "x"), insert(5_000_000_000, "big", "x"))
	b.tickOn(b.lake, b.state)
	b.acknowledge("schema")
	b.runOn(b.raw, oneCreate{b.lake, &atomic.Int64{}}, b.state)
	key, dept := b.writtenBy("")
	b.oracle.Apply(insert(100, "foreign", dept))
	b.edit(key, everything)
	if !b.halts("foreign") {
		t.Fatalf("a foreign change does not halt: %v", b.item())
	}
	b.acknowledge("foreign")
	if !b.halts("foreign") {
		t.Fatalf("nobody was asked what of the file is to stay: %v, rows %v", b.item(), b.rows())
	}
	b.edit(key, func(int64) bool { return false })
	b.acknowledge("foreign")
	b.must(errors.Join(b.settle(), b.wrong()))
}

// TestModel_AnOldExportWithAPendingCommitNeedsForce: an export from the middle of a
// commit that was finished since was imported for a table whose item was lost, and the commit, whose
// files others had written again, pended once more and halted.
func TestModel_AnOldExportWithAPendingCommitNeedsForce(t *testing.T) {
	b := partitioned(t)
	b.change(update(1, "A", "x"))
	b.runOn(b.raw, b.lake, dyingFinish{b.state})
	var export bytes.Buffer
	b.must(b.engineOn(b.lake, b.state).Export(t.Context(), &export))
	b.must(b.settle())
	b.change(update(1, "B", "x"))
	b.must(b.settle())
	b.state = statestore.NewMemory(b.now)
	_, err := b.engineOn(b.lake, b.state).Import(t.Context(), bytes.NewReader(export.Bytes()), false)
	if !errors.Is(err, statestore.ErrSeq) {
		t.Errorf("import of a commit that the bookkeeping has passed: %v, want %v", err, statestore.ErrSeq)
	}
	if _, err := b.engineOn(b.lake, b.state).Import(t.Context(), bytes.NewReader(export.Bytes()), true); err != nil {
		t.Errorf("forced: %v", err)
	}
}
