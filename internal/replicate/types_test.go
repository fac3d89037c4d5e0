package replicate_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sluice/internal/replicate"
	"sluice/scripts/dmsgen"
	"sluice/scripts/rig"
	"sluice/statestore"
)

// typedValues are values of a type that are easily lost on the way, all different from one another.
type typedValues struct {
	sourceType string
	values     []any
}

func everyType() []typedValues {
	nines := strings.Repeat("9", 38)
	return []typedValues{
		{"tinyint", []any{math.MinInt8, 0, math.MaxInt8}},
		{"smallint", []any{math.MinInt16, -1, math.MaxInt16}},
		{"int", []any{math.MinInt32, 0, math.MaxInt32}},
		{"bigint", []any{math.MinInt64, 1 << 53, 1<<53 + 1, math.MaxInt64}},
		{"tinyint unsigned", []any{0, 128, math.MaxUint8}},
		{"smallint unsigned", []any{0, 1 << 15, math.MaxUint16}},
		{"int unsigned", []any{0, 1 << 31, math.MaxUint32}},
		{"bigint unsigned", []any{uint64(0), uint64(math.MaxInt64), uint64(1) << 63, uint64(math.MaxUint64)}},
		{"numeric(38,0)", []any{"-" + nines, "0", nines}},
		{"numeric(38,38)", []any{"-0." + nines, "0", "0." + strings.Repeat("0", 37) + "1"}},
		{"numeric(15,2)", []any{"-9999999999999.99", "0.01", "9999999999999.99"}},
		{"numeric(9,4) int32", []any{"-99999.9999", "0.0001", "99999.9999"}},
		{"numeric(18,6) int64", []any{"-999999999999.999999", "0.000001", "999999999999.999999"}},
		{"numeric(38,4) bytes", []any{"-1.28", "1.28", "-" + nines[4:] + ".9999", "0"}},
		{"real", []any{float32(math.Inf(-1)), math.Float32frombits(1), float32(math.MaxFloat32), float32(math.Inf(1)), math.Float32frombits(0x7fc00001), float32(math.Copysign(0, -1))}},
		{"double", []any{math.Inf(-1), math.SmallestNonzeroFloat64, math.MaxFloat64, math.Inf(1), math.NaN(), math.Copysign(0, -1)}},
		{"text", []any{"", "NULL", "\x00", "é\r\n,\"'", "\xff\xfe", "é", strings.Repeat("long ", 3000), "padded   "}},
		{"bytea", []any{[]byte{}, []byte{0}, allBytes(), []byte("text")}},
		{"date", []any{dmsgen.Days(-719162), "1969-12-31", "1970-01-01", "9999-12-31"}},
		{"time", []any{"00:00:00", "12:34:56.789", "23:59:59.999"}},
		{"timestamp", []any{"0001-01-01 00:00:00", "1677-09-21 00:12:43.145", "1969-12-31 23:59:59.999", "2262-04-11 23:47:16.855", "9999-12-31 23:59:59.999"}},
		{"boolean", []any{false, true}},
	}
}

func allBytes() []byte {
	b := make([]byte, 256)
	for i := range b {
		b[i] = byte(i)
	}
	return b
}

// typedTable has a column of every type behind its key. Row n has the n-th value of each; behind the last one comes NULL.
func typedTable() dmsgen.Table {
	t := dmsgen.Table{Schema: "store", Name: "t", Key: []string{"id"}, Columns: []dmsgen.Column{{Name: "id", Type: "int"}, {Name: "dept", Type: "text"}}}
	for n, c := range everyType() {
		t.Columns = append(t.Columns, dmsgen.Column{Name: fmt.Sprintf("c%02d", n), Type: c.sourceType})
	}
	return t
}

func typedRow(id, n int) []any {
	row := []any{id, fmt.Sprint("d", id%3)}
	for _, c := range everyType() {
		if at := n % (len(c.values) + 1); at < len(c.values) {
			row = append(row, c.values[at])
		} else {
			row = append(row, nil)
		}
	}
	return row
}

// exactFile is a file as testdata/exact.py prints it.
type exactFile struct {
	Types map[string]string    `json:"types"`
	Rows  []map[string]*string `json:"rows"`
}

