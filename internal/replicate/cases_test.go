package replicate_test

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sluice/internal/object"
	"sluice/internal/replicate"
	"sluice/scripts/dmsgen"
	"sluice/scripts/rig"
)

// scene is a table that is replicated from files of one setting, and the truth about its lake: the oracle applies
// what the files say, in the order of their names. DuckDB reads the lake.
type scene struct {
	*world
	*truth
	setting caseSetting
	loads   []string // keys of the LOAD files
	inputs  []string // keys of the CDC files
	duck    *rig.Reader
	shown   int // how often DuckDB was shown the lake
}

const itemName = "store.item"

// path is where the control item says that the inputs are.
func (s *scene) path() string { return "raw/" + s.settings.Folder + "store/item/" }

// item is the table of the cases; id is its key unless the setting has another.
func item() dmsgen.Table {
	return dmsgen.Table{
		Schema: "store", Name: "item", Key: []string{"id"},
		Columns: []dmsgen.Column{
			{Name: "id", Type: "int"},
			{Name: "name", Type: "text"},
			{Name: "price", Type: "numeric(9,2)"},
			{Name: "sold", Type: "timestamp"},
			{Name: "photo", Type: "bytea"},
			{Name: "dept", Type: "text"},
			{Name: "shop", Type: "smallint"},
		},
	}
}

// itemRow is a row of item whose values follow from two numbers, some of them NULL or empty.
func itemRow(id, version int) []any {
	photos := []any{nil, []byte{}, []byte{0, 0xff, '\n'}}
	names := []any{fmt.Sprintf("name, %d|%d", id, version), "", nil, "line\nbreak \"quoted\""}
	return []any{
		int64(id), names[(id+version)%len(names)], fmt.Sprintf("%d.%02d", id-4, version), fmt.Sprintf("2026-01-%02d 10:00:00.%03d456", 1+id%28, version),
		photos[(id+version)%len(photos)], []any{"toys", "a/b=c", nil}[id%3], int64(id % 4),
	}
}

// plainRow is itemRow without what CSV without quotes cannot hold.
func plainRow(row []any) []any {
	row = slices.Clone(row)
	if name, ok := row[1].(string); ok {
		row[1] = strings.NewReplacer(",", " ", "\n", " ").Replace(name)
	}
	return row
}

// newScene loads item with eight rows in a setting.
func newScene(t *testing.T, duck *rig.Reader, setting caseSetting) *scene {
	t.Helper()
	s := &scene{world: newWorld(t), duck: duck, setting: setting}
	s.objects["lake"] = object.NewMemory(s.now) // a directory flushes every file, which takes most of the time
	table := item()
	if setting.key != "" {
		table.Key = strings.Split(setting.key, ",")
	}
	s.truth = newTruth(setting.settings(t), table)
	s.config.RawPrefix = s.settings.Folder
	s.load(1, 2, 3, 4, 5, 6, 7, 8)
	if setting.control {
		s.writeControlTables()
	}
	if found := s.tick(); len(found) != 1 {
		t.Fatalf("found %v", found)
	}
	if len(setting.attributes) > 0 {
		s.set(s.path(), setting.attributes)
	}
	s.activate(itemName, strings.Join(table.Key, ","), setting.partition)
	s.run(itemName, replicate.Loaded)
	return s
}

// settings are those of the endpoint.
func (c caseSetting) settings(t *testing.T) dmsgen.Settings {
	t.Helper()
	settings := dmsgen.DefaultSettings()
	if c.edit != nil {
		c.edit(&settings)
	}
	zone, err := time.LoadLocation(c.zone)
	if err != nil {
		t.Fatal(err)
	}
	settings.Location = zone
	return settings
}

// writeControlTables writes what DMS tells about its tasks beside the source's tables.
func (s *scene) writeControlTables() {
	s.t.Helper()
	if _, err := s.writer(s.settings).WriteControlTables(s.t.Context(), "store", s.now()); err != nil {
		s.t.Fatal(err)
	}
}

// row is what the source has of an id, in the source's columns as they are now.
func (s *scene) row(id, version int) []any {
	row := itemRow(id, version)
	if s.settings.CSV.NoQuotes {
		row = plainRow(row)
	}
	whole := make([]any, len(s.source.Columns))
	for i, c := range s.source.Columns {
		switch at := item().Index(c.Name); {
		case at >= 0:
			whole[i] = row[at]
		case c.Type == "bigint":
			whole[i] = int64(id) << 40
		default:
			whole[i] = fmt.Sprintf("%s of %d", c.Name, id)
		}
	}
	return whole
}

