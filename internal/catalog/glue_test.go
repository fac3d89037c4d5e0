package catalog_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	"github.com/aws/aws-sdk-go-v2/service/glue/types"

	"sluice/internal/catalog"
	"sluice/scripts/rig"
)

func always(context.Context) error { return nil }

// products is a table of the departments x and y.
func products() catalog.Table {
	return catalog.Table{
		Name: "product", Path: "raw/store/product/", Location: "s3://lake/product/",
		Columns: []catalog.Column{{Name: "id", Type: "int"}, {Name: "name", Type: "string"}},
		Keys:    []catalog.Column{{Name: "dept", Type: "string"}},
		Partitions: []catalog.Partition{
			{Values: []string{"x"}, Location: "s3://lake/product/dept=x/"},
			{Values: []string{"y"}, Location: "s3://lake/product/dept=y/"},
		},
	}
}

func TestGlue_NamesADatabaseThatIsNotThere(t *testing.T) {
	client := rig.Glue(t).Client
	err := catalog.New(catalog.NewGlue(client, "nowhere")).Ensure(t.Context(), products(), always)
	if !errors.Is(err, catalog.ErrNoDatabase) || !strings.Contains(err.Error(), "nowhere") {
		t.Errorf("got %v", err)
	}
}

// TestGlue_KeepsWhatOthersWrote takes over a table that a crawler made and an operator described.
func TestGlue_KeepsWhatOthersWrote(t *testing.T) {
	db := rig.Glue(t)
	crawled := &types.TableInput{
		Name: aws.String("product"), Description: aws.String("what we sell"), Owner: aws.String("sales"),
		Parameters:    map[string]string{"team": "sales", "classification": "csv", catalog.PathParameter: "raw/store/product/"},
		PartitionKeys: []types.Column{{Name: aws.String("dept"), Type: aws.String("string"), Comment: aws.String("department")}},
		StorageDescriptor: &types.StorageDescriptor{
			Location: aws.String("s3://lake/product/"), InputFormat: aws.String("org.apache.hadoop.mapred.TextInputFormat"),
			Columns: []types.Column{{Name: aws.String("id"), Type: aws.String("int"), Comment: aws.String("the key")}, {Name: aws.String("gone"), Type: aws.String("int")}},
		},
	}
	if _, err := db.Client.CreateTable(t.Context(), &glue.CreateTableInput{DatabaseName: &db.Database, TableInput: crawled}); err != nil {
		t.Fatal(err)
	}
	if err := catalog.New(catalog.NewGlue(db.Client, db.Database)).Ensure(t.Context(), products(), always); err != nil {
		t.Fatal(err)
	}
	out, err := db.Client.GetTable(t.Context(), &glue.GetTableInput{DatabaseName: &db.Database, Name: aws.String("product")})
	if err != nil {
		t.Fatal(err)
	}
	table, d := out.Table, out.Table.StorageDescriptor
	for what, pair := range map[string][2]string{
		"description":    {aws.ToString(table.Description), "what we sell"},
		"owner":          {aws.ToString(table.Owner), "sales"},
		"type":           {aws.ToString(table.TableType), "EXTERNAL_TABLE"},
		"parameter":      {table.Parameters["team"], "sales"},
		"classification": {table.Parameters["classification"], "parquet"},
		"EXTERNAL":       {table.Parameters["EXTERNAL"], "TRUE"},
		"key's comment":  {aws.ToString(table.PartitionKeys[0].Comment), "department"},
		"comment":        {aws.ToString(d.Columns[0].Comment), "the key"},
		"second column":  {aws.ToString(d.Columns[1].Name), "name"},
		"input format":   {aws.ToString(d.InputFormat), "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat"},
		"output format":  {aws.ToString(d.OutputFormat), "org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat"},
		"SerDe":          {aws.ToString(d.SerdeInfo.SerializationLibrary), "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe"},
	} {
		if pair[0] != pair[1] {
			t.Errorf("%s: got %q, want %q", what, pair[0], pair[1])
		}
	}
}

// wire is a Glue of which a test writes the answers, by operation.
type wire struct {
	mu      sync.Mutex
	sent    []string // operations
	bodies  []map[string]any
	answers map[string]func(n int) (status int, body string) // n counts the operation's requests from 1
}

func (w *wire) ServeHTTP(out http.ResponseWriter, in *http.Request) {
	w.mu.Lock()
	defer w.mu.Unlock()
	_, operation, _ := strings.Cut(in.Header.Get("X-Amz-Target"), ".")
	body, _ := io.ReadAll(in.Body)
	var parsed map[string]any
	_ = json.Unmarshal(body, &parsed)
	w.sent, w.bodies = append(w.sent, operation), append(w.bodies, parsed)
	n := 0
	for _, s := range w.sent {
		if s == operation {
			n++
		}
	}
	status, answer := http.StatusOK, "{}"
	if answers := w.answers[operation]; answers != nil {
		status, answer = answers(n)
	}
	out.Header().Set("Content-Type", "application/x-amz-json-1.1")
	out.WriteHeader(status)
	_, _ = io.WriteString(out, answer)
}

