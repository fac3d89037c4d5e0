package replicate_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"sluice/internal/object"
	"sluice/internal/object/objectfault"
	"sluice/internal/replicate"
	"sluice/scripts/dmsgen"
	"sluice/statestore"
)

// disturbance is a commit that dies on the way and then cannot be finished.
type disturbance struct {
	name    string
	make    func(t testing.TB) *bench // up to the run that dies
	disturb func(b *bench) bool       // what makes the commit impossible, and what is accepted; false = not possible here
	judge   func(b *bench)            // what the operator does when what replaces the commit halts, too
}

// foreign writes a lake file of the partition again as another writer would:
// its rows as they are, and one more. It takes only a file that the pending commit has not written.
func (b *bench) foreign(dir string, row ...any) bool {
	commit := b.item()[statestore.Seq] + "-" + b.item()[statestore.CommitID]
	for entry, err := range b.lake.List(b.t.Context(), object.ListInput{Prefix: "product/" + dir}) {
		b.must(err)
		body, info := readObject(b.t, b.lake, entry.Key)
		file, err := dmsgen.Read(body)
		b.must(err)
		if len(file.Rows) == 0 || info.Metadata["sluice-commit"] == commit {
			continue
		}
		table := dmsgen.Table{Schema: "store", Name: "product"}
		var kept []int
		for _, c := range b.table.Columns {
			if at := file.Column(c.Name); at >= 0 {
				table.Columns, kept = append(table.Columns, dmsgen.Column{Name: c.Name, Type: "text"}), append(kept, at)
				if c.Name == "id" {
					table.Columns[len(table.Columns)-1].Type = "int"
				}
			}
		}
		var rows [][]any
		for _, old := range file.Rows {
			var cells []any
			for _, at := range kept {
				cells = append(cells, old[at])
			}
			rows = append(rows, cells)
		}
		rows = append(rows, row[:len(kept)])
		sink := dmsgen.SinkFunc(func(ctx context.Context, _ string, body []byte, _ time.Time) error {
			_, err := b.lake.Put(ctx, entry.Key, body, object.PutInput{Condition: object.Condition{IfMatch: info.ETag}})
			return err
		})
		w, err := dmsgen.NewWriter(sink, dmsgen.DefaultSettings())
		b.must(err)
		_, err = w.WriteLoad(b.t.Context(), table, b.now(), rows...)
		b.must(err)
		return true
	}
	return false
}

// halts runs once, which has to halt for the reason.
func (b *bench) halts(code string) bool {
	got := b.tickOn(b.lake, b.state)
	return got.Action == replicate.Halted && strings.HasPrefix(got.Reason, code+":")
}

// acceptForeign changes a file of the partition dept=y, lets the table halt over it and accepts it.
func acceptForeign(row ...any) func(b *bench) bool {
	return func(b *bench) bool {
		if !b.foreign("dept=y/", row...) {
			return false
		}
		if !b.halts("foreign") {
			b.t.Errorf("a foreign change does not halt: %v", b.item())
			return false
		}
		b.acknowledge("foreign")
		return true
	}
}

func keylessPartitioned(t testing.TB) *bench {
	t.Helper()
	b := newBench(t, keylessProduct())
	b.load(10, []any{1, "a", "x"}, []any{2, "b", "y"}, []any{3, "c", "z"})
	b.begin("", "dept")
	b.must(b.settle())
	return b
}

