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
	seen := map[string]bool{}
	for key, o := range m.objects {
		if !strings.HasPrefix(key, in.Prefix) {
			continue
		}
		e := Entry{Info: o.info}
		e.Metadata = nil
		if prefix := in.commonPrefix(key); prefix != "" {
			e = Entry{Info: Info{Key: prefix}, Prefix: true}
		}
		if e.Key > in.StartAfter && !seen[e.Key] {
			seen[e.Key] = e.Prefix
			entries = append(entries, e)
		}
	}
	slices.SortFunc(entries, func(a, b Entry) int { return strings.Compare(a.Key, b.Key) })
	return entries[:min(len(entries), pageEntries)]
}
