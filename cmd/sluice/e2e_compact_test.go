package main_test

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sluice/scripts/dmsgen"
	"sluice/scripts/rig"
)

//go:embed testdata/scatter.py
var scatter string

// sold is a table that is partitioned by shelf.
func sold() dmsgen.Table {
	return dmsgen.Table{Schema: "shop", Name: "sold", Key: []string{"id"}, Columns: []dmsgen.Column{
		{Name: "id", Type: "bigint"}, {Name: "page", Type: "text"}, {Name: "shelf", Type: "int"},
	}}
}

// adopted returns a site whose lake was made by others, as scatter.py says: hundreds of small files in partitions, of several
// writers, types and columns. The table was taken over, and a change merged that wrote the index.
func adopted(t *testing.T, key string) *site {
	t.Helper()
	s := onDisk(t)
	s.load(sold(), 0, []any{1, "a", 1})
	dir := filepath.Join(s.lake, "sold")
	python := exec.CommandContext(t.Context(), rig.Python(t), "-I", "-c", scatter, dir)
	if said, err := python.CombinedOutput(); err != nil {
		t.Fatalf("scatter.py: %v\n%s", err, said)
	}
	item, err := json.Marshal(map[string]string{
		"path": "raw/shop/sold/", "bucket": "raw", "prefix": "shop/", "folder": "sold/", "PrimaryKey": key, "PartitionKey": "shelf",
		"LastFullLoadDate": time.Now().UTC().Format(time.DateTime), "LastIncrementalFile": "raw/shop/sold/0.parquet", "ActiveFlag": "true", "out_path": "lake/",
	})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "sample.jsonl")
	if err := os.WriteFile(file, item, 0o600); err != nil {
		t.Fatal(err)
	}
	s.well("control", "import", file)
	s.tick("idle")
	return s
}

// asRead are the rows of the lake as DuckDB reads them by name.
func (s *site) asRead() string {
	return fmt.Sprintf("read_parquet('%s', hive_partitioning=true, hive_types_autocast=false, union_by_name=true)", s.glob("sold"))
}

// layout says how the rows lie: files with rows, and the rows of the largest and smallest row groups.
func (s *site) layout() (files int, groups string) {
	s.t.Helper()
	duck := rig.DuckDB(s.t)
	sql := fmt.Sprintf("select count(distinct file_name), max(row_group_num_rows) || ' to ' || min(row_group_num_rows) from parquet_metadata('%s') where row_group_num_rows > 0", s.glob("sold"))
	row := duck.Query(sql)[0]
	files64, _ := row[0].(int64)
	return int(files64), fmt.Sprint(row[1])
}

// TestE2E_CompactsALakeOfOthers compacts a lake in bad shape; DuckDB finds the same rows, types and order in it.
func TestE2E_CompactsALakeOfOthers(t *testing.T) {
	for name, key := range map[string]string{"by key": "id", "without a key": "null"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := adopted(t, key)
			duck := rig.DuckDB(t)
			duck.Query("set enable_progress_bar = false")
			duck.Query("create table before as from " + s.asRead())
			types := func() [][]any {
				return duck.Query("select column_name, column_type from (describe from " + s.asRead() + ") order by all")
			}
			columns := types()
			files, groups := s.layout()
			before := s.everything()
			s.wants(0, []string{"compact", "shop.sold", "--target-file-bytes", "1MiB", "--dry-run"}, "compacted", "to lie in")
			if diff := cmp.Diff(before, s.everything()); diff != "" {
				t.Errorf("a dry run wrote:\n%s", diff)
			}
			got := s.lines(s.well("compact", "shop.sold", "--target-file-bytes", "1MiB", "--json"))["shop.sold"]
			if got.text("action") != "compacted" || got.number("inserts") != 0 || got.number("files_emptied") < 250 {
				t.Errorf("compact: %v", got)
			}
			s.sameRows(duck, "before")
			if diff := cmp.Diff(columns, types()); diff != "" {
				t.Errorf("columns (-before +behind):\n%s", diff)
			}
			if key == "id" {
				s.inOrder(duck)
			}
			now, packed := s.layout()
			t.Logf("%d files of row groups of %s rows became %d of %s", files, groups, now, packed)
			if now*8 > files {
				t.Errorf("%d files became %d", files, now)
			}
			before = s.everything()
			again := s.lines(s.well("compact", "shop.sold", "--target-file-bytes", "1MiB", "--json"))["shop.sold"]
			if again.text("action") != "idle" || again.number("bytes_written") != 0 {
				t.Errorf("compacted again: %v", again)
			}
			if diff := cmp.Diff(before, s.everything()); diff != "" {
				t.Errorf("compacted again, it wrote:\n%s", diff)
			}
			s.writesNothing()
			s.goesOn(duck)
		})
	}
}

// sameRows compares the lake with a table, as multisets.
func (s *site) sameRows(duck *rig.Reader, table string) {
	s.t.Helper()
	for _, sql := range []string{
		fmt.Sprintf("from %s except all select * from %s", table, s.asRead()), fmt.Sprintf("select * from %s except all from %s", s.asRead(), table),
	} {
		if rows := duck.Query("select * from (" + sql + ") limit 3"); len(rows) > 0 {
			s.t.Errorf("%s: %v", sql, rows)
		}
	}
}

// inOrder looks at the partition whose files were sorted by key and apart: so they are, and rows are in their order.
func (s *site) inOrder(duck *rig.Reader) {
	s.t.Helper()
	from := fmt.Sprintf("read_parquet('%s/shelf=0/*.parquet', filename=true, file_row_number=true)", filepath.Join(s.lake, "sold"))
	sql := "select count(*) from (select id <= lag(id) over (partition by filename order by file_row_number) as down from " + from + ") where down"
	if n := duck.Query(sql)[0][0]; rig.Text(n) != "0" {
		s.t.Errorf("%v rows of sorted files are out of order", n)
	}
	sql = "with f as (select filename, min(id) as low, max(id) as high from " + from + " group by all) select count(*) from f a, f b where a.filename < b.filename and a.low <= b.high and b.low <= a.high"
	if n := duck.Query(sql)[0][0]; rig.Text(n) != "0" {
		s.t.Errorf("%v pairs of files overlap", n)
	}
}

// goesOn merges a change behind the compaction.
func (s *site) goesOn(duck *rig.Reader) {
	s.t.Helper()
	s.change(sold(), dmsgen.Change{Op: dmsgen.Insert, Row: []any{900_000_001, "new", 0}}, dmsgen.Change{Op: dmsgen.Insert, Row: []any{900_000_002, "new", 77}})
	s.tick("merged")
	duck.Query(`create or replace table behind as select * from ` + s.asRead() + ` where id < 900000000`)
	duck.Query("create table added as select * from " + s.asRead() + " where id > 900000000")
	if n := duck.Query("select count(*) from added")[0][0]; rig.Text(n) != "2" {
		s.t.Errorf("%v rows were added", n)
	}
	if rows := duck.Query("select * from (from before except all from behind union all (from behind except all from before)) limit 3"); len(rows) > 0 {
		s.t.Errorf("rows changed: %v", rows)
	}
	if text := s.well("history", "shop.sold"); !strings.Contains(text, "compact") {
		s.t.Errorf("history: %s", text)
	}
}