// load replaces the full load by one of these ids, and the truth by their rows.
func (s *scene) load(ids ...int) {
	s.t.Helper()
	s.removeRaw(s.loads...)
	s.loads = nil
	segments := s.setting.segments
	if len(segments) == 0 {
		segments = []func(*dmsgen.Settings){func(*dmsgen.Settings) {}}
	}
	var rows [][]any
	for n, segment := range segments {
		settings := s.settings
		segment(&settings)
		var part [][]any
		for i, id := range ids {
			if i%len(segments) == n {
				part = append(part, s.row(id, 0))
			}
		}
		keys, err := s.writer(settings).WriteLoad(s.t.Context(), s.source, s.now(), part...)
		if err != nil {
			s.t.Fatal(err)
		}
		s.loads, rows = append(s.loads, keys...), append(rows, part...)
	}
	s.truth.load(rows)
}

// change lets a minute pass and writes a CDC file; the truth follows.
func (s *scene) change(changes ...dmsgen.Change) {
	s.t.Helper()
	s.pass(time.Minute)
	s.write(s.now(), changes...)
	s.follow(changes...)
}

// write writes a CDC file named after a time and dated now.
func (s *scene) write(at time.Time, changes ...dmsgen.Change) {
	s.t.Helper()
	key, err := s.writer(s.settings).WriteChanges(s.t.Context(), s.source, at, changes...)
	if err != nil {
		s.t.Fatal(err)
	}
	s.dateRaw(key, s.now())
	s.inputs = append(s.inputs, key)
}

// alter changes the source's columns.
func (s *scene) alter(edit func(columns []dmsgen.Column) []dmsgen.Column) {
	s.columns(edit(slices.Clone(s.source.Columns)))
}

// equal runs, and holds the lake against the truth.
func (s *scene) equal() {
	s.t.Helper()
	if got := s.tick()[itemName]; got.Action == replicate.Halted || got.Action == replicate.Failed {
		s.t.Fatalf("%s: %s", got.Action, got.Reason)
	}
	s.compare()
}

func (s *scene) compare() {
	s.t.Helper()
	columns := make([]string, len(s.lake.Columns))
	for i, c := range s.lake.Columns {
		columns[i] = fmt.Sprintf("%q", c.Name)
		if c.Type == "timestamp" {
			columns[i] += "::timestamp"
		}
	}
	var got [][]any
	if pattern := s.show(); pattern != "" {
		var err error
		sql := fmt.Sprintf("select %s from read_parquet(?, hive_partitioning=true, union_by_name=true)", strings.Join(columns, ", "))
		if got, err = s.duck.Try(sql, pattern); err != nil {
			s.t.Fatal(err)
		}
	}
	if diff := cmp.Diff(texts(s.oracle.Rows()), texts(got)); diff != "" {
		s.t.Errorf("lake (-want +got):\n%s", diff)
	}
}

// show copies the lake to a new folder, as DuckDB remembers what it read of a file, and returns the pattern of its files; "" for none.
func (s *scene) show() string {
	s.t.Helper()
	s.shown++
	pattern := ""
	for entry, err := range s.objects["lake"].List(s.t.Context(), object.ListInput{Prefix: "item/"}) {
		if err != nil {
			s.t.Fatal(err)
		}
		folder := filepath.Join(s.root, fmt.Sprint("shown", s.shown))
		s.copyOut(entry.Key, filepath.Join(folder, entry.Key))
		pattern = filepath.Join(folder, "item/**/*.parquet")
	}
	return pattern
}

func (s *scene) copyOut(key, path string) {
	s.t.Helper()
	body, _, err := s.objects["lake"].Get(s.t.Context(), key, object.GetInput{})
	if err != nil {
		s.t.Fatal(err)
	}
	data, err := io.ReadAll(body)
	if err != nil {
		s.t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		s.t.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o600); err != nil {
		s.t.Fatal(err)
	}
}

// halts runs, wants a halt with a reason code, and acknowledges it.
func (s *scene) halts(code, accept string) {
	s.t.Helper()
	got := s.run(itemName, replicate.Halted)
	if !strings.HasPrefix(got.Reason, code+": ") {
		s.t.Fatalf("halted with %q, want code %s", got.Reason, code)
	}
	s.acknowledgeAs(accept)
}

func (s *scene) acknowledgeAs(accept string) {
	s.t.Helper()
	if _, err := s.engine().Acknowledge(s.t.Context(), itemName, accept); err != nil {
		s.t.Fatal(err)
	}
}

// TestCases plays every event in every setting: what DMS can write × what can happen to a table.
func TestCases(t *testing.T) {
	t.Parallel()
	settings, events, played := append(caseSettings(), casePairs()...), caseEvents(), 0
	for _, setting := range settings {
		for _, event := range events {
			if setting.plays(event) {
				played++
			}
		}
		t.Run(setting.name, func(t *testing.T) {
			t.Parallel()
			duck := rig.DuckDB(t)
			for _, event := range events {
				if !setting.plays(event) {
					continue
				}
				t.Run(event.name, func(t *testing.T) {
					s := newScene(t, duck, setting)
					event.play(s)
					s.equal()
				})
			}
		})
	}
	rig.Figure(t, "cases", "%d of %d settings and %d events, DuckDB read each lake", played, len(settings), len(events))
}
