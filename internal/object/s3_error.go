package object

import (
	"errors"
	"fmt"
	"net/http"

	smithy "github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// wrap says what was done to which key and puts the sentinel that err means in front of it.
func (s *S3) wrap(verb, key string, err error) error {
	if sentinel := sentinelOf(err); sentinel != nil {
		return fmt.Errorf("%s %s: %w: %w", verb, s.url(key), sentinel, err)
	}
	return fmt.Errorf("%s %s: %w", verb, s.url(key), err)
}

// sentinelOf reads the error codes of https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html; answers
// to HEAD have the status only. It returns nil for everything that is no answer of ours to judge.
func sentinelOf(err error) error {
	switch errorCode(err) {
	case "NoSuchBucket":
		return ErrNoBucket
	case "NoSuchKey", "NotFound", "NoSuchUpload":
		return ErrNotFound
	case "PreconditionFailed", "ConditionalRequestConflict":
		return ErrPrecondition
	case "InvalidRange":
		return ErrRange
	}
	var response *smithyhttp.ResponseError
	if !errors.As(err, &response) {
		return nil
	}
	switch response.HTTPStatusCode() {
	case http.StatusNotFound:
		return ErrNotFound
	case http.StatusPreconditionFailed:
		return ErrPrecondition
	case http.StatusUnauthorized, http.StatusForbidden:
		return ErrDenied
	case http.StatusRequestedRangeNotSatisfiable:
		return ErrRange
	}
	return nil
}

func errorCode(err error) string {
	var api smithy.APIError
	if !errors.As(err, &api) {
		return ""
	}
	return api.ErrorCode()
}
