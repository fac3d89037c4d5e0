package functions_test

import (
	"crypto/rand"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	gluetypes "github.com/aws/aws-sdk-go-v2/service/glue/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/google/go-cmp/cmp"

	"sluice/functions/cleaning"
	"sluice/scripts/dmsgen"
	"sluice/scripts/rig"
	"sluice/scripts/rig/stack"
)

// enforced is the stack of the template, as it is deployed, at a stand-in where policies decide: the functions have the roles
// that the stack made, and every request's signature is verified.
//
// What the stand-in lets pass whatever the policies say: what the state machine does (its invocations, the batch objects that a
// Map reads, its messages to the topic), keys of KMS, lines of logs, traces; of a Glue call it looks at the database only, not at
// catalog and table; a HEAD of an object that is not there answers 404 without the permission to list. The policies for these are
// held against the record of calls by tools/templates/rules.py, and the table of TestEachRoleMayDoItsPart has the calls of the
// state machine's role, made by hand.
type enforced struct {
	*account
	*stack.Stack
	plain    string // address without TLS
	database string // of the catalog
	iam      *iam.Client
}

// deployStack deploys the template with everything made, prefixes in both buckets and a catalog.
func deployStack(t *testing.T) *enforced {
	t.Helper()
	e := &enforced{account: &account{t: t, folder: "tables/", names: map[string]string{}}, plain: rig.Enforcing(t), database: "lake_" + strings.ToLower(rand.Text()[:8])}
	e.endpoint = e.secure(nil)
	e.settings = stack.Config(e.endpoint)
	code, err := zips()
	e.must(err)
	e.Stack = stack.Deploy(t, e.settings, "template.yaml", map[string]string{
		"RawPrefix": "dms/", "LakePrefix": e.folder, "CatalogDatabase": e.database, "MakeCatalogDatabase": "true", "ScheduleState": "DISABLED",
		"Settle": "0", "FullLoadQuiet": "0", "InlineBytes": "16KiB",
	}, map[string][]byte{
		"ControllerFunction": code[controller], "InitialLoadFunction": code[initialload], "MergeFunction": code[merge], "JanitorFunction": code[janitor],
	})
	e.raw, e.lake, e.table, e.machine = e.Outputs["RawBucketName"], e.Outputs["LakeBucketName"], e.Outputs["ControlTableName"], e.Outputs["TableRunArn"]
	e.s3 = s3.NewFromConfig(e.settings, func(o *s3.Options) { o.UsePathStyle = true })
	e.lambda, e.states, e.sqs, e.iam = lambda.NewFromConfig(e.settings), sfn.NewFromConfig(e.settings), sqs.NewFromConfig(e.settings), iam.NewFromConfig(e.settings)
	for name, logical := range map[string]string{controller: "ControllerFunction", initialload: "InitialLoadFunction", merge: "MergeFunction", janitor: "JanitorFunction"} {
		e.names[name] = e.Resources[logical]
		endpoint := e.endpoint
		if name == janitor {
			endpoint = e.secure(e.aged)
		}
		for _, service := range []string{"S3", "DYNAMODB", "SFN", "GLUE"} {
			e.set(name, "AWS_ENDPOINT_URL_"+service, endpoint)
		}
	}
	e.listen(e.Outputs["TopicArn"])
	e.bucket(e.other())
	e.writer()
	return e
}

// secure is where TLS ends before the stand-in: the buckets and the topic refuse everybody who comes without.
func (e *enforced) secure(modify func(*http.Response) error) (endpoint string) {
	e.t.Helper()
	target, err := url.Parse(e.plain)
	e.must(err)
	forward := httputil.NewSingleHostReverseProxy(target)
	forward.ModifyResponse = modify
	forward.ErrorLog = log.New(io.Discard, "", 0) // clients that go away, when a function is stopped
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Header.Set("X-Forwarded-Proto", "https")
		forward.ServeHTTP(w, r)
	}))
	e.t.Cleanup(server.Close)
	return server.URL
}

// other is a name that others in the account have: of a bucket, which is there, and of what is not.
func (e *enforced) other() string { return "other-" + e.Name }

// set changes one environment variable of a function.
func (e *enforced) set(function, variable, value string) {
	e.t.Helper()
	name := e.names[function]
	out, err := e.lambda.GetFunctionConfiguration(e.t.Context(), &lambda.GetFunctionConfigurationInput{FunctionName: &name})
	e.must(err)
	env := out.Environment.Variables
	env[variable] = value
	_, err = e.lambda.UpdateFunctionConfiguration(e.t.Context(), &lambda.UpdateFunctionConfigurationInput{
		FunctionName: aws.String(name), Environment: &lambdatypes.Environment{Variables: env},
	})
	e.must(err)
}

