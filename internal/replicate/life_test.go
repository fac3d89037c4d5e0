package replicate_test

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"path"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sluice/internal/lake"
	"sluice/internal/object"
	"sluice/internal/replicate"
	"sluice/scripts/dmsgen"
	"sluice/statestore"
)

// life is a random table's life in memory: a full load, changes in files of any size and of one dialect, files that come
// late or twice, columns that come and go, reloads, truncations, and ticks in between. The truth applies every change in order.
//
// A seed decides everything. Every step throws dice of its own, so that the same life can be lived with some steps left out.
type life struct {
	*world
	*truth
	seed    uint64
	rng     *rand.Rand // of the step that is lived, or of the settings
	nature  nature
	stream  *dmsgen.Stream
	out     *dmsgen.Writer
	raw     *object.Memory
	held    []heldFile // written by DMS, not arrived yet
	hold    bool
	loads   []string
	loaded  string // rows of the load, and whether changes were written behind it
	changed bool
	inputs  []string        // CDC files that arrived
	last    []dmsgen.Change // of the newest CDC file
	gone    []dmsgen.Column // dropped
	added   int             // columns
	log     []string
	census  *census
}

// heldFile is a CDC file that comes late.
type heldFile struct {
	key  string
	body []byte
}

func newLife(t testing.TB, seed uint64) *life {
	t.Helper()
	rng := rand.New(rand.NewPCG(seed, 7))
	w := &world{t: t, clock: noon, objects: map[string]replicate.Objects{}}
	l := &life{world: w, seed: seed, rng: rng, raw: object.NewMemory(w.now)}
	w.objects["raw"], w.objects["lake"] = l.raw, object.NewMemory(w.now)
	w.state = statestore.New(statestore.NewMemory(w.now))
	if seed%4 == 1 {
		w.cramped = cramped
	}
	settings := replicate.DefaultSettings()
	settings.Settle, settings.FullLoadQuiet = 0, 0
	settings.TargetFileBytes = []int64{1 << 20, 128 << 20}[rng.IntN(2)]
	settings.BatchBytes = 1 << 20
	settings.MemoryBytes = []int64{0, replicate.MinMemoryBytes}[seed%2]
	settings.Compact, settings.DropOp = rng.IntN(4) == 0, rng.IntN(4) == 0
	settings.Compression = []string{"zstd", "snappy", "gzip", "none"}[rng.IntN(4)]
	w.config = replicate.Config{RawBucket: "raw", LakeBucket: "lake", Schema: "*", Owner: "test", Settings: settings}

	l.nature = newNature(rng)
	l.truth = newTruth(l.nature.settings, l.nature.table(seed))
	l.stream = dmsgen.NewStream(seed, l.source, dmsgen.Mix{Inserts: 3, Updates: 4, Deletes: 2, Moves: 1})
	l.stream.Plain, l.stream.BadText = l.settings.CSV.NoQuotes, l.nature.badText
	var err error
	if l.out, err = dmsgen.NewWriter(dmsgen.SinkFunc(l.put), l.settings); err != nil {
		t.Fatal(err)
	}
	return l
}

// put stores what the writer makes, or holds a CDC file back.
func (l *life) put(ctx context.Context, key string, body []byte, modified time.Time) error {
	if l.hold {
		l.held = append(l.held, heldFile{key, body})
		return nil
	}
	if strings.HasPrefix(path.Base(key[strings.LastIndexByte(key, '_')+1:]), "LOAD") {
		l.loads = append(l.loads, key)
	} else {
		l.inputs = append(l.inputs, key)
	}
	if _, err := l.raw.Put(ctx, key, body, object.PutInput{}); err != nil {
		return err
	}
	return l.raw.SetLastModified(key, modified)
}

func (l *life) note(format string, args ...any) { l.log = append(l.log, fmt.Sprintf(format, args...)) }

// fatal ends the life; all that led to it is said.
func (l *life) fatal(format string, args ...any) {
	l.t.Helper()
	l.t.Fatalf("%s\n%s\n%s", fmt.Sprintf(format, args...), l.nature, strings.Join(l.log, "\n"))
}

func (l *life) name() string { return "public." + l.source.Name }

func (l *life) path() string { return "raw/public/" + l.source.Name + "/" }

// begin loads and activates the table.
func (l *life) begin() {
	l.census.count(l.nature.names()...)
	l.reload()
	l.tick()
	if len(l.nature.attributes) > 0 {
		l.set(l.path(), l.nature.attributes)
	}
	l.activate(l.name(), strings.Join(l.source.Key, ","), []string{"", "part"}[l.rng.IntN(2)])
}

