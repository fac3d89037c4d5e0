package object

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// AbortAbandoned ends the multipart uploads of keys that begin with prefix and were begun before the time given, and
// returns how many. Their parts cost money and are in no listing of objects. An upload that still lives then fails in
// Close with ErrNotFound.
func (s *S3) AbortAbandoned(ctx context.Context, prefix string, before time.Time) (int, error) {
	aborted := 0
	pages := s3.NewListMultipartUploadsPaginator(s.client, &s3.ListMultipartUploadsInput{
		Bucket: &s.bucket, Prefix: present(prefix),
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx, plainChecksums)
		if err != nil {
			return aborted, s.wrap("list multipart uploads of", prefix, err)
		}
		for _, u := range page.Uploads {
			if !aws.ToTime(u.Initiated).Before(before) {
				continue
			}
			_, err := s.client.AbortMultipartUpload(ctx, &s3.AbortMultipartUploadInput{
				Bucket: &s.bucket, Key: u.Key, UploadId: u.UploadId,
			}, plainChecksums)
			if err != nil && errorCode(err) != "NoSuchUpload" {
				return aborted, s.wrap("abort multipart upload of", aws.ToString(u.Key), err)
			}
			aborted++
		}
	}
	return aborted, nil
}
