package replicate_test

import (
	"context"
	"errors"
	"io"
	"iter"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sluice/internal/object"
	"sluice/internal/replicate"
	"sluice/scripts/dmsgen"
	"sluice/scripts/rig"
	"sluice/statestore"
)

// The tests named TestDefect show, for each defect of the AWS sample, that its
// algorithm goes wrong on some inputs, and that sluice does not on the same
// ones. DuckDB reads sluice's lake.

// versus is one world with the ancestor and sluice on the same inputs.
type versus struct {
	*world

	sample  *ancestor
	table   dmsgen.Table
	columns []string // that are compared
}

func newVersus(t *testing.T, table dmsgen.Table, partitions ...string) *versus {
	t.Helper()
	rig.DuckDB(t) // or skip here: hooks ask it from other goroutines
	w := newWorld(t)
	return &versus{world: w, sample: newAncestor(w, table, partitions...), table: table, columns: []string{"Op", "id", "name", "dept"}}
}

// keyless is product without a primary key.
func keyless() dmsgen.Table {
	t := product()
	t.Key = nil
	return t
}

func (v *versus) name() string { return v.table.Schema + "." + v.table.Name }

// begin registers and activates the table in sluice.
func (v *versus) begin() {
	v.t.Helper()
	v.run(v.name(), replicate.Registered)
	v.activate(v.name(), strings.Join(v.table.Key, ","), strings.Join(v.sample.partitions, ","))
}

// both runs the ancestor, then sluice.
func (v *versus) both() replicate.Result {
	v.t.Helper()
	v.sample.run()
	return v.tick()[v.name()]
}

// wantWrong is what the defect makes of the ancestor's lake.
func (v *versus) wantWrong(rows ...string) {
	v.t.Helper()
	if diff := cmp.Diff(rows, v.sample.rows(v.columns...)); diff != "" {
		v.t.Errorf("the ancestor's lake (-want +got):\n%s", diff)
	}
}

func (v *versus) wantRight(rows ...string) {
	v.t.Helper()
	got := v.rows(v.table.Name, `"`+strings.Join(v.columns, `", "`)+`"`)
	if diff := cmp.Diff(rows, got); diff != "" {
		v.t.Errorf("sluice's lake (-want +got):\n%s", diff)
	}
}

// errCrash ends a process of the ancestor.
var errCrash = errors.New("crash")

// at lets the ancestor's job do something, or fail, at one of its steps, once.
func (a *ancestor) at(name string, do func() error) {
	a.step = func(step string) error {
		if step != name {
			return nil
		}
		a.step = func(string) error { return nil }
		return do()
	}
}

// hooked is a bucket that tells of what is done to it. A hook that returns an error takes the call's place.
type hooked struct {
	replicate.Objects

	listed func() // after the first listing
	get    func(key string)
	put    func(key string) error
	create func(key string) error // before an upload becomes visible
}

func (h *hooked) List(ctx context.Context, in object.ListInput) iter.Seq2[object.Entry, error] {
	return func(yield func(object.Entry, error) bool) {
		for entry, err := range h.Objects.List(ctx, in) {
			if !yield(entry, err) {
				return
			}
		}
		if do := h.listed; do != nil {
			h.listed = nil
			do()
		}
	}
}

func (h *hooked) Put(ctx context.Context, key string, body []byte, in object.PutInput) (object.Info, error) {
	if h.put != nil {
		if err := h.put(key); err != nil {
			return object.Info{}, err
		}
	}
	return h.Objects.Put(ctx, key, body, in)
}

func (h *hooked) Get(ctx context.Context, key string, in object.GetInput) (io.ReadCloser, object.Info, error) {
	if h.get != nil {
		h.get(key)
	}
	return h.Objects.Get(ctx, key, in)
}

func (h *hooked) Create(ctx context.Context, key string, in object.PutInput) object.Upload {
	return &hookedUpload{h.Objects.Create(ctx, key, in), h, key}
}

type hookedUpload struct {
	object.Upload

	bucket *hooked
	key    string
}

func (u *hookedUpload) Close(ctx context.Context) (object.Info, error) {
	if u.bucket.create != nil {
		if err := u.bucket.create(u.key); err != nil {
			return object.Info{}, errors.Join(err, u.Abort(ctx))
		}
	}
	return u.Upload.Close(ctx)
}

// hook puts a hooked bucket in the place of a bucket and returns it.
func (w *world) hook(bucket string) *hooked {
	h := &hooked{Objects: w.objects[bucket]}
	w.objects[bucket] = h
	return h
}

func TestDefect14_FailureIsALogLine(t *testing.T) {
	v := newVersus(t, product())
	v.load(product(), []any{1, "a", "x"})
	v.begin()
	v.both()
	key := v.change(product(), update(1, "A", "x"))
	v.put("raw", key, []byte("no Parquet file"))
	got := v.both()
	// The ancestor's process ended well; nothing but the log knows.
	if len(v.sample.log) != 1 || !strings.Contains(v.sample.log[0], key) {
		t.Errorf("the ancestor's log: %q", v.sample.log)
	}
	if got.Action != replicate.Halted || !got.NewlyHalted || got.Err == nil || !strings.HasPrefix(got.Reason, "input: ") || !strings.Contains(got.Reason, key) {
		t.Errorf("sluice: %s, %q, newly %v", got.Action, got.Reason, got.NewlyHalted)
	}
	item := v.item("raw/store/product/")
	if item[statestore.Status] != statestore.StatusHalted || item[statestore.StatusReason] != got.Reason {
		t.Errorf("control item: %v", item)
	}
	if again := v.run("store.product", replicate.Halted); again.NewlyHalted || again.Reason != got.Reason {
		t.Errorf("second run: newly %v, %q", again.NewlyHalted, again.Reason)
	}
}

func TestDefect13_ChangesOlderThanAReloadAreAppliedOnTopOfIt(t *testing.T) {
	v := newVersus(t, product())
	v.load(product(), []any{1, "first", "x"}, []any{2, "first", "x"})
	v.begin()
	v.both()
	v.change(product(), update(1, "between", "x"), remove(2, "first", "x"))
	v.pass(1e9)
	v.load(product(), []any{1, "reloaded", "x"}, []any{2, "reloaded", "x"})
	v.pass(1e9)
	got := v.both()
	v.wantWrong("U 1 between x")
	v.wantRight("I 1 reloaded x", "I 2 reloaded x")
	if got.Superseded != 1 {
		t.Errorf("superseded %d, want 1", got.Superseded)
	}
}
