package statestore_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sluice/statestore"
)

// sends is a call of the store, and the one request that it must make, as wire writes it.
type sends struct {
	do   func(context.Context, statestore.Store) error
	want string
}

const update = "UpdateItem raw/store/product/ "

func commitSends() map[string]sends {
	p := statestore.Pending{
		Path: product, Base: 6, Seq: 7, CommitID: "ab", PlanKey: "p7",
		Settings: map[string]string{"PrimaryKey": "id", "OrderColumn": ""}, Remove: []string{"Accept"},
	}
	first := statestore.Pending{Path: product, Seq: 1, CommitID: "ab", PlanKey: "p1"}
	f := statestore.Finished{Path: product, Seq: 7, CommitID: "ab", Set: map[string]string{"Index": "i7"}, Remove: []string{"Accept"}}
	return map[string]sends{
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
				"(attribute_not_exists(Status) OR Status <> 'halted') AND (Seq = '000000000000' OR (attribute_not_exists(Seq) OR Seq = ''))",
		},
		"replace": {
			func(ctx context.Context, s statestore.Store) error { return s.Replace(ctx, "old", first) },
			update + "SET CommitId = 'ab', CommitPlan = 'p1', Seq = '000000000001' " +
				"IF attribute_exists(path) AND CommitId = 'old' AND (Seq = '000000000000' OR (attribute_not_exists(Seq) OR Seq = ''))",
		},
		"finish": {
			func(ctx context.Context, s statestore.Store) error { return s.Finish(ctx, f) },
			update + "SET Index = 'i7' REMOVE Accept, CommitId, CommitPlan, Status, StatusReason " +
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
	}
}

func operatorSends() map[string]sends {
	return map[string]sends{
		"acknowledge": {
			func(ctx context.Context, s statestore.Store) error { return s.Acknowledge(ctx, product, "why", "") },
			update + "REMOVE Status, StatusReason IF attribute_exists(path) AND Status = 'halted' AND StatusReason = 'why'",
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
	}
}

func TestDynamoDBSends(t *testing.T) {
	t.Parallel()
	cases := commitSends()
	maps.Copy(cases, operatorSends())
	for name, tc := range cases {
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
