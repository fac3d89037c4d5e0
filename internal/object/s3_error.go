package object

import (
	"errors"
	"fmt"
	"net/http"
	"time"

	smithy "github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// wrap says what was done to which key and puts the sentinel that err means in front of it.
func (s *S3) wrap(verb, key string, err error) error {
	if sentinel := sentinelOf(err); sentinel != nil {
		if permission := permissionOf(err); permission != "" && sentinel == ErrDenied { //nolint:errorlint // it is that very value
			return fmt.Errorf("%s %s: %w: grant %s: %w", verb, s.url(key), sentinel, permission, err)
		}
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
	case "RequestTimeTooSkewed":
		return ErrClock
	}
	var unsent *smithyhttp.RequestSendError
	var broken *smithy.DeserializationError
	switch status := statusOf(err); {
	case clockDiffers(err):
		return ErrClock
	case throttled(err):
		return ErrThrottled
	case errors.As(err, &unsent), errors.As(err, &broken), status >= http.StatusInternalServerError:
		return ErrUnavailable
	}
	switch statusOf(err) {
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

// permissionOf returns the IAM action that a refused request lacks, or "" when it was refused for another reason, such as a key that
// nobody knows: https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html. The answer to a HEAD
// does not say.
func permissionOf(err error) string {
	var operation *smithy.OperationError
	if code := errorCode(err); code != "AccessDenied" && code != "Forbidden" || !errors.As(err, &operation) {
		return ""
	}
	switch name := operation.OperationName; name {
	case "HeadObject":
		return "s3:GetObject"
	case "ListObjectsV2":
		return "s3:ListBucket"
	case "CreateMultipartUpload", "UploadPart", "CompleteMultipartUpload":
		return "s3:PutObject"
	case "UploadPartCopy":
		return "s3:GetObject and s3:PutObject"
	case "ListMultipartUploads":
		return "s3:ListBucketMultipartUploads"
	default:
		return "s3:" + name
	}
}

// statusOf returns the HTTP status of the answer that err is, or 0.
func statusOf(err error) int {
	var response *smithyhttp.ResponseError
	if !errors.As(err, &response) {
		return 0
	}
	return response.HTTPStatusCode()
}

// clockDiffers says whether a refusal without a code, as HEAD has it, came from a store whose clock is far from that
// of the request. The SDK, which corrects its clock by the Date of every answer and then tries again, needs a code.
func clockDiffers(err error) bool {
	var response *smithyhttp.ResponseError
	if statusOf(err) != http.StatusForbidden || !errors.As(err, &response) || response.Response.Request == nil {
		return false
	}
	signed, signErr := time.Parse("20060102T150405Z", response.Response.Request.Header.Get("X-Amz-Date"))
	there, dateErr := http.ParseTime(response.Response.Header.Get("Date"))
	const most = 15 * time.Minute // that S3 bears
	return signErr == nil && dateErr == nil && there.Sub(signed).Abs() > most
}

func errorCode(err error) string {
	var api smithy.APIError
	if !errors.As(err, &api) {
		return ""
	}
	return api.ErrorCode()
}
