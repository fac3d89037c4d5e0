package statestore

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// tableWait bounds how long EnsureTable waits for the table to become active.
const tableWait = 2 * time.Minute

// EnsureTable implements Backend: a table that is not there is created with on-demand billing, and waited for until it
// is active, two minutes at most. ErrInvalid when the table that is there has another key.
func (d *DynamoDB) EnsureTable(ctx context.Context) error {
	if err := d.ensure(ctx); err != nil {
		return fmt.Errorf("ensure table %s: %w", d.table, d.explain(err))
	}
	return nil
}

func (d *DynamoDB) ensure(ctx context.Context) error {
	described := &dynamodb.DescribeTableInput{TableName: &d.table}
	out, err := d.client.DescribeTable(ctx, described)
	var missing *types.ResourceNotFoundException
	switch {
	case errors.As(err, &missing):
		err = d.create(ctx)
	case err == nil && usable(out.Table):
		return checkKey(out.Table)
	}
	if err != nil {
		return err
	}
	waiter := dynamodb.NewTableExistsWaiter(d.client, func(o *dynamodb.TableExistsWaiterOptions) {
		o.MinDelay, o.MaxDelay = 200*time.Millisecond, 5*time.Second
	})
	if out, err = waiter.WaitForOutput(ctx, described, tableWait); err != nil {
		return err
	}
	return checkKey(out.Table)
}

func (d *DynamoDB) create(ctx context.Context) error {
	_, err := d.client.CreateTable(ctx, &dynamodb.CreateTableInput{
		TableName:            &d.table,
		BillingMode:          types.BillingModePayPerRequest,
		KeySchema:            []types.KeySchemaElement{{AttributeName: aws.String(Path), KeyType: types.KeyTypeHash}},
		AttributeDefinitions: []types.AttributeDefinition{{AttributeName: aws.String(Path), AttributeType: types.ScalarAttributeTypeS}},
	})
	var raced *types.ResourceInUseException
	if errors.As(err, &raced) {
		return nil
	}
	return err
}

// usable reports whether items can be read and written: a table that is being updated serves them.
func usable(t *types.TableDescription) bool {
	return t.TableStatus == types.TableStatusActive || t.TableStatus == types.TableStatusUpdating
}

func checkKey(t *types.TableDescription) error {
	if len(t.KeySchema) == 1 && aws.ToString(t.KeySchema[0].AttributeName) == Path {
		return nil
	}
	return fmt.Errorf("%w: the key of the control table is not %s alone", ErrInvalid, Path)
}