// exactly reads files by pyarrow, bit by bit.
func exactly(t testing.TB, paths []string) map[string]exactFile {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), rig.Python(t), append([]string{"-E", "-B", "testdata/exact.py"}, paths...)...)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatal("pyarrow:", err)
	}
	var files map[string]exactFile
	if err := json.Unmarshal(out, &files); err != nil {
		t.Fatal("pyarrow:", err)
	}
	return files
}

// typedWorld is a world whose store.t is to hold, bit by bit, what its inputs say.
type typedWorld struct {
	*world
	name      string
	key       []string
	partition string
	inputs    []string // keys, in their order
}

// paths are all files that have to be read to judge it.
func (w *typedWorld) paths() []string {
	var paths []string
	for _, key := range w.inputs {
		paths = append(paths, filepath.Join(w.root, "raw", key))
	}
	for _, key := range w.files(storyFolder) {
		paths = append(paths, filepath.Join(w.root, "lake", key))
	}
	return paths
}

// judge folds the inputs, as pyarrow reads them, in the plainest way, and compares the lake, as pyarrow reads it.
func (w *typedWorld) judge(t *testing.T, files map[string]exactFile) {
	t.Helper()
	want, got, types := map[string]string{}, map[string]string{}, map[string]string{}
	line := func(row map[string]*string) string {
		var cells []string
		for _, name := range slices.Sorted(maps.Keys(row)) {
			if v := row[name]; name != "Op" && name != w.partition {
				if v == nil {
					cells = append(cells, name+" NULL")
				} else {
					cells = append(cells, name+" "+*v)
				}
			}
		}
		return strings.Join(cells, "\n")
	}
	keyOf := func(row map[string]*string) string {
		var parts []string
		for _, name := range w.key {
			if row[name] != nil {
				parts = append(parts, *row[name])
			}
		}
		return strings.Join(parts, "|")
	}
	for _, input := range w.inputs {
		file := files[filepath.Join(w.root, "raw", input)]
		maps.Copy(types, file.Types)
		for _, row := range file.Rows {
			if op := row["Op"]; op != nil && *op == "44" {
				delete(want, keyOf(row))
			} else {
				want[keyOf(row)] = line(row)
			}
		}
	}
	for _, key := range w.files(storyFolder) {
		file := files[filepath.Join(w.root, "lake", key)]
		for name, is := range file.Types {
			if is != types[name] && name != "Op" {
				t.Errorf("%s: column %s is %s in the lake, %s in raw", w.name, name, is, types[name])
			}
		}
		for _, row := range file.Rows {
			if _, twice := got[keyOf(row)]; twice {
				t.Errorf("%s: key %s is twice in the lake", w.name, keyOf(row))
			}
			got[keyOf(row)] = line(row)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" || len(want) == 0 {
		t.Errorf("%s: %d rows (-raw +lake):\n%s", w.name, len(want), diff)
	}
}

func newTypedWorld(t *testing.T, name string, key []string, partition string) *typedWorld {
	t.Helper()
	return &typedWorld{world: newWorld(t), name: name, key: key, partition: partition}
}

// play loads rows of a table and merges changes, each from a file of the settings.
func (w *typedWorld) play(table dmsgen.Table, s dmsgen.Settings, load [][]any, changes ...dmsgen.Change) {
	w.t.Helper()
	keys, err := w.writer(s).WriteLoad(w.t.Context(), table, w.now(), load...)
	if err != nil {
		w.t.Fatal(w.name, err)
	}
	w.inputs = keys
	w.run(storyTable, replicate.Registered)
	w.activate(storyTable, strings.Join(w.key, ","), w.partition)
	w.run(storyTable, replicate.Loaded)
	for _, c := range changes {
		w.pass(time.Minute)
		keys, err := w.writer(s).WriteBatches(w.t.Context(), table, w.now(), []dmsgen.Change{c})
		if err != nil {
			w.t.Fatal(w.name, err)
		}
		w.inputs = append(w.inputs, keys...)
	}
	w.run(storyTable, replicate.Merged)
}

// TestTypesAreExact: every type of DMS, by every way into the lake: columns copied with a load, rows written with
// one, and rows that an update or an insert brings beside those that stay.
func TestTypesAreExact(t *testing.T) {
	var worlds []*typedWorld
	table := typedTable()
	for name, edit := range map[string]func(s *dmsgen.Settings){
		"plain":                  func(*dmsgen.Settings) {},
		"dictionaries, V2, gzip": func(s *dmsgen.Settings) { s.Encoding, s.PageV2, s.Compression = "rle-dictionary", true, "gzip" },
		"plain dictionaries":     func(s *dmsgen.Settings) { s.Encoding, s.NoStatistics = "plain-dictionary", true },
		"plain, V2":              func(s *dmsgen.Settings) { s.Encoding, s.PageV2, s.PageBytes = "plain", true, 64 },
		"milliseconds, op":       func(s *dmsgen.Settings) { s.Milliseconds, s.OpInLoad, s.RowsPerRowGroup = true, true, 3 },
	} {
		s := dmsgen.DefaultSettings()
		edit(&s)
		for partition, how := range map[string]string{"": "", "dept": ", partitioned"} {
			w := newTypedWorld(t, name+how, table.Key, partition)
			var load [][]any
			var changes []dmsgen.Change
			for id := range 16 {
				load = append(load, typedRow(id, id))
			}
			for id := range 8 {
				changes = append(changes, update(typedRow(2*id, 2*id+5)...), insert(typedRow(16+id, id)...))
			}
			w.play(table, s, load, append(changes, remove(typedRow(1, 1)...), remove(typedRow(22, 6)...))...)
			worlds = append(worlds, w)
		}
	}
	judgeAll(t, worlds)
}

// judgeAll reads all files at once: a Python takes long to begin.
func judgeAll(t *testing.T, worlds []*typedWorld) {
	t.Helper()
	var paths []string
	for _, w := range worlds {
		paths = append(paths, w.paths()...)
	}
	files := exactly(t, paths)
	for _, w := range worlds {
		w.judge(t, files)
	}
}

// TestTypesAsKeys: a column of every type names the rows, alone and with another one.
func TestTypesAsKeys(t *testing.T) {
	var worlds []*typedWorld
	for _, c := range everyType() {
		for _, key := range [][]string{{"k"}, {"k", "n"}} {
			table := dmsgen.Table{
				Schema: "store", Name: "t", Key: key,
				Columns: []dmsgen.Column{{Name: "k", Type: c.sourceType}, {Name: "n", Type: "int"}, {Name: "v", Type: "text"}},
			}
			s := dmsgen.DefaultSettings()
			w := newTypedWorld(t, fmt.Sprint(c.sourceType, " as key ", key), key, "")
			last := len(c.values) - 1
			var load [][]any
			for i, v := range c.values[:last] {
				load = append(load, []any{v, i, "loaded"})
			}
			w.play(table, s, load, insert(c.values[last], last, "inserted"), update(c.values[0], 0, "updated"), insert(c.values[last], last, "again"), remove(c.values[1], 1, nil))
			worlds = append(worlds, w)
		}
	}
	judgeAll(t, worlds)
}

// TestTypesOfOtherWriters: types and encodings that DMS does not use, but Debezium's sinks and others do.
func TestTypesOfOtherWriters(t *testing.T) {
	var worlds []*typedWorld
	for _, encodings := range []string{"plain", "dictionary", "delta"} {
		for _, partition := range []string{"", "i8"} {
			w := newTypedWorld(t, encodings+" "+partition, []string{"id"}, partition)
			dir := filepath.Join(w.root, "raw", "store", "t")
			if err := os.MkdirAll(dir, 0o755); err != nil {
				t.Fatal(err)
			}
			for _, name := range []string{"LOAD00000001.parquet", "20260314-130000000.parquet"} {
				w.inputs = append(w.inputs, "store/t/"+name)
			}
			later := filepath.Join(w.root, "later.parquet")
			cmd := exec.CommandContext(t.Context(), rig.Python(t), "-E", "-B", "testdata/write.py", filepath.Join(w.root, "raw", w.inputs[0]), later, encodings)
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Fatalf("pyarrow: %v\n%s", err, out)
			}
			w.date(filepath.Join(w.root, "raw", w.inputs[0]))
			w.run(storyTable, replicate.Registered)
			w.activate(storyTable, "id", partition)
			w.run(storyTable, replicate.Loaded)
			w.pass(time.Hour)
			if err := os.Rename(later, filepath.Join(w.root, "raw", w.inputs[1])); err != nil {
				t.Fatal(err)
			}
			w.date(filepath.Join(w.root, "raw", w.inputs[1]))
			w.run(storyTable, replicate.Merged)
			worlds = append(worlds, w)
		}
	}
	judgeAll(t, worlds)
}

