package functions_test

import (
	"bytes"
	"flag"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	gluetypes "github.com/aws/aws-sdk-go-v2/service/glue/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/google/go-cmp/cmp"

	"sluice/functions/cleaning"
	"sluice/internal/replicate"
	"sluice/scripts/dmsgen"
	"sluice/scripts/rig/proxy"
	"sluice/statestore"
)

var rewrite = flag.Bool("update", false, "write testdata/calls.txt anew")

// calls collects what a function asks of AWS: IAM actions, and on what.
type calls struct {
	mu   sync.Mutex
	seen map[string]bool
}

func (c *calls) add(line string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.seen[line] = true
}

// actions are the IAM actions behind S3's operations: https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html
func actions(operation string) []string {
	switch operation {
	case "HeadObject", "GetObject":
		return []string{"s3:GetObject"}
	case "ListObjectsV2":
		return []string{"s3:ListBucket"}
	case "PutObject", "CreateMultipartUpload", "UploadPart", "CompleteMultipartUpload":
		return []string{"s3:PutObject"}
	case "UploadPartCopy":
		return []string{"s3:GetObject", "s3:PutObject"}
	case "ListMultipartUploads":
		return []string{"s3:ListBucketMultipartUploads"}
	}
	return []string{"s3:" + operation}
}

// aged makes lake files in an answer seem to be of years ago: there is something to clean, then.
func (a *account) aged(r *http.Response) error {
	if r.Header.Get("Last-Modified") != "" {
		r.Header.Set("Last-Modified", "Wed, 01 Jan 2020 00:00:00 GMT")
	}
	if r.Request.Method != http.MethodGet || !strings.HasSuffix(r.Request.URL.Path, a.lake) {
		return nil
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return err
	}
	body = regexp.MustCompile(`<(LastModified|Initiated)>\d{4}-`).ReplaceAll(body, []byte("<${1}>2020-"))
	r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	r.Header.Set("Content-Length", fmt.Sprint(len(body)))
	return nil
}

// record puts a proxy before the stand-in that notes what the function calls. To the janitor lake files seem to be old.
func (a *account) record(function string, c *calls) (endpoint string) {
	a.t.Helper()
	target, err := url.Parse(a.endpoint)
	a.must(err)
	forward := httputil.NewSingleHostReverseProxy(target)
	if function == janitor {
		forward.ModifyResponse = a.aged
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for _, line := range a.calls(r) {
			c.add(function + " " + line)
		}
		forward.ServeHTTP(w, r)
	}))
	a.t.Cleanup(server.Close)
	return server.URL
}

// calls says which actions a request needs, and on what.
func (a *account) calls(r *http.Request) []string {
	service, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	switch {
	case strings.HasPrefix(service, "DynamoDB"):
		return []string{"dynamodb:" + operation + " control-table"}
	case service == "AWSStepFunctions" && operation == "DescribeExecution":
		return []string{"states:" + operation + " executions"}
	case service == "AWSStepFunctions":
		return []string{"states:" + operation + " state-machine"}
	case service == "AWSGlue":
		return []string{"glue:" + operation + " catalog"}
	}
	bucket, key, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	if key == "" {
		key = r.URL.Query().Get("prefix")
	}
	on := "lake"
	switch {
	case bucket == a.raw:
		on = "raw"
	case strings.HasPrefix(key, "_sluice/"):
		on = "bookkeeping"
	}
	var lines []string
	for _, action := range actions(proxy.Operation(r)) {
		lines = append(lines, action+" "+on)
	}
	return lines
}

