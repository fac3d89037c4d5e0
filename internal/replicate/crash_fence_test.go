package replicate_test

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"sluice/internal/object"
	"sluice/internal/object/objectfault"
	"sluice/internal/replicate"
	"sluice/scripts/dmsgen"
	"sluice/scripts/rig"
	"sluice/statestore"
	"sluice/statestore/statestorefault"
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
		if n := b.table.Index("note"); n >= 0 && file.Column("note") < 0 { // a column of its own
			table.Columns = append(table.Columns, b.table.Columns[n])
			for i := range rows {
				rows[i] = append(slices.Clone(rows[i]), any(nil))
			}
			rows[len(rows)-1][len(kept)] = row[n]
		}
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
		{"merge-foreign", merge, func(b *bench) bool {
			b.oracle.Apply(insert(foreignRow...))
			return acceptForeign(foreignRow...)(b)
		}, nil},
		{"merge-foreign-column", func(t testing.TB) *bench {
			t.Helper()
			b := merge(t)
			b.table.Columns = append(b.table.Columns, dmsgen.Column{Name: "note", Type: "text"})
			return b
		}, func(b *bench) bool {
			b.oracle.Apply(insert(100, "foreign", "y", "noted"))
			return acceptForeign(100, "foreign", "y", "noted")(b)
		}, nil},
		{"merge-overtaken", merge, func(b *bench) bool {
			if !b.foreign("dept=y/", foreignRow...) || !b.halts("foreign") {
				return false
			}
			b.load(2, []any{1, "a1", "x"}, []any{3, "c", "y"}, []any{6, "f2", "w"})
			return true
		}, nil},
		{"keyless-merge-foreign", func(t testing.TB) *bench {
			t.Helper()
			b := keylessPartitioned(t)
			b.change(insert(4, "d", "new"), insert(5, "e", "x"), insert(6, "f", "y"), insert(7, "g", "z"))
			return b
		}, func(b *bench) bool {
			b.oracle.Apply(insert(foreignRow...))
			return acceptForeign(foreignRow...)(b)
		}, func(b *bench) { b.acknowledge("foreign") }}, // the plan's rows are not in the file: they are to be added
		{"reload-foreign", reload, acceptForeign(foreignRow...), nil},
		{"reload-narrower-foreign", func(t testing.TB) *bench {
			t.Helper()
			b := partitioned(t)
			b.table.Columns = []dmsgen.Column{b.table.Columns[0], b.table.Columns[2]}
			b.load(2, []any{1, "x"}, []any{2, "y"}, []any{4, "y"}, []any{9, "w"})
			return b
		}, acceptForeign(100), nil},
		{"first-load-overtaken", func(t testing.TB) *bench {
			t.Helper()
			b := newBench(t, product())
			b.load(2, []any{1, "a", "x"}, []any{2, "b", "y"}, []any{3, "c", "z"})
			b.begin("id", "dept")
			return b
		}, func(b *bench) bool {
			b.load(2, []any{1, "a2", "x"}, []any{2, "b", "x"}, []any{5, "e", "z"})
			return b.halts("reload")
		}, nil},
		{"reload-overtaken", reload, func(b *bench) bool {
			b.load(2, []any{1, "a2", "x"}, []any{2, "b", "x"}, []any{5, "e", "z"})
			return b.halts("reload")
		}, nil},
		{"rebuild-foreign", rebuildOfFewRows, acceptForeign(foreignRow...), nil},
		{"rebuild-overtaken", rebuildOfFewRows, func(b *bench) bool {
			if !b.foreign("dept=y/", foreignRow...) || !b.halts("foreign") {
				return false
			}
			b.load(2, []any{1, "a2", "x"}, []any{3, "c", "y"})
			return true
		}, nil},
		{"rebuild-shadow-lost", rebuildOfFewRows, func(b *bench) bool {
			if !b.deleteShadow() || !b.halts("foreign") {
				return false
			}
			b.acknowledge("foreign")
			return true
		}, nil},
		{"schema-rewrite-foreign", func(t testing.TB) *bench {
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
		{"contract-merge-foreign", contractedMerge, func(b *bench) bool {
			b.oracle.Apply(insert(foreignRow...))
			return acceptForeign(foreignRow...)(b)
		}, nil},
		{"contract-reload-foreign", contractedReloadAlone, acceptForeign(foreignRow...), nil},
		{"contract-load-overtaken", contractedLoad, func(b *bench) bool {
			b.kept, b.overtaken = nil, b.kept
			b.loadRuled(2, []any{1, "a2", "x"}, []any{2, "b!", "x"}, []any{5, "e", "z"}, []any{6, "f", "z"}, []any{7, "g", "y"}, []any{8, "h", "y"}, []any{9, "i!!", "x"})
			return b.halts("reload")
		}, nil},
		{"compact-foreign", compactScattered, func(b *bench) bool {
			b.oracle.Apply(insert(foreignRow...))
			return acceptForeign(foreignRow...)(b)
		}, (*bench).keepForeignRow},
		{"compact-overtaken", compactScattered, func(b *bench) bool {
			if !b.foreign("dept=y/", foreignRow...) || !b.halts("foreign") {
				return false
			}
			b.load(2, []any{1, "a1", "x"}, []any{3, "c", "y"}, []any{6, "f2", "w"})
			b.do = nil
			return true
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

// replaced is the scenario of a commit whose process died of lake effect i, with
// the request still under way, and which cannot be finished then: what replaces it is what is broken.
// The request arrives at the moment given, or never. make returns nil when nothing was pending at that effect.
func (d disturbance) replaced(from *bench, i int, arrives ...moment) scenario {
	s := scenario{name: fmt.Sprintf("%s~%d", d.name, i), doubles: true, judge: d.judge, fresh: len(arrives) > 0}
	for _, m := range arrives {
		s.name += "@" + m.String()
	}
	s.make = func(testing.TB) *bench {
		b := from.fork()
		before, between := b.rows(), b.wanted()
		lake := objectfault.New(b.lake, objectfault.Fault{At: i, How: objectfault.Delayed, Crash: true})
		state := statestorefault.New(b.state, statestorefault.Fault{})
		state.DieWith(lake.Dead)
		b.inOrder = true
		b.tickOn(lake, state)
		if !b.item().Pending() || !d.disturb(b) {
			return nil
		}
		b.keep(before, between, b.rows())
		b.config.Owner, b.cramped = "second", i%2 == 0
		for _, m := range arrives {
			b.underWay = append(b.underWay, &request{m, func() { _ = lake.Arrive(context.Background()) }})
		}
		return b
	}
	return s
}

// named is the scenario of such a name: the disturbance's, ~ and an effect, and perhaps @ and a moment.
func (d disturbance) named(t testing.TB, name string) (scenario, bool) {
	t.Helper()
	rest, ok := strings.CutPrefix(name, d.name+"~")
	if !ok {
		return scenario{}, false
	}
	number, at, timed := strings.Cut(rest, "@")
	i, err := strconv.Atoi(number)
	if err != nil {
		return scenario{}, false
	}
	if !timed {
		return d.replaced(d.make(t), i), true
	}
	m, err := parseMoment(at)
	return d.replaced(d.make(t), i, m), err == nil
}

// effects counts the lake effects of the run that is to die.
func (d disturbance) effects(from *bench) int {
	b := from.fork()
	b.inOrder = true
	lake := objectfault.New(b.lake, objectfault.Fault{})
	b.tickOn(lake, b.state)
	return lake.Effects()
}

// TestFenceHoldsLateWrites lets the write that the old commit's worker had
// under way arrive before each write of what replaces the commit, and in the end.
func TestFenceHoldsLateWrites(t *testing.T) {
	t.Parallel()
	points := 0
	for _, d := range disturbances() {
		t.Run(d.name, func(t *testing.T) {
			from, before := d.make(t), points
			for i := range d.effects(from) {
				b := d.replaced(from, i+1).world(t)
				if b == nil {
					continue
				}
				moments := []moment{atOnce, atTheEnd}
				for n := range d.replaced(from, i+1).healthy(t, b).writes {
					moments = append(moments, moment(n+1))
				}
				for _, m := range moments {
					s := d.replaced(from, i+1, m)
					points++
					if err := s.play(s.world(t), nil); err != nil {
						failed(t, point{scenario: s.name}, err)
					}
				}
			}
			t.Logf("%d points", points-before)
		})
	}
	rig.Figure(t, "crash points", "%d of late writes that meet the fence of their commit", points)
}

// TestEveryEffectOfAReplacementMayFail lets the runs that replace a commit die, too.
func TestEveryEffectOfAReplacementMayFail(t *testing.T) {
	t.Parallel()
	points := 0
	for _, d := range disturbances() {
		t.Run(d.name, func(t *testing.T) {
			from, before, asked := d.make(t), points, 0
			for i := range d.effects(from) {
				s := d.replaced(from, i+1)
				if d.judge != nil {
					s.judge = func(b *bench) { asked++; d.judge(b) }
				}
				if b := s.world(t); b != nil && !t.Failed() {
					points += s.crash(t, b, someWays(), []moment{atOnce})
				}
			}
			if d.judge != nil && asked == 0 {
				t.Error("what replaces the commit never asked the operator")
			}
			t.Logf("%d points", points-before)
		})
	}
	rig.Figure(t, "crash points", "%d of the runs that replace a commit", points)
}
