package main_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"sluice/scripts/dmsgen"
)

// shop is a small table.
func shop(name string) dmsgen.Table {
	return dmsgen.Table{Schema: "shop", Name: name, Key: []string{"id"}, Columns: []dmsgen.Column{{Name: "id", Type: "int"}, {Name: "name", Type: "text"}}}
}

// opened returns a site with the tables of that name loaded.
func opened(s *site, names ...string) {
	s.t.Helper()
	for _, name := range names {
		s.load(shop(name), 0, []any{1, "a"}, []any{2, "b"})
	}
	s.tick("registered")
	for _, name := range names {
		s.well("activate", "shop."+name, "--primary-key", "id")
	}
	s.tick("loaded")
}

// wants runs sluice and wants a status, and texts on stdout and stderr together.
func (s *site) wants(status int, args []string, texts ...string) {
	s.t.Helper()
	got := s.run(args...)
	if got.status != status {
		s.t.Errorf("sluice %s: exit %d, want %d\n%s%s", strings.Join(args, " "), got.status, status, got.stdout, got.stderr)
	}
	for _, text := range texts {
		if !strings.Contains(got.stdout+got.stderr, text) {
			s.t.Errorf("sluice %s says nothing of %q:\n%s%s", strings.Join(args, " "), text, got.stdout, got.stderr)
		}
	}
}