// TestTypesAsDuckDBReadsThem holds some values against what is written here: neither the generator nor the engine may have lost them.
func TestTypesAsDuckDBReadsThem(t *testing.T) {
	table := dmsgen.Table{Schema: "store", Name: "t", Key: []string{"id"}, Columns: []dmsgen.Column{
		{Name: "id", Type: "int"},
		{Name: "u", Type: "bigint unsigned"},
		{Name: "d", Type: "numeric(38,4) bytes"},
		{Name: "f", Type: "numeric(38,38)"},
		{Name: "g", Type: "double"},
		{Name: "day", Type: "date"},
		{Name: "at", Type: "timestamp"},
		{Name: "hour", Type: "time"},
		{Name: "s", Type: "text"},
		{Name: "b", Type: "bytea"},
	}}
	digits := "1234567890123456789012345678901234.5678"
	low := []any{1, uint64(0), "-" + digits, "-0." + strings.Repeat("9", 38), math.Copysign(0, -1), "0001-01-01", "0001-01-01 00:00:00", "00:00:00", "", []byte{}}
	high := []any{2, uint64(math.MaxUint64), digits, "0." + strings.Repeat("0", 37) + "1", math.NaN(), "9999-12-31", "9999-12-31 23:59:59.999999", "23:59:59.999", "NULL", []byte{0, 255}}
	none := []any{3, nil, nil, nil, nil, nil, nil, nil, nil, nil}
	as := func(id int, row []any) []any { return append([]any{id}, row[1:]...) }
	w := newTypedWorld(t, "duckdb", table.Key, "")
	w.play(table, dmsgen.DefaultSettings(), [][]any{low, high, none}, update(as(1, high)...), update(as(2, none)...), insert(as(4, low)...), insert(as(5, high)...), remove(3, nil, nil, nil, nil, nil, nil, nil, nil, nil))
	highs := " 18446744073709551615 " + digits + " 0." + strings.Repeat("0", 37) + "1 nan 9999-12-31 9999-12-31 23:59:59.999999 23:59:59.999000 NULL 00ff"
	w.wantRows(`id, u, d, f, g::varchar, day, "at", hour, s, b`,
		"1"+highs, "2 NULL NULL NULL NULL NULL NULL NULL NULL NULL",
		"4 0 -"+digits+" -0."+strings.Repeat("9", 38)+" -0.0 0001-01-01 0001-01-01 00:00:00.000000 00:00:00.000000  ", "5"+highs)
	w.wantRows("id, s is null, s = '', u is null", "1 false false false", "2 true NULL true", "4 false true false", "5 false false false")
}