func disturbances() []disturbance {
	foreignRow := []any{100, "foreign", "y"}
	merge := func(t testing.TB) *bench {
		t.Helper()
		b := partitioned(t)
		b.change(update(1, "a", "y"), insert(6, "f", "new"), update(3, "C", "y"), remove(5, "e", "z"), update(4, "D", "z"))
		return b
	}
	reload := func(t testing.TB) *bench {
		t.Helper()
		b := partitioned(t)
		b.load(2, []any{1, "a1", "x"}, []any{2, "b", "y"}, []any{4, "d", "y"}, []any{9, "i", "w"})
		return b
	}
	return []disturbance{
		{"merge, foreign change accepted", merge, func(b *bench) bool {
			b.oracle.Apply(insert(foreignRow...))
			return acceptForeign(foreignRow...)(b)
		}, nil},
		{"merge, foreign change with a column of its own", func(t testing.TB) *bench {
			t.Helper()
			b := merge(t)
			b.table.Columns = append(b.table.Columns, dmsgen.Column{Name: "note", Type: "text"})
			return b
		}, func(b *bench) bool {
			b.oracle.Apply(insert(100, "foreign", "y", nil))
			return acceptForeign(100, "foreign")(b)
		}, nil},
		{"merge, overtaken by a full load", merge, func(b *bench) bool {
			if !b.foreign("dept=y/", foreignRow...) || !b.halts("foreign") {
				return false
			}
			b.load(2, []any{1, "a1", "x"}, []any{3, "c", "y"}, []any{6, "f2", "w"})
			return true
		}, nil},
		{"key-less merge, foreign change accepted", func(t testing.TB) *bench {
			t.Helper()
			b := keylessPartitioned(t)
			b.change(insert(4, "d", "new"), insert(5, "e", "x"), insert(6, "f", "y"), insert(7, "g", "z"))
			return b
		}, func(b *bench) bool {
			b.oracle.Apply(insert(foreignRow...))
			return acceptForeign(foreignRow...)(b)
		}, nil},
		{"reload, foreign change accepted", reload, acceptForeign(foreignRow...), nil},
		{"reload without a column of the lake, foreign change accepted", func(t testing.TB) *bench {
			t.Helper()
			b := partitioned(t)
			b.table.Columns = []dmsgen.Column{b.table.Columns[0], b.table.Columns[2]}
			b.load(2, []any{1, "x"}, []any{2, "y"}, []any{4, "y"}, []any{9, "w"})
			return b
		}, acceptForeign(100), nil},
		{"first load, overtaken by a full load", func(t testing.TB) *bench {
			t.Helper()
			b := newBench(t, product())
			b.load(2, []any{1, "a", "x"}, []any{2, "b", "y"}, []any{3, "c", "z"})
			b.begin("id", "dept")
			return b
		}, func(b *bench) bool {
			b.load(2, []any{1, "a2", "x"}, []any{2, "b", "x"}, []any{5, "e", "z"})
			return b.halts("reload")
		}, nil},
		{"reload, overtaken by a full load", reload, func(b *bench) bool {
			b.load(2, []any{1, "a2", "x"}, []any{2, "b", "x"}, []any{5, "e", "z"})
			return b.halts("reload")
		}, nil},
		{"schema rewrite, foreign change accepted", func(t testing.TB) *bench {
			t.Helper()
			b := partitioned(t)
			b.table.Columns[0].Type = "bigint"
			b.change(update(1, "A", "x"), insert(5_000_000_000, "big", "x"))
			b.tickOn(b.lake, b.state)
			b.acknowledge("schema")
			return b
		}, func(b *bench) bool {
			if b.emptied() {
				return false
			}
			b.oracle.Apply(insert(foreignRow...))
			return acceptForeign(foreignRow...)(b)
		}, (*bench).keepForeignRow},
	}
}

// keepForeignRow takes out of the other writer's file what it did not add, and accepts the rest.
func (b *bench) keepForeignRow() {
	rows := b.table
	rows.Columns = rows.Columns[:2]
	for entry, err := range b.lake.List(b.t.Context(), object.ListInput{Prefix: "product/"}) {
		b.must(err)
		if _, info := readObject(b.t, b.lake, entry.Key); info.Metadata["sluice-commit"] != "" {
			continue
		}
		w, err := dmsgen.NewWriter(dmsgen.SinkFunc(func(ctx context.Context, _ string, body []byte, _ time.Time) error {
			_, err := b.lake.Put(ctx, entry.Key, body, object.PutInput{})
			return err
		}), dmsgen.DefaultSettings())
		b.must(err)
		_, err = w.WriteLoad(b.t.Context(), rows, b.now(), []any{100, "foreign"})
		b.must(err)
	}
	b.acknowledge("foreign")
}

