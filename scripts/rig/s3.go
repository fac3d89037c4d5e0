package rig

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// Buckets is a raw bucket and a lake bucket of a test's own, both empty, on the rig's S3 server.
//
// The object KEY of the lake bucket is the plain file LakeDir/KEY. A test may read it there, with DuckDB above all
// (read_parquet of LakeDir/…/*.parquet); it must write through S3, or its ETag is not known to the server. The server
// cannot hold a key that is also the prefix (key + "/") of another.
type Buckets struct {
	Endpoint string // http://127.0.0.1:PORT
	Raw      string // bucket names
	Lake     string
	RawDir   string // where the buckets' objects are files
	LakeDir  string
	Env      []string   // KEY=value for a process that uses the buckets: endpoint, credentials, region
	Client   *s3.Client // with path-style addresses
}

// S3 returns two fresh buckets on the rig's S3 server.
func S3(t testing.TB) *Buckets {
	t.Helper()
	endpoint, data := setting(t, EnvS3Endpoint), setting(t, EnvS3Data)
	b := &Buckets{
		Endpoint: endpoint,
		Raw:      unique("raw"),
		Lake:     unique("lake"),
		Env:      environ("AWS_ENDPOINT_URL_S3=" + endpoint),
		Client: s3.New(s3.Options{
			BaseEndpoint: aws.String(endpoint),
			Region:       Region,
			UsePathStyle: true,
			Credentials: credentials.NewStaticCredentialsProvider(
				os.Getenv("AWS_ACCESS_KEY_ID"), os.Getenv("AWS_SECRET_ACCESS_KEY"), ""),
		}),
	}
	b.RawDir, b.LakeDir = filepath.Join(data, b.Raw), filepath.Join(data, b.Lake)
	for _, name := range []string{b.Raw, b.Lake} {
		if _, err := b.Client.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: &name}); err != nil {
			t.Fatalf("create bucket %s: %v", name, err)
		}
	}
	return b
}

// environ returns extra and the rig's credentials and region.
func environ(extra ...string) []string {
	for _, name := range []string{
		"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION",
		"AWS_EC2_METADATA_DISABLED", "AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE",
	} {
		extra = append(extra, name+"="+os.Getenv(name))
	}
	return extra
}
