package replicate_test

import (
	"context"
	"fmt"
	"testing"

	"sluice/internal/object"
	"sluice/internal/replicate"
)

// lostAnswers is a store whose answers to writes are lost: they took place, their repetition by the client met them, and
// is refused.
type lostAnswers struct{ replicate.Objects }

func (s lostAnswers) Put(ctx context.Context, key string, body []byte, in object.PutInput) (object.Info, error) {
	info, err := s.Objects.Put(ctx, key, body, in)
	return met(info, err)
}

func (s lostAnswers) Create(ctx context.Context, key string, in object.PutInput) object.Upload {
	return lostAnswer{s.Objects.Create(ctx, key, in)}
}

type lostAnswer struct{ object.Upload }

func (u lostAnswer) Close(ctx context.Context) (object.Info, error) {
	info, err := u.Upload.Close(ctx)
	return met(info, err)
}

func met(_ object.Info, err error) (object.Info, error) {
	if err == nil {
		err = fmt.Errorf("%w: met itself", object.ErrPrecondition)
	}
	return object.Info{}, err
}

// TestWritesWhoseAnswersAreLostAreApplied, all of them. An op of many files was begun again for each of them and given up
// after three; net changes that met themselves failed the run; a probe that met itself took the store for a liar.
func TestWritesWhoseAnswersAreLostAreApplied(t *testing.T) {
	w := newWorld(t)
	w.objects["lake"] = lostAnswers{w.objects["lake"]}
	w.begin("id", "p", rowsOf("id, p, v", "1, 'a', 'x'", "2, 'b', 'x'", "3, 'c', 'x'", "4, 'd', 'x'", "5, 'e', 'x'", "6, 'f', 'x'"))
	w.changeOf(rowsOf(`"Op", id, p, v`, "'U', 1, 'b', 'moved'", "'U', 2, 'b', 'y'", "'D', 3, 'c', NULL", "'I', 7, 'g', 'new'"))
	w.run(storyTable, replicate.Merged)
	w.wantRows("id, p, v", "1 b moved", "2 b y", "4 d x", "5 e x", "6 f x", "7 g new")
	if len(w.slept) > 0 {
		t.Errorf("slept %v: nothing had to be begun again", w.slept)
	}
	w.run(storyTable, replicate.Idle)
}
