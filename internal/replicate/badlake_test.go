package replicate_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sluice/internal/object"
	"sluice/internal/object/objectfault"
	"sluice/internal/replicate"
	"sluice/statestore"
)

// onlyFile returns the one lake file of store.t, as a key of the lake bucket.
func (w *world) onlyFile() string {
	w.t.Helper()
	files := w.files(storyFolder)
	if len(files) != 1 {
		w.t.Fatalf("lake files %q, want one", files)
	}
	return files[0]
}

func TestLakeFilesThatSomebodyChangedBetweenRunsAreTheBase(t *testing.T) {
	tests := map[string]struct {
		change func(w *world, file string)
		want   []string
	}{
		"rewritten": {func(w *world, file string) {
			w.write("lake", file, rowsOf(`"Op", id, v`, "'I', 1, 'theirs'", "'I', 7, 'more'"))
		}, []string{"1 theirs", "2 B", "7 more"}},
		"without Op":      {func(w *world, file string) { w.write("lake", file, rowsOf(`id, v`, "1, 'theirs'", "2, 'b'")) }, []string{"1 theirs", "2 B"}},
		"columns turned":  {func(w *world, file string) { w.write("lake", file, rowsOf(`v, id`, "'theirs', 1", "'b', 2")) }, []string{"1 theirs", "2 B"}},
		"a file more":     {func(w *world, _ string) { w.write("lake", "t/theirs.parquet", rowsOf(`id, v`, "8, 'h'")) }, []string{"1 a", "2 B", "8 h"}},
		"removed":         {func(w *world, file string) { w.drop("lake", file) }, []string{"2 B"}},
		"hidden files":    {func(w *world, _ string) { w.put("lake", "t/_SUCCESS", nil); w.put("lake", "t/.x.crc", []byte("x")) }, []string{"1 a", "2 B"}},
		"its own content": {func(w *world, file string) { w.pass(time.Second); w.put("lake", file, w.bytes("lake", file)) }, []string{"1 a", "2 B"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.begin("id", "", rowsOf("id, v", "1, 'a'", "2, 'b'"))
			tt.change(w, w.onlyFile())
			w.run(storyTable, replicate.Idle)
			w.changeOf(rowsOf(`"Op", id, v`, "'U', 2, 'B'"))
			w.run(storyTable, replicate.Merged)
			w.wantRows("id, v", tt.want...)
		})
	}
}

func TestLakeFileThatIsNoParquetHaltsUntilItIsPutBack(t *testing.T) {
	w := newWorld(t)
	w.begin("id", "", rowsOf("id, v", "1, 'a'"))
	file := w.onlyFile()
	whole := w.bytes("lake", file)
	w.put("lake", file, []byte("scribble"))
	w.changeOf(rowsOf(`"Op", id, v`, "'U', 1, 'A'"))
	w.wantHalt("foreign", file, "put the right file back")
	if got := string(w.bytes("lake", file)); got != "scribble" {
		t.Errorf("the halt overwrote the file: %.20q", got)
	}
	w.put("lake", file, whole)
	w.acknowledge("")
	w.run(storyTable, replicate.Merged)
	w.wantRows("id, v", "1 A")
}

// die lets runs crash at ever later effects on the lake until one dies between
// its commit and the first of its ops.
func (w *world) die() {
	w.t.Helper()
	healthy := w.objects["lake"]
	defer func() { w.objects["lake"] = healthy }()
	owned := false
	for at := 1; at < 40; at++ {
		store := object.NewDirectory(filepath.Join(w.root, "lake"))
		w.objects["lake"] = objectfault.New(store, objectfault.Fault{At: at, How: objectfault.Before, Crash: true})
		if got := w.tick()[storyTable]; got.Action != replicate.Failed {
			w.t.Fatalf("crash at effect %d: %s (%s)", at, got.Action, got.Reason)
		}
		if w.item(storyPath).Pending() {
			return
		}
		if _, err := healthy.Head(w.t.Context(), "_sluice/"+storyFolder+"/owner.json"); err == nil && !owned {
			at, owned = 0, true // from now on the store is not tried any more
		}
	}
	w.t.Fatal("no crash left a commit pending")
}

func TestPendingCommitMeetsAForeignFile(t *testing.T) {
	tests := map[string]struct {
		change func(w *world, file string)
		want   []string
	}{
		"rewritten": {func(w *world, file string) {
			w.write("lake", file, rowsOf(`"Op", id, v`, "'I', 1, 'theirs'", "'I', 7, 'more'"))
		}, []string{"1 A", "3 c", "7 more"}},
		"rewritten without Op": {func(w *world, file string) { w.write("lake", file, rowsOf(`id, v`, "2, 'theirs'")) }, []string{"1 A", "3 c"}},
		"removed":              {func(w *world, file string) { w.drop("lake", file) }, []string{"1 A", "3 c"}},
		"scribbled, put back":  {func(w *world, file string) { w.put("lake", file, []byte("scribble")) }, []string{"1 A", "3 c"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.begin("id", "", rowsOf("id, v", "1, 'a'", "2, 'b'"))
			file := w.onlyFile()
			whole := w.bytes("lake", file)
			w.changeOf(rowsOf(`"Op", id, v`, "'U', 1, 'A'", "'D', 2, 'b'", "'I', 3, 'c'"))
			w.die()
			tt.change(w, file)
			got := w.wantHalt("foreign", file, "--accept foreign")
			if !got.NewlyHalted {
				t.Error("not notified")
			}
			if got := w.wantHalt("foreign"); got.NewlyHalted {
				t.Error("notified twice")
			}
			if strings.HasPrefix(name, "scribbled") {
				w.put("lake", file, whole) // another ETag, so still foreign, but a base
			}
			w.acknowledge("foreign")
			w.run(storyTable, replicate.Merged)
			w.wantRows("id, v", tt.want...)
			w.run(storyTable, replicate.Idle)
			w.changeOf(rowsOf(`"Op", id, v`, "'U', 3, 'C'"))
			w.run(storyTable, replicate.Merged)
		})
	}
}

