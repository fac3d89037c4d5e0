package replicate_test

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sluice/internal/lake"
	"sluice/internal/replicate"
	"sluice/scripts/rig"
	"sluice/statestore"
)

// dirs returns the partition directories of store.t's files with rows or without, sorted.
func (w *world) dirs() []string {
	var dirs []string
	for _, file := range w.files(storyFolder) {
		dir := strings.TrimPrefix(file[:strings.LastIndexByte(file, '/')+1], "t/")
		dirs = append(dirs, dir)
	}
	slices.Sort(dirs)
	return slices.Compact(dirs)
}

func TestRuling19_DirectoryNames(t *testing.T) {
	tests := map[string]struct {
		value, dir, read string
	}{
		"NULL":             {"null::varchar", "p=__HIVE_DEFAULT_PARTITION__/", "NULL"},
		"empty text":       {"''", "p=__HIVE_DEFAULT_PARTITION__/", "NULL"},
		"NULL integer":     {"null::int", "p=__HIVE_DEFAULT_PARTITION__/", "NULL"},
		"slash and equals": {"'a/b=c'", "p=a%2Fb%3Dc/", "a/b=c"},
		"space stays":      {"'New York'", "p=New York/", "New York"},
		"unicode stays":    {"'Zürich'", "p=Zürich/", "Zürich"},
		"percent":          {"'50%'", "p=50%25/", "50%"},
		"upper-case hex":   {"'a:b*c?'", "p=a%3Ab%2Ac%3F/", "a:b*c?"},
		"date":             {"date '2026-03-04'", "p=2026-03-04/", "2026-03-04"},
		"timestamp":        {"timestamp '2026-03-04 05:06:07'", "p=2026-03-04 05%3A06%3A07/", "2026-03-04 05:06:07"},
		"fraction":         {"timestamp '2026-03-04 05:06:07.120000'", "p=2026-03-04 05%3A06%3A07.12/", "2026-03-04 05:06:07.12"},
		"decimal":          {"12.50::decimal(10,2)", "p=12.50/", "12.50"},
		"negative decimal": {"-0.05::decimal(10,2)", "p=-0.05/", "-0.05"},
		"integer":          {"-7::bigint", "p=-7/", "-7"},
		"boolean":          {"true", "p=true/", ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.begin("id", "p", "select 1 as id, "+tt.value+" as p, 'a' as name")
			if diff := cmp.Diff([]string{tt.dir}, w.dirs()); diff != "" {
				t.Errorf("load: directories (-want +got):\n%s", diff)
			}
			if tt.read != "" {
				w.wantRows("id, p, name", "1 "+tt.read+" a")
			}
			w.changeOf(`select 'U' as "Op", 1 as id, ` + tt.value + ` as p, 'A' as name union all select 'I', 2, ` + tt.value + `, 'b'`)
			got := w.run(storyTable, replicate.Merged)
			if got.Updates != 1 || got.Inserts != 1 || got.FilesCreated != 0 {
				t.Errorf("merge: %+v %+v", got.Counts, got.Traffic)
			}
			if diff := cmp.Diff([]string{tt.dir}, w.dirs()); diff != "" {
				t.Errorf("merge: directories (-want +got):\n%s", diff)
			}
			w.wantRows("id, name", "1 A", "2 b")
		})
	}
}

func TestRuling19_ColumnNamesAreEscapedToo(t *testing.T) {
	w := newWorld(t)
	w.begin("id", "a=b", `select 1 as id, 'x' as "a=b"`)
	w.changeOf(`select 'U' as "Op", 1 as id, 'y' as "a=b"`)
	w.run(storyTable, replicate.Merged)
	if diff := cmp.Diff([]string{"a%3Db=x/", "a%3Db=y/"}, w.dirs()); diff != "" {
		t.Errorf("directories (-want +got):\n%s", diff)
	}
	w.wantRows("id", "1")
}

