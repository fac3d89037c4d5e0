package statestore

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// DynamoDB is a control table in Amazon DynamoDB: hash key path, of type S, as the sample creates it. Items may hold
// attributes of other types, which stay as they are and are not shown. Leases run by the clocks of their claimers.
type DynamoDB struct {
	clockLease

	client *dynamodb.Client
	table  string
}

// NewDynamoDB returns the table of that name. Retries are the client's; leases run by now.
func NewDynamoDB(client *dynamodb.Client, table string, now func() time.Time) *DynamoDB {
	d := &DynamoDB{client: client, table: table}
	d.clockLease = clockLease{items: d, now: now}
	return d
}

// Read implements Items by a strongly consistent GetItem.
func (d *DynamoDB) Read(ctx context.Context, path string) (Item, error) {
	out, err := d.client.GetItem(ctx, &dynamodb.GetItemInput{
		TableName:      &d.table,
		Key:            key(path),
		ConsistentRead: aws.Bool(true),
	})
	if err == nil && len(out.Item) == 0 {
		err = ErrNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", path, d.explain(err))
	}
	item, err := decode(out.Item)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	return item, nil
}

// List implements Items by a strongly consistent Scan, page by page as they are asked for.
func (d *DynamoDB) List(ctx context.Context) iter.Seq2[Item, error] {
	return func(yield func(Item, error) bool) {
		pages := dynamodb.NewScanPaginator(d.client, &dynamodb.ScanInput{TableName: &d.table, ConsistentRead: aws.Bool(true)})
		for pages.HasMorePages() {
			page, err := pages.NextPage(ctx)
			if err != nil {
				yield(nil, fmt.Errorf("list %s: %w", d.table, d.explain(err)))
				return
			}
			for _, attrs := range page.Items {
				if !yield(decode(attrs)) {
					return
				}
			}
		}
	}
}

// Create implements Items by PutItem, conditional on the path's having no item.
func (d *DynamoDB) Create(ctx context.Context, item Item) error {
	if err := item.validate(); err != nil {
		return err
	}
	e := newExpression()
	cond := e.test(Condition{Attr: Path, Test: Absent})
	var sent attempts
	_, err := d.client.PutItem(ctx, &dynamodb.PutItemInput{
		TableName:                &d.table,
		Item:                     encode(item),
		ConditionExpression:      &cond,
		ExpressionAttributeNames: e.names,
	}, sent.watch)
	if err != nil {
		if _, failed := sent.refusal(err); failed {
			err = ErrExists
		}
		return fmt.Errorf("create %s: %w", item[Path], d.explain(err))
	}
	return nil
}

// Update implements Items by one UpdateItem.
func (d *DynamoDB) Update(ctx context.Context, u Update) (Item, error) {
	if err := u.validate(); err != nil {
		return nil, err
	}
	var sent attempts
	out, err := d.client.UpdateItem(ctx, d.updateInput(u), sent.watch)
	if err != nil {
		switch have, failed := sent.refusal(err); {
		case failed && len(have) == 0:
			err = ErrNotFound
		case failed:
			err = ErrConflict
		}
		return nil, fmt.Errorf("update %s: %w", u.Path, d.explain(err))
	}
	item, err := decode(out.Attributes)
	if err != nil {
		return nil, fmt.Errorf("update %s: %w", u.Path, err)
	}
	return item, nil
}

func (d *DynamoDB) updateInput(u Update) *dynamodb.UpdateItemInput {
	e := newExpression()
	update, cond := e.update(u), e.condition(u)
	in := &dynamodb.UpdateItemInput{
		TableName:                           &d.table,
		Key:                                 key(u.Path),
		UpdateExpression:                    &update,
		ConditionExpression:                 &cond,
		ExpressionAttributeNames:            e.names,
		ReturnValues:                        types.ReturnValueAllNew,
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	}
	if len(e.values) > 0 { // an empty map is refused
		in.ExpressionAttributeValues = e.values
	}
	return in
}

func key(path string) map[string]types.AttributeValue {
	return map[string]types.AttributeValue{Path: &types.AttributeValueMemberS{Value: path}}
}

// explain adds the sentinel that says what to do about an error of the service.
func (d *DynamoDB) explain(err error) error {
	var missing *types.ResourceNotFoundException
	if errors.As(err, &missing) {
		return fmt.Errorf("%w: %s: %w", ErrNoTable, d.table, err)
	}
	if isDenied(err) {
		return fmt.Errorf("%w: %s: %w", ErrDenied, d.table, err)
	}
	if trouble := troubleOf(err); trouble != nil {
		return fmt.Errorf("%w: %s: %w", trouble, d.table, err)
	}
	return err
}
