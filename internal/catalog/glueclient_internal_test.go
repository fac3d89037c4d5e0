package catalog

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/glue"
)

// TestAGlueThatNeverAnswersEndsTheRequest: no request had a time to end in, and a run in the middle of a commit waited
// for ever on a connection that was dead.
func TestAGlueThatNeverAnswersEndsTheRequest(t *testing.T) {
	silent := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-silent }))
	t.Cleanup(server.Close)
	t.Cleanup(func() { close(silent) })
	for name, value := range map[string]string{
		"AWS_ENDPOINT_URL_GLUE": server.URL, "AWS_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test",
	} {
		t.Setenv(name, value)
	}
	client, err := NewGlueClient(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	own, _ := client.Options().HTTPClient.(ownBody)
	bounded, _ := own.next.(*awshttp.BuildableClient)
	if bounded == nil || bounded.GetTimeout() <= 0 {
		t.Fatalf("requests of %T have no time to end in", own.next)
	}
	hurried := glue.New(client.Options(), func(o *glue.Options) {
		o.HTTPClient, o.Retryer = ownBody{bounded.WithTimeout(50 * time.Millisecond)}, aws.NopRetryer{}
	})
	if _, err := NewGlue(hurried, "lake").Table(t.Context(), "product"); err == nil {
		t.Error("an answer that never came was taken for one")
	}
}
