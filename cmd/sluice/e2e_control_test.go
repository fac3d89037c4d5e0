package main_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/google/go-cmp/cmp"

	"sluice/scripts/dmsgen"
	"sluice/scripts/rig"
)

// dynamo returns a client of the site's DynamoDB.
func (s *site) dynamo() *dynamodb.Client {
	s.t.Helper()
	return dynamodb.New(dynamodb.Options{
		BaseEndpoint: aws.String(s.table.Endpoint), Region: rig.Region,
		Credentials: credentials.NewStaticCredentialsProvider(os.Getenv("AWS_ACCESS_KEY_ID"), os.Getenv("AWS_SECRET_ACCESS_KEY"), ""),
	})
}

// items are the control items, by path.
func (s *site) items() []map[string]string {
	s.t.Helper()
	return parsed(s.t, s.well("control", "export"))
}

func parsed(t testing.TB, lines string) []map[string]string {
	t.Helper()
	var items []map[string]string
	for text := range strings.Lines(lines) {
		item := map[string]string{}
		if err := json.Unmarshal([]byte(text), &item); err != nil {
			t.Fatal(err)
		}
		items = append(items, item)
	}
	return items
}

// TestE2E_ControlMoves takes the items of a lake to another control table and goes on there.
func TestE2E_ControlMoves(t *testing.T) {
	for name, open := range pairs() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := open(t)
			opened(s, "item", "cart")
			s.change(shop("item"), dmsgen.Change{Op: dmsgen.Insert, Row: []any{3, "c"}})
			s.tick("merged", "idle")
			file := filepath.Join(t.TempDir(), "items.jsonl")
			s.well("control", "export", file)
			body, err := os.ReadFile(file)
			if err != nil || string(body) != s.well("control", "export") {
				t.Fatalf("export to a file: %v, %q", err, body)
			}

			there := *s
			there.where = append(append([]string{}, s.where...), "--state", filepath.Join(t.TempDir(), "other.db"))
			if got := there.well("control", "import", file); got != "imported 2 items\n" {
				t.Errorf("import: %q", got)
			}
			if diff := cmp.Diff(parsed(t, string(body)), there.items()); diff != "" {
				t.Errorf("items after the move (-exported +imported):\n%s", diff)
			}
			there.writesNothing()
			there.change(shop("item"), dmsgen.Change{Op: dmsgen.Delete, Row: []any{1, "a"}})
			there.tick("merged", "idle")
			truth := dmsgen.NewOracle(shop("item"))
			truth.Load([]any{2, "b"}, []any{3, "c"})
			there.equal(shop("item"), truth)

			// Setting the table back wants --force.
			there.wants(1, []string{"control", "import", file}, "sequence number out of order", "shop/item/")
			there.wants(0, []string{"control", "import", file, "--force"}, "imported 2 items")
		})
	}
}

// TestE2E_AdoptsALakeOfTheAncestor has a lake as Spark writes it and an item as the AWS sample keeps it.
func TestE2E_AdoptsALakeOfTheAncestor(t *testing.T) {
	s := onDisk(t)
	table := shop("item")
	s.load(table, 0, []any{1, "a"}, []any{2, "b"}, []any{3, "c"})
	last := s.change(table, dmsgen.Change{Op: dmsgen.Update, Row: []any{1, "merged by the sample"}})
	dir := filepath.Join(s.lake, "item")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	rig.DuckDB(t).Query(`copy (select * from (values (2::int, 'b', 'I'), (3::int, 'c', 'I')) r(id, name, "Op")) to '` +
		filepath.Join(dir, "part-00000-2f8a.c000.snappy.parquet") + `' (format parquet, compression snappy)`)
	rig.DuckDB(t).Query(`copy (select 'U' as "Op", 1::int as id, 'merged by the sample' as name) to '` +
		filepath.Join(dir, "part-00000-77aa.c000.snappy.parquet") + `' (format parquet, compression snappy)`)
	item, err := json.Marshal(map[string]string{
		"path": "raw/shop/item/", "bucket": "raw", "prefix": "shop/", "folder": "item/", "PrimaryKey": "id", "PartitionKey": "null",
		"LastFullLoadDate": time.Now().UTC().Format(time.DateTime), "LastIncrementalFile": "raw/" + last, "ActiveFlag": "true", "out_path": "lake/",
	})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "sample.jsonl")
	if err := os.WriteFile(file, item, 0o600); err != nil {
		t.Fatal(err)
	}
	s.well("control", "import", file)
	inLake := func() map[string]string {
		found := map[string]string{}
		for name, said := range s.everything() {
			if strings.HasPrefix(name, dir+"/") {
				found[name] = said
			}
		}
		return found
	}
	before := inLake()
	s.tick("idle")
	if diff := cmp.Diff(before, inLake()); diff != "" {
		t.Errorf("adopting changed the lake:\n%s", diff)
	}
	s.writesNothing()
	s.change(table, dmsgen.Change{Op: dmsgen.Delete, Row: []any{2, "b"}}, dmsgen.Change{Op: dmsgen.Insert, Row: []any{4, "d"}})
	s.planned("merged")
	truth := dmsgen.NewOracle(table)
	truth.Load([]any{1, "merged by the sample"}, []any{3, "c"}, []any{4, "d"})
	s.equal(table, truth)
}