// TestTypesAsPartitions: what a value's directory is named (ruling 19), and that a change finds its row again.
func TestTypesAsPartitions(t *testing.T) {
	for name, c := range map[string]struct {
		sourceType string
		values     map[string]any // by directory
	}{
		"UINT64":    {"bigint unsigned", map[string]any{"p=18446744073709551615": uint64(math.MaxUint64), "p=9223372036854775808": uint64(1) << 63, "p=0": 0}},
		"INT8":      {"tinyint", map[string]any{"p=-128": math.MinInt8, "p=127": math.MaxInt8}},
		"UINT32":    {"int unsigned", map[string]any{"p=4294967295": math.MaxUint32}},
		"DECIMAL":   {"numeric(38,4) bytes", map[string]any{"p=-0.0100": "-0.01", "p=1234567890123456789012345678901234.5678": "1234567890123456789012345678901234.5678"}},
		"INT32 dec": {"numeric(9,4) int32", map[string]any{"p=-99999.9999": "-99999.9999", "p=0.0000": "0"}},
		"DATE":      {"date", map[string]any{"p=0001-01-01": "0001-01-01", "p=1969-12-31": "1969-12-31", "p=9999-12-31": "9999-12-31"}},
		"TIMESTAMP": {"timestamp", map[string]any{"p=0001-01-01 00%3A00%3A00": "0001-01-01 00:00:00", "p=9999-12-31 23%3A59%3A59.999999": "9999-12-31 23:59:59.999999"}},
		"TIME":      {"time", map[string]any{"p=00%3A00%3A00": "00:00:00", "p=23%3A59%3A59.999": "23:59:59.999"}},
		"text":      {"text", map[string]any{"p=__HIVE_DEFAULT_PARTITION__": "", "p=a%2Fb%3Dc": "a/b=c", "p=é x": "é x", "p=NULL": "NULL"}},
		"BOOLEAN":   {"boolean", map[string]any{"p=true": true, "p=false": false}},
	} {
		for _, key := range [][]string{{"id"}, {"id", "p"}} {
			t.Run(fmt.Sprint(name, " of key ", key), func(t *testing.T) {
				table := dmsgen.Table{Schema: "store", Name: "t", Key: key, Columns: []dmsgen.Column{{Name: "id", Type: "int"}, {Name: "p", Type: c.sourceType}, {Name: "v", Type: "text"}}}
				w := newTypedWorld(t, name, table.Key, "p")
				var load [][]any
				var changes []dmsgen.Change
				var want []string
				for dir, v := range c.values {
					id := len(load)
					load = append(load, []any{id, v, "loaded"}, []any{200 + id, v, "loaded"})
					changes = append(changes, update(id, v, "updated"), insert(100+id, v, "inserted"), remove(200+id, v, nil))
					want = append(want, fmt.Sprintf("t/%s/ %d updated", dir, id), fmt.Sprintf("t/%s/ %d inserted", dir, 100+id))
				}
				w.play(table, dmsgen.DefaultSettings(), load, changes...)
				got := w.rows(storyFolder, fmt.Sprintf("regexp_extract(filename, '^%s/lake/(.*/)', 1), id, v", w.root))
				slices.Sort(want)
				slices.Sort(got)
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("-want +got:\n%s", diff)
				}
			})
		}
	}
}

