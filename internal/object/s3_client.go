package object

import (
	"context"
	"fmt"
	"io"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go/logging"
)

// NewS3Client returns a client from the SDK's usual chain: environment, shared files, role. AWS_ENDPOINT_URL_S3 and
// AWS_ENDPOINT_URL count, and bring path-style addresses with them. It may ask the instance's metadata for credentials.
// Its patience is DefaultPatience as the options leave it; a process is meant to have one client, because the budget of
// retries is the client's. AWS_MAX_ATTEMPTS overrides the attempts.
func NewS3Client(ctx context.Context, options ...func(*Patience)) (*s3.Client, error) {
	p := DefaultPatience()
	for _, option := range options {
		option(&p)
	}
	cfg, err := config.LoadDefaultConfig(ctx,
		config.WithHTTPClient(awshttp.NewBuildableClient().WithTransportOptions(p.transport)),
		config.WithLogger(logging.Nop{}), // an error is returned; what was repeated is nobody's concern
		config.WithRetryer(func() aws.Retryer { return p.retryer() }),
	)
	if err != nil {
		return nil, fmt.Errorf("load AWS settings: %w", err)
	}
	cfg.HTTPClient = plainBody{cfg.HTTPClient} // only now: AWS_CA_BUNDLE wants a client of the SDK's own kind
	return s3.NewFromConfig(cfg, func(o *s3.Options) {
		o.UsePathStyle = o.BaseEndpoint != nil
		plainChecksums(o)
	}), nil
}

// plainBody hides the WriteTo of the SDK's request bodies. The SDK (smithy-go
// 1.28) closes its body as soon as an answer begins, WriteTo of a closed body
// is an error, and the transport then drops the connection and the answer with it:
// up to one in twenty over loopback. A repeated conditional write then looks refused.
type plainBody struct{ next aws.HTTPClient }

// Do implements aws.HTTPClient.
func (c plainBody) Do(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		r.Body = struct{ io.ReadCloser }{r.Body}
	}
	return c.next.Do(r)
}