// recorded deploys with every function behind a proxy of its own, and a catalog.
func recorded(t *testing.T, c *calls) *account {
	t.Helper()
	a := deploy(t, map[string]string{"SLUICE_INLINE_BYTES": "1MiB"})
	a.must(statestore.NewDynamoDB(dynamodb.NewFromConfig(a.settings), a.table, time.Now).EnsureTable(t.Context())) // the template makes it
	database := "db_" + a.name
	_, err := glue.NewFromConfig(a.settings).CreateDatabase(t.Context(), &glue.CreateDatabaseInput{DatabaseInput: &gluetypes.DatabaseInput{Name: &database}})
	a.must(err)
	for _, name := range []string{controller, initialload, merge, janitor} {
		endpoint, env := a.record(name, c), maps.Clone(a.env)
		for _, service := range []string{"S3", "DYNAMODB", "SFN", "GLUE"} {
			env["AWS_ENDPOINT_URL_"+service] = endpoint
		}
		env["SLUICE_CATALOG"] = "glue:" + database
		_, err := a.lambda.UpdateFunctionConfiguration(t.Context(), &lambda.UpdateFunctionConfigurationInput{
			FunctionName: aws.String(name + "-" + a.name), Environment: &lambdatypes.Environment{Variables: env},
		})
		a.must(err)
	}
	return a
}

// TestCalls records what each function asks of AWS while it does all that it can: testdata/calls.txt says so, and the
// policies of the template are held against it. go test ./functions -run TestCalls -args -update writes it anew.
func TestCalls(t *testing.T) {
	t.Parallel()
	c := &calls{seen: map[string]bool{}}
	a := recorded(t, c)
	a.manyParts(3) // a load, inline
	a.tick()
	var rows [][]any
	for i := range 12_000 { // a load that is handed over, in uploads of several parts
		rows = append(rows, []any{int64(i), wide(1, i), "x"})
	}
	a.load(product(), rows...)
	a.tick()
	a.change(product(), update(int64(5), wide(2, 5), "x")) // ranges of the file are copied
	a.tick()
	a.change(product(), update(int64(6), "moved", "new")) // a partition that the catalog does not have
	a.tick()
	more := product()
	more.Columns = append(more.Columns, dmsgen.Column{Name: "note", Type: "text"})
	a.change(more, update(int64(8), "eight", "x", "noted")) // a column, too
	a.tick()
	_, err := a.s3.CreateMultipartUpload(t.Context(), &s3.CreateMultipartUploadInput{Bucket: &a.lake, Key: aws.String("product/part-000000000099-0-abandoned.parquet")})
	a.must(err)
	a.must(err)
	changed := dmsgen.Table{Schema: "store", Name: "changed", Key: []string{"id"}, Columns: product().Columns} // never loaded
	a.change(changed, insert(int64(1), "a", "x"))
	a.tick()
	_, err = a.operator().Activate(t.Context(), "store.changed", replicate.Activation{PrimaryKey: aws.String("id")})
	a.must(err)
	a.tick()
	a.twiceStarted()
	a.load(product(), []any{int64(1), "reloaded", "x"}) // beside the files of before, which are emptied
	a.tick()
	var cleaned cleaning.Answer
	a.must(a.invoke(janitor, struct{}{}, &cleaned))
	if cleaned.Files == 0 || cleaned.Bookkeeping == 0 || cleaned.Uploads == 0 {
		t.Errorf("the janitor had nothing to do: %+v", cleaned)
	}
	c.mu.Lock()
	got := strings.Join(slices.Sorted(maps.Keys(c.seen)), "\n") + "\n"
	c.mu.Unlock()
	const file = "testdata/calls.txt"
	if *rewrite {
		a.must(os.WriteFile(file, []byte(got), 0o666))
	}
	want, err := os.ReadFile(file)
	a.must(err)
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-it says +was called); after a change of the functions: go test ./functions -run TestCalls -args -update, and see to the policies:\n%s", file, diff)
	}
}

// twiceStarted starts a tick's run a second time, when it has ended and its input is another: the controller asks how it ended.
func (a *account) twiceStarted() {
	a.t.Helper()
	a.change(product(), update(int64(7), "seven", "new"))
	a.start("again")
	a.ended()
	a.change(product(), update(int64(7), "eight", "new"))
	time.Sleep(10 * time.Millisecond)
	a.start("again")
	a.ended()
}