// checkedTick ticks and, when nothing is held back, compares the lake with the truth.
func (l *life) checkedTick() {
	l.t.Helper()
	result := l.tick()[l.name()]
	l.note("tick: %s %s, %d inputs", result.Action, result.Reason, result.Inputs)
	if result.Action == replicate.Halted && strings.HasPrefix(result.Reason, "schema: ") && strings.Contains(result.Reason, "--accept schema") {
		l.acknowledge("schema")
		l.census.count("schema accepted")
		result = l.tick()[l.name()]
		l.note("tick: %s %s, %d inputs", result.Action, result.Reason, result.Inputs)
	}
	if result.Action == replicate.Halted || result.Action == replicate.Failed {
		l.fatal("%s: %s", result.Action, result.Reason)
	}
	if len(l.held) == 0 {
		l.compare()
	}
}

func (l *life) compare() {
	l.t.Helper()
	if diff := cmp.Diff(texts(l.oracle.Rows()), l.got()); diff != "" {
		l.fatal("lake (-want +got):\n%s", diff)
	}
}

func (l *life) acknowledge(accept string) {
	l.t.Helper()
	if _, err := l.engine().Acknowledge(l.t.Context(), l.name(), accept); err != nil {
		l.fatal("acknowledge: %v", err)
	}
	l.note("acknowledged %s", accept)
}

func (l *life) got() []string { return lakeTexts(l.world, l.lake) }

// lakeTexts reads every lake file of a table, as texts does.
func lakeTexts(w *world, table dmsgen.Table) []string {
	w.t.Helper()
	var rows [][]any
	store := w.objects["lake"]
	for entry, err := range store.List(w.t.Context(), object.ListInput{Prefix: table.Name + "/"}) {
		if err != nil {
			w.t.Fatal(err)
		}
		body, _, err := store.Get(w.t.Context(), entry.Key, object.GetInput{})
		if err != nil {
			w.t.Fatal(err)
		}
		data, err := io.ReadAll(body)
		if err != nil {
			w.t.Fatal(err)
		}
		rows = append(rows, decoded(w.t, table, entry.Key, data)...)
	}
	return texts(rows)
}

// decoded are the rows of a lake file in the columns of a table; those that it does not have are NULL or in the names of its folders.
func decoded(t testing.TB, table dmsgen.Table, key string, data []byte) [][]any {
	t.Helper()
	file, err := dmsgen.Read(data)
	if err != nil {
		t.Fatalf("%s: %v", key, err)
	}
	dir, _ := path.Split(strings.TrimPrefix(key, table.Name+"/"))
	parts, err := lake.ParsePartitionDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	rows := make([][]any, len(file.Rows))
	for i, row := range file.Rows {
		rows[i] = make([]any, len(table.Columns))
		for j, c := range table.Columns {
			if at := file.Column(c.Name); at >= 0 {
				rows[i][j] = row[at]
			}
			for _, p := range parts {
				if p.Name == c.Name && p.Value != lake.NullPartition {
					rows[i][j] = p.Value
				}
			}
		}
	}
	return rows
}

// live lives so many steps.
func (l *life) live(steps int) { l.liveThe(slices.Collect(upTo(steps))) }

// liveThe lives the steps of these numbers.
func (l *life) liveThe(steps []int) {
	l.t.Helper()
	l.begin()
	for _, n := range steps {
		l.rng = rand.New(rand.NewPCG(l.seed, 1000+uint64(n)))
		l.stream.Reseed(l.rng.Uint64())
		l.note("step %d", n)
		l.step()
	}
	l.arrive()
	l.checkedTick()
	l.verified()
}

func upTo(n int) func(func(int) bool) {
	return func(yield func(int) bool) {
		for i := range n {
			if !yield(i) {
				return
			}
		}
	}
}

// verified has verify say that the lake is the fold of its inputs.
func (l *life) verified() {
	l.t.Helper()
	v, err := l.engine().Verify(l.t.Context(), l.name(), replicate.VerifyOptions{MemoryBytes: replicate.MinVerifyBytes, Differences: 10})
	if err != nil {
		l.fatal("verify: %v", err)
	}
	if l.nature.partial && !v.Complete && strings.Contains(v.Reason, "cannot be told from the inputs alone") {
		return // the inputs alone do not say what such rows are
	}
	if !v.Well() || v.RowsRaw != int64(l.oracle.Len()) {
		l.fatal("verify of %d rows: %+v", l.oracle.Len(), v)
	}
}
