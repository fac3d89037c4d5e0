package parquetedit_test

import (
	"encoding/binary"
	"testing"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"

	"sluice/internal/parquetedit"
)

// aroundPages is a file of one optional column, in one row group of the given pages.
func aroundPages(tb testing.TB, typ parquetedit.Type, codec format.CompressionCodec, rows int64, pages []byte) []byte {
	tb.Helper()
	meta := metaOfPages(typ, codec, rows, int64(len(pages)))
	return fileOf(tb, pages, &meta)
}

// metaOfPages is the footer of such a file. It allows the pages eight times their size, decompressed.
func metaOfPages(typ parquetedit.Type, codec format.CompressionCodec, rows, size int64) format.FileMetaData {
	kind, optional := format.Type(typ.Physical), format.Optional
	leaf := format.SchemaElement{Name: "n", Type: thrift.New(kind), RepetitionType: thrift.New(optional)}
	if typ.Physical == parquet.FixedLenByteArray {
		leaf.TypeLength = thrift.New(int32(typ.Length))
	}
	return format.FileMetaData{
		Version: 2, NumRows: rows, Schema: []format.SchemaElement{{Name: "root", NumChildren: thrift.New(int32(1))}, leaf},
		RowGroups: []format.RowGroup{{NumRows: rows, TotalByteSize: size, Columns: []format.ColumnChunk{{MetaData: format.ColumnMetaData{
			Type: kind, Encoding: []format.Encoding{format.Plain, format.RLE, format.RLEDictionary}, PathInSchema: []string{"n"}, Codec: codec,
			NumValues: rows, TotalUncompressedSize: 8 * size, TotalCompressedSize: size, DataPageOffset: 4,
		}}}}},
	}
}

// fileOf puts what lies between the magic number and the footer before the footer.
func fileOf(tb testing.TB, pages []byte, meta *format.FileMetaData) []byte {
	tb.Helper()
	footer := marshal(tb, meta)
	b := append([]byte("PAR1"), pages...)
	b = binary.LittleEndian.AppendUint32(append(b, footer...), uint32(len(footer)))
	return append(b, "PAR1"...)
}

func marshal(tb testing.TB, v any) []byte {
	tb.Helper()
	b, err := thrift.Marshal(new(thrift.CompactProtocol), v)
	if err != nil {
		tb.Fatal(err)
	}
	return b
}
