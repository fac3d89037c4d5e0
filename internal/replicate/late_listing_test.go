package replicate_test

import (
	"context"
	"errors"
	"iter"
	"strings"
	"sync"
	"testing"
	"time"

	"sluice/internal/object"
	"sluice/internal/object/objectfault"
	"sluice/internal/replicate"
)

// lateLists is a store whose listings are behind: they lack what late says. Everything else shows all that is there.
type lateLists struct {
	replicate.Objects

	mu    sync.Mutex
	lists int // so far
	late  func(key string, list int) bool
}

func (s *lateLists) List(ctx context.Context, in object.ListInput) iter.Seq2[object.Entry, error] {
	s.mu.Lock()
	s.lists++
	n := s.lists
	s.mu.Unlock()
	return func(yield func(object.Entry, error) bool) {
		for e, err := range s.Objects.List(ctx, in) {
			if err == nil && s.late(e.Key, n) {
				continue
			}
			if !yield(e, err) {
				return
			}
		}
	}
}

// behind puts listings of a bucket behind from now on; the function that it returns ends it.
func (w *world) behind(bucket string, late func(key string, list int) bool) (heal func()) {
	whole := w.objects[bucket]
	w.objects[bucket] = &lateLists{Objects: whole, late: late}
	return func() { w.objects[bucket] = whole }
}

// wantTrouble runs and wants store.t failed over a listing that is behind: no halt, and nothing recorded.
func (w *world) wantTrouble(text string) {
	w.t.Helper()
	got := w.run(storyTable, replicate.Failed)
	if !strings.Contains(got.Reason, "listing is behind") || !strings.Contains(got.Reason, text) || !strings.Contains(got.Reason, "the next run goes on") {
		w.t.Errorf("failed over %q", got.Reason)
	}
}

func isPart(key string, _ int) bool { return strings.HasPrefix(key, storyFolder+"/") }

// TestALakeFileThatAListingLacksGetsNoSecondRowOfItsKeys: the update of a key in it would have been an insert elsewhere.
func TestALakeFileThatAListingLacksGetsNoSecondRowOfItsKeys(t *testing.T) {
	w := newWorld(t)
	w.begin("id", "", rowsOf("id, v", "1, 'a'", "2, 'b'"))
	file := w.onlyFile()
	heal := w.behind("lake", isPart)
	w.changeOf(rowsOf(`"Op", id, v`, "'U', 1, 'A'", "'I', 3, 'c'"))
	w.wantTrouble(file)
	w.wantRows("id, v", "1 a", "2 b")
	if len(w.slept) != 2 || w.slept[0] >= time.Second || w.slept[1] >= 2*time.Second {
		t.Errorf("slept %v, want two pauses below 1 s and 2 s", w.slept)
	}
	heal()
	w.run(storyTable, replicate.Merged)
	w.wantRows("id, v", "1 A", "2 b", "3 c")
}

// TestAListingThatIsBehindForAMomentIsMadeAgain: the run does not even fail.
func TestAListingThatIsBehindForAMomentIsMadeAgain(t *testing.T) {
	w := newWorld(t)
	w.begin("id", "", rowsOf("id, v", "1, 'a'", "2, 'b'"))
	w.behind("lake", func(key string, list int) bool { return isPart(key, list) && list < 3 })
	w.changeOf(rowsOf(`"Op", id, v`, "'U', 1, 'A'"))
	w.run(storyTable, replicate.Merged)
	w.wantRows("id, v", "1 A", "2 b")
}

// TestACreateThatItsOwnFinishDidNotSeeListedIsMissedLater: the index holds it, so that the next plan knows of it.
func TestACreateThatItsOwnFinishDidNotSeeListedIsMissedLater(t *testing.T) {
	w := newWorld(t)
	heal := w.behind("lake", isPart)
	w.begin("id", "", rowsOf("id, v", "1, 'a'", "2, 'b'"))
	w.changeOf(rowsOf(`"Op", id, v`, "'U', 1, 'A'"))
	w.wantTrouble(w.onlyFile())
	heal()
	w.run(storyTable, replicate.Merged)
	w.wantRows("id, v", "1 A", "2 b")
}

