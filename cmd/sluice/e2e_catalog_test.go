package main_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue"

	"sluice/scripts/dmsgen"
	"sluice/scripts/rig"
)

// TestE2E_Catalog: what a query engine needs to know of the lake is in Glue when a run ends.
func TestE2E_Catalog(t *testing.T) {
	t.Parallel()
	db := rig.Glue(t)
	s := onS3(t, true)
	s.env = append(s.env, db.Env...)
	s.where = append(s.where, "--catalog", "glue:"+db.Database)
	sales := dmsgen.Table{
		Schema: "Store", Name: "Sales-2026", Key: []string{"id"},
		Columns: []dmsgen.Column{{Name: "id", Type: "bigint"}, {Name: "Region", Type: "text"}, {Name: "amount", Type: "numeric(10,2)"}},
	}
	s.load(sales, 2, []any{1, "north", "1.50"}, []any{2, "a/b", "2.00"}, []any{3, nil, "3.00"})
	s.tick("registered")
	s.well("activate", "Store.Sales-2026", "--primary-key", "id", "--partition-key", "Region")
	s.tick("loaded")
	s.wantInGlue(db, []string{"op string", "id bigint", "amount decimal(10,2)"}, []string{
		"__HIVE_DEFAULT_PARTITION__ Region=__HIVE_DEFAULT_PARTITION__/", "a/b Region=a%2Fb/", "north Region=north/",
	})

	sales.Columns = append(sales.Columns, dmsgen.Column{Name: "note", Type: "text"})
	s.change(sales, dmsgen.Change{Op: dmsgen.Insert, Row: []any{4, "south", "4.00", "new"}})
	s.tick("merged")
	s.wantInGlue(db, []string{"op string", "id bigint", "amount decimal(10,2)", "note string"}, []string{
		"__HIVE_DEFAULT_PARTITION__ Region=__HIVE_DEFAULT_PARTITION__/", "a/b Region=a%2Fb/", "north Region=north/", "south Region=south/",
	})
	s.tick("idle")
	if said := s.well("doctor"); !strings.Contains(said, "catalog table Store.Sales-2026") {
		t.Errorf("doctor said %s", said)
	}
}

// wantInGlue compares the table of Sales-2026, its partitions as values and directory.
func (s *site) wantInGlue(db *rig.Catalog, columns, partitions []string) {
	t, name := s.t, "sales_2026"
	t.Helper()
	out, err := db.Client.GetTable(t.Context(), &glue.GetTableInput{DatabaseName: &db.Database, Name: &name})
	if err != nil {
		t.Fatal(err)
	}
	root := "s3://" + s.s3.Lake + "/tables/Sales-2026/"
	if got := aws.ToString(out.Table.StorageDescriptor.Location); got != root {
		t.Errorf("location %s, want %s", got, root)
	}
	if keys := out.Table.PartitionKeys; len(keys) != 1 || *keys[0].Name != "region" || *keys[0].Type != "string" {
		t.Errorf("partition keys %v", keys)
	}
	var got []string
	for _, c := range out.Table.StorageDescriptor.Columns {
		got = append(got, *c.Name+" "+*c.Type)
	}
	if !slices.Equal(got, columns) {
		t.Errorf("columns %q, want %q", got, columns)
	}
	all, err := db.Client.GetPartitions(t.Context(), &glue.GetPartitionsInput{DatabaseName: &db.Database, TableName: &name})
	if err != nil {
		t.Fatal(err)
	}
	got = nil
	for _, p := range all.Partitions {
		got = append(got, strings.Join(p.Values, ",")+" "+strings.TrimPrefix(*p.StorageDescriptor.Location, root))
		if len(p.StorageDescriptor.Columns) != len(columns) {
			t.Errorf("partition %q has columns %v", p.Values, p.StorageDescriptor.Columns)
		}
	}
	if slices.Sort(got); !slices.Equal(got, partitions) {
		t.Errorf("partitions %q, want %q", got, partitions)
	}
}

// TestE2E_CatalogThatCannotBe ends with a sentence that says what to do, and nothing is lost.
func TestE2E_CatalogThatCannotBe(t *testing.T) {
	t.Parallel()
	db := rig.Glue(t)
	s := onS3(t, false)
	s.env = append(s.env, db.Env...)
	for value, says := range map[string]string{"hive:x": "glue:DATABASE", "glue:": "glue:DATABASE", "glue:Sales": "lower case"} {
		if got := s.run("run", "--catalog", value); got.status != 2 || !strings.Contains(got.stderr, says) {
			t.Errorf("%s: exit %d, %s", value, got.status, got.stderr)
		}
	}
	disk := onDisk(t)
	if got := disk.run("run", "--catalog", "glue:sales"); got.status != 2 || !strings.Contains(got.stderr, "in S3") {
		t.Errorf("directory: exit %d, %s", got.status, got.stderr)
	}
	sales := dmsgen.Table{Schema: "store", Name: "sales", Key: []string{"id"}, Columns: []dmsgen.Column{{Name: "id", Type: "int"}}}
	s.load(sales, 2, []any{1})
	s.tick("registered")
	s.well("activate", "store.sales", "--primary-key", "id")
	if got := s.run("run", "--catalog", "glue:nowhere"); got.status != 1 || !strings.Contains(got.stdout, "aws glue create-database") {
		t.Errorf("exit %d, %s%s", got.status, got.stdout, got.stderr)
	}
	s.where = append(s.where, "--catalog", "glue:"+db.Database)
	s.tick("loaded")
	if _, err := db.Client.GetTable(t.Context(), &glue.GetTableInput{DatabaseName: &db.Database, Name: aws.String("sales")}); err != nil {
		t.Error(err)
	}
}
