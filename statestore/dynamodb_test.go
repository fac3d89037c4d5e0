package statestore_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/google/go-cmp/cmp"

	"sluice/statestore"
)

const product = "raw/store/product/"

// wire answers requests with canned answers, in order, and keeps what was sent as one line each.
type wire struct {
	answers []answer
	sent    []string
}

type answer struct {
	status int // 0: the connection breaks
	body   string
}

const refused = `{"__type":"com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException","Item":{"path":{"S":"raw/store/product/"}}}`

var errBroken = errors.New("connection broken")

func (w *wire) Do(r *http.Request) (*http.Response, error) {
	var in request
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		return nil, err
	}
	_, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	w.sent = append(w.sent, in.line(operation))
	a := answer{status: http.StatusOK, body: `{"Attributes":{"path":{"S":"raw/store/product/"}}}`}
	if len(w.answers) > 0 {
		a, w.answers = w.answers[0], w.answers[1:]
	}
	if a.status == 0 {
		return nil, errBroken
	}
	return &http.Response{StatusCode: a.status, Body: io.NopCloser(strings.NewReader(a.body)), Header: http.Header{}}, nil
}

func (w *wire) table() *statestore.DynamoDB {
	client := dynamodb.New(dynamodb.Options{
		Region: "eu-west-1", HTTPClient: w, Credentials: credentials.NewStaticCredentialsProvider("id", "secret", ""),
		RetryMaxAttempts: 2,
	})
	return statestore.NewDynamoDB(client, "control", func() time.Time { return time.Unix(1_800_000_000, 0) })
}

// request is what matters of a request's body.
type request struct {
	Key, Item                             map[string]map[string]string
	UpdateExpression, ConditionExpression string
	ExpressionAttributeNames              map[string]string
	ExpressionAttributeValues             map[string]map[string]string
	ConsistentRead                        bool
}

// line writes the request with names and values in the place of their placeholders.
func (r request) line(operation string) string {
	line := fmt.Sprintf("%s %s%s", operation, r.Key["path"]["S"], r.Item["path"]["S"])
	if r.UpdateExpression != "" {
		line += " " + r.UpdateExpression
	}
	if r.ConditionExpression != "" {
		line += " IF " + r.ConditionExpression
	}
	if r.ConsistentRead {
		line += " consistent"
	}
	return regexp.MustCompile(`[#:][nv]\d+`).ReplaceAllStringFunc(line, func(p string) string {
		if p[0] == '#' {
			return r.ExpressionAttributeNames[p]
		}
		return "'" + r.ExpressionAttributeValues[p]["S"] + "'"
	})
}

