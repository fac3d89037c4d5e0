package object_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"sluice/internal/object"
	"sluice/internal/object/objectlie"
	"sluice/scripts/rig"
)

// TestProbe_FindsEveryLie on memory and on a directory, also where the object was there before.
func TestProbe_FindsEveryLie(t *testing.T) {
	for _, c := range objectlie.Lies() {
		for name, store := range map[string]object.Store{"memory": object.NewMemory(time.Now), "directory": object.NewDirectory(t.TempDir())} {
			t.Run(c.Name+" "+name, func(t *testing.T) {
				for range 2 {
					err := object.Probe(t.Context(), c.On(store), "p/_sluice/.")
					if !errors.Is(err, object.ErrUnconditional) || !strings.Contains(err.Error(), c.Rule) {
						t.Errorf("got %v, want a refusal that says %q", err, c.Rule)
					}
					if errors.Is(err, object.ErrFoldsCase) != (c.Name == "folds case") {
						t.Errorf("got %v", err)
					}
				}
			})
		}
	}
	rig.Figure(t, "lying stores", "%d lies, each found by the probe on memory and on a directory", len(objectlie.Lies()))
}

func TestProbe_BelievesWhatIsHonest(t *testing.T) {
	for _, c := range objectlie.Honest() {
		for name, store := range map[string]object.Store{"memory": object.NewMemory(time.Now), "directory": object.NewDirectory(t.TempDir())} {
			t.Run(c.Name+" "+name, func(t *testing.T) {
				for range 3 {
					if err := object.Probe(t.Context(), c.On(store), "p/_sluice/."); err != nil {
						t.Error(err)
					}
				}
			})
		}
	}
}

// TestProbe_BesideItself: probes at the same time write the same object and must not take each other for a lie.
func TestProbe_BesideItself(t *testing.T) {
	for name, store := range map[string]object.Store{"memory": object.NewMemory(time.Now), "directory": object.NewDirectory(t.TempDir())} {
		var group sync.WaitGroup
		for range 3 {
			group.Go(func() {
				for range 10 {
					if err := object.Probe(t.Context(), store, "p/."); errors.Is(err, object.ErrUnconditional) {
						t.Errorf("%s: %v", name, err)
					}
				}
			})
		}
		group.Wait()
	}
}

// down is a store that nothing can be written to.
type down struct {
	*object.Memory
	err error
}

func (d down) Put(context.Context, string, []byte, object.PutInput) (object.Info, error) {
	return object.Info{}, d.err
}

func TestProbe_OfAStoreThatIsDownIsNoVerdict(t *testing.T) {
	failed := errors.New("down")
	err := object.Probe(t.Context(), down{object.NewMemory(time.Now), failed}, "p/.")
	if !errors.Is(err, failed) || errors.Is(err, object.ErrUnconditional) {
		t.Errorf("got %v", err)
	}
}
