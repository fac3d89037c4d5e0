package statestore_test

import (
	"context"
	"errors"
	"reflect"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go/middleware"

	"sluice/statestore"
	"sluice/statestore/statestoretest"
)

// before returns an option that lets see look at, or change, the input of every call.
func before(see func(input any)) func(*dynamodb.Options) {
	return func(o *dynamodb.Options) {
		o.APIOptions = append(o.APIOptions, func(stack *middleware.Stack) error {
			return stack.Initialize.Add(middleware.InitializeMiddlewareFunc("testBefore", func(
				ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler,
			) (middleware.InitializeOutput, middleware.Metadata, error) {
				see(in.Parameters)
				return next.HandleInitialize(ctx, in)
			}), middleware.Before)
		})
	}
}

// TestDynamoDB runs the suite and looks at every write: none goes without its condition.
func TestDynamoDB(t *testing.T) {
	t.Parallel()
	client := rigClient(t, before(func(input any) {
		switch in := input.(type) {
		case *dynamodb.PutItemInput:
			if cond := aws.ToString(in.ConditionExpression); cond != "attribute_not_exists(#n0)" || in.ExpressionAttributeNames["#n0"] != "path" {
				t.Errorf("PutItem with condition %q", cond)
			}
		case *dynamodb.UpdateItemInput:
			if cond := aws.ToString(in.ConditionExpression); !strings.HasPrefix(cond, "attribute_exists(") {
				t.Errorf("UpdateItem with condition %q", cond)
			}
		case *dynamodb.GetItemInput:
			if !aws.ToBool(in.ConsistentRead) {
				t.Error("GetItem that is not consistent")
			}
		case *dynamodb.ScanInput, *dynamodb.CreateTableInput, *dynamodb.DescribeTableInput, *dynamodb.DeleteTableInput:
		default:
			t.Errorf("unexpected call %T", in)
		}
	}))
	statestoretest.Run(t, func(t *testing.T) statestore.Backend {
		t.Helper()
		return rigTable(t, client, time.Now)
	})
}

func TestDynamoDBPages(t *testing.T) {
	t.Parallel()
	var pages atomic.Int64
	d := rigTable(t, rigClient(t, before(func(input any) {
		if scan, ok := input.(*dynamodb.ScanInput); ok {
			scan.Limit = aws.Int32(10)
			pages.Add(1)
		}
	})), time.Now)
	for n := range 35 {
		if err := d.Create(t.Context(), statestore.Item{"path": strings.Repeat("x", n+1)}); err != nil {
			t.Fatal(err)
		}
	}
	items := 0
	for _, err := range d.List(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		items++
	}
	if items != 35 || pages.Load() != 4 {
		t.Errorf("%d items on %d pages", items, pages.Load())
	}
}

// TestDynamoDBForeignTypes keeps attributes of every other type through updates.
func TestDynamoDBForeignTypes(t *testing.T) {
	t.Parallel()
	var name string
	client := rigClient(t, before(func(input any) {
		if create, ok := input.(*dynamodb.CreateTableInput); ok {
			name = *create.TableName
		}
	}))
	s := statestore.New(rigTable(t, client, time.Now))
	attrs := map[string]types.AttributeValue{
		"path": &types.AttributeValueMemberS{Value: product}, "ActiveFlag": &types.AttributeValueMemberS{Value: "true"},
		"Cost":  &types.AttributeValueMemberN{Value: "12.5"},
		"Tags":  &types.AttributeValueMemberSS{Value: []string{"a", "b"}},
		"Notes": &types.AttributeValueMemberM{Value: map[string]types.AttributeValue{"k": &types.AttributeValueMemberBOOL{Value: true}}},
	}
	put := &dynamodb.PutItemInput{TableName: &name, Item: attrs, ConditionExpression: aws.String("attribute_not_exists(ActiveFlag)")}
	if _, err := client.PutItem(t.Context(), put); err != nil {
		t.Fatal(err)
	}
	steps := []error{
		s.Commit(t.Context(), statestore.Pending{Path: product, Seq: 1, CommitID: "ab", PlanKey: "p"}),
		s.Claim(t.Context(), product, "me", time.Minute),
		s.Finish(t.Context(), statestore.Finished{Path: product, Seq: 1, CommitID: "ab"}),
		s.Release(t.Context(), product, "me"),
		s.Import(t.Context(), statestore.Item{"path": product, "Seq": "000000000002"}, false),
		s.Deactivate(t.Context(), product),
	}
	for n, err := range steps {
		if err != nil {
			t.Errorf("step %d: %v", n, err)
		}
	}
	got, err := client.GetItem(t.Context(), &dynamodb.GetItemInput{
		TableName: &name, Key: map[string]types.AttributeValue{"path": attrs["path"]}, ConsistentRead: aws.Bool(true),
	})
	if err != nil {
		t.Fatal(err)
	}
	attrs["ActiveFlag"] = &types.AttributeValueMemberS{Value: "false"}
	attrs["Seq"] = &types.AttributeValueMemberS{Value: "000000000002"}
	if !reflect.DeepEqual(got.Item, attrs) {
		t.Errorf("item: got %v, want %v", got.Item, attrs)
	}
}

func TestDynamoDBNoTable(t *testing.T) {
	t.Parallel()
	d := statestore.NewDynamoDB(rigClient(t), "sluice-test-none", time.Now)
	wantError(t, statestore.ErrNoTable, func() error { _, err := d.Read(t.Context(), product); return err })
	wantError(t, statestore.ErrNoTable, func() error { return d.Create(t.Context(), statestore.Item{"path": product}) })
	wantError(t, statestore.ErrNoTable, func() error { return d.Claim(t.Context(), product, "me", time.Second) })
	for _, err := range d.List(t.Context()) {
		wantError(t, statestore.ErrNoTable, func() error { return err })
	}
}

func wantError(t *testing.T, want error, do func() error) {
	t.Helper()
	if err := do(); !errors.Is(err, want) {
		t.Errorf("got %v, want %v", err, want)
	}
}
