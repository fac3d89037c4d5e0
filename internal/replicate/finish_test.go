package replicate_test

import (
	"context"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"sluice/internal/object"
	"sluice/internal/replicate"
	"sluice/statestore"
)

// meddled is a lake in which somebody else writes a file right between the last op of a commit and its finish,
// which begins by listing the table's folder.
type meddled struct {
	replicate.Objects
	folder  string
	written atomic.Bool
	meddle  func()
}

func (m *meddled) List(ctx context.Context, in object.ListInput) iter.Seq2[object.Entry, error] {
	if in.Prefix == m.folder && m.written.CompareAndSwap(true, false) {
		m.meddle()
	}
	return m.Objects.List(ctx, in)
}

func (m *meddled) Create(ctx context.Context, key string, in object.PutInput) object.Upload {
	if strings.HasPrefix(key, m.folder) {
		m.written.Store(true)
	}
	return m.Objects.Create(ctx, key, in)
}

// A finish that trusted that every op was applied would move the watermark over a lake file that was put back.
func TestFinishLooksAtEveryFileOfTheCommit(t *testing.T) {
	w := newWorld(t)
	w.load(product(), []any{1, "a", "x"})
	w.activate("store.product", "id", "")
	w.run("store.product", replicate.Loaded)
	file := filepath.Join(w.root, "lake", w.files("product")[0])
	before, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	watermark := w.item("raw/store/product/")["LastIncrementalFile"]
	w.objects["lake"] = &meddled{Objects: w.objects["lake"], folder: "product/", meddle: func() {
		if err := os.WriteFile(file, before, 0o600); err != nil {
			t.Error(err)
		}
	}}
	w.change(product(), update(1, "A", "x"))
	got := w.run("store.product", replicate.Halted)
	if !strings.HasPrefix(got.Reason, "foreign:") {
		t.Errorf("reason %q, want foreign", got.Reason)
	}
	if item := w.item("raw/store/product/"); item["LastIncrementalFile"] != watermark || !item.Pending() {
		t.Errorf("the watermark moved over a lake that lacks the change: %v", item)
	}
}

// beforeIndex is a lake at which something happens before the index is written: the last effect before the finish.
type beforeIndex struct {
	object.Store
	happen func()
}

func (s *beforeIndex) Put(ctx context.Context, key string, body []byte, in object.PutInput) (object.Info, error) {
	if happen := s.happen; strings.Contains(key, "/index/") && happen != nil {
		s.happen = nil
		happen()
	}
	return s.Store.Put(ctx, key, body, in)
}

// A run whose commit somebody else finished, or replaced, before it could told its rows, too: they were counted twice.
func TestAFinishThatCameTooLateCountsNothing(t *testing.T) {
	for name, meanwhile := range map[string]func(b *bench){
		"finished by another run": func(*bench) {},
		"replaced by a fence": func(b *bench) {
			_, err := b.state.Update(t.Context(), statestore.Update{Path: benchPath, Set: map[string]string{statestore.Accept: "foreign"}})
			b.must(err)
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := partitioned(t)
			b.change(insert(6, "f", "new"), update(1, "A", "x"))
			unleased := unleased{b.state, func() {}}
			var other replicate.Result
			lake := &beforeIndex{b.lake, func() {
				meanwhile(b)
				other = b.tickOn(b.lake, unleased)
			}}
			got := b.tickOn(lake, unleased)
			if other.Action != replicate.Merged || other.Inputs != 1 {
				t.Errorf("the other run: %+v", other)
			}
			if got.Action != replicate.Idle || got.Inputs != 0 || got.Counts != (replicate.Counts{}) || got.FilesCreated+got.FilesRewritten != 0 {
				t.Errorf("the run that came too late: %+v", got)
			}
			b.must(b.wrong())
		})
	}
}
