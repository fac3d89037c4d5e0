package object

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// CopyFrom fills the current part up to the smallest size a part may have by reading, and has S3 copy the rest where
// that rest is a part of its own. S3 copies ranges only from objects "greater than 5 MB"
// (https://docs.aws.amazon.com/AmazonS3/latest/API/API_UploadPartCopy.html), hence more than minPartBytes.
func (u *s3Upload) CopyFrom(ctx context.Context, in CopyInput) error {
	if u.ended {
		return errEnded
	}
	if err := in.validate(); err != nil || in.Length == 0 {
		return err
	}
	var fill int64
	if n := len(u.part); n > 0 && n < minPartBytes {
		fill = minPartBytes - int64(n)
	}
	if in.Length-fill <= minPartBytes {
		return u.read(ctx, in)
	}
	if fill > 0 {
		head := in
		head.Length = fill
		if err := u.read(ctx, head); err != nil {
			return err
		}
		in.Offset, in.Length = in.Offset+fill, in.Length-fill
	}
	if len(u.part) > 0 {
		if err := u.flush(ctx); err != nil {
			return err
		}
	}
	return u.copyParts(ctx, in)
}

// read appends the range through this process.
func (u *s3Upload) read(ctx context.Context, in CopyInput) error {
	body, _, err := u.store.Get(ctx, in.Key, GetInput{Offset: in.Offset, Length: in.Length, IfMatch: in.ETag})
	if err != nil {
		return in.sourceError(err)
	}
	n, err := io.Copy(u, body)
	u.counts.BytesRead += n
	_ = body.Close() // it has been read to its end, or err says why not
	if err == nil && n < in.Length {
		err = fmt.Errorf("%w: %d of %d bytes", ErrRange, n, in.Length)
	}
	if err != nil {
		return fmt.Errorf("copy %s: %w", in.Key, err)
	}
	return nil
}

// copyParts has S3 copy the range as equal parts of at most copyPartBytes, in the background.
func (u *s3Upload) copyParts(ctx context.Context, in CopyInput) error {
	for pieces := (in.Length + copyPartBytes - 1) / copyPartBytes; pieces > 0; pieces-- {
		piece := in
		piece.Length = in.Length / pieces
		n, err := u.number(ctx)
		if err != nil {
			return err
		}
		u.group.Go(func() error { return u.copyPart(n, piece) })
		in.Offset, in.Length = in.Offset+piece.Length, in.Length-piece.Length
		u.counts.BytesCopied += piece.Length
	}
	return nil
}

func (u *s3Upload) copyPart(n int32, in CopyInput) error {
	out, err := u.store.client.UploadPartCopy(u.ctx, &s3.UploadPartCopyInput{
		Bucket: &u.store.bucket, Key: &u.key, UploadId: &u.id, PartNumber: &n,
		CopySource: new(copySource(u.store.bucket, in.Key)), CopySourceIfMatch: &in.ETag,
		CopySourceRange: new(byteRange(in.Offset, in.Length)),
	}, plainChecksums)
	if err != nil && errorCode(err) == "NoSuchUpload" {
		return u.store.wrap("upload part of", u.key, err)
	}
	if err != nil {
		return in.sourceError(u.store.wrap("copy part from", in.Key, err))
	}
	if out.CopyPartResult == nil {
		return fmt.Errorf("copy %s: the answer has no ETag", in.Key)
	}
	u.done(n, out.CopyPartResult.ETag)
	return nil
}

// copySource is the value of x-amz-copy-source, which must be URL-encoded; the SDK leaves that to its caller.
func copySource(bucket, key string) string {
	var b strings.Builder
	for _, c := range []byte(bucket + "/" + key) {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', strings.IndexByte("-_.~/", c) >= 0:
			b.WriteByte(c)
		default:
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}
