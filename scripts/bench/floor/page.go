package main

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync"

	"github.com/klauspost/compress/s2"
	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"
	"golang.org/x/sync/errgroup"
)

// page is a data page as it lies in the file, header and body.
type page struct {
	offset, bytes int64
	keep          bool   // it stays as it is, once it has been looked at
	body          []byte // header and body, compressed again
	room          []byte // of body, for the next page
}

// buffers are what pages are read and decompressed into. Every goroutine has its own.
type buffers struct{ raw, plain []byte }

// find returns the pages that hold a changed row, in the order of the file, those of other columns than these to be
// kept, and how many there are in all rows.
func find(in *os.File, columns []string, changed []int64) (touched []page, all int, err error) {
	info, err := in.Stat()
	if err != nil {
		return nil, 0, err
	}
	file, err := parquet.OpenFile(in, info.Size(), parquet.SkipBloomFilters(true), parquet.SkipMagicBytes(true))
	if err != nil {
		return nil, 0, err
	}
	indexes, first := file.OffsetIndexes(), int64(0)
	for _, group := range file.Metadata().RowGroups {
		if len(indexes) < len(group.Columns) {
			return nil, 0, fmt.Errorf("no offset index")
		}
		for c, chunk := range group.Columns {
			pages := indexes[c].PageLocations
			all += len(pages)
			keep := len(columns) > 0 && !slices.Contains(columns, strings.Join(chunk.MetaData.PathInSchema, "."))
			if chunk.MetaData.Codec != format.Snappy {
				return nil, 0, fmt.Errorf("codec %v", chunk.MetaData.Codec)
			}
			for i, p := range pages {
				end := group.NumRows
				if i+1 < len(pages) {
					end = pages[i+1].FirstRowIndex
				}
				at, _ := slices.BinarySearch(changed, first+p.FirstRowIndex)
				if at < len(changed) && changed[at] < first+end {
					touched = append(touched, page{offset: p.Offset, bytes: int64(p.CompressedPageSize), keep: keep})
				}
			}
		}
		indexes, first = indexes[len(group.Columns):], first+group.NumRows
	}
	slices.SortFunc(touched, func(a, b page) int { return cmp.Compare(a.offset, b.offset) })
	return touched, all, nil
}

// again reads and decompresses pages, and compresses those that are not kept, into the room that earlier pages leave.
func again(ctx context.Context, in io.ReaderAt, pages []page, spare *sync.Pool) error {
	g, _ := errgroup.WithContext(ctx)
	for some := range slices.Chunk(pages, 16) {
		g.Go(func() error {
			b, _ := spare.Get().(*buffers)
			if b == nil {
				b = new(buffers)
			}
			defer spare.Put(b)
			for i := range some {
				if err := some[i].again(in, b); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return g.Wait()
}

func (p *page) again(in io.ReaderAt, b *buffers) error {
	b.raw = slices.Grow(b.raw[:0], int(p.bytes))[:p.bytes]
	if _, err := in.ReadAt(b.raw, p.offset); err != nil {
		return err
	}
	header := bytes.NewReader(b.raw)
	var h format.PageHeader
	if err := thrift.NewDecoder(new(thrift.CompactProtocol).NewReader(header)).Decode(&h); err != nil {
		return fmt.Errorf("page header: %w", err)
	}
	body := b.raw[len(b.raw)-header.Len():]
	if h.Type != format.DataPage || int(h.CompressedPageSize) != len(body) {
		return fmt.Errorf("page of type %v, %d bytes of %d", h.Type, h.CompressedPageSize, len(body))
	}
	b.plain = slices.Grow(b.plain[:0], int(h.UncompressedPageSize))[:h.UncompressedPageSize]
	if _, err := s2.Decode(b.plain, body); err != nil {
		return err
	}
	if p.keep {
		return nil
	}
	n := len(b.raw) - len(body)
	p.room = slices.Grow(p.room[:0], n+s2.MaxEncodedLen(len(b.plain)))
	copy(p.room[:n], b.raw)
	p.body = p.room[:n+len(s2.EncodeSnappy(p.room[n:cap(p.room)], b.plain))]
	return nil
}
