package parquetedit_test

import (
	"encoding/binary"
	"hash/crc32"
	"testing"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"

	"sluice/internal/parquetedit"
)

// emptyPages gives files made by hand: one column of numbers, PLAIN, in pages of 30, 0, 25, 0, 0, 40 and 0 rows, of which the third holds only
// NULLs. No writer that is known makes pages of no rows; the format has nothing against them. The column of the third file has a codec that
// none of its pages uses, as V2 allows.
func emptyPages(tb testing.TB) map[string][]byte {
	tb.Helper()
	return map[string][]byte{
		"empty_pages_v1":       emptyPagesFile(tb, false, format.Uncompressed),
		"empty_pages_v2":       emptyPagesFile(tb, true, format.Uncompressed),
		"empty_pages_v2_plain": emptyPagesFile(tb, true, format.Snappy),
	}
}

func emptyPagesFile(tb testing.TB, v2 bool, codec format.CompressionCodec) []byte {
	tb.Helper()
	var pages []byte
	rows := int64(0)
	for i, n := range []int{30, 0, 25, 0, 0, 40, 0} {
		pages = append(pages, numbersPage(tb, v2, rows, n, i == 2)...)
		rows += int64(n)
	}
	meta := metaOfPages(parquetedit.Type{Physical: parquet.Int64}, codec, rows, int64(len(pages)))
	c := &meta.RowGroups[0].Columns[0].MetaData
	c.Statistics.NullCount, c.TotalUncompressedSize = 25, c.TotalCompressedSize
	return fileOf(tb, pages, &meta)
}

// numbersPage is a page of the numbers from first on, or of NULLs.
func numbersPage(tb testing.TB, v2 bool, first int64, rows int, null bool) []byte {
	tb.Helper()
	var levels, values []byte
	level := byte(1)
	if null {
		level = 0
	}
	if rows > 0 {
		levels = []byte{byte(rows << 1), level}
	}
	for i := range rows {
		if !null {
			values = binary.LittleEndian.AppendUint64(values, uint64(first)+uint64(i))
		}
	}
	h := format.PageHeader{}
	body := append(levels, values...)
	nulls := int32(0)
	if null {
		nulls = int32(rows)
	}
	stats := format.Statistics{NullCount: int64(nulls)}
	if v2 {
		h.Type = format.DataPageV2
		h.DataPageHeaderV2 = thrift.New(format.DataPageHeaderV2{
			NumValues: int32(rows), NumRows: int32(rows), NumNulls: nulls, Encoding: format.Plain, DefinitionLevelsByteLength: int32(len(levels)),
			IsCompressed: thrift.New(false), Statistics: stats,
		})
	} else {
		body = append(binary.LittleEndian.AppendUint32(nil, uint32(len(levels))), body...)
		h.DataPageHeader = thrift.New(format.DataPageHeader{
			NumValues: int32(rows), Encoding: format.Plain, DefinitionLevelEncoding: format.RLE, RepetitionLevelEncoding: format.RLE, Statistics: stats,
		})
	}
	h.UncompressedPageSize, h.CompressedPageSize, h.CRC = int32(len(body)), int32(len(body)), int32(crc32.ChecksumIEEE(body))
	return append(marshal(tb, &h), body...)
}

func hasEmptyPage(b []byte) bool {
	for _, g := range layoutOf(b).groups {
		for i := range g.chunks {
			for _, p := range g.chunks[i].dataPages() {
				if p.rows == 0 {
					return true
				}
			}
		}
	}
	return false
}