// TestTheRolesOfTheStack deploys once, and looks at what the roles may in three ways.
func TestTheRolesOfTheStack(t *testing.T) {
	t.Parallel()
	e := deployStack(t)
	for _, test := range []struct {
		name string
		run  func(t *testing.T, e *enforced)
	}{
		{"suffice for all that the functions do", theRolesSuffice},
		{"allow and deny, call by call", eachRoleMayDoItsPart},
		{"are named where one lacks a permission", aMissingPermissionIsNamed},
	} {
		t.Run(test.name, func(t *testing.T) {
			e.t = t
			test.run(t, e)
		})
	}
}

// theRolesSuffice has the functions do all that they can: register, load inline and by a Map, merge inline and by a Map, with a
// partition and a column that are new, rest, clean.
func theRolesSuffice(t *testing.T, e *enforced) {
	t.Helper()
	const parts = 40
	e.manyParts(parts) // registered, activated, loaded, changed
	e.ran("Phase1", "Register", "Phase2", "Finish")
	e.change(product(), update(int64(3), "newer", "d003"))
	e.ran("Merge")
	more := product()
	more.Columns = append(more.Columns, dmsgen.Column{Name: "note", Type: "text"})
	var moved []dmsgen.Change
	var want []string
	for i := range parts {
		moved = append(moved, update(int64(i), "moved", fmt.Sprintf("e%03d", i/2), "noted"))
		want = append(want, fmt.Sprintf("%d moved e%03d noted", i, i/2))
	}
	e.change(more, moved...)
	e.ran("Phase1", "Register", "Phase2", "Finish")
	slices.Sort(want)
	if diff := cmp.Diff(want, e.rows(e.lake, "tables/product", "id::text, name, dept, note")); diff != "" {
		t.Errorf("lake (-want +got):\n%s", diff)
	}
	e.inCatalog(parts+parts/2, "note")
	var rows [][]any
	for i := range 60 {
		rows = append(rows, []any{int64(i), wide(1, i), "x"})
	}
	time.Sleep(5 * time.Millisecond) // names are in milliseconds
	e.load(product(), rows...)       // beside the files of before, which are emptied
	e.ran("Load", "Phase1", "Finish")
	if got := e.tick(); got.Idle != 1 {
		t.Errorf("tick of a table that rests: %+v", got)
	}
	_, err := e.s3.CreateMultipartUpload(t.Context(), &s3.CreateMultipartUploadInput{Bucket: &e.lake, Key: aws.String("tables/product/part-000000000099-0-abandoned.parquet")})
	e.must(err)
	var cleaned cleaning.Answer
	e.must(e.invoke(janitor, struct{}{}, &cleaned))
	if cleaned.Files == 0 || cleaned.Bookkeeping == 0 || cleaned.Uploads == 0 {
		t.Errorf("the janitor had nothing to do: %+v", cleaned)
	}
	e.sameAsRun("dept")
}

// ran makes a tick whose run succeeds and goes through the states.
func (e *enforced) ran(states ...string) {
	e.t.Helper()
	if got := e.tick(); got.Started != 1 {
		e.t.Errorf("tick: %+v", got)
	}
	run := e.latest()
	e.succeeded(run)
	entered := e.entered(run)
	for _, state := range states {
		if entered[state] == 0 {
			e.t.Errorf("the run did not go through %s: %v", state, entered)
		}
	}
}

// inCatalog says that the catalog's table has so many partitions, and the column.
func (e *enforced) inCatalog(partitions int, column string) {
	e.t.Helper()
	client := glue.NewFromConfig(e.settings)
	table, err := client.GetTable(e.t.Context(), &glue.GetTableInput{DatabaseName: &e.database, Name: aws.String("product")})
	e.must(err)
	if !slices.ContainsFunc(table.Table.StorageDescriptor.Columns, func(c gluetypes.Column) bool { return *c.Name == column }) {
		e.t.Errorf("the catalog lacks the column %s", column)
	}
	got, err := client.GetPartitions(e.t.Context(), &glue.GetPartitionsInput{DatabaseName: &e.database, TableName: aws.String("product")})
	e.must(err)
	if len(got.Partitions) != partitions {
		e.t.Errorf("%d partitions in the catalog, want %d", len(got.Partitions), partitions)
	}
}