func TestRuling19_ActivateRefusesTypesThatNameNoDirectory(t *testing.T) {
	for name, value := range map[string]string{"float": "1.5::float", "double": "1.5::double", "binary": "'a'::blob"} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.loadOf(1, "select 1 as id, "+value+" as p")
			w.run(storyTable, replicate.Registered)
			key, partition := "id", "p"
			_, err := w.engine().Activate(t.Context(), storyTable, replicate.Activation{PrimaryKey: &key, PartitionKey: &partition})
			if !errors.Is(err, replicate.ErrUsage) || !errors.Is(err, lake.ErrPartitionType) {
				t.Errorf("activate: %v", err)
			}
			w.set(storyPath, map[string]string{"PrimaryKey": key, "PartitionKey": partition, "ActiveFlag": "true"})
			w.wantHalt("partition")
		})
	}
}

func TestRuling19_RowsThatMove(t *testing.T) {
	load := []string{rowsOf("id, p, name", "1, 'x', 'a'", "2, 'x', 'b'", "3, 'y', 'c'")}
	tests := map[string]story{
		"to a partition that is there": {
			key: "id", partition: "p", loads: load, changes: []string{rowsOf(`"Op", id, p, name`, "'U', 1, 'y', 'A'")},
			columns: "id, p, name", want: []string{"1 y A", "2 x b", "3 y c"},
		},
		"to a new one": {
			key: "id", partition: "p", loads: load, changes: []string{rowsOf(`"Op", id, p, name`, "'U', 1, 'z', 'A'")},
			columns: "id, p, name", want: []string{"1 z A", "2 x b", "3 y c"},
		},
		"to NULL, for the file lacks the column": {
			key: "id", partition: "p", loads: load, changes: []string{rowsOf(`"Op", id, name`, "'U', 1, 'A'")},
			columns: "id, p, name", want: []string{"1 NULL A", "2 x b", "3 y c"},
		},
		"and back in one batch": {
			key: "id", partition: "p", loads: load, columns: "id, p, name", want: []string{"1 x A", "2 x b", "3 y c"},
			changes: []string{rowsOf(`"Op", id, p, name`, "'U', 1, 'y', 'A'"), rowsOf(`"Op", id, p, name`, "'U', 1, 'x', 'A'")},
		},
		"a delete that lacks the partition column": {
			key: "id", partition: "p", loads: load, changes: []string{rowsOf(`"Op", id`, "'D', 3")},
			columns: "id, p, name", want: []string{"1 x a", "2 x b"},
		},
		"a delete whose partition column is NULL": {
			key: "id", partition: "p", loads: load, changes: []string{rowsOf(`"Op", id, p, name`, "'D', 3, NULL::varchar, NULL::varchar")},
			columns: "id, p, name", want: []string{"1 x a", "2 x b"},
		},
		"a delete that names another partition": {
			key: "id", partition: "p", loads: load, changes: []string{rowsOf(`"Op", id, p, name`, "'D', 3, 'x', 'c'")},
			columns: "id, p, name", want: []string{"1 x a", "2 x b"},
		},
		"two rows change places": {
			key: "id", partition: "p", loads: load, changes: []string{rowsOf(`"Op", id, p, name`, "'U', 1, 'y', 'a'", "'U', 3, 'x', 'c'")},
			columns: "id, p, name", want: []string{"1 y a", "2 x b", "3 x c"},
		},
		"a key update that moves": {
			key: "id", partition: "p", loads: load, changes: []string{rowsOf(`"Op", id, p, name, "BI_id"`, "'U', 9, 'y', 'A', 1")},
			columns: "id, p, name", want: []string{"2 x b", "3 y c", "9 y A"},
		},
		"in several partition columns": {
			key: "id", partition: "p,name", loads: load, changes: []string{rowsOf(`"Op", id, p, name`, "'U', 1, 'x', 'b'", "'D', 3, 'y', 'c'")},
			columns: "id, p, name", want: []string{"1 x b", "2 x b"},
		},
	}
	for name, s := range tests {
		t.Run(name, func(t *testing.T) { s.play(t) })
	}
}

func TestRuling19_AnEmptiedPartitionTakesRowsAgain(t *testing.T) {
	s := story{
		key: "id", partition: "p", loads: []string{rowsOf("id, p", "1, 'x'", "2, 'y'")},
		changes: []string{rowsOf(`"Op", id, p`, "'D', 2, 'y'")}, columns: "id, p", want: []string{"1 x"},
	}
	w, got := s.play(t)
	if got.FilesEmptied != 1 {
		t.Errorf("files emptied: %d", got.FilesEmptied)
	}
	w.changeOf(rowsOf(`"Op", id, p`, "'I', 2, 'y'"))
	w.run(storyTable, replicate.Merged)
	w.wantRows("id, p", "1 x", "2 y")
}

