package cost_test

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"sluice/internal/cost"
	"sluice/internal/object"
	"sluice/internal/replicate"
	"sluice/scripts/dmsgen"
	"sluice/scripts/rig"
	"sluice/statestore"
)

// account is an installation on the rig's servers whose requests are counted on their way.
type account struct {
	t       *testing.T
	buckets *rig.Buckets
	sink    dmsgen.Sink
	state   statestore.Store
	config  replicate.Config
	stores  replicate.Stores
	mu      sync.Mutex
	ahead   time.Duration // of the clock
	seen    cost.Requests
}

func newAccount(t *testing.T) *account {
	t.Helper()
	a := &account{t: t, buckets: rig.S3(t)}
	control := rig.DynamoDB(t)
	t.Setenv("AWS_ENDPOINT_URL_S3", a.counted(a.buckets.Endpoint, a.countObject))
	t.Setenv("AWS_ENDPOINT_URL_DYNAMODB", a.counted(control.Endpoint, a.countItem))
	objects, err := object.NewS3Client(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	items, err := statestore.NewDynamoDBClient(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	a.state = statestore.New(statestore.NewDynamoDB(items, control.Name, a.now))
	a.stores = replicate.Stores{
		Objects: func(_ context.Context, bucket string) (replicate.Objects, error) {
			return object.NewS3(objects, bucket), nil
		},
		State: a.state, Now: a.now,
	}
	settings := replicate.DefaultSettings()
	settings.Settle, settings.FullLoadQuiet = 0, 0
	a.config = replicate.Config{RawBucket: a.buckets.Raw, LakeBucket: a.buckets.Lake, Schema: "*", Owner: "count", Settings: settings}
	a.sink = dmsgen.SinkFunc(func(ctx context.Context, key string, body []byte, _ time.Time) error {
		_, err := a.buckets.Client.PutObject(ctx, &s3.PutObjectInput{Bucket: &a.buckets.Raw, Key: aws.String(key), Body: bytes.NewReader(body)})
		return err
	})
	return a
}

func (a *account) now() time.Time {
	a.mu.Lock()
	defer a.mu.Unlock()
	return time.Now().Add(a.ahead)
}

// counted returns the address of a server that counts requests and passes them on.
func (a *account) counted(endpoint string, count func(*http.Request)) string {
	a.t.Helper()
	target, err := url.Parse(endpoint)
	if err != nil {
		a.t.Fatal(err)
	}
	forward := httputil.NewSingleHostReverseProxy(target)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a.mu.Lock()
		count(r)
		a.mu.Unlock()
		forward.ServeHTTP(w, r)
	}))
	a.t.Cleanup(server.Close)
	return server.URL
}

// countObject sorts a request as S3 bills it.
func (a *account) countObject(r *http.Request) {
	switch {
	case r.Method == http.MethodGet && r.URL.Query().Has("list-type"):
		a.seen.Lists++
	case r.Method == http.MethodGet, r.Method == http.MethodHead:
		a.seen.Gets++
	default:
		a.seen.Puts++
	}
}

func (a *account) countItem(r *http.Request) {
	switch operation := r.Header.Get("X-Amz-Target"); operation[strings.LastIndex(operation, ".")+1:] {
	case "DescribeTable": // free
	case "GetItem", "Query", "Scan":
		a.seen.Reads++
	default:
		a.seen.Writes++
	}
}

// count returns the requests that something sends.
func (a *account) count(do func()) cost.Requests {
	a.mu.Lock()
	a.seen = cost.Requests{}
	a.mu.Unlock()
	do()
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.seen
}

// engine is a new one each time, as a function's invocation makes one.
func (a *account) engine() *replicate.Engine {
	a.t.Helper()
	e, err := replicate.New(a.config, a.stores)
	if err != nil {
		a.t.Fatal(err)
	}
	return e
}

// survey is what the controller does; it returns the tables that have something to do.
func (a *account) survey() []replicate.Due {
	a.t.Helper()
	var due []replicate.Due
	var mu sync.Mutex
	err := a.engine().Survey(a.t.Context(), func(_ context.Context, d replicate.Due) error {
		mu.Lock()
		defer mu.Unlock()
		due = append(due, d)
		return nil
	}, func(r replicate.Result) {
		if r.Err != nil {
			a.t.Fatal(r.Err)
		}
	})
	if err != nil {
		a.t.Fatal(err)
	}
	return due
}

// step is what a worker's planning step does.
func (a *account) step(t dmsgen.Table, stage replicate.Stage, want replicate.Action) {
	a.t.Helper()
	step := a.engine().Plan(a.t.Context(), a.buckets.Raw+"/"+t.Folder(), stage, replicate.StepOptions{InlineBytes: 512 << 20})
	if step.Action != want {
		a.t.Fatalf("%s: %s (%s), want %s", t.Name, step.Action, step.Reason, want)
	}
}

// fleet returns tables of so many columns, the second of which is the partition key.
func fleet(n, columns int) []dmsgen.Table {
	tables := make([]dmsgen.Table, n)
	for i := range tables {
		tables[i] = dmsgen.Table{Schema: "store", Name: fmt.Sprintf("t%d", i), Key: []string{"id"}, Columns: []dmsgen.Column{
			{Name: "id", Type: "bigint"}, {Name: "part", Type: "int"},
		}}
		for c := 2; c < columns; c++ {
			tables[i].Columns = append(tables[i].Columns, dmsgen.Column{Name: fmt.Sprintf("v%d", c), Type: "text"})
		}
	}
	return tables
}

// row returns a row in a partition of its own.
func row(t dmsgen.Table, i int, text string) []any {
	values := []any{int64(i), int32(i)}
	for range t.Columns[2:] {
		values = append(values, text)
	}
	return values
}

// load writes a full load of so many rows, each of a partition of its own, in files of so many rows.
func (a *account) load(t dmsgen.Table, rows, rowsPerFile int) {
	a.t.Helper()
	settings := dmsgen.DefaultSettings()
	settings.RowsPerFile = rowsPerFile
	list := make([][]any, rows)
	for i := range list {
		list[i] = row(t, i, "first")
	}
	w, err := dmsgen.NewWriter(a.sink, settings)
	if err != nil {
		a.t.Fatal(err)
	}
	if _, err := w.WriteLoad(a.t.Context(), t, time.Now(), list...); err != nil {
		a.t.Fatal(err)
	}
}

// change writes a change file that updates the first so many rows.
func (a *account) change(t dmsgen.Table, rows int) {
	a.t.Helper()
	time.Sleep(2 * time.Millisecond) // names have milliseconds
	w, err := dmsgen.NewWriter(a.sink, dmsgen.DefaultSettings())
	if err != nil {
		a.t.Fatal(err)
	}
	var list []dmsgen.Change
	for i := range rows {
		list = append(list, dmsgen.Change{Op: dmsgen.Update, Row: row(t, i, time.Now().String())})
	}
	if _, err := w.WriteChanges(a.t.Context(), t, time.Now(), list...); err != nil {
		a.t.Fatal(err)
	}
}

// open registers, activates and loads a table.
func (a *account) open(t dmsgen.Table, rows int) {
	a.t.Helper()
	a.load(t, rows, rows)
	a.activate(t, "part")
	a.step(t, replicate.StageLoad, replicate.Loaded)
}

func (a *account) activate(t dmsgen.Table, partition string) {
	a.t.Helper()
	a.survey()
	if _, err := a.engine().Activate(a.t.Context(), t.Schema+"."+t.Name, replicate.Activation{PrimaryKey: aws.String("id"), PartitionKey: &partition}); err != nil {
		a.t.Fatal(err)
	}
}
