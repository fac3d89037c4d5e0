package object

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"golang.org/x/sync/errgroup"
)

// Sizes of parts, from https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html: every part but the last has
// at least 5 MiB, there are at most 10,000 parts, and one copied part has at most 5 GiB.
const (
	partBytes     = 8 << 20
	minPartBytes  = 5 << 20
	copyPartBytes = 512 << 20
	maxParts      = 10_000
	partsInFlight = 2
	abortTimeout  = 15 * time.Second
)

// s3Upload gathers a part at a time and sends full ones in the background: it holds at most partsInFlight+1 parts of
// partBytes. A body that never outgrows one part, and has no part copied, is one PUT.
type s3Upload struct {
	store  *S3
	key    string
	in     PutInput
	part   []byte
	counts Counts
	ended  bool

	ctx    context.Context // Create's: Write has none of its own
	cancel context.CancelFunc
	group  *errgroup.Group
	spare  chan []byte // buffers of sent parts, to be used again
	id     string      // of the multipart upload, "" before the first part
	sent   int32       // parts numbered so far

	mu    sync.Mutex
	parts []types.CompletedPart
}

// Create begins a streamed write of at most 10,000 parts, of 8 MiB each where they are written, of up to 512 MiB where
// they are copied. Ranges of more than 5 MiB are copied by S3 itself.
func (s *S3) Create(ctx context.Context, key string, in PutInput) Upload {
	ctx, cancel := context.WithCancel(ctx)
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(partsInFlight)
	return &s3Upload{
		store: s, key: key, in: in, ctx: ctx, cancel: cancel, group: group, spare: make(chan []byte, partsInFlight),
	}
}

func (u *s3Upload) Write(p []byte) (int, error) {
	if u.ended {
		return 0, errEnded
	}
	n := len(p)
	for len(p) > 0 {
		if len(u.part) == partBytes {
			if err := u.flush(u.ctx); err != nil {
				return n - len(p), err
			}
		}
		take := min(len(p), partBytes-len(u.part))
		u.part = append(u.part, p[:take]...)
		u.counts.BytesWritten += int64(take)
		p = p[take:]
	}
	return n, nil
}

// flush sends the gathered part, whatever its size, in the background.
func (u *s3Upload) flush(ctx context.Context) error {
	n, err := u.number(ctx)
	if err != nil {
		return err
	}
	body := u.part
	u.part = nil
	u.group.Go(func() error {
		out, err := u.store.client.UploadPart(u.ctx, &s3.UploadPartInput{
			Bucket: &u.store.bucket, Key: &u.key, UploadId: &u.id, PartNumber: &n,
			Body: bytes.NewReader(body), ContentLength: new(int64(len(body))),
		}, plainChecksums)
		if err != nil {
			return u.store.wrap(fmt.Sprintf("upload part %d of", n), u.key, err)
		}
		select {
		case u.spare <- body[:0]:
		default:
		}
		u.done(n, out.ETag)
		return nil
	})
	select {
	case u.part = <-u.spare:
	default:
	}
	return nil
}

// number returns the next part's number; before the first it creates the multipart upload.
func (u *s3Upload) number(ctx context.Context) (int32, error) {
	if err := context.Cause(u.ctx); err != nil { //nolint:contextcheck // carries the first error of the parts under way
		return 0, err
	}
	if u.sent == maxParts {
		return 0, fmt.Errorf("upload %s: more than %d parts", u.store.url(u.key), maxParts)
	}
	if u.id == "" {
		out, err := u.store.client.CreateMultipartUpload(ctx, &s3.CreateMultipartUploadInput{
			Bucket: &u.store.bucket, Key: &u.key, Metadata: u.in.Metadata,
		}, plainChecksums)
		if err != nil {
			return 0, u.store.wrap("create multipart upload of", u.key, err)
		}
		u.id = aws.ToString(out.UploadId)
	}
	u.sent++
	return u.sent, nil
}

func (u *s3Upload) done(n int32, etag *string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.parts = append(u.parts, types.CompletedPart{PartNumber: &n, ETag: etag})
}

// Close sends what is left and then makes the object visible by one PUT or by one conditional
// CompleteMultipartUpload.
func (u *s3Upload) Close(ctx context.Context) (Info, error) {
	if u.ended {
		return Info{}, errEnded
	}
	if u.id == "" && !u.in.AsParts {
		u.ended = true
		defer u.cancel()
		return u.store.Put(ctx, u.key, u.part, u.in)
	}
	info, err := u.complete(ctx)
	if err != nil {
		return Info{}, errors.Join(err, u.Abort(ctx))
	}
	u.ended = true
	u.cancel()
	return info, nil
}

func (u *s3Upload) complete(ctx context.Context) (Info, error) {
	if err := u.in.validate(); err != nil {
		return Info{}, err
	}
	if len(u.part) > 0 || u.sent == 0 {
		if err := u.flush(ctx); err != nil {
			return Info{}, err
		}
	}
	if err := u.group.Wait(); err != nil {
		return Info{}, err
	}
	slices.SortFunc(u.parts, func(a, b types.CompletedPart) int { return int(*a.PartNumber - *b.PartNumber) })
	out, err := u.store.client.CompleteMultipartUpload(ctx, &s3.CompleteMultipartUploadInput{
		Bucket: &u.store.bucket, Key: &u.key, UploadId: &u.id,
		MultipartUpload: &types.CompletedMultipartUpload{Parts: u.parts},
		IfMatch:         present(u.in.IfMatch), IfNoneMatch: u.in.star(),
	}, plainChecksums)
	if err != nil {
		return Info{}, u.store.wrap("complete multipart upload of", u.key, err)
	}
	return Info{Key: u.key, ETag: quoted(out.ETag), Size: u.counts.BytesWritten + u.counts.BytesCopied}, nil
}

// Abort ends the multipart upload, if there is one, even when ctx is done: parts left behind cost money.
func (u *s3Upload) Abort(ctx context.Context) error {
	if u.ended {
		return nil
	}
	u.ended, u.part = true, nil
	u.cancel()
	_ = u.group.Wait() // its error is the upload's and has been or will not be asked for
	if u.id == "" {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), abortTimeout)
	defer cancel()
	_, err := u.store.client.AbortMultipartUpload(ctx, &s3.AbortMultipartUploadInput{
		Bucket: &u.store.bucket, Key: &u.key, UploadId: &u.id,
	}, plainChecksums)
	if err != nil && errorCode(err) != "NoSuchUpload" {
		return u.store.wrap("abort multipart upload of", u.key, err)
	}
	return nil
}

func (u *s3Upload) Counts() Counts { return u.counts }
