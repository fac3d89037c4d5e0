package object

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"
)

// pageEntries is the length of a page of a listing, as S3 has it
// (https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html, MaxKeys).
const pageEntries = 1000

// List yields entries in byte order. Each page is taken when the one before has been consumed, so that writes in
// between show in later pages only, as on S3.
func (m *Memory) List(ctx context.Context, in ListInput) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		for {
			if err := firstError(ctx.Err(), in.validate()); err != nil {
				yield(Entry{}, fmt.Errorf("list %s: %w", in.Prefix, err))
				return
			}
			page := m.page(in)
			for _, e := range page {
				if !yield(e, nil) {
					return
				}
			}
			if len(page) < pageEntries {
				return
			}
			in.StartAfter = page[len(page)-1].Key
		}
	}
}

func (m *Memory) page(in ListInput) []Entry {
	m.mu.Lock()
	defer m.mu.Unlock()
	var entries []Entry
	first, _ := slices.BinarySearch(m.keys, max(in.Prefix, in.StartAfter))
	for _, key := range m.keys[first:] {
		if !strings.HasPrefix(key, in.Prefix) || len(entries) == pageEntries {
			break
		}
		e := Entry{Info: m.objects[key].info}
		e.Metadata = nil
		if prefix := in.commonPrefix(key); prefix != "" {
			e = Entry{Info: Info{Key: prefix}, Prefix: true}
		}
		if e.Key > in.StartAfter && (len(entries) == 0 || entries[len(entries)-1].Key != e.Key) {
			entries = append(entries, e)
		}
	}
	return entries
}
