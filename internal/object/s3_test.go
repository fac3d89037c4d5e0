package object_test

import (
	"context"
	"crypto/rand"
	"os"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"sluice/internal/object"
	"sluice/internal/object/objecttest"
)

// newClient returns a client of the test server, or skips.
func newClient(t *testing.T) *s3.Client {
	t.Helper()
	endpoint := os.Getenv("SLUICE_TEST_S3_ENDPOINT")
	if endpoint == "" {
		t.Skip("SLUICE_TEST_S3_ENDPOINT is not set: no S3 server to test with (make test starts one)")
	}
	return clientOf(t, endpoint)
}

func clientOf(t *testing.T, endpoint string, options ...func(*object.Patience)) *s3.Client {
	t.Helper()
	t.Setenv("AWS_ENDPOINT_URL_S3", endpoint)
	client, err := object.NewS3Client(t.Context(), options...)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// newBucket makes a bucket, which is left to the server's end.
func newBucket(t *testing.T, client *s3.Client) string {
	t.Helper()
	name := "object-test-" + strings.ToLower(rand.Text())
	if _, err := client.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: &name}); err != nil {
		t.Fatal(err)
	}
	return name
}

// noUploadsLeft fails when a multipart upload was neither completed nor aborted.
func noUploadsLeft(t *testing.T, client *s3.Client, bucket string) {
	t.Helper()
	out, err := client.ListMultipartUploads(context.WithoutCancel(t.Context()), &s3.ListMultipartUploadsInput{Bucket: &bucket})
	if err != nil {
		t.Fatal(err)
	}
	for _, u := range out.Uploads {
		t.Errorf("multipart upload of %s is left behind", *u.Key)
	}
}

func TestS3(t *testing.T) {
	client := newClient(t)
	objecttest.Run(t, func(t *testing.T) object.Store {
		t.Helper()
		bucket := newBucket(t, client)
		t.Cleanup(func() { noUploadsLeft(t, client, bucket) })
		return object.NewS3(client, bucket)
	})
}

func TestS3NoBucket(t *testing.T) {
	client := newClient(t)
	objecttest.RunNoBucket(t, object.NewS3(client, "object-test-none-"+strings.ToLower(rand.Text())))
}

func TestS3Denied(t *testing.T) {
	client := newClient(t)
	bucket := newBucket(t, client)
	t.Setenv("AWS_SECRET_ACCESS_KEY", "wrong")
	store := object.NewS3(newClient(t), bucket)
	_, err := store.Put(t.Context(), "a", nil, object.PutInput{})
	wantIs(t, err, object.ErrDenied)
}
