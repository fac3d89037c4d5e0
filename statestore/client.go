package statestore

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/smithy-go/logging"
)

// NewDynamoDBClient returns a client from the SDK's usual chain: environment,
// shared files, role. AWS_ENDPOINT_URL_DYNAMODB and AWS_ENDPOINT_URL count. It has DefaultPatience unless an option
// sets another retryer: see Patience.Apply.
func NewDynamoDBClient(ctx context.Context, options ...func(*dynamodb.Options)) (*dynamodb.Client, error) {
	p := DefaultPatience()
	settings, err := config.LoadDefaultConfig(ctx,
		config.WithHTTPClient(awshttp.NewBuildableClient().WithTransportOptions(p.transport)),
		config.WithLogger(logging.Nop{}), // an error is returned; what was repeated is nobody's concern
		config.WithRetryer(func() aws.Retryer { return p.retryer() }),
	)
	if err != nil {
		return nil, fmt.Errorf("load AWS settings: %w", err)
	}
	settings.HTTPClient = ownBody{settings.HTTPClient} // only now: AWS_CA_BUNDLE wants a client of the SDK's own kind
	return dynamodb.NewFromConfig(settings, options...), nil
}

// ownBody sends a copy of each request's body. The SDK (smithy-go 1.28) closes
// its own as soon as an answer begins; when the transport has not seen the body's end by then, it
// takes the connection for broken and the answer is lost: up to one in twenty
// over loopback. A repeated conditional write then looks refused.
type ownBody struct{ next aws.HTTPClient }

// Do implements aws.HTTPClient.
func (c ownBody) Do(r *http.Request) (*http.Response, error) {
	if r.Body == nil {
		return c.next.Do(r)
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	r = r.Clone(r.Context())
	r.Body = io.NopCloser(bytes.NewReader(body))
	return c.next.Do(r)
}