// TestALiveFileThatAFinishDidNotSeeListedStaysKnown: the index of a commit would have forgotten it.
func TestALiveFileThatAFinishDidNotSeeListedStaysKnown(t *testing.T) {
	w := newWorld(t)
	w.begin("id", "p", rowsOf("id, p, v", "1, 'x', 'a'", "2, 'y', 'b'"))
	y := func(key string, list int) bool { return strings.Contains(key, "p=y") && list > 1 } // after the plan
	heal := w.behind("lake", y)
	w.changeOf(rowsOf(`"Op", id, p, v`, "'U', 1, 'x', 'A'"))
	w.run(storyTable, replicate.Merged)
	heal()
	heal = w.behind("lake", func(key string, _ int) bool { return strings.Contains(key, "p=y") })
	w.changeOf(rowsOf(`"Op", id, p, v`, "'U', 2, 'y', 'B'"))
	w.wantTrouble("p=y")
	heal()
	w.run(storyTable, replicate.Merged)
	w.wantRows("id, p, v", "1 x A", "2 y B")
}

// TestAnOldListingAfterARewriteIsNoForeignFile: it shows the ETag from before the commit. An index that took it over
// made the next plan expect a file that is long gone, and halt.
func TestAnOldListingAfterARewriteIsNoForeignFile(t *testing.T) {
	w := newWorld(t)
	w.begin("id", "", rowsOf("id, v", "1, 'a'", "2, 'b'"))
	stale := &oldETags{Objects: w.objects["lake"]}
	w.objects["lake"] = stale
	w.changeOf(rowsOf(`"Op", id, v`, "'U', 1, 'A'"))
	w.run(storyTable, replicate.Merged)
	w.changeOf(rowsOf(`"Op", id, v`, "'I', 9, 'i'")) // outside the file's bounds: no look into it tells
	w.run(storyTable, replicate.Failed)
	w.wantRows("id, v", "1 A", "2 b")
	w.objects["lake"] = stale.Objects
	w.run(storyTable, replicate.Merged)
	w.wantRows("id, v", "1 A", "2 b", "9 i")
}

// oldETags is a store whose listings show what they showed first.
type oldETags struct {
	replicate.Objects

	mu    sync.Mutex
	first map[string]object.Entry
}

func (s *oldETags) List(ctx context.Context, in object.ListInput) iter.Seq2[object.Entry, error] {
	return func(yield func(object.Entry, error) bool) {
		for e, err := range s.Objects.List(ctx, in) {
			if err == nil {
				e = s.old(e)
			}
			if !yield(e, err) {
				return
			}
		}
	}
}

func (s *oldETags) old(e object.Entry) object.Entry {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.first == nil {
		s.first = map[string]object.Entry{}
	}
	if _, known := s.first[e.Key]; !known {
		s.first[e.Key] = e
	}
	return s.first[e.Key]
}

// TestTheFilesOfAFencedCommitAreMissedWhenAListingLacksThem: no index knows them, and the changes in them are merged again.
func TestTheFilesOfAFencedCommitAreMissedWhenAListingLacksThem(t *testing.T) {
	w := newWorld(t)
	w.begin("id", "p", rowsOf("id, p, v", "1, 'x', 'a'", "2, 'y', 'b'"))
	x := w.files("t/p=x")[0]
	w.changeOf(rowsOf(`"Op", id, p, v`, "'U', 1, 'x', 'A'", "'I', 3, 'new', 'c'"))
	healthy := w.objects["lake"]
	for at := 1; len(w.files("t/p=new")) == 0; at++ { // dies when the new file is there
		w.objects["lake"] = objectfault.New(object.NewDirectory(w.root+"/lake"), objectfault.Fault{At: at, How: objectfault.After, Crash: true})
		w.run(storyTable, replicate.Failed)
	}
	w.objects["lake"] = healthy
	w.write("lake", x, rowsOf("id, v", "1, 'theirs'"))
	w.wantHalt("foreign", x)
	w.acknowledge("foreign")
	heal := w.behind("lake", func(key string, _ int) bool { return strings.Contains(key, "p=new") })
	w.wantTrouble("p=new")
	heal()
	w.run(storyTable, replicate.Merged)
	w.wantRows("id, p, v", "1 x A", "2 y b", "3 new c")
}