func (w *wire) open(t *testing.T) *catalog.Catalog {
	t.Helper()
	server := httptest.NewServer(w)
	t.Cleanup(server.Close)
	for name, value := range map[string]string{
		"AWS_ENDPOINT_URL_GLUE": server.URL, "AWS_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b",
	} {
		t.Setenv(name, value)
	}
	client, err := catalog.NewGlueClient(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return catalog.New(catalog.NewGlue(client, "sales"))
}

func constant(status int, body string) func(int) (int, string) {
	return func(int) (int, string) { return status, body }
}

const (
	noTable = `{"__type":"EntityNotFoundException","Message":"no"}`
	anOld   = `{"Table":{"Name":"product","VersionId":"7","Parameters":{"sluice.path":"raw/store/product/"},"PartitionKeys":[{"Name":"dept","Type":"string"}]}}`
)

// TestGlue_SendsTheVersionItLookedAt: two writers do not undo each other, and no version is archived.
func TestGlue_SendsTheVersionItLookedAt(t *testing.T) {
	version := "7"
	w := &wire{answers: map[string]func(int) (int, string){
		"GetTable": func(int) (int, string) {
			return http.StatusOK, strings.Replace(anOld, `"7"`, `"`+version+`"`, 1)
		},
		"UpdateTable": func(n int) (int, string) {
			version = "8"
			if n == 1 {
				return http.StatusBadRequest, `{"__type":"ConcurrentModificationException","Message":"meanwhile"}`
			}
			return http.StatusOK, "{}"
		},
	}}
	if err := w.open(t).Ensure(t.Context(), products(), always); err != nil {
		t.Fatal(err)
	}
	var versions []any
	for i, operation := range w.sent {
		if operation == "UpdateTable" {
			versions = append(versions, w.bodies[i]["VersionId"], w.bodies[i]["SkipArchive"])
		}
	}
	if !slices.Equal(versions, []any{"7", true, "8", true}) {
		t.Errorf("sent %v", versions)
	}
}

// TestGlue_KeepsLookingForWhatAnAnswerDidNotHold: an answer may leave keys out that are there.
func TestGlue_KeepsLookingForWhatAnAnswerDidNotHold(t *testing.T) {
	partition := func(value string) string {
		return `{"Values":["` + value + `"],"StorageDescriptor":{"Location":"s3://lake/product/dept=` + value + `/","Columns":[{"Name":"id","Type":"int"},{"Name":"name","Type":"string"}]}}`
	}
	w := &wire{answers: map[string]func(int) (int, string){
		"GetTable": constant(http.StatusOK, anOld),
		"BatchGetPartition": func(n int) (int, string) {
			if n == 1 {
				return http.StatusOK, `{"Partitions":[` + partition("x") + `],"UnprocessedKeys":[{"Values":["y"]}]}`
			}
			return http.StatusOK, `{"Partitions":[` + partition("y") + `]}`
		},
	}}
	if err := w.open(t).Ensure(t.Context(), products(), always); err != nil {
		t.Fatal(err)
	}
	if want := []string{"GetTable", "BatchGetPartition", "BatchGetPartition", "UpdateTable"}; !slices.Equal(w.sent, want) {
		t.Errorf("sent %v, want %v", w.sent, want)
	}
}

func TestGlue_Errors(t *testing.T) {
	denied := constant(http.StatusBadRequest, `{"__type":"AccessDeniedException","Message":"you may not"}`)
	conflict := constant(http.StatusBadRequest, `{"__type":"ConcurrentModificationException","Message":"meanwhile"}`)
	for name, c := range map[string]struct {
		answers map[string]func(int) (int, string)
		want    error
		names   string
		sent    int // requests, at most
	}{
		"may not look": {map[string]func(int) (int, string){"GetTable": denied}, catalog.ErrDenied, "glue:GetTable", 1},
		"may not make a table": {map[string]func(int) (int, string){
			"GetTable": constant(http.StatusBadRequest, noTable), "CreateTable": denied,
		}, catalog.ErrDenied, "glue:CreateTable", 2},
		"may not add partitions": {map[string]func(int) (int, string){
			"GetTable": constant(http.StatusOK, anOld), "BatchCreatePartition": denied,
		}, catalog.ErrDenied, "glue:BatchCreatePartition", 4},
		"a conflict that does not end": {map[string]func(int) (int, string){
			"GetTable": constant(http.StatusOK, anOld), "UpdateTable": conflict,
		}, catalog.ErrChanged, "product", 18},
		"a partition that is refused": {map[string]func(int) (int, string){
			"GetTable": constant(http.StatusOK, anOld),
			"BatchCreatePartition": constant(http.StatusOK,
				`{"Errors":[{"PartitionValues":["x"],"ErrorDetail":{"ErrorCode":"InvalidInputException","ErrorMessage":"odd"}}]}`),
		}, nil, `partition ["x"]: InvalidInputException: odd`, 4},
	} {
		t.Run(name, func(t *testing.T) {
			w := &wire{answers: c.answers}
			err := w.open(t).Ensure(t.Context(), products(), always)
			if err == nil || c.want != nil && !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.names) {
				t.Errorf("got %v, want %v and %q", err, c.want, c.names)
			}
			if len(w.sent) > c.sent {
				t.Errorf("%d requests, want %d: %v", len(w.sent), c.sent, w.sent)
			}
		})
	}
}

// TestGlue_SendsAgainWhatWasThrottled and what a server failed at, a few times.
func TestGlue_SendsAgainWhatWasThrottled(t *testing.T) {
	w := &wire{answers: map[string]func(int) (int, string){
		"GetTable": func(n int) (int, string) {
			switch n {
			case 1:
				return http.StatusBadRequest, `{"__type":"ThrottlingException","Message":"slow down"}`
			case 2:
				return http.StatusInternalServerError, `{"__type":"InternalServiceException","Message":"oh"}`
			}
			return http.StatusBadRequest, noTable
		},
	}}
	if err := w.open(t).Ensure(t.Context(), products(), always); err != nil {
		t.Error(err)
	}
	if want := []string{"GetTable", "GetTable", "GetTable", "CreateTable", "BatchCreatePartition"}; !slices.Equal(w.sent, want) {
		t.Errorf("sent %v, want %v", w.sent, want)
	}
}
