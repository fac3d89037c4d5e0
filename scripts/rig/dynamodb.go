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

// Enforcing returns the endpoint of a stand-in for AWS in which IAM decides: signatures are verified, policies of roles and
// resources heard. The credentials of the environment are the account's root. It is one for all tests.
func Enforcing(t testing.TB) (endpoint string) {
	t.Helper()
	return setting(t, EnvEnforcingEndpoint)
}
