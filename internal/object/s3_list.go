package object

import (
	"context"
	"errors"
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
// Directory buckets (S3 Express), which do not list in order, are not supported. Pages that do not go on where the one
// before ended (one that comes twice, one without a way to the next) are asked for again from the last key that was
// yielded, within the client's patience: a listing is whole or ends with an error, and no entry comes twice.
func (s *S3) List(ctx context.Context, in ListInput) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		l := s3Listing{store: s, in: in, last: in.StartAfter, yield: yield}
		err := in.validate()
		for breaks := 0; err == nil; {
			if err = l.pages(ctx); err == nil {
				return
			}
			if errors.Is(err, errDisorder) {
				err = fmt.Errorf("%w: %w", ErrUnavailable, err)
				_, err = s.spend(ctx, &breaks, s.wrap("list", in.Prefix, err))
			} else {
				err = s.wrap("list", in.Prefix, err)
			}
		}
		yield(Entry{}, err)
	}
}

// errDisorder is returned when a page does not go on where the one before ended.
var errDisorder = errors.New("the pages of the listing do not follow each other")

// s3Listing is one listing under way; last is the greatest key that was yielded, or StartAfter.
type s3Listing struct {
	store *S3
	in    ListInput
	last  string
	yield func(Entry, error) bool
}

// pages lists from the last key on; nil says that there is no more, or that nobody wants it.
func (l *s3Listing) pages(ctx context.Context) error {
	from := l.last
	input := &s3.ListObjectsV2Input{
		Bucket: &l.store.bucket, EncodingType: types.EncodingTypeUrl,
		Prefix: present(l.in.Prefix), StartAfter: present(from), Delimiter: present(l.in.Delimiter),
	}
	for {
		page, err := l.store.client.ListObjectsV2(ctx, input, plainChecksums)
		if err != nil {
			return err
		}
		entries, err := pageOf(page)
		if err != nil {
			return err
		}
		for _, e := range entries {
			switch {
			case e.Key <= from:
				continue // a common prefix that holds what comes after from
			case e.Key <= l.last && l.last != "":
				return fmt.Errorf("%w: %s after %s", errDisorder, e.Key, l.last)
			}
			if l.last = e.Key; !l.yield(e, nil) {
				return nil
			}
		}
		if !aws.ToBool(page.IsTruncated) {
			return nil
		}
		next := aws.ToString(page.NextContinuationToken)
		if next == "" || next == aws.ToString(input.ContinuationToken) {
			return fmt.Errorf("%w: no way on after %s", errDisorder, l.last)
		}
		input.ContinuationToken = &next
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
