package statestore_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"sluice/statestore"
)

// rigEndpoint is where the rig keeps a DynamoDB; its credentials come with it by the SDK's own variables.
const rigEndpoint = "SLUICE_TEST_DYNAMODB_ENDPOINT"

// rigClient returns a client of the rig's DynamoDB, or skips the test when there is none.
func rigClient(t *testing.T, opts ...func(*dynamodb.Options)) *dynamodb.Client {
	t.Helper()
	endpoint := os.Getenv(rigEndpoint)
	if endpoint == "" {
		t.Skipf("no DynamoDB: %s is not set", rigEndpoint)
	}
	return rigClientOf(t, endpoint, opts...)
}

// rigClientOf returns a client of a DynamoDB that knows the rig's credentials.
func rigClientOf(t *testing.T, endpoint string, opts ...func(*dynamodb.Options)) *dynamodb.Client {
	t.Helper()
	client, err := statestore.NewDynamoDBClient(t.Context(), append(opts, func(o *dynamodb.Options) {
		o.BaseEndpoint = &endpoint
		if o.Region == "" {
			o.Region = "us-east-1"
		}
	})...)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// rigTable returns a new table that goes away with the test.
func rigTable(t *testing.T, client *dynamodb.Client, now func() time.Time) *statestore.DynamoDB {
	t.Helper()
	_, table := rigTableOf(t, client, now)
	return table
}

// rigTableOf is rigTable with the table's name.
func rigTableOf(t *testing.T, client *dynamodb.Client, now func() time.Time) (name string, table *statestore.DynamoDB) {
	t.Helper()
	name = fmt.Sprintf("sluice-test-%d-%08x", os.Getpid(), rand.Uint32())
	table = statestore.NewDynamoDB(client, name, now)
	if err := table.EnsureTable(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if _, err := client.DeleteTable(context.WithoutCancel(t.Context()), &dynamodb.DeleteTableInput{TableName: aws.String(name)}); err != nil {
			t.Error(err)
		}
	})
	return name, table
}

func openFile(t *testing.T, path string) *statestore.File {
	t.Helper()
	file, err := statestore.OpenFile(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := file.Close(); err != nil {
			t.Error(err)
		}
	})
	return file
}