func TestDynamoDBSends(t *testing.T) {
	t.Parallel()
	p := statestore.Pending{
		Path: product, Base: 6, Seq: 7, CommitID: "ab", PlanKey: "p7",
		Settings: map[string]string{"PrimaryKey": "id", "OrderColumn": ""}, Remove: []string{"Accept"},
	}
	first := statestore.Pending{Path: product, Seq: 1, CommitID: "ab", PlanKey: "p1"}
	f := statestore.Finished{Path: product, Seq: 7, CommitID: "ab", Set: map[string]string{"Index": "i7"}, Remove: []string{"Accept"}}
	const update = "UpdateItem raw/store/product/ "
	for name, tc := range map[string]struct {
		do   func(context.Context, statestore.Store) error
		want string
	}{
		"create": {
			func(ctx context.Context, s statestore.Store) error {
				return s.Create(ctx, statestore.Item{"path": product})
			},
			"PutItem raw/store/product/ IF attribute_not_exists(path)",
		},
		"commit": {
			func(ctx context.Context, s statestore.Store) error { return s.Commit(ctx, p) },
			update + "SET CommitId = 'ab', CommitPlan = 'p7', Seq = '000000000007' REMOVE Accept " +
				"IF attribute_exists(path) AND attribute_not_exists(CommitId) AND ActiveFlag = 'true' AND " +
				"(attribute_not_exists(Status) OR Status <> 'halted') AND (attribute_not_exists(OrderColumn) OR OrderColumn = '') AND " +
				"PrimaryKey = 'id' AND (Seq = '000000000006')",
		},
		"first commit": {
			func(ctx context.Context, s statestore.Store) error { return s.Commit(ctx, first) },
			update + "SET CommitId = 'ab', CommitPlan = 'p1', Seq = '000000000001' " +
				"IF attribute_exists(path) AND attribute_not_exists(CommitId) AND ActiveFlag = 'true' AND " +
				"(attribute_not_exists(Status) OR Status <> 'halted') AND (Seq = '000000000000' OR attribute_not_exists(Seq))",
		},
		"replace": {
			func(ctx context.Context, s statestore.Store) error { return s.Replace(ctx, "old", first) },
			update + "SET CommitId = 'ab', CommitPlan = 'p1', Seq = '000000000001' " +
				"IF attribute_exists(path) AND CommitId = 'old' AND (Seq = '000000000000' OR attribute_not_exists(Seq))",
		},
		"finish": {
			func(ctx context.Context, s statestore.Store) error { return s.Finish(ctx, f) },
			update + "SET Index = 'i7' REMOVE Accept, CommitId, CommitPlan " +
				"IF attribute_exists(path) AND CommitId = 'ab' AND (Seq = '000000000007')",
		},
		"halt": {
			func(ctx context.Context, s statestore.Store) error {
				_, err := s.Halt(ctx, statestore.Halted{Path: product, Seq: 7, CommitID: "ab", Reason: "why"})
				return err
			},
			update + "SET Status = 'halted', StatusReason = 'why' " +
				"IF attribute_exists(path) AND CommitId = 'ab' AND (attribute_not_exists(Status) OR Status <> 'halted') AND (Seq = '000000000007')",
		},
		"acknowledge": {
			func(ctx context.Context, s statestore.Store) error { return s.Acknowledge(ctx, product, "") },
			update + "REMOVE Status, StatusReason IF attribute_exists(path) AND Status = 'halted'",
		},
		"deactivate": {
			func(ctx context.Context, s statestore.Store) error { return s.Deactivate(ctx, product) },
			update + "SET ActiveFlag = 'false' IF attribute_exists(path)",
		},
		"claim": {
			func(ctx context.Context, s statestore.Store) error {
				return s.Claim(ctx, product, "me", 90*time.Second)
			},
			update + "SET LeaseOwner = 'me', LeaseUntil = '2027-01-15T08:01:30.000Z' IF attribute_exists(path) AND " +
				"(attribute_not_exists(LeaseUntil) OR LeaseUntil < '2027-01-15T08:00:00.000Z' OR LeaseOwner = 'me')",
		},
		"renew": {
			func(ctx context.Context, s statestore.Store) error { return s.Renew(ctx, product, "me", time.Second) },
			update + "SET LeaseOwner = 'me', LeaseUntil = '2027-01-15T08:00:01.000Z' IF attribute_exists(path) AND LeaseOwner = 'me'",
		},
		"release": {
			func(ctx context.Context, s statestore.Store) error { return s.Release(ctx, product, "me") },
			update + "REMOVE LeaseOwner, LeaseUntil IF attribute_exists(path) AND LeaseOwner = 'me'",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := &wire{}
			if err := tc.do(t.Context(), statestore.New(w.table())); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff([]string{tc.want}, w.sent); diff != "" {
				t.Errorf("sent (-want +got):\n%s", diff)
			}
		})
	}
}

// TestDynamoDBRepeated lets the SDK repeat a request: a refusal then says nothing, if the first answer was lost.
func TestDynamoDBRepeated(t *testing.T) {
	t.Parallel()
	read := func(id string) answer {
		return answer{200, `{"Item":{"path":{"S":"raw/store/product/"},"Seq":{"S":"000000000001"},"CommitId":{"S":"` + id + `"}}}`}
	}
	throttled := answer{400, `{"__type":"com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException"}`}
	conflict := answer{400, refused}
	for name, tc := range map[string]struct {
		answers []answer
		want    error
		sent    int
	}{
		"refused at once":                   {[]answer{conflict}, statestore.ErrConflict, 1},
		"throttled, refused":                {[]answer{throttled, conflict}, statestore.ErrConflict, 2},
		"lost, refused, ours":               {[]answer{{}, conflict, read("ab")}, nil, 3},
		"server error, refused, ours":       {[]answer{{status: 500}, conflict, read("ab")}, nil, 3},
		"lost, refused, another's":          {[]answer{{}, conflict, read("cd")}, statestore.ErrConflict, 3},
		"lost twice, ours":                  {[]answer{{}, {}, read("ab")}, nil, 3},
		"lost, done":                        {[]answer{{}}, nil, 2},
		"lost twice, cannot be read either": {[]answer{{}, {}, {}, {}}, errBroken, 4},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := &wire{answers: tc.answers}
			err := statestore.New(w.table()).Commit(t.Context(), statestore.Pending{Path: product, Seq: 1, CommitID: "ab", PlanKey: "p"})
			if !errors.Is(err, tc.want) || len(w.sent) != tc.sent {
				t.Errorf("got %v after %d requests, want %v after %d", err, len(w.sent), tc.want, tc.sent)
			}
		})
	}
}

