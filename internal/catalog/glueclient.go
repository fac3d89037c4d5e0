package catalog

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	"github.com/aws/aws-sdk-go-v2/service/glue/types"
	"github.com/aws/smithy-go"
)

// requestAttempts bounds how often one request is sent; between sendings there are jittered, growing pauses of at most
// requestPause. Each sending ends after requestTime, its answer included: the SDK waits for ever.
const (
	requestAttempts = 6
	requestPause    = 10 * time.Second
	requestTime     = 30 * time.Second
)

// NewGlueClient returns a client from the SDK's usual chain: environment, shared files, role. AWS_ENDPOINT_URL_GLUE and
// AWS_ENDPOINT_URL count.
func NewGlueClient(ctx context.Context) (*glue.Client, error) {
	settings, err := config.LoadDefaultConfig(ctx,
		config.WithHTTPClient(awshttp.NewBuildableClient().WithTimeout(requestTime)),
		config.WithRetryer(func() aws.Retryer {
			return retry.NewStandard(func(o *retry.StandardOptions) {
				o.MaxAttempts, o.MaxBackoff = requestAttempts, requestPause
			})
		}),
	)
	if err != nil {
		return nil, fmt.Errorf("load AWS settings: %w", err)
	}
	settings.HTTPClient = ownBody{settings.HTTPClient} // only now: AWS_CA_BUNDLE wants a client of the SDK's own kind
	return glue.NewFromConfig(settings), nil
}

// ownBody sends a copy of each request's body. The SDK (smithy-go 1.28) closes its own as soon as an answer begins;
// when the transport has not seen the body's end by then, it takes the connection for broken and the answer is lost.
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

// explain adds the sentinel that an error of the service means; missing is what it means that something is not there.
func (g *Glue) explain(err, missing error) error {
	var (
		operation *smithy.OperationError
		api       smithy.APIError
		absent    *types.EntityNotFoundException
	)
	if err == nil || !errors.As(err, &api) {
		return err
	}
	if errors.As(err, &absent) {
		if errors.Is(missing, ErrNoDatabase) {
			return fmt.Errorf("%w: %s; make it (aws glue create-database), or name another with --catalog: %w", missing, g.database, err)
		}
		return fmt.Errorf("%w: %w", missing, err)
	}
	switch api.ErrorCode() {
	case "AlreadyExistsException", "ConcurrentModificationException", "VersionMismatchException":
		return fmt.Errorf("%w: %w", ErrChanged, err)
	case "AccessDeniedException", "AccessDenied", "ExpiredTokenException", "InvalidSignatureException",
		"MissingAuthenticationTokenException", "UnrecognizedClientException":
		permission := "glue"
		if errors.As(err, &operation) {
			permission = "glue:" + operation.OperationName
		}
		return fmt.Errorf("%w: grant %s on the catalog, the database %s and its tables: %w", ErrDenied, permission, g.database, err)
	}
	return err
}
