package statestore

import (
	"context"
	"errors"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// attempts looks at each request that the SDK sends for one call. The SDK repeats a request whose answer was lost;
// if the first one did happen, the repetition fails its condition, and that says nothing about the call.
type attempts struct {
	lost bool // an earlier request may have happened
	last error
}

// watch is a per-call option of the client.
func (a *attempts) watch(o *dynamodb.Options) {
	o.APIOptions = append(o.APIOptions, func(stack *middleware.Stack) error {
		return stack.Finalize.Insert(middleware.FinalizeMiddlewareFunc("statestoreAttempts", a.observe), "Retry", middleware.After)
	})
}

func (a *attempts) observe(ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler) (
	middleware.FinalizeOutput, middleware.Metadata, error,
) {
	if a.last != nil && !answered(a.last) {
		a.lost = true
	}
	out, meta, err := next.HandleFinalize(ctx, in)
	a.last = err
	return out, meta, err
}

// refusal reports whether err says that the condition failed and nothing of this call happened, with the item that
// stood in the way, if any.
func (a *attempts) refusal(err error) (map[string]types.AttributeValue, bool) {
	var failed *types.ConditionalCheckFailedException
	if !errors.As(err, &failed) || a.lost {
		return nil, false
	}
	return failed.Item, true
}

// answered reports whether err is the service's word that the request was refused.
func answered(err error) bool {
	var api smithy.APIError
	return errors.As(err, &api) && api.ErrorFault() == smithy.FaultClient
}

// isDenied reports whether the service refused the caller rather than the request:
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html.
func isDenied(err error) bool {
	var api smithy.APIError
	if !errors.As(err, &api) {
		return false
	}
	switch api.ErrorCode() {
	case "AccessDenied", "AccessDeniedException", "ExpiredTokenException", "IncompleteSignatureException",
		"InvalidSignatureException", "MissingAuthenticationTokenException", "UnrecognizedClientException":
		return true
	}
	return false
}

// troubleOf returns the sentinel of an error that is the service's trouble and not the request's, or nil.
func troubleOf(err error) error {
	var unsent *smithyhttp.RequestSendError
	var broken *smithy.DeserializationError
	var response *smithyhttp.ResponseError
	var refused *types.ConditionalCheckFailedException // behind an answer that was lost; else it is a sentinel by now
	switch {
	case throttled(err):
		return ErrThrottled
	case errors.As(err, &refused), errors.As(err, &unsent), errors.As(err, &broken), errors.As(err, &response) && response.HTTPStatusCode() >= http.StatusInternalServerError:
		return ErrUnavailable
	}
	return nil
}