func TestRuling20_ThePartitionColumnIsPartOfTheKey(t *testing.T) {
	tests := map[string]struct{ x, y string }{
		"text":           {"'x'", "'y'"},
		"digits as text": {"'01'", "'1'"},
		"integer":        {"1", "2"},
		"date":           {"date '2026-01-02'", "date '2026-01-03'"},
		"timestamp":      {"timestamp '2026-01-02 00:00:00.5'", "timestamp '2026-01-02 00:00:00.25'"},
		"decimal":        {"1.50::decimal(10,2)", "-1.50::decimal(10,2)"},
		"empty text":     {"''", "'y'"},
	}
	for name, tt := range tests {
		for _, key := range []string{"p,id", "id,p"} {
			t.Run(name+" in "+key, func(t *testing.T) {
				w := newWorld(t)
				w.begin(key, "p", rowsOf("id, p, v", "1, "+tt.x+", 'a'", "1, "+tt.y+", 'b'", "2, "+tt.x+", 'c'"))
				w.changeOf(rowsOf(`"Op", id, p, v`, "'U', 1, "+tt.x+", 'A'", "'D', 2, "+tt.x+", 'c'", "'I', 2, "+tt.y+", 'd'"))
				got := w.run(storyTable, replicate.Merged)
				if got.Updates != 1 || got.Deletes != 1 || got.Inserts != 1 {
					t.Errorf("counts: %+v", got.Counts)
				}
				w.wantRows("id, v", "1 A", "1 b", "2 d")
			})
		}
	}
}

func TestRuling20_AdoptedLakesTakeTheTypeFromTheInputs(t *testing.T) {
	w := newWorld(t)
	w.loadOf(1, rowsOf("id, day, v", "1, date '2026-01-02', 'a'", "1, date '2026-01-03', 'b'"))
	w.run(storyTable, replicate.Registered)
	w.write("lake", "t/day=2026-01-02/part-0.parquet", rowsOf("id, v", "1, 'a'"))
	w.write("lake", "t/day=2026-01-03/part-0.parquet", rowsOf("id, v", "1, 'b'"))
	w.set(storyPath, map[string]string{statestore.LastFullLoadDate: w.now().Format("2006-01-02 15:04:05")})
	w.activate(storyTable, "day,id", "day")
	w.run(storyTable, replicate.Idle)
	w.changeOf(rowsOf(`"Op", id, day, v`, "'U', 1, date '2026-01-02', 'A'", "'D', 1, date '2026-01-03', 'b'", "'I', 2, date '2026-01-03', 'c'"))
	got := w.run(storyTable, replicate.Merged)
	if got.Updates != 1 || got.Deletes != 1 || got.Inserts != 1 {
		t.Errorf("counts: %+v", got.Counts)
	}
	w.wantRows("id, day, v", "1 2026-01-02 A", "2 2026-01-03 c")
}

func TestRuling20_AnAdoptedDirectoryThatIsNoValueHalts(t *testing.T) {
	w := newWorld(t)
	w.loadOf(1, rowsOf("id, day, v", "1, date '2026-01-02', 'a'"))
	w.run(storyTable, replicate.Registered)
	w.write("lake", "t/day=yesterday/part-0.parquet", rowsOf("id, v", "1, 'a'"))
	w.set(storyPath, map[string]string{statestore.LastFullLoadDate: w.now().Format("2006-01-02 15:04:05")})
	w.activate(storyTable, "id", "day")
	w.run(storyTable, replicate.Idle)
	w.changeOf(rowsOf(`"Op", id, day, v`, "'U', 1, date '2026-01-02', 'A'"))
	w.wantHalt("partition", "yesterday")
}