// emptied says whether a lake file holds no rows.
func (b *bench) emptied() bool {
	for entry, err := range b.lake.List(b.t.Context(), object.ListInput{Prefix: "product/"}) {
		b.must(err)
		body, _ := readObject(b.t, b.lake, entry.Key)
		if file, err := dmsgen.Read(body); err != nil || len(file.Rows) == 0 {
			return true
		}
	}
	return false
}

// died returns the world after its next run died of lake effect i, which is
// under way until it is released, and was disturbed; nil when nothing was pending then.
func (d disturbance) died(from *bench, i int) (*bench, func()) {
	b := from.fork()
	b.oracle = cloneOracle(from)
	before, between := b.rows(), b.wanted()
	_, release := lakeHow(objectfault.Delayed, true)(b, i)
	if !b.item().Pending() || !d.disturb(b) {
		return nil, nil
	}
	b.doubles = true
	b.keep(before, between, b.rows())
	b.config.Owner = "second"
	return b, release
}

func cloneOracle(b *bench) *dmsgen.Oracle {
	o := dmsgen.NewOracle(b.table)
	o.Load(b.oracle.Rows()...)
	return o
}

func (d disturbance) effects(from *bench) int {
	b := from.fork()
	lake := objectfault.New(b.lake, objectfault.Fault{})
	b.tickOn(lake, b.state)
	return lake.Effects()
}

// TestFenceHoldsLateWrites releases the write that the old commit's worker had
// under way before each write of what replaces the commit, and in the end.
func TestFenceHoldsLateWrites(t *testing.T) {
	t.Parallel()
	total := 0
	for _, d := range disturbances() {
		t.Run(d.name, func(t *testing.T) {
			from, points := d.make(t), 0
			for i := range d.effects(from) {
				for at := range 40 {
					b, release := d.died(from, i+1)
					if b == nil {
						break
					}
					points++
					again, err := lateOnce(d, b, release, at)
					if err != nil {
						t.Errorf("effect %d, released before write %d: %v", i+1, at, err)
					}
					if !again {
						break
					}
				}
			}
			total += points
			t.Logf("%d points", points)
		})
	}
	t.Logf("%d points in all", total)
}

// lateOnce says whether there were so many writes.
func lateOnce(d disturbance, b *bench, release func(), at int) (reached bool, err error) {
	lake := &releasing{Store: b.lake, at: at + 1, release: func() { reached = true; release() }}
	for range 8 {
		got := b.tickOn(lake, b.state)
		if got.Action == replicate.Halted && d.judge != nil {
			d.judge(b)
			continue
		}
		if got.Action == replicate.Halted || got.Action == replicate.Failed {
			return reached, fmt.Errorf("%s: %s", got.Action, got.Reason)
		}
		if err := b.torn(); err != nil {
			return reached, fmt.Errorf("a reader: %w", err)
		}
		if got.Action == replicate.Idle && !b.item().Pending() {
			break
		}
	}
	release()
	return reached, errors.Join(b.settle(), b.wrong())
}

// TestEveryEffectOfAReplacementMayFail lets the runs that replace a commit die, too.
func TestEveryEffectOfAReplacementMayFail(t *testing.T) {
	t.Parallel()
	total := 0
	for _, d := range disturbances() {
		t.Run(d.name, func(t *testing.T) {
			from, points := d.make(t), 0
			for i := range d.effects(from) {
				b, _ := d.died(from, i+1)
				if b == nil || t.Failed() || d.judge != nil && b.emptied() {
					continue
				}
				points += crashEverywhere(t, b, lakeHows()[5:], stateHows()[4:])
			}
			total += points
			t.Logf("%d points", points)
		})
	}
	t.Logf("%d points in all", total)
}
