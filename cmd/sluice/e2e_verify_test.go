package main_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/google/go-cmp/cmp"

	"sluice/scripts/dmsgen"
	"sluice/scripts/rig"
)

// verify runs sluice verify and returns its status and its line.
func (s *site) verify(table string, args ...string) (status int, l line) {
	s.t.Helper()
	got := s.run(append([]string{"verify", table, "--json", "--memory", "16MiB"}, args...)...)
	if err := json.Unmarshal([]byte(got.stdout), &l); err != nil || got.stderr != "" {
		s.t.Fatalf("exit %d: %v\n%s%s", got.status, err, got.stdout, got.stderr)
	}
	return got.status, l
}

// putLake writes an object of the lake, as somebody else would.
func (s *site) putLake(key string, body []byte) {
	s.t.Helper()
	if s.s3 == nil {
		if err := os.WriteFile(filepath.Join(s.lake, key), body, 0o600); err != nil {
			s.t.Fatal(err)
		}
		return
	}
	name := "tables/" + key
	if _, err := s.s3.Client.PutObject(s.t.Context(), &s3.PutObjectInput{Bucket: &s.s3.Lake, Key: &name, Body: bytes.NewReader(body)}); err != nil {
		s.t.Fatal(err)
	}
}

// rawGlob matches the input files of a table.
func (s *site) rawGlob(t dmsgen.Table) string {
	if s.s3 != nil {
		return filepath.Join(s.s3.RawDir, "dms", t.Schema, t.Name)
	}
	return filepath.Join(s.dirs[0], t.Schema, t.Name)
}

// secondOpinion has DuckDB fold raw and compare it with the lake: rows that are in one of them alone.
func (s *site) secondOpinion(t dmsgen.Table) (missing, surplus int64) {
	s.t.Helper()
	fold := fmt.Sprintf(`with changes as (
		select "Op" as op, id, name, dept, filename as f, file_row_number as n from read_parquet('%[1]s/2*.parquet', filename=true, file_row_number=true)
		union all by name
		select 'I' as op, id, name, dept, '' as f, file_row_number as n from read_parquet('%[1]s/LOAD*.parquet', file_row_number=true)),
		latest as (select * from changes qualify row_number() over (partition by id order by f desc, n desc) = 1),
		raw as (select id, name, dept from latest where op <> 'D'),
		lake as (select id, name, dept from read_parquet('%[2]s', union_by_name=true))`, s.rawGlob(t), s.glob(t.Name))
	count := func(query string) int64 {
		rows := rig.DuckDB(s.t).Query(fold + " select count(*) from (" + query + ")")
		n, _ := rows[0][0].(int64)
		return n
	}
	return count("from raw except all from lake"), count("from lake except all from raw")
}