// wantLive reads the files with rows alone: until the janitor takes them, the
// emptied files of the old partitions lie beside the new ones, and DuckDB refuses a mixture.
func (w *world) wantLive(columns string, want ...string) {
	w.t.Helper()
	var live []string
	for _, file := range w.files(storyFolder) {
		path := "'" + filepath.Join(w.root, "lake", file) + "'"
		if rows := rig.DuckDB(w.t).Query("select num_rows from parquet_file_metadata(" + path + ")"); rows[0][0] != int64(0) {
			live = append(live, path)
		}
	}
	var got []string
	sql := fmt.Sprintf("select %s from read_parquet([%s], hive_partitioning=true, union_by_name=true) order by all", columns, strings.Join(live, ", "))
	for _, row := range rig.DuckDB(w.t).Strings(sql) {
		got = append(got, strings.ReplaceAll(row, "|", " "))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		w.t.Errorf("live rows (-want +got):\n%s", diff)
	}
}

func TestRepartitionedTable(t *testing.T) {
	load := rowsOf("id, p, q", "1, 'x', 10", "2, 'y', 20", "3, NULL, 10")
	for name, change := range map[string][2]string{"other column": {"p", "q"}, "none to one": {"", "p"}, "one to none": {"p", ""}, "order": {"p,q", "q,p"}} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.begin("id", change[0], load)
			w.activate(storyTable, "id", change[1])
			w.changeOf(rowsOf(`"Op", id, p, q`, "'U', 1, 'y', 20", "'I', 4, 'x', 20"))
			before := w.rows(storyFolder, "id, p, q")
			w.wantHalt("partition", "--accept reload")
			w.wantHalt("partition")
			if diff := cmp.Diff(before, w.rows(storyFolder, "id, p, q")); diff != "" {
				t.Errorf("a halt changed the lake:\n%s", diff)
			}
			w.acknowledge("")
			w.wantHalt("partition")
			w.acknowledge("reload")
			w.run(storyTable, replicate.Merged)
			w.wantLive("id, p, q::int", "1 y 20", "2 y 20", "3 NULL 10", "4 x 20")
			w.changeOf(rowsOf(`"Op", id, p, q`, "'D', 2, NULL::varchar, NULL::int"))
			w.run(storyTable, replicate.Merged)
			w.wantLive("id, p, q::int", "1 y 20", "3 NULL 10", "4 x 20")
		})
	}
}

func TestRepartitionedTableSetBack(t *testing.T) {
	w := newWorld(t)
	w.begin("id", "p", rowsOf("id, p", "1, 'x'"))
	w.activate(storyTable, "id", "")
	w.changeOf(rowsOf(`"Op", id, p`, "'I', 2, 'y'"))
	w.wantHalt("partition")
	w.activate(storyTable, "id", "p")
	w.acknowledge("")
	w.run(storyTable, replicate.Merged)
	w.wantRows("id, p", "1 x", "2 y")
}

func TestRekeyedTable(t *testing.T) {
	w := newWorld(t)
	w.begin("id", "", rowsOf("id, code, v", "1, 'a', 10", "2, 'b', 20"))
	w.changeOf(rowsOf(`"Op", id, code, v`, "'U', 1, 'a', 11"))
	w.run(storyTable, replicate.Merged)
	w.activate(storyTable, "code", "")
	w.changeOf(rowsOf(`"Op", id, code, v`, "'U', 7, 'a', 12", "'I', 1, 'c', 30"))
	got := w.run(storyTable, replicate.Merged)
	if got.Updates != 1 || got.Inserts != 1 {
		t.Errorf("counts: %+v", got.Counts)
	}
	w.wantRows("id, code, v", "1 c 30", "2 b 20", "7 a 12")
	w.activate(storyTable, "id,code", "")
	w.changeOf(rowsOf(`"Op", id, code, v`, "'D', 2, 'b', 20", "'I', 2, 'z', 40"))
	w.run(storyTable, replicate.Merged)
	w.wantRows("id, code, v", "1 c 30", "2 z 40", "7 a 12")
	w.activate(storyTable, "", "")
	w.changeOf(rowsOf(`"Op", id, code, v`, "'I', 2, 'z', 40", "'D', 1, 'c', 30"))
	got = w.run(storyTable, replicate.Merged)
	if got.Inserts != 1 || got.Anomalies != 1 {
		t.Errorf("key-less counts: %+v", got.Counts)
	}
	w.wantRows("id, code, v", "1 c 30", "2 z 40", "2 z 40", "7 a 12")
}