// TestInputsThatAListingLacksAreNotVanished: a halt that an operator acknowledges would forget that they were consumed.
func TestInputsThatAListingLacksAreNotVanished(t *testing.T) {
	for name, late := range map[string]func(key string, list int) bool{
		"change file": func(key string, _ int) bool { return !strings.Contains(key, "LOAD") },
		"full load":   func(key string, _ int) bool { return strings.Contains(key, "LOAD") },
		"everything":  func(string, int) bool { return true },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.begin("id", "", rowsOf("id, v", "1, 'a'", "2, 'b'"))
			w.changeOf(rowsOf(`"Op", id, v`, "'U', 1, 'A'"))
			w.run(storyTable, replicate.Merged)
			heal := w.behind("raw", func(key string, list int) bool {
				return strings.HasSuffix(key, ".parquet") && late(key, list)
			})
			w.wantTrouble("store/t/")
			heal()
			w.run(storyTable, replicate.Idle)
			w.wantRows("id, v", "1 A", "2 b")
		})
	}
}

// TestAChangeFileThatIsListedLateIsMerged behind a later one that was merged before it.
func TestAChangeFileThatIsListedLateIsMerged(t *testing.T) {
	w := newWorld(t)
	w.begin("id", "", rowsOf("id, v", "1, 'a'", "2, 'b'"))
	first := w.changeOf(rowsOf(`"Op", id, v`, "'U', 1, 'first'", "'I', 3, 'c'"))
	w.changeOf(rowsOf(`"Op", id, v`, "'U', 1, 'second'"))
	heal := w.behind("raw", func(key string, _ int) bool { return key == first })
	w.run(storyTable, replicate.Merged)
	heal()
	w.run(storyTable, replicate.Merged)
	w.wantRows("id, v", "1 second", "2 b", "3 c")
	w.run(storyTable, replicate.Idle)
}

// TestAFullLoadThatIsListedInPartIsLoadedWhole in the end: what was missing makes it another set.
func TestAFullLoadThatIsListedInPartIsLoadedWhole(t *testing.T) {
	w := newWorld(t)
	w.loadOf(1, rowsOf("id, v", "1, 'a'"))
	last := w.loadOf(2, rowsOf("id, v", "2, 'b'"))
	w.run(storyTable, replicate.Registered)
	w.activate(storyTable, "id", "")
	heal := w.behind("raw", func(key string, _ int) bool { return key == last })
	w.run(storyTable, replicate.Loaded)
	heal()
	w.run(storyTable, replicate.Loaded)
	w.wantRows("id, v", "1 a", "2 b")
	w.run(storyTable, replicate.Idle)
}

// TestAnOpIsBegunAgainAfterAPause: it was begun again at once.
func TestAnOpIsBegunAgainAfterAPause(t *testing.T) {
	w := newWorld(t)
	w.begin("id", "", rowsOf("id, v", "1, 'a'"))
	w.changeOf(rowsOf(`"Op", id, v`, "'U', 1, 'A'"))
	lake := downUploads{w.objects["lake"]}
	w.objects["lake"] = lake
	got := w.run(storyTable, replicate.Failed)
	if len(w.slept) != 2 || w.slept[0] >= time.Second || w.slept[1] >= 2*time.Second || !strings.Contains(got.Reason, "lake is down") {
		t.Errorf("slept %v, %s; want two pauses below 1 s and 2 s", w.slept, got.Reason)
	}
	w.objects["lake"] = lake.Objects
	w.run(storyTable, replicate.Merged)
	w.wantRows("id, v", "1 A")
}

// downUploads is a store in which no lake file can be written.
type downUploads struct{ replicate.Objects }

func (s downUploads) Create(ctx context.Context, key string, in object.PutInput) object.Upload {
	if !isPart(key, 0) {
		return s.Objects.Create(ctx, key, in)
	}
	return downUpload{s.Objects.Create(ctx, key, in)}
}

type downUpload struct{ object.Upload }

func (u downUpload) Close(ctx context.Context) (object.Info, error) {
	return object.Info{}, errors.Join(errors.New("lake is down"), u.Abort(ctx))
}
