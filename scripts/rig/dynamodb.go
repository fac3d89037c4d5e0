package rig

import "testing"

// ControlTable is a place for one DynamoDB table of a test's own.
type ControlTable struct {
	Endpoint string   // http://127.0.0.1:PORT
	Name     string   // of no table yet: creating it is the test's part
	Env      []string // KEY=value for a process that uses the table: endpoint, credentials, region
}

// DynamoDB returns an unused table name on the rig's DynamoDB server. A client made from the SDK's usual chain needs
// only the endpoint: credentials and region are in the environment.
func DynamoDB(t testing.TB) *ControlTable {
	t.Helper()
	endpoint := setting(t, EnvDynamoDBEndpoint)
	return &ControlTable{
		Endpoint: endpoint,
		Name:     unique("DMSCDC_Controller"),
		Env:      environ("AWS_ENDPOINT_URL_DYNAMODB=" + endpoint),
	}
}