func TestDynamoDBErrors(t *testing.T) {
	t.Parallel()
	for code, want := range map[string]error{
		"ResourceNotFoundException":   statestore.ErrNoTable,
		"AccessDeniedException":       statestore.ErrDenied,
		"UnrecognizedClientException": statestore.ErrDenied,
		"ExpiredTokenException":       statestore.ErrDenied,
	} {
		t.Run(code, func(t *testing.T) {
			t.Parallel()
			a := answer{400, `{"__type":"com.amazonaws.dynamodb.v20120810#` + code + `","message":"so it is"}`}
			d := (&wire{answers: []answer{a, a, a, a, a, a, a, a}}).table()
			_, err := d.Read(t.Context(), product)
			errs := []error{err, d.Create(t.Context(), statestore.Item{"path": product}), d.Claim(t.Context(), product, "me", time.Second)}
			for _, err := range d.List(t.Context()) {
				errs = append(errs, err)
			}
			for _, err := range errs {
				if !errors.Is(err, want) || !strings.Contains(fmt.Sprint(err), "so it is") {
					t.Errorf("got %v, want %v", err, want)
				}
			}
			if len(errs) != 4 {
				t.Errorf("list: %v", errs)
			}
		})
	}
}

// TestDynamoDBTypes meets attributes that are not strings.
func TestDynamoDBTypes(t *testing.T) {
	t.Parallel()
	item := func(path, attr string) string {
		return `{"path":{"S":"` + path + `"},"Folder":{"S":"x"},"` + attr + `":{"N":"1"}}`
	}
	w := &wire{answers: []answer{
		{200, `{"Item":` + item("a", "Cost") + `}`},
		{200, `{"Item":` + item("b", "Seq") + `}`},
		{200, `{"Items":[` + item("c", "Seq") + `,` + item("d", "Cost") + `],"LastEvaluatedKey":{"path":{"S":"d"}}}`},
		{200, `{"Items":[` + item("e", "Cost") + `]}`},
	}}
	d := w.table()
	got, err := d.Read(t.Context(), "a")
	if diff := cmp.Diff(statestore.Item{"path": "a", "Folder": "x"}, got); diff != "" || err != nil {
		t.Errorf("foreign attribute: %v (-want +got):\n%s", err, diff)
	}
	if _, err := d.Read(t.Context(), "b"); !errors.Is(err, statestore.ErrType) {
		t.Errorf("known attribute: got %v", err)
	}
	var listed []string
	for item, err := range d.List(t.Context()) {
		listed = append(listed, fmt.Sprint(item["path"], errors.Is(err, statestore.ErrType)))
	}
	if diff := cmp.Diff([]string{"ctrue", "dfalse", "efalse"}, listed); diff != "" {
		t.Errorf("list (-want +got):\n%s", diff)
	}
	want := []string{"GetItem a consistent", "GetItem b consistent", "Scan  consistent", "Scan  consistent"}
	if diff := cmp.Diff(want, w.sent); diff != "" {
		t.Errorf("sent (-want +got):\n%s", diff)
	}
}

// TestDynamoDBTable makes the table of the sample and refuses one with another key.
func TestDynamoDBTable(t *testing.T) {
	t.Parallel()
	table := func(status, key string) answer {
		return answer{200, `{"Table":{"TableStatus":"` + status + `","KeySchema":[{"AttributeName":"` + key + `","KeyType":"HASH"}]}}`}
	}
	missing := answer{400, `{"__type":"com.amazonaws.dynamodb.v20120810#ResourceNotFoundException"}`}
	inUse := answer{400, `{"__type":"com.amazonaws.dynamodb.v20120810#ResourceInUseException"}`}
	describe, made := "DescribeTable ", "CreateTable "
	for name, tc := range map[string]struct {
		answers []answer
		want    error
		sent    []string
	}{
		"there":          {[]answer{table("ACTIVE", "path")}, nil, []string{describe}},
		"being updated":  {[]answer{table("UPDATING", "path")}, nil, []string{describe}},
		"another key":    {[]answer{table("ACTIVE", "id")}, statestore.ErrInvalid, []string{describe}},
		"made":           {[]answer{missing, {200, `{}`}, table("CREATING", "path"), table("ACTIVE", "path")}, nil, []string{describe, made, describe, describe}},
		"made elsewhere": {[]answer{missing, inUse, table("ACTIVE", "path")}, nil, []string{describe, made, describe}},
		"not permitted":  {[]answer{{400, `{"__type":"AccessDeniedException"}`}}, statestore.ErrDenied, []string{describe}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := &wire{answers: tc.answers}
			if err := w.table().EnsureTable(t.Context()); !errors.Is(err, tc.want) {
				t.Errorf("got %v, want %v", err, tc.want)
			}
			if diff := cmp.Diff(tc.sent, w.sent); diff != "" {
				t.Errorf("sent (-want +got):\n%s", diff)
			}
		})
	}
	t.Run("gives up with its context", func(t *testing.T) {
		t.Parallel()
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		w := &wire{answers: []answer{table("CREATING", "path"), table("CREATING", "path")}}
		if err := w.table().EnsureTable(ctx); err == nil {
			t.Error("a table that is being created was taken for ready")
		}
	})
}

var _ dynamodb.HTTPClient = (*wire)(nil)
