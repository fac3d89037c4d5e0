package main_test

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/google/go-cmp/cmp"

	"sluice/scripts/dmsgen"
	"sluice/scripts/rig"
)

// sampleAttributes are those that the AWS sample keeps in an item.
func sampleAttributes() []string {
	return []string{"path", "bucket", "prefix", "folder", "PrimaryKey", "PartitionKey", "LastFullLoadDate", "LastIncrementalFile", "ActiveFlag", "out_path"}
}

// migration is an installation of the AWS sample that is taken over: one table, its lake as Spark writes it, its item in DynamoDB.
type migration struct {
	*site

	table dmsgen.Table
	truth *dmsgen.Oracle
	item  map[string]string
	dir   string // of the files that the page names
}

func newMigration(t *testing.T) *migration {
	t.Helper()
	m := &migration{site: onS3(t, true), dir: t.TempDir()}
	m.table = dmsgen.Table{Schema: "sampledb", Name: "product", Key: []string{"id"}, Columns: []dmsgen.Column{{Name: "id", Type: "int"}, {Name: "name", Type: "text"}}}
	m.load(m.table, 0, []any{1, "a"}, []any{2, "b"}, []any{3, "c"})
	last := m.change(m.table, dmsgen.Change{Op: dmsgen.Update, Row: []any{1, "merged by the sample"}})
	m.truth = dmsgen.NewOracle(m.table)
	m.truth.Load([]any{1, "merged by the sample"}, []any{2, "b"}, []any{3, "c"})
	m.spark("part-00000-2f8a.c000.snappy.parquet", `select * from (values (2::int, 'b', 'I'), (3::int, 'c', 'I')) r(id, name, "Op")`)
	m.spark("part-00000-77aa.c000.snappy.parquet", `select 'U' as "Op", 1::int as id, 'merged by the sample' as name`)
	raw := m.s3.Raw
	loads, err := m.s3.Client.ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: &raw, Prefix: aws.String("dms/sampledb/product/LOAD")})
	if err != nil || len(loads.Contents) == 0 {
		t.Fatal("no full load: ", err)
	}
	m.item = map[string]string{
		"path": raw + "/dms/sampledb/product/", "bucket": raw, "prefix": "dms/sampledb/", "folder": "product/", "PrimaryKey": "id", "PartitionKey": "null",
		"LastFullLoadDate": loads.Contents[0].LastModified.UTC().Format(time.DateTime), "LastIncrementalFile": raw + "/dms/" + last, "ActiveFlag": "true", "out_path": m.s3.Lake + "/tables/",
	}
	client := m.dynamo()
	if _, err := client.CreateTable(t.Context(), &dynamodb.CreateTableInput{
		TableName: &m.site.table.Name, BillingMode: types.BillingModePayPerRequest,
		KeySchema:            []types.KeySchemaElement{{AttributeName: aws.String("path"), KeyType: types.KeyTypeHash}},
		AttributeDefinitions: []types.AttributeDefinition{{AttributeName: aws.String("path"), AttributeType: types.ScalarAttributeTypeS}},
	}); err != nil {
		t.Fatal(err)
	}
	m.put()
	return m
}

// put writes the sample's attributes as its jobs do: all of an item, or some.
func (m *migration) put(names ...string) {
	m.t.Helper()
	if len(names) == 0 {
		item := map[string]types.AttributeValue{}
		for name, value := range m.item {
			item[name] = &types.AttributeValueMemberS{Value: value}
		}
		if _, err := m.dynamo().PutItem(m.t.Context(), &dynamodb.PutItemInput{TableName: &m.site.table.Name, Item: item}); err != nil {
			m.t.Fatal(err)
		}
	}
	for _, name := range names {
		if _, err := m.dynamo().UpdateItem(m.t.Context(), &dynamodb.UpdateItemInput{
			TableName: &m.site.table.Name, Key: map[string]types.AttributeValue{"path": &types.AttributeValueMemberS{Value: m.item["path"]}},
			UpdateExpression: aws.String("SET #n = :v"), ExpressionAttributeNames: map[string]string{"#n": name},
			ExpressionAttributeValues: map[string]types.AttributeValue{":v": &types.AttributeValueMemberS{Value: m.item[name]}},
		}); err != nil {
			m.t.Fatal(err)
		}
	}
}

// spark writes a lake file by DuckDB, through S3.
func (m *migration) spark(name, query string) {
	m.t.Helper()
	file := filepath.Join(m.t.TempDir(), name)
	rig.DuckDB(m.t).Query("copy (" + query + ") to '" + file + "' (format parquet, compression snappy)")
	body, err := os.ReadFile(file)
	if err != nil {
		m.t.Fatal(err)
	}
	if _, err := m.s3.Client.PutObject(m.t.Context(), &s3.PutObjectInput{
		Bucket: &m.s3.Lake, Key: aws.String("tables/product/" + name), Body: strings.NewReader(string(body)),
	}); err != nil {
		m.t.Fatal(err)
	}
}

// inLake are the table's lake files, by name: their ETags.
func (m *migration) inLake() map[string]string {
	m.t.Helper()
	out, err := m.s3.Client.ListObjectsV2(context.Background(), &s3.ListObjectsV2Input{Bucket: &m.s3.Lake, Prefix: aws.String("tables/product/")})
	if err != nil {
		m.t.Fatal(err)
	}
	found := map[string]string{}
	for _, o := range out.Contents {
		found[*o.Key] = *o.ETag
	}
	return found
}

