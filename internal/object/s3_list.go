package object

import (
	"context"
	"fmt"
	"iter"
	"net/url"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// List goes through all pages of ListObjectsV2. Keys travel URL-encoded, because XML cannot hold every character.
// Directory buckets (S3 Express), which do not list in order, are not supported.
func (s *S3) List(ctx context.Context, in ListInput) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		if err := in.validate(); err != nil {
			yield(Entry{}, err)
			return
		}
		pages := s3.NewListObjectsV2Paginator(s.client, &s3.ListObjectsV2Input{
			Bucket: &s.bucket, EncodingType: types.EncodingTypeUrl,
			Prefix: present(in.Prefix), StartAfter: present(in.StartAfter), Delimiter: present(in.Delimiter),
		}, func(o *s3.ListObjectsV2PaginatorOptions) { o.StopOnDuplicateToken = true })
		for pages.HasMorePages() {
			page, err := pages.NextPage(ctx, plainChecksums)
			if err != nil {
				yield(Entry{}, s.wrap("list", in.Prefix, err))
				return
			}
			entries, err := pageOf(page)
			if err != nil {
				yield(Entry{}, s.wrap("list", in.Prefix, err))
				return
			}
			for _, e := range entries {
				if e.Key > in.StartAfter && !yield(e, nil) {
					return
				}
			}
		}
	}
}

// pageOf merges the objects and the common prefixes of a page, which S3 sends as two lists, into one order.
func pageOf(page *s3.ListObjectsV2Output) ([]Entry, error) {
	entries := make([]Entry, 0, len(page.Contents)+len(page.CommonPrefixes))
	for _, o := range page.Contents {
		key, err := decoded(page, o.Key)
		if err != nil {
			return nil, err
		}
		entries = append(entries, Entry{Info: Info{
			Key: key, ETag: quoted(o.ETag), Size: aws.ToInt64(o.Size), LastModified: aws.ToTime(o.LastModified),
		}})
	}
	for _, p := range page.CommonPrefixes {
		key, err := decoded(page, p.Prefix)
		if err != nil {
			return nil, err
		}
		entries = append(entries, Entry{Info: Info{Key: key}, Prefix: true})
	}
	slices.SortFunc(entries, func(a, b Entry) int { return strings.Compare(a.Key, b.Key) })
	return entries, nil
}

// decoded undoes the encoding where the answer says there is one.
func decoded(page *s3.ListObjectsV2Output, key *string) (string, error) {
	if page.EncodingType != types.EncodingTypeUrl {
		return aws.ToString(key), nil
	}
	s, err := url.QueryUnescape(aws.ToString(key))
	if err != nil {
		return "", fmt.Errorf("encoded key %q: %w", aws.ToString(key), err)
	}
	return s, nil
}