func TestE2E_HaltsAndFailures(t *testing.T) {
	s := onDisk(t)
	opened(s, "item", "cart")
	raw := s.dirs[0]
	insert := dmsgen.Change{Op: dmsgen.Insert, Row: []any{3, "c"}}
	key := s.change(shop("item"), insert)
	s.change(shop("cart"), insert)
	right, err := os.ReadFile(filepath.Join(raw, key))
	if err != nil {
		t.Fatal(err)
	}
	put := func(body []byte) {
		if err := os.WriteFile(filepath.Join(raw, key), body, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	put([]byte("broken"))

	// The halted table stops alone, is told of by every run, and waits for the operator.
	s.wants(3, []string{"plan"}, "shop.item", "halted", key)
	s.wants(3, []string{"run"}, "shop.item", "halted", "input: ", key, "sluice acknowledge shop.item", "1 inserted")
	s.wants(3, []string{"run"}, key)
	s.wants(3, []string{"plan"}, key)
	s.wants(0, []string{"tables"}, "halted", key)
	s.wants(1, []string{"doctor"}, "NOT OK", key)
	s.wants(2, []string{"acknowledge", "shop.cart"}, "not halted")
	s.wants(2, []string{"acknowledge", "shop.item", "--accept", "everything"}, "reload, truncate, foreign, schema")
	put(right)
	s.wants(3, []string{"run"}, key) // mended, but not acknowledged
	s.wants(0, []string{"acknowledge", "shop.item"}, "ok")
	s.wants(0, []string{"run"}, "merged")
	s.wants(0, []string{"doctor"})

	// A failed table goes before a halted one. A file lies where the folder of a partition has to be.
	s.load(shop("bill"), 0, []any{1, "a"})
	s.wants(0, []string{"run"}, "registered")
	s.wants(0, []string{"activate", "shop.bill", "--primary-key", "id"})
	if err := os.WriteFile(filepath.Join(s.lake, "bill"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	s.wants(1, []string{"run", "--json"}, `"action":"failed"`, "bill")
	key = s.change(shop("item"), insert)
	put(nil)
	s.wants(1, []string{"run"}, "failed", "halted", "0 bytes")
	if err := errors.Join(os.Remove(filepath.Join(s.lake, "bill")), os.Remove(filepath.Join(raw, key))); err != nil {
		t.Fatal(err)
	}
	s.wants(3, []string{"run"}, "loaded", "halted")
	s.wants(0, []string{"acknowledge", "shop.item"})
	s.wants(0, []string{"run"})

	// The source is emptied: the lake stays until the operator says so.
	if err := os.RemoveAll(filepath.Join(raw, "shop", "item")); err != nil {
		t.Fatal(err)
	}
	truth := dmsgen.NewOracle(shop("item"))
	truth.Load([]any{1, "a"}, []any{2, "b"}, []any{3, "c"})
	s.wants(3, []string{"run"}, "vanished: ", "--accept truncate")
	s.equal(shop("item"), truth)
	s.wants(0, []string{"acknowledge", "shop.item", "--accept", "truncate"})
	s.wants(0, []string{"run"}, "3 deleted")
	truth.Load()
	s.equal(shop("item"), truth)
	s.wants(0, []string{"deactivate", "shop.item"}, "no")
	s.wants(0, []string{"run"}, "inactive")
}

func TestE2E_WrongUsage(t *testing.T) {
	s := onDisk(t)
	opened(s, "item")
	for name, tc := range map[string]struct {
		args []string
		text string
	}{
		"unknown table":            {[]string{"activate", "shop.itme", "--primary-key", "id"}, `no table "shop.itme"`},
		"unknown column":           {[]string{"activate", "shop.item", "--primary-key", "ID"}, `no column "ID"; it has id, name`},
		"unknown partition column": {[]string{"activate", "shop.item", "--partition-key", "day"}, `no column "day"`},
		"unknown dialect":          {[]string{"activate", "shop.item", "--dialect", "maxwell"}, "neither dms nor debezium"},
		"unknown order column":     {[]string{"activate", "shop.item", "--order-column", "seq"}, `no column "seq"`},
		"lake moves":               {[]string{"activate", "shop.item", "--out-path", "lake/other/"}, "while it is empty"},
		"table to deactivate":      {[]string{"deactivate", "nothing"}, `no table "nothing"`},
		"table to acknowledge":     {[]string{"acknowledge", "shop.nothing"}, `no table "shop.nothing"`},
		"import of nonsense":       {[]string{"control", "import", os.Args[0]}, "line 1"},
		"unknown schema":           {[]string{"acknowledge", "shop.item", "--schema", "other"}, `no table "shop.item"`},
	} {
		t.Run(name, func(t *testing.T) {
			s := *s
			s.t = t
			s.wants(2, tc.args, tc.text)
		})
	}
	if got := s.lines(s.well("tables", "--json"))["shop.item"]; got["primary_key"] != "id" || got["partition_key"] != "null" || got["active"] != true {
		t.Errorf("wrong usage changed the table: %v", got)
	}
}

func TestE2E_NothingThere(t *testing.T) {
	s := onDisk(t)
	s.where[1] = filepath.Join(t.TempDir(), "nothing")
	for _, command := range []string{"run", "plan", "tables", "doctor"} {
		s.wants(1, []string{command}, s.where[1], "does not exist", "--raw")
	}
	if _, err := os.Stat(s.lake); err == nil {
		t.Error("a lake was made")
	}

	s = onS3(t, true)
	raw := s.where[1]
	s.where[1] = "s3://sluice-no-such-bucket/dms"
	for _, command := range []string{"run", "plan"} {
		s.wants(1, []string{command}, "no such bucket", "sluice-no-such-bucket", "check --raw")
	}
	s.wants(1, []string{"doctor"}, "NOT OK", "no such bucket")
	s.where[1] = raw
	right := s.env
	s.env = append(slices.Clone(right), "AWS_SECRET_ACCESS_KEY=wrong")
	for _, command := range []string{"run", "plan"} {
		s.wants(1, []string{command}, "access denied", "sluice doctor")
	}
	s.wants(1, []string{"doctor"}, "NOT OK", "credentials")
	s.env = slices.DeleteFunc(slices.Clone(right), func(entry string) bool { return strings.HasPrefix(entry, "AWS_ACCESS_KEY_ID=") })
	s.wants(1, []string{"run"}, "no AWS credentials", "AWS_PROFILE")
	if got := s.describe(); got != nil {
		t.Error("runs that could not be made made a control table")
	}

	// The lake's bucket is missing: found when a table is registered.
	s.env = right
	lake := s.where[3]
	s.where[3] = "s3://sluice-no-such-lake"
	s.load(shop("item"), 0, []any{1, "a"})
	s.wants(1, []string{"run"}, "shop.item", "no such bucket", "sluice-no-such-lake", "check --raw, --lake")
	s.where[3] = lake
	s.wants(0, []string{"run"}, "registered")
}

// describe returns the control table as DynamoDB has it, nil when it is not there.
func (s *site) describe() *types.TableDescription {
	s.t.Helper()
	client := s.dynamo()
	out, err := client.DescribeTable(s.t.Context(), &dynamodb.DescribeTableInput{TableName: &s.table.Name})
	var missing *types.ResourceNotFoundException
	if errors.As(err, &missing) {
		return nil
	}
	if err != nil {
		s.t.Fatal(err)
	}
	return out.Table
}

func TestE2E_ControlTableIsMadeByTheFirstRun(t *testing.T) {
	s := onS3(t, true)
	s.load(shop("item"), 0, []any{1, "a"})
	s.wants(0, []string{"tables"}, "no table is registered yet")
	s.wants(0, []string{"plan"}, "shop.item", "not registered yet")
	if got := s.well("control", "export"); got != "" {
		t.Errorf("export: %q", got)
	}
	s.wants(0, []string{"doctor"}, "control table", "0 tables registered")
	if s.describe() != nil {
		t.Fatal("looking made a control table")
	}
	s.tick("registered")
	got := s.describe()
	if got == nil || got.BillingModeSummary == nil || got.BillingModeSummary.BillingMode != types.BillingModePayPerRequest {
		t.Fatalf("control table: %+v", got)
	}
	if len(got.KeySchema) != 1 || aws.ToString(got.KeySchema[0].AttributeName) != "path" || got.KeySchema[0].KeyType != types.KeyTypeHash {
		t.Errorf("its key: %+v", got.KeySchema)
	}
	for attr, want := range map[string]string{
		"path": s.s3.Raw + "/dms/shop/item/", "bucket": s.s3.Raw, "prefix": "dms/shop/", "folder": "item/", "PrimaryKey": "null", "PartitionKey": "null",
		"LastFullLoadDate": "1900-01-01 00:00:00", "LastIncrementalFile": s.s3.Raw + "/dms/shop/item/0.parquet", "ActiveFlag": "false", "out_path": s.s3.Lake + "/tables/",
	} {
		if got := s.items()[0][attr]; got != want {
			t.Errorf("%s is %q, want %q", attr, got, want)
		}
	}
	// An item that is not all strings is that table's trouble, and seen everywhere.
	_, err := s.dynamo().PutItem(t.Context(), &dynamodb.PutItemInput{TableName: &s.table.Name, Item: map[string]types.AttributeValue{
		"path":       &types.AttributeValueMemberS{Value: s.s3.Raw + "/dms/shop/odd/"},
		"ActiveFlag": &types.AttributeValueMemberBOOL{Value: true},
	}})
	if err != nil {
		t.Fatal(err)
	}
	for command, status := range map[string]int{"run": 1, "plan": 1, "tables": 0, "doctor": 1} {
		s.wants(status, []string{command}, "shop/odd/", "not a string")
	}
	s.wants(1, []string{"control", "export"}, "shop/odd/", "not a string")
	if t.Failed() {
		t.Log(fmt.Sprint(s.items()))
	}
}
