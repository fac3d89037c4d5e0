package object

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// S3 is one bucket of S3, or of a server that speaks like it. It is safe for concurrent use.
//
// It sends no checksum headers of its own. A body that can be sought, as all of ours can, is signed with its SHA-256,
// which S3 checks; naming an algorithm for parts only makes servers refuse the multipart upload they belong to.
type S3 struct {
	client *s3.Client
	bucket string
}

var _ Store = (*S3)(nil)

// NewS3 returns the bucket as a store; it sends nothing.
func NewS3(client *s3.Client, bucket string) *S3 {
	return &S3{client: client, bucket: bucket}
}

// plainChecksums is given with every call, so that a client made elsewhere behaves alike.
func plainChecksums(o *s3.Options) {
	o.RequestChecksumCalculation = aws.RequestChecksumCalculationWhenRequired
	o.DisableLogOutputChecksumValidationSkipped = true
}

// Head describes the object. A missing bucket is ErrNotFound, too: the answer has no body.
func (s *S3) Head(ctx context.Context, key string) (Info, error) {
	out, err := s.client.HeadObject(ctx, &s3.HeadObjectInput{Bucket: &s.bucket, Key: &key}, plainChecksums)
	if err != nil {
		return Info{}, s.wrap("head", key, err)
	}
	return Info{
		Key: key, ETag: quoted(out.ETag), Size: aws.ToInt64(out.ContentLength),
		LastModified: aws.ToTime(out.LastModified), Metadata: out.Metadata,
	}, nil
}

// Get reads the object or a range of it. The body repairs itself: see s3Body.
func (s *S3) Get(ctx context.Context, key string, in GetInput) (io.ReadCloser, Info, error) {
	body, info, err := s.get(ctx, key, in)
	if err != nil {
		return nil, Info{}, err
	}
	from, to, err := in.span(info.Size)
	if err != nil {
		_ = body.Close() // nothing was read from it
		return nil, Info{}, s.wrap("get", key, err)
	}
	return &s3Body{ctx: ctx, store: s, info: info, at: from, end: to, now: body}, info, nil
}

// get sends one request and returns the body as it comes.
func (s *S3) get(ctx context.Context, key string, in GetInput) (io.ReadCloser, Info, error) {
	if in.Offset < 0 || in.Length < 0 {
		return nil, Info{}, fmt.Errorf("get %s: %w: negative offset or length", s.url(key), ErrRange)
	}
	input := &s3.GetObjectInput{Bucket: &s.bucket, Key: &key, IfMatch: present(in.IfMatch)}
	switch {
	case in.Length > 0:
		input.Range = new(byteRange(in.Offset, in.Length))
	case in.Offset > 0:
		input.Range = new("bytes=" + strconv.FormatInt(in.Offset, 10) + "-")
	}
	out, err := s.client.GetObject(ctx, input, plainChecksums)
	if err != nil {
		return nil, Info{}, s.wrap("get", key, err)
	}
	size, err := s.wholeSize(ctx, key, input.Range != nil, out)
	if err == nil && out.ContentRange != nil && !strings.HasPrefix(*out.ContentRange, fmt.Sprintf("bytes %d-", in.Offset)) {
		err = fmt.Errorf("%w: asked for %s, got %s", ErrUnavailable, aws.ToString(input.Range), *out.ContentRange)
	}
	if err != nil {
		_ = out.Body.Close() // nothing was read from it
		return nil, Info{}, s.wrap("get", key, err)
	}
	return out.Body, Info{
		Key: key, ETag: quoted(out.ETag), Size: size,
		LastModified: aws.ToTime(out.LastModified), Metadata: out.Metadata,
	}, nil
}

// Put writes the object in one request if the condition holds; a body is at most 5 GiB.
func (s *S3) Put(ctx context.Context, key string, body []byte, in PutInput) (Info, error) {
	if err := in.validate(); err != nil {
		return Info{}, s.wrap("put", key, err)
	}
	out, err := s.client.PutObject(ctx, &s3.PutObjectInput{
		Bucket: &s.bucket, Key: &key, Body: bytes.NewReader(body), ContentLength: new(int64(len(body))),
		Metadata: in.Metadata, IfMatch: present(in.IfMatch), IfNoneMatch: in.star(),
	}, plainChecksums)
	if err != nil {
		return Info{}, s.wrap("put", key, err)
	}
	return Info{Key: key, ETag: quoted(out.ETag), Size: int64(len(body))}, nil
}

// Delete removes the object if it has the ETag ifMatch, or any when that is empty. It asks first whether the key is
// there, because S3 answers 204 for a missing key, with If-Match or without
// (https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObject.html).
func (s *S3) Delete(ctx context.Context, key, ifMatch string) error {
	if _, err := s.Head(ctx, key); err != nil {
		return fmt.Errorf("delete: %w", err)
	}
	_, err := s.client.DeleteObject(ctx, &s3.DeleteObjectInput{
		Bucket: &s.bucket, Key: &key, IfMatch: present(ifMatch),
	}, plainChecksums)
	if err != nil {
		return s.wrap("delete", key, err)
	}
	return nil
}

func (s *S3) url(key string) string { return "s3://" + s.bucket + "/" + key }

// wholeSize takes the object's size from Content-Range where only a range was sent. An answer that says no length at
// all, as a proxy in between may send it, would look whole wherever it ends: HEAD tells.
func (s *S3) wholeSize(ctx context.Context, key string, ranged bool, out *s3.GetObjectOutput) (int64, error) {
	switch {
	case out.ContentRange != nil:
		_, size, _ := strings.Cut(*out.ContentRange, "/")
		n, err := strconv.ParseInt(size, 10, 64)
		if err != nil {
			return 0, fmt.Errorf("size in Content-Range %q: %w", *out.ContentRange, err)
		}
		return n, nil
	case ranged:
		return 0, fmt.Errorf("%w: asked for a range, got the whole object", ErrUnavailable)
	case out.ContentLength != nil && *out.ContentLength >= 0:
		return *out.ContentLength, nil
	}
	info, err := s.Head(ctx, key)
	if err == nil && info.ETag != quoted(out.ETag) {
		err = fmt.Errorf("%w: it changed while its size was asked for", ErrPrecondition)
	}
	return info.Size, err
}

func byteRange(offset, length int64) string {
	return fmt.Sprintf("bytes=%d-%d", offset, offset+length-1)
}

// quoted returns the ETag in quotes: some servers leave them out of listings.
func quoted(etag *string) string {
	if etag == nil || *etag == "" || strings.HasSuffix(*etag, `"`) {
		return aws.ToString(etag)
	}
	return `"` + *etag + `"`
}

func present(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func (c Condition) star() *string {
	if !c.IfNoneMatch {
		return nil
	}
	return new("*")
}
