// Package hostile makes files that lie about themselves, as nobody writes them who means well: Parquet files whose footers,
// pages and encodings claim what is not so, and files that are no Parquet at all.
//
// A [File] is a table of the columns Op, id and v with eight rows of the ids 1 to 8, or would be. Everything in it is good but for
// what its name says. Nothing here is written by a library that would refuse to, but page by page.
package hostile

import (
	"cmp"
	"encoding/binary"
	"slices"

	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"
)

// File is one hostile file.
type File struct {
	Name string
	Body []byte
	// Legal says that a reader may take the file as it is: either what is odd about it harms nobody, or no reader can tell.
	Legal bool
}

// Files are all of them; names tell them apart. Some are 16 MiB long.
func Files() []File {
	return slices.Concat(strangers(), footers(), thrifts(), lies(), schemas(), pages(), bombs(), encodings())
}

// Rows is how many rows a file has that is not broken.
const Rows = 8

// Good is the file that all others are made of.
func Good() []byte { return build(sheet{}) }

// chunk is the pages of a column.
type chunk struct {
	pages        []byte
	uncompressed int64 // 0 = as many as there are
	codec        format.CompressionCodec
	first        int64 // bytes of the dictionary page before the first data page
}

// sheet is what differs from the good file.
type sheet struct {
	v      chunk                       // the column v; without pages, the good one
	kind   format.Type                 // of v; Boolean = the good one
	schema func(*format.SchemaElement) // edits the element of v
	meta   func(*format.FileMetaData)  // edits the finished footer
	rows   int                         // 0 = eight
}

func build(s sheet) []byte {
	rows := cmp.Or(s.rows, Rows)
	ops, ids, names := text("I", rows), ints(rows), text("name", rows)
	if s.v.pages != nil {
		names = s.v
	}
	b := []byte("PAR1")
	kind := format.ByteArray
	if s.kind != format.Boolean {
		kind = s.kind
	}
	meta := format.FileMetaData{
		Version: 1, NumRows: int64(rows), CreatedBy: "AWS",
		Schema: []format.SchemaElement{
			{Name: "root", NumChildren: thrift.New(int32(3))},
			leaf("Op", format.ByteArray), leaf("id", format.Int32), leaf("v", kind),
		},
		RowGroups: []format.RowGroup{{NumRows: int64(rows)}},
	}
	group := &meta.RowGroups[0]
	for i, c := range []chunk{ops, ids, names} {
		element := &meta.Schema[i+1]
		md := format.ColumnMetaData{
			Type: element.Type.V, Encoding: []format.Encoding{format.Plain, format.RLE}, PathInSchema: []string{element.Name}, Codec: c.codec,
			NumValues: int64(rows), TotalCompressedSize: int64(len(c.pages)), TotalUncompressedSize: c.uncompressed, DataPageOffset: int64(len(b)) + c.first,
		}
		if c.uncompressed == 0 {
			md.TotalUncompressedSize = md.TotalCompressedSize
		}
		if c.first > 0 {
			md.DictionaryPageOffset = int64(len(b))
		}
		group.Columns = append(group.Columns, format.ColumnChunk{FileOffset: int64(len(b)), MetaData: md})
		group.TotalByteSize += md.TotalUncompressedSize
		b = append(b, c.pages...)
	}
	if s.schema != nil {
		s.schema(&meta.Schema[3])
	}
	if s.meta != nil {
		s.meta(&meta)
	}
	return closed(b, marshal(&meta))
}

// closed puts a footer behind what lies before it.
func closed(b, footer []byte) []byte {
	b = binary.LittleEndian.AppendUint32(append(b, footer...), uint32(len(footer)))
	return append(b, "PAR1"...)
}

// leaf is an optional column; bytes are text.
func leaf(name string, kind format.Type) format.SchemaElement {
	e := format.SchemaElement{Name: name, Type: thrift.New(kind), RepetitionType: thrift.New(format.Optional)}
	if kind == format.ByteArray {
		e.ConvertedType = thrift.New(utf8)
	}
	return e
}

func marshal(v any) []byte {
	b, err := thrift.Marshal(new(thrift.CompactProtocol), v)
	if err != nil {
		panic(err) // the types are the library's own
	}
	return b
}

// levels says of so many rows that none is NULL, as a page of version 1 does.
func levels(rows int) []byte {
	run := append(binary.AppendUvarint(nil, uint64(rows)<<1), 1)
	return append(binary.LittleEndian.AppendUint32(nil, uint32(len(run))), run...)
}

func text(s string, rows int) chunk {
	body := levels(rows)
	for range rows {
		body = append(binary.LittleEndian.AppendUint32(body, uint32(len(s))), s...)
	}
	return chunk{pages: page(dataHeader(int32(rows), format.Plain), body)}
}

func ints(rows int) chunk {
	body := levels(rows)
	for i := range rows {
		body = binary.LittleEndian.AppendUint32(body, uint32(i+1))
	}
	return chunk{pages: page(dataHeader(int32(rows), format.Plain), body)}
}

func dataHeader(values int32, encoding format.Encoding) format.PageHeader {
	return format.PageHeader{Type: format.DataPage, DataPageHeader: thrift.New(format.DataPageHeader{
		NumValues: values, Encoding: encoding, DefinitionLevelEncoding: format.RLE, RepetitionLevelEncoding: format.RLE,
	})}
}

func dictHeader(values int32) format.PageHeader {
	return format.PageHeader{Type: format.DictionaryPage, DictionaryPageHeader: thrift.New(format.DictionaryPageHeader{NumValues: values, Encoding: format.Plain})}
}

// page is a page that is not compressed and says so.
func page(h format.PageHeader, body []byte) []byte {
	h.UncompressedPageSize, h.CompressedPageSize = int32(len(body)), int32(len(body))
	return append(marshal(&h), body...)
}

// squeezed is a page whose body is compressed already, and what it says of its size.
func squeezed(h format.PageHeader, body []byte, uncompressed int64) []byte {
	h.UncompressedPageSize, h.CompressedPageSize = int32(uncompressed), int32(len(body))
	return append(marshal(&h), body...)
}
