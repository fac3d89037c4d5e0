package rig

import (
	"os"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	"github.com/aws/aws-sdk-go-v2/service/glue/types"
)

// Catalog is a database of a test's own, empty, in the rig's stand-in for the AWS Glue Data Catalog.
type Catalog struct {
	Endpoint string   // http://127.0.0.1:PORT
	Database string   // its name
	Env      []string // KEY=value for a process that uses it: endpoint, credentials, region
	Client   *glue.Client
}

// Glue returns a fresh database. The stand-in is the process that stands in for DynamoDB, too.
func Glue(t testing.TB) *Catalog {
	t.Helper()
	endpoint := setting(t, EnvDynamoDBEndpoint)
	c := &Catalog{
		Endpoint: endpoint,
		Database: strings.ReplaceAll(unique("lake"), "-", "_"),
		Env:      environ("AWS_ENDPOINT_URL_GLUE=" + endpoint),
		Client: glue.New(glue.Options{
			BaseEndpoint: aws.String(endpoint),
			Region:       Region,
			Credentials: credentials.NewStaticCredentialsProvider(
				os.Getenv("AWS_ACCESS_KEY_ID"), os.Getenv("AWS_SECRET_ACCESS_KEY"), ""),
		}),
	}
	in := &glue.CreateDatabaseInput{DatabaseInput: &types.DatabaseInput{Name: &c.Database}}
	if _, err := c.Client.CreateDatabase(t.Context(), in); err != nil {
		t.Fatalf("create database %s: %v", c.Database, err)
	}
	return c
}