func TestE2E_verify(t *testing.T) {
	for name, begin := range pairs() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := begin(t)
			table := dmsgen.Table{Schema: "store", Name: "product", Key: []string{"id"}, Columns: []dmsgen.Column{{Name: "id", Type: "int"}, {Name: "name", Type: "text"}, {Name: "dept", Type: "text"}}}
			var rows [][]any
			for id := range 300 {
				rows = append(rows, []any{id, fmt.Sprint("name ", id), "x"})
			}
			s.load(table, 100, rows...)
			s.tick("registered")
			s.well("activate", "store.product", "--primary-key", "id")
			time.Sleep(1100 * time.Millisecond) // changes have to be newer than the whole second of the load
			s.tick("loaded")
			old := map[string][]byte{}
			for _, file := range s.lakeFiles(table.Name) {
				old[file] = s.readLake(file)
			}
			s.change(table, dmsgen.Change{Op: dmsgen.Update, Before: rows[7], Row: []any{7, "seven", "y"}}, dmsgen.Change{Op: dmsgen.Delete, Before: rows[8], Row: rows[8]}, dmsgen.Change{Op: dmsgen.Insert, Row: []any{900, "new", nil}})
			s.tick("merged")
			status, l := s.verify("store.product")
			if missing, surplus := s.secondOpinion(table); status != 0 || l["equal"] != true || l["complete"] != true || l.number("rows_lake") != 300 || missing+surplus != 0 {
				t.Fatalf("exit %d, %v; DuckDB finds %d missing, %d surplus", status, l, missing, surplus)
			}
			before := s.everything()
			for file, body := range old { // an old version is brought back: the update, the delete and the insert are gone
				s.putLake(file, body)
			}
			damaged := s.everything()
			status, l = s.verify("store.product", "--differences", "3")
			missing, surplus := s.secondOpinion(table)
			counts := []int64{l.number("missing") + l.number("different"), l.number("surplus") + l.number("different"), l.number("duplicates")}
			if diff := cmp.Diff([]int64{missing, surplus, 0}, counts); status != 1 || diff != "" || missing == 0 {
				t.Errorf("exit %d; DuckDB and verify (-DuckDB +verify): %s\n%v", status, diff, l)
			}
			if diff := cmp.Diff(damaged, s.everything()); diff != "" || cmp.Equal(before, damaged) {
				t.Errorf("verify wrote something: %s", diff)
			}
			text := s.run("verify", "store.product")
			for _, want := range []string{"DIFFERENT", "different: id=7", `name: raw "seven", lake "name 7"`, "surplus: id=8", "sluice rebuild store.product"} {
				if !strings.Contains(text.stdout, want) {
					t.Errorf("exit %d: no %q in\n%s%s", text.status, want, text.stdout, text.stderr)
				}
			}
			if got := s.run("verify", "store.nothing"); got.status != 2 {
				t.Errorf("unknown table: exit %d\n%s%s", got.status, got.stdout, got.stderr)
			}
		})
	}
}

// lakeFiles returns the lake files of a table, below where tables are.
func (s *site) lakeFiles(table string) []string {
	s.t.Helper()
	found, err := filepath.Glob(filepath.Join(s.lake, table, "*.parquet"))
	if err != nil || len(found) == 0 {
		s.t.Fatalf("lake files of %s: %v, %v", table, found, err)
	}
	for i := range found {
		found[i], _ = strings.CutPrefix(found[i], s.lake+"/")
	}
	return found
}

func (s *site) readLake(key string) []byte {
	s.t.Helper()
	body, err := os.ReadFile(filepath.Join(s.lake, key))
	if err != nil {
		s.t.Fatal(err)
	}
	return body
}

// TestE2E_verifyNeedsNoRight verifies from directories that nobody may write to.
func TestE2E_verifyNeedsNoRight(t *testing.T) {
	if os.Getuid() == 0 {
		t.Log("as root every directory can be written to: only that nothing was written is tested")
	}
	s := onDisk(t)
	table := dmsgen.Table{Schema: "store", Name: "product", Key: []string{"id"}, Columns: []dmsgen.Column{{Name: "id", Type: "int"}, {Name: "name", Type: "text"}}}
	s.load(table, 0, []any{1, "a"}, []any{2, "b"})
	s.tick("registered")
	s.well("activate", "store.product", "--primary-key", "id")
	s.tick("loaded")
	var dirs []string
	for _, root := range s.dirs {
		err := filepath.WalkDir(root, func(path string, entry os.DirEntry, err error) error {
			if err == nil && entry.IsDir() {
				dirs = append(dirs, path)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, dir := range dirs {
		if err := os.Chmod(dir, 0o555); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = os.Chmod(dir, 0o755) })
	}
	before := s.everything()
	if status, l := s.verify("store.product"); status != 0 || l["equal"] != true {
		t.Errorf("exit %d, %v", status, l)
	}
	if diff := cmp.Diff(before, s.everything()); diff != "" {
		t.Errorf("verify wrote something: %s", diff)
	}
}
