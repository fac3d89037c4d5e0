package statestore_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sluice/statestore"
)

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
