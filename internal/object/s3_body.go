package object

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"
)

// s3Body is the range of an object at one ETag. A connection that breaks, or that ends before the promised length, is
// taken up again from the byte where it broke, with If-Match, as often and after such pauses as the client's retryer
// allows. An object that changed meanwhile is ErrPrecondition: no reader gets parts of two.
type s3Body struct {
	ctx     context.Context //nolint:containedctx // Get's, which bounds the body
	store   *S3
	info    Info
	at, end int64
	now     io.ReadCloser
	breaks  int
	repaid  []func(error) error // gives back what breaks cost, once the body is whole
}

// Read implements io.Reader.
func (b *s3Body) Read(p []byte) (int, error) {
	for b.at < b.end {
		n, err := b.now.Read(p[:min(int64(len(p)), b.end-b.at)])
		b.at += int64(n)
		if n > 0 || err == nil {
			return n, nil // an error that came with bytes comes again
		}
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		if err := b.again(err); err != nil {
			return 0, err
		}
	}
	for _, repay := range b.repaid {
		_ = repay(nil) // a token, not a matter of the body
	}
	b.repaid = nil
	return 0, io.EOF
}

// again asks for what is missing.
func (b *s3Body) again(broken error) error {
	if err := b.ctx.Err(); err != nil {
		return err
	}
	broken = fmt.Errorf("read %s: %w: broken off at byte %d of %d: %w", b.store.url(b.info.Key), ErrUnavailable, b.at, b.end, broken)
	repay, err := b.store.spend(b.ctx, &b.breaks, broken)
	if err != nil {
		return err
	}
	b.repaid = append(b.repaid, repay)
	_ = b.now.Close() // broken
	b.now = io.NopCloser(eof{})
	out, _, err := b.store.get(b.ctx, b.info.Key, GetInput{Offset: b.at, Length: b.end - b.at, IfMatch: b.info.ETag})
	if err != nil {
		return err
	}
	b.now = out
	return nil
}

type eof struct{}

func (eof) Read([]byte) (int, error) { return 0, io.EOF }

// Close implements io.Closer.
func (b *s3Body) Close() error { return b.now.Close() }

// spend takes one repetition out of the client's budget, counts it and waits. Without one left it returns broken.
func (s *S3) spend(ctx context.Context, count *int, broken error) (repay func(error) error, err error) {
	retryer := s.client.Options().Retryer
	if *count++; *count >= retryer.MaxAttempts() {
		return nil, broken
	}
	repay, err = retryer.GetRetryToken(ctx, broken)
	if err != nil {
		return nil, errors.Join(broken, err)
	}
	pause, err := retryer.RetryDelay(*count, broken)
	if err != nil {
		return nil, errors.Join(broken, err)
	}
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-timer.C:
		return repay, nil
	}
}
