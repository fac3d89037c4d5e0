package replicate_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"

	"sluice/internal/object"
	"sluice/internal/object/objectfault"
	"sluice/internal/replicate"
	"sluice/scripts/dmsgen"
	"sluice/statestore"
	"sluice/statestore/statestorefault"
)

// TestWhatIsReplacedEndsWithTheSettingsThatItBeganWith changes the primary key and the partition key when the fence of
// a merge is there. The changes are of the old key, and so is their new plan; nothing keeps it from becoming binding.
func TestWhatIsReplacedEndsWithTheSettingsThatItBeganWith(t *testing.T) {
	d := disturbances()[0]
	s := d.last(t)
	for at := 1; ; at++ {
		b := s.world(t)
		lake, state := objectfault.New(b.lake, objectfault.Fault{}), statestorefault.New(b.state, statestorefault.Fault{At: at, How: statestorefault.After, Crash: true})
		lake.DieWith(state.Dead)
		b.tickOn(lake, state)
		if !state.Fired() {
			t.Fatal("no run died behind the fence")
		}
		var plan replicate.Plan
		if item := b.item(); !item.Pending() {
			t.Fatal("no run died behind the fence")
		} else if b.must(b.bookkept(item[statestore.CommitPlan], &plan)); plan.Kind != replicate.KindFence {
			continue
		}
		b.config.Owner = "third"
		_, err := b.state.Update(t.Context(), statestore.Update{Path: benchPath, Set: map[string]string{statestore.PrimaryKey: "name", statestore.OrderColumn: "dept"}})
		b.must(err)
		for range 3 {
			if got := b.tickOn(b.lake, b.state); got.Action == replicate.Failed || got.Action == replicate.Halted {
				t.Fatalf("%s: %s", got.Action, got.Reason)
			}
		}
		b.must(b.wrong())
		return
	}
}

// untilBodies is a bucket whose writer dies behind so many bodies.
type untilBodies struct {
	*object.Memory
	left *atomic.Int64
}

func (u untilBodies) Create(ctx context.Context, key string, in object.PutInput) object.Upload {
	return untilBodiesUpload{u.Memory.Create(ctx, key, in), u.left}
}

type untilBodiesUpload struct {
	object.Upload
	left *atomic.Int64
}

func (u untilBodiesUpload) Close(ctx context.Context) (object.Info, error) {
	if u.left.Add(-1) < 0 {
		return object.Info{}, errGone
	}
	return u.Upload.Close(ctx)
}

// TestARewritingThatHasBegunToEmptyIsNotUndone: somebody deletes a file that a rewriting of the table has made, when it
// has emptied sources already. Accepting that undid the rewriting: it emptied the other files that it had made, too,
// and with them the only copies of the rows of the sources that were empty by then.
func TestARewritingThatHasBegunToEmptyIsNotUndone(t *testing.T) {
	for _, restored := range []bool{false, true} {
		t.Run(fmt.Sprintf("restored=%t", restored), func(t *testing.T) {
			b := partitioned(t)
			b.table.Columns[0].Type = "bigint"
			b.change(insert(5_000_000_000, "big", "x"))
			b.tickOn(b.lake, b.state)
			b.acknowledge("schema")
			left := &atomic.Int64{}
			left.Store(3 + 2) // the three files that it makes, two of the three that it empties
			b.runOn(b.raw, untilBodies{b.lake, left}, b.state)
			key, lost, body, info := b.copyOfAnEmptied()
			b.must(b.lake.Delete(t.Context(), key, ""))
			for _, stage := range []string{"before the fence", "behind it"} {
				if !b.halts("foreign") {
					t.Fatalf("nobody is asked about the deleted file %s: %v, rows %v", stage, b.item(), b.rows())
				}
				if restored && stage == "behind it" {
					_, err := b.lake.Put(t.Context(), key, body, object.PutInput{Metadata: info.Metadata})
					b.must(err)
					b.acknowledge("")
					continue
				}
				b.acknowledge("foreign")
			}
			if !restored {
				b.oracle.Apply(lost...)
			}
			b.must(errors.Join(b.settle(), b.wrong()))
		})
	}
}

// copyOfAnEmptied returns the file with the only copies of some rows, and the deletes of those rows.
func (b *bench) copyOfAnEmptied() (key string, rows []dmsgen.Change, body []byte, info object.Info) {
	b.t.Helper()
	held := map[string][]dmsgen.Change{"x": {remove(1, "a", "x"), remove(2, "b", "x")}, "y": {remove(3, "c", "y"), remove(4, "d", "y")}, "z": {remove(5, "e", "z")}}
	seen := b.rows()
	for dept, rows := range held {
		if len(seen[fmt.Sprint(rows[len(rows)-1].Row[0])]) > 1 {
			continue
		}
		for entry, err := range b.lake.List(b.t.Context(), object.ListInput{Prefix: "product/dept=" + dept + "/part-000000000002-"}) {
			b.must(err)
			body, info := readObject(b.t, b.lake, entry.Key)
			return entry.Key, rows, body, info
		}
	}
	b.t.Fatalf("no source is emptied: %v", seen)
	return "", nil, nil, object.Info{}
}