func TestPendingLoadWhoseObjectsChanged(t *testing.T) {
	w := newWorld(t)
	w.loadOf(1, rowsOf("id, v", "1, 'a'"))
	w.run(storyTable, replicate.Registered)
	w.activate(storyTable, "id", "")
	w.die()
	w.pass(time.Minute)
	w.loadOf(1, rowsOf("id, v", "2, 'new'"))
	for range 3 { // the complete newer load replaces the commit by itself, ruling 28
		if got := w.tick()[storyTable]; got.Action == replicate.Loaded {
			w.wantRows("id, v", "2 new")
			w.run(storyTable, replicate.Idle)
			return
		}
	}
	t.Errorf("never loaded: %+v", w.tick()[storyTable])
}

func TestPendingLoadWhoseObjectIsGoneEndsWhenTheOperatorSaysSo(t *testing.T) {
	w := newWorld(t)
	w.loadOf(1, rowsOf("id, v", "1, 'a'"))
	gone := w.loadOf(2, rowsOf("id, v", "2, 'b'"))
	w.run(storyTable, replicate.Registered)
	w.activate(storyTable, "id", "")
	w.die()
	w.drop("raw", gone)
	w.wantHalt("reload", gone, "--accept foreign")
	w.acknowledge("foreign")
	w.run(storyTable, replicate.Loaded)
	w.wantRows("id, v", "1 a")
	w.run(storyTable, replicate.Idle)
}

// forbidding refuses to open what lies below a prefix, as a bucket policy does.
type forbidding struct {
	replicate.Objects
	prefix string
}

func (f forbidding) Get(ctx context.Context, key string, in object.GetInput) (io.ReadCloser, object.Info, error) {
	if strings.HasPrefix(key, f.prefix) {
		return nil, object.Info{}, fmt.Errorf("get %s: %w", key, object.ErrDenied)
	}
	return f.Objects.Get(ctx, key, in)
}

func TestStorageTroubleFailsOneTableAndNoOther(t *testing.T) {
	tests := map[string]struct {
		trouble func(w *world)
		err     error
		remedy  string
	}{
		"the lake bucket is missing": {func(w *world) { w.set(storyPath, map[string]string{statestore.OutPath: "nowhere/x/"}) }, object.ErrNoBucket, "out_path"},
		"reading raw is denied":      {func(w *world) { w.objects["raw"] = forbidding{w.objects["raw"], "store/t/"} }, object.ErrDenied, "sluice doctor"},
		"reading the lake is denied": {func(w *world) { w.objects["lake"] = forbidding{w.objects["lake"], "t/"} }, object.ErrDenied, "sluice doctor"},
		"bookkeeping is denied":      {func(w *world) { w.objects["lake"] = forbidding{w.objects["lake"], "_sluice/t/"} }, object.ErrDenied, "sluice doctor"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.begin("id", "", rowsOf("id, v", "1, 'a'"))
			w.load(product(), []any{1, "a", "x"})
			w.run("store.product", replicate.Registered)
			w.activate("store.product", "id", "")
			w.run("store.product", replicate.Loaded)
			w.changeOf(rowsOf(`"Op", id, v`, "'U', 1, 'A'"))
			w.change(product(), update(1, "A", "x"))
			raw, lake := w.objects["raw"], w.objects["lake"]
			tt.trouble(w)
			results := w.tick()
			got := results[storyTable]
			if got.Action != replicate.Failed || !errors.Is(got.Err, tt.err) || !strings.Contains(got.Reason, tt.remedy) {
				t.Errorf("store.t: %s (%s)", got.Action, got.Reason)
			}
			if got := results["store.product"]; got.Action != replicate.Merged {
				t.Errorf("store.product: %s (%s)", got.Action, got.Reason)
			}
			w.objects["raw"], w.objects["lake"] = raw, lake
			if diff := cmp.Diff([]string{"1 a"}, w.rows(storyFolder, "id, v")); diff != "" {
				t.Errorf("lake (-want +got):\n%s", diff)
			}
			w.set(storyPath, map[string]string{statestore.OutPath: "lake/"})
			w.run(storyTable, replicate.Merged)
			w.wantRows("id, v", "1 A")
		})
	}
}

func TestRawBucketThatIsMissingFailsTheTick(t *testing.T) {
	w := newWorld(t)
	w.begin("id", "", rowsOf("id, v", "1, 'a'"))
	delete(w.objects, "raw")
	err := w.engine().Run(t.Context(), func(replicate.Result) {})
	if !errors.Is(err, object.ErrNoBucket) || !strings.Contains(err.Error(), "--raw") {
		t.Errorf("tick: %v, want ErrNoBucket and what to check", err)
	}
	w.wantRows("id, v", "1 a")
}
