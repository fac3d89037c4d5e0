package object

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

const (
	// requestAttempts bounds how often one request is sent; between sendings there are jittered, growing pauses of at
	// most requestPause.
	requestAttempts = 6
	requestPause    = 10 * time.Second
	// answerTimeout bounds the wait for the first byte of an answer, so that a dead connection is noticed. A
	// server-side copy of copyPartBytes must fit in.
	answerTimeout = 2 * time.Minute
)

// NewS3Client returns a client from the SDK's usual chain: environment, shared files, role. AWS_ENDPOINT_URL_S3 and
// AWS_ENDPOINT_URL count, and bring path-style addresses with them. It may ask the instance's metadata for credentials.
func NewS3Client(ctx context.Context) (*s3.Client, error) {
	cfg, err := config.LoadDefaultConfig(ctx,
		config.WithHTTPClient(awshttp.NewBuildableClient().WithTransportOptions(func(t *http.Transport) {
			t.ResponseHeaderTimeout = answerTimeout
		})),
		config.WithRetryer(func() aws.Retryer {
			return retry.NewStandard(func(o *retry.StandardOptions) {
				o.MaxAttempts, o.MaxBackoff = requestAttempts, requestPause
			})
		}),
	)
	if err != nil {
		return nil, fmt.Errorf("load AWS settings: %w", err)
	}
	return s3.NewFromConfig(cfg, func(o *s3.Options) {
		o.UsePathStyle = o.BaseEndpoint != nil
		plainChecksums(o)
	}), nil
}