// TestTypesThatNameNoDirectory halt before anything is committed, and not in the middle of a commit for ever.
func TestTypesThatNameNoDirectory(t *testing.T) {
	table := dmsgen.Table{Schema: "store", Name: "t", Key: []string{"id"}, Columns: []dmsgen.Column{{Name: "id", Type: "int"}, {Name: "p", Type: "text"}}}
	for name, value := range map[string]string{"no UTF-8": "\xff\xfe", "zero": "a\x00b", "too long": strings.Repeat("x", 1000)} {
		t.Run(name, func(t *testing.T) {
			w := newTypedWorld(t, name, table.Key, "p")
			w.play(table, dmsgen.DefaultSettings(), [][]any{{1, "fine"}}, insert(2, "too"))
			w.pass(time.Minute)
			if _, err := w.writer(dmsgen.DefaultSettings()).WriteBatches(t.Context(), table, w.now(), []dmsgen.Change{update(1, value)}); err != nil {
				t.Fatal(err)
			}
			got := w.wantHalt("partition", "p", "PartitionKey")
			if strings.Contains(got.Reason, value) || w.item(storyPath)[statestore.CommitID] != "" {
				t.Errorf("%s; pending %q", got.Reason, w.item(storyPath)[statestore.CommitID])
			}
			w.wantRows("id, p", "1 fine", "2 too")
			w = newTypedWorld(t, name, table.Key, "p")
			if _, err := w.writer(dmsgen.DefaultSettings()).WriteLoad(t.Context(), table, w.now(), []any{1, value}); err != nil {
				t.Fatal(err)
			}
			w.run(storyTable, replicate.Registered)
			w.activate(storyTable, "id", "p")
			w.wantHalt("partition", "p")
		})
	}
}