// now is the table's control item.
func (m *migration) now() map[string]string {
	m.t.Helper()
	items := m.items()
	if len(items) != 1 {
		m.t.Fatalf("%d items", len(items))
	}
	return items[0]
}

// TestE2E_MigrationPage walks the commands of docs/MIGRATION.md over an installation of the AWS sample: what it finds, takes over,
// merges, gives back and takes over again.
func TestE2E_MigrationPage(t *testing.T) {
	page, err := os.ReadFile("../../docs/MIGRATION.md")
	if err != nil {
		t.Fatal(err)
	}
	m := newMigration(t)
	adopted, item, runs := m.inLake(), m.now(), 0
	for _, found := range regexp.MustCompile("(?m)^(sluice|jq|aws glue start-trigger) (.*)$").FindAllStringSubmatch(string(page), -1) {
		switch args := strings.Fields(found[2]); {
		case args[0] == "run":
			m.runs(runs, adopted)
			runs++
		case found[1] == "aws glue start-trigger":
			m.sampleGoesOn()
		case found[1] == "jq":
			m.strip(found[2])
		default:
			for i, arg := range args {
				if strings.HasSuffix(arg, ".jsonl") {
					args[i] = filepath.Join(m.dir, arg)
				}
			}
			said := m.run(args...)
			if said.status != 0 {
				t.Fatalf("sluice %s: exit %d\n%s%s", found[2], said.status, said.stdout, said.stderr)
			}
			if strings.HasPrefix(found[2], "plan") && runs == 0 {
				if diff := cmp.Diff(item, m.now()); diff != "" || !strings.Contains(said.stdout, "sampledb.product") {
					t.Errorf("plan changed the item, or says nothing of the table: %s\n%s", said.stdout, diff)
				}
			}
		}
	}
	if runs != 3 {
		t.Errorf("the page runs %d times", runs)
	}
}

// runs is the page's n-th run.
func (m *migration) runs(n int, adopted map[string]string) {
	m.t.Helper()
	switch n {
	case 0: // the first, over a lake that is up to date
		m.tick("idle")
		if diff := cmp.Diff(adopted, m.inLake()); diff != "" {
			m.t.Errorf("taking over changed the lake:\n%s", diff)
		}
	case 1: // changes came; then the way back
		last := m.change(m.table, dmsgen.Change{Op: dmsgen.Delete, Row: []any{2, "b"}}, dmsgen.Change{Op: dmsgen.Insert, Row: []any{4, "d"}})
		m.tick("merged")
		m.truth = dmsgen.NewOracle(m.table)
		m.truth.Load([]any{1, "merged by the sample"}, []any{3, "c"}, []any{4, "d"})
		m.equal(m.table, m.truth)
		now := m.now()
		m.item["LastIncrementalFile"] = m.s3.Raw + "/dms/" + last
		for _, name := range sampleAttributes() {
			if now[name] != m.item[name] {
				m.t.Errorf("the sample finds %s = %q, want %q", name, now[name], m.item[name])
			}
		}
		if now["CommitId"] != "" {
			m.t.Errorf("commit %s is pending", now["CommitId"])
		}
	case 2: // taken over again
		before := m.inLake()
		m.tick("idle")
		if diff := cmp.Diff(before, m.inLake()); diff != "" {
			m.t.Errorf("taking over again changed the lake:\n%s", diff)
		}
		m.change(m.table, dmsgen.Change{Op: dmsgen.Update, Row: []any{5, "by sluice again"}})
		m.tick("merged")
		m.truth = dmsgen.NewOracle(m.table)
		m.truth.Load([]any{1, "merged by the sample"}, []any{3, "c"}, []any{4, "d"}, []any{5, "by sluice again"})
		m.equal(m.table, m.truth)
	}
}

// sampleGoesOn is an hour of the sample: a change file, an appended lake file, its watermark.
func (m *migration) sampleGoesOn() {
	m.t.Helper()
	last := m.change(m.table, dmsgen.Change{Op: dmsgen.Insert, Row: []any{5, "e"}})
	m.spark("part-00000-99bb.c000.snappy.parquet", `select 'I' as "Op", 5::int as id, 'e' as name`)
	m.item["LastIncrementalFile"] = m.s3.Raw + "/dms/" + last
	m.put("LastIncrementalFile")
}

// strip is what the page's jq does: only the attributes that it names are left.
func (m *migration) strip(command string) {
	m.t.Helper()
	named := regexp.MustCompile(`\{(.*)\}'`).FindStringSubmatch(command)
	if named == nil {
		m.t.Fatalf("jq %s names no attributes", command)
	}
	names := strings.Split(named[1], ",")
	if diff := cmp.Diff(append(sampleAttributes(), "Seq"), names); diff != "" {
		m.t.Errorf("the page's attributes: %s", diff)
	}
	now, kept := m.now(), map[string]string{}
	for _, name := range names {
		kept[name] = now[name]
	}
	text, err := json.Marshal(kept)
	if err != nil {
		m.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(m.dir, "adopt.jsonl"), text, 0o600); err != nil {
		m.t.Fatal(err)
	}
}
