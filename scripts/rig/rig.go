// Package rig gives tests real servers and an independent reader.
//
// The servers are an S3 gateway whose objects are plain files, a stand-in for DynamoDB and the other services of AWS, and the
// same once more with policies enforced; the reader is DuckDB, which shares no code with sluice. All of them run on this machine, listen on 127.0.0.1 only and are started once for
// many test binaries by the command in cmd/rig:
//
//	make test                                       # every test
//	go run ./scripts/rig/cmd/rig -- go test ./...   # any command with the servers in its environment
//
// A test asks for what it needs ([S3], [DynamoDB], [DuckDB]) and gets something of its own: fresh buckets, an unused
// table name, an empty database. So tests may run in parallel and never clean up. Outside the rig the same calls skip
// the test and say why; go test -v shows it.
//
// The package knows nothing of DMS, lakes or plans. Only tests import it.
package rig

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"os"
	"testing"
	"time"
)

// The environment in which cmd/rig runs its command. The usual AWS variables (key, secret, region) are set too, those
// of the developer's own account are taken out.
const (
	EnvS3Endpoint        = "SLUICE_TEST_S3_ENDPOINT"        // http://127.0.0.1:PORT
	EnvS3Data            = "SLUICE_TEST_S3_DATA"            // directory with a directory per bucket, a file per object
	EnvDynamoDBEndpoint  = "SLUICE_TEST_DYNAMODB_ENDPOINT"  // http://127.0.0.1:PORT
	EnvEnforcingEndpoint = "SLUICE_TEST_ENFORCING_ENDPOINT" // http://127.0.0.1:PORT
	EnvDuckDB            = "SLUICE_TEST_DUCKDB"             // a Python with the packages of requirements.lock
	EnvSoak              = "SLUICE_SOAK"                    // how long all soak tests together run, as time.ParseDuration reads it
)

// Region is the AWS region of the rig.
const Region = "eu-west-1"

// Soak returns a share, above 0 and up to 1, of the time that make soak was given: the shares of all soak tests add up
// to 1 or less, so SOAK=30m takes about half an hour. It skips the test when nobody asked: such tests run in make soak.
func Soak(t testing.TB, share float64) time.Duration {
	t.Helper()
	text := os.Getenv(EnvSoak)
	if text == "" {
		t.Skipf("%s is not set: run make soak", EnvSoak)
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		t.Fatalf("%s: %v", EnvSoak, err)
	}
	return time.Duration(share * float64(d))
}

// Figure says a figure of the given kind, such as how many crash points a test tried. The commands make test and make
// soak print those of the tests that passed behind everything else, sorted by kind.
func Figure(t testing.TB, kind, format string, args ...any) {
	t.Helper()
	t.Logf("figure: %s: %s", kind, fmt.Sprintf(format, args...))
}

// setting returns the value of an environment variable that the rig sets and skips the test where it is missing.
func setting(t testing.TB, name string) string {
	t.Helper()
	value := os.Getenv(name)
	if value == "" {
		t.Skipf("%s is not set: run make test, or go run ./scripts/rig/cmd/rig -- go test …", name)
	}
	return value
}

// unique returns prefix with a random ending, good as a bucket's and as a table's name.
func unique(prefix string) string {
	random := make([]byte, 6)
	_, _ = rand.Read(random) // never fails: it ends the program instead
	return prefix + "-" + hex.EncodeToString(random)
}
