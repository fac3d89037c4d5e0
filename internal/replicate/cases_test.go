package replicate_test

import (
	"encoding/hex"
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
	setting caseSetting
	table   dmsgen.Table // the source's, as it is now
	lake    dmsgen.Table // every column that the source ever had; new ones come last
	truth   *dmsgen.Oracle
	loads   []string // keys of the LOAD files
	inputs  []string // keys of the CDC files
	duck    *rig.Reader
	shown   int // how often DuckDB was shown the lake
}

const (
	itemName = "store.item"
	itemPath = "raw/store/item/"
)

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
	s := &scene{world: newWorld(t), duck: duck, setting: setting, table: item(), lake: item()}
	s.objects["lake"] = object.NewMemory(s.now) // a directory flushes every file, which takes most of the time
	if setting.key != "" {
		s.table.Key = strings.Split(setting.key, ",")
		s.lake.Key = s.table.Key
	}
	s.truth = dmsgen.NewOracle(s.lake)
	s.load(1, 2, 3, 4, 5, 6, 7, 8)
	s.tick()
	if len(setting.attributes) > 0 {
		s.set(itemPath, setting.attributes)
	}
	s.activate(itemName, strings.Join(s.table.Key, ","), setting.partition)
	s.run(itemName, replicate.Loaded)
	return s
}

func (s *scene) settings() dmsgen.Settings {
	settings := dmsgen.DefaultSettings()
	if s.setting.edit != nil {
		s.setting.edit(&settings)
	}
	zone, err := time.LoadLocation(s.setting.zone)
	if err != nil {
		s.t.Fatal(err)
	}
	settings.Location = zone
	return settings
}

// row is what the source has of an id, in the source's columns as they are now.
func (s *scene) row(id, version int) []any {
	row := itemRow(id, version)
	if s.settings().CSV.NoQuotes {
		row = plainRow(row)
	}
	whole := make([]any, len(s.table.Columns))
	for i, c := range s.table.Columns {
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

// laid is what a reader of the lake sees of a source's row: columns that the source does not have are NULL.
func (s *scene) laid(row []any) []any {
	if row == nil {
		return nil
	}
	row = s.settings().Seen(s.table, row)
	laid := make([]any, len(s.lake.Columns))
	for i, c := range s.lake.Columns {
		if at := s.table.Index(c.Name); at >= 0 {
			laid[i] = row[at]
		}
	}
	return laid
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
		settings := s.settings()
		segment(&settings)
		var part [][]any
		for i, id := range ids {
			if i%len(segments) == n {
				part = append(part, s.row(id, 0))
			}
		}
		keys, err := s.writer(settings).WriteLoad(s.t.Context(), s.table, s.now(), part...)
		if err != nil {
			s.t.Fatal(err)
		}
		s.loads, rows = append(s.loads, keys...), append(rows, part...)
	}
	for i := range rows {
		rows[i] = s.laid(rows[i])
	}
	s.truth.Load(rows...)
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
	key, err := s.writer(s.settings()).WriteChanges(s.t.Context(), s.table, at, changes...)
	if err != nil {
		s.t.Fatal(err)
	}
	s.dateRaw(key, s.now())
	s.inputs = append(s.inputs, key)
}

// follow applies to the truth what files say: changes that are left out are not there, and an update tells the key
// that its row had only where there are images of it.
func (s *scene) follow(changes ...dmsgen.Change) {
	settings := s.settings()
	for _, c := range settings.Written(changes...) {
		c.Row, c.Before = s.laid(c.Row), s.laid(c.Before)
		if settings.BeforeImages == dmsgen.NoImages && settings.Dialect != dmsgen.Debezium {
			c.Before = nil
		}
		s.truth.Apply(c)
	}
}

// columns changes the source's columns; the lake keeps those that it has, and the new ones come last in it.
func (s *scene) columns(edit func(columns []dmsgen.Column) []dmsgen.Column) {
	s.table.Columns = edit(slices.Clone(s.table.Columns))
	wide := s.lake
	for _, c := range s.table.Columns {
		if wide.Index(c.Name) < 0 {
			wide.Columns = append(slices.Clone(wide.Columns), c)
		}
	}
	truth := dmsgen.NewOracle(wide)
	for _, row := range s.truth.Rows() {
		truth.Apply(dmsgen.Change{Op: dmsgen.Insert, Row: append(slices.Clone(row), make([]any, len(wide.Columns)-len(row))...)})
	}
	s.lake, s.truth = wide, truth
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
	if diff := cmp.Diff(texts(s.truth.Rows()), texts(got)); diff != "" {
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

// texts are rows as text, in the order of their texts.
func texts(rows [][]any) []string {
	var lines []string
	for _, row := range rows {
		words := make([]string, len(row))
		for i, v := range row {
			if b, ok := v.([]byte); ok {
				v = hex.EncodeToString(b)
			}
			words[i] = rig.Text(v)
		}
		lines = append(lines, strings.Join(words, " "))
	}
	slices.Sort(lines)
	return lines
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
	for _, setting := range append(caseSettings(), casePairs()...) {
		t.Run(setting.name, func(t *testing.T) {
			t.Parallel()
			duck := rig.DuckDB(t)
			for _, event := range caseEvents() {
				if setting.only != nil && !slices.Contains(setting.only, event.name) || slices.Contains(setting.except, event.name) {
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
}
