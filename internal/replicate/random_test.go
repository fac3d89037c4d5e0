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
	"sluice/scripts/rig"
	"sluice/statestore"
)

// life is a random table's life in memory: a full load, changes in files of
// any size, files that come late, reloads, and ticks in between. The oracle applies every change in order.
type life struct {
	*world
	rng    *rand.Rand
	table  dmsgen.Table
	stream *dmsgen.Stream
	oracle *dmsgen.Oracle
	out    *dmsgen.Writer
	raw    *object.Memory
	held   []heldFile // written by DMS, not arrived yet
	hold   bool
	loads  []string
	log    []string
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
	l := &life{world: w, rng: rng, raw: object.NewMemory(w.now)}
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
	settings.Compression = []string{"zstd", "snappy", "gzip", "none"}[rng.IntN(4)]
	w.config = replicate.Config{RawBucket: "raw", LakeBucket: "lake", Schema: "*", Owner: "test", Settings: settings}

	l.table = dmsgen.RandomTable(seed)
	l.table.Columns = append(l.table.Columns, dmsgen.Column{Name: "part", Type: "int"})
	l.stream = dmsgen.NewStream(seed, l.table, dmsgen.Mix{Inserts: 3, Updates: 4, Deletes: 2, Moves: 1})
	l.oracle = dmsgen.NewOracle(l.table)
	layout := [][2]string{{"", ""}, {"YYYYMMDD", "SLASH"}, {"YYYYMMDDHH", "DASH"}, {"DDMMYYYY", "NONE"}}[rng.IntN(4)]
	var err error
	l.out, err = dmsgen.NewWriter(dmsgen.SinkFunc(l.put), dmsgen.Settings{
		RowsPerRowGroup: 1 + rng.IntN(40), Compression: []string{"none", "gzip"}[rng.IntN(2)],
		BeforeImages: dmsgen.KeyImages, BeforePrefix: "BI_", KeyOnlyDeletes: rng.IntN(2) == 0,
		OpInLoad: rng.IntN(2) == 0, RowsPerFile: []int{0, 30}[rng.IntN(2)],
		DateFolders: layout[0], DateDelimiter: layout[1],
	})
	if err != nil {
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
	if strings.HasPrefix(path.Base(key), "LOAD") {
		l.loads = append(l.loads, key)
	}
	if _, err := l.raw.Put(ctx, key, body, object.PutInput{}); err != nil {
		return err
	}
	return l.raw.SetLastModified(key, modified)
}

func (l *life) note(format string, args ...any) { l.log = append(l.log, fmt.Sprintf(format, args...)) }

// fewParts keeps the partition column to a handful of values, NULL among them.
func (l *life) fewParts(row []any) {
	if len(row) != len(l.table.Columns) {
		return
	}
	at := len(row) - 1
	if n, ok := row[at].(int64); ok {
		row[at] = n & 3
	}
}

func (l *life) reload() {
	l.pass(time.Hour)
	rows := l.oracle.Rows()
	if len(rows) == 0 {
		rows = l.stream.Rows(1 + l.rng.IntN(100))
	}
	for _, row := range rows {
		l.fewParts(row)
	}
	for _, key := range l.loads {
		if err := l.raw.Delete(l.t.Context(), key, ""); err != nil {
			l.t.Fatal(err)
		}
	}
	l.loads = nil
	l.oracle = dmsgen.NewOracle(l.table)
	l.oracle.Load(rows...)
	l.note("full load of %d rows", len(rows))
	if _, err := l.out.WriteLoad(l.t.Context(), l.table, l.now(), rows...); err != nil {
		l.t.Fatal(err)
	}
}

func (l *life) changes(hold bool) {
	l.pass(time.Duration(1+l.rng.IntN(120)) * time.Minute)
	changes := l.stream.Changes(1 + l.rng.IntN(30))
	for _, c := range changes {
		l.fewParts(c.Row)
	}
	l.oracle.Apply(changes...)
	l.hold = hold
	defer func() { l.hold = false }()
	l.note("%d changes, held back: %v", len(changes), hold)
	if _, err := l.out.WriteChanges(l.t.Context(), l.table, l.now(), changes...); err != nil {
		l.t.Fatal(err)
	}
}

// arrive lets the files that were held back arrive.
func (l *life) arrive() {
	for _, f := range l.held {
		l.note("late: %s", f.key)
		if err := l.put(l.t.Context(), f.key, f.body, l.now()); err != nil {
			l.t.Fatal(err)
		}
	}
	l.held = nil
}

func (l *life) step() {
	switch n := l.rng.IntN(20); {
	case n == 0 && len(l.held) == 0: // a file that is older than a reload is part of it
		l.reload()
	case n < 3:
		l.changes(true)
	case n < 5:
		l.arrive()
	case n < 12:
		l.changes(false)
	case n < 19:
		l.checkedTick()
	default:
		l.rebuild()
	}
}

// rebuild writes the table anew, whatever its life was, and compares it as a tick does. Only a load that waits is in the way.
func (l *life) rebuild() {
	l.t.Helper()
	got, err := l.engine().Rebuild(l.t.Context(), "public."+l.table.Name)
	l.note("rebuild: %s %s, %d inputs, %v", got.Action, got.Reason, got.Inputs, err)
	waits := err != nil && (strings.Contains(err.Error(), "a new full load") || strings.Contains(err.Error(), "not loaded yet"))
	if !waits && (err != nil || got.Action != replicate.Rebuilt) {
		l.t.Fatalf("rebuild: %s (%s), %v\n%s", got.Action, got.Reason, err, strings.Join(l.log, "\n"))
	}
	l.checkedTick()
}

// checkedTick ticks and, when nothing is held back, compares the lake with the oracle.
func (l *life) checkedTick() {
	l.t.Helper()
	result := l.tick()["public."+l.table.Name]
	l.note("tick: %s %s, %d inputs", result.Action, result.Reason, result.Inputs)
	if result.Action == replicate.Halted || result.Action == replicate.Failed {
		l.t.Fatalf("%s: %s\n%s", result.Action, result.Reason, strings.Join(l.log, "\n"))
	}
	if len(l.held) > 0 {
		return
	}
	if diff := cmp.Diff(l.want(), l.got()); diff != "" {
		l.t.Fatalf("lake (-want +got):\n%s\n%s", diff, strings.Join(l.log, "\n"))
	}
}

func (l *life) want() []string {
	var rows []string
	for _, row := range l.oracle.Rows() {
		texts := make([]string, len(row))
		for i, v := range row {
			texts[i] = rig.Text(v)
		}
		rows = append(rows, strings.Join(texts, " "))
	}
	slices.Sort(rows)
	return rows
}

// got reads every lake file of the table.
func (l *life) got() []string {
	l.t.Helper()
	var rows []string
	store := l.objects["lake"]
	for entry, err := range store.List(l.t.Context(), object.ListInput{Prefix: l.table.Name + "/"}) {
		if err != nil {
			l.t.Fatal(err)
		}
		body, _, err := store.Get(l.t.Context(), entry.Key, object.GetInput{})
		if err != nil {
			l.t.Fatal(err)
		}
		data, err := io.ReadAll(body)
		if err != nil {
			l.t.Fatal(err)
		}
		rows = append(rows, l.decode(entry.Key, data)...)
	}
	slices.Sort(rows)
	return rows
}

func (l *life) decode(key string, data []byte) []string {
	l.t.Helper()
	file, err := dmsgen.Read(data)
	if err != nil {
		l.t.Fatalf("%s: %v", key, err)
	}
	dir, _ := path.Split(strings.TrimPrefix(key, l.table.Name+"/"))
	parts, err := lake.ParsePartitionDir(dir)
	if err != nil {
		l.t.Fatal(err)
	}
	var rows []string
	for _, row := range file.Rows {
		texts := make([]string, len(l.table.Columns))
		for i, c := range l.table.Columns {
			if at := file.Column(c.Name); at >= 0 {
				texts[i] = rig.Text(row[at])
			}
			for _, p := range parts {
				if texts[i] == "" && p.Name == c.Name {
					texts[i] = strings.ReplaceAll(p.Value, lake.NullPartition, rig.Text(nil))
				}
			}
		}
		rows = append(rows, strings.Join(texts, " "))
	}
	return rows
}

// live plays a life of so many steps from a seed.
func live(t testing.TB, seed uint64, steps int) {
	t.Helper()
	newLife(t, seed).live(steps)
}

// live lives so many steps.
func (l *life) live(steps int) {
	l.t.Helper()
	l.reload()
	l.tick()
	l.activate("public."+l.table.Name, strings.Join(l.table.Key, ","), []string{"", "part"}[l.rng.IntN(2)])
	for range steps {
		l.step()
	}
	l.arrive()
	l.checkedTick()
	l.verified()
}

// verified has verify say that the lake is the fold of its inputs.
func (l *life) verified() {
	l.t.Helper()
	v := l.verify("public." + l.table.Name)
	if !v.Well() || v.RowsRaw != int64(len(l.oracle.Rows())) {
		l.t.Fatalf("verify of %d rows: %+v\n%s", len(l.oracle.Rows()), v, strings.Join(l.log, "\n"))
	}
}

func TestRandomLivesEndAsTheOracleSays(t *testing.T) {
	t.Parallel()
	for seed := range uint64(60) {
		t.Run(fmt.Sprintf("seed=%d", seed), func(t *testing.T) { live(t, seed, 40) })
	}
}

// TestSoakRandomLives plays lives until the time of make soak is over. A failure names its seed.
func TestSoakRandomLives(t *testing.T) {
	end := time.Now().Add(rig.Soak(t, 0.15))
	lives := 0
	for seed := uint64(1000); time.Now().Before(end); seed++ {
		t.Run(fmt.Sprintf("seed=%d", seed), func(t *testing.T) { live(t, seed, 200) })
		lives++
	}
	rig.Figure(t, "random lives", "%d of 200 steps, each equal to the oracle", lives)
}
