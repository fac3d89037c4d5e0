package hostile

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"image"
	"image/jpeg"
	"math"
	"slices"

	"github.com/parquet-go/parquet-go/deprecated"
	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"
)

const utf8 = deprecated.UTF8

// strangers are no Parquet files.
func strangers() []File {
	var photo bytes.Buffer
	_ = jpeg.Encode(&photo, image.NewGray(image.Rect(0, 0, 300, 200)), nil) // a buffer takes everything
	return []File{
		{Name: "nothing at all"},
		{Name: "one byte", Body: []byte("P")},
		{Name: "a magic number", Body: []byte("PAR1")},
		{Name: "two magic numbers", Body: []byte("PAR1PAR1")},
		{Name: "two magic numbers around an empty footer", Body: []byte("PAR1\x00\x00\x00\x00PAR1")},
		{Name: "a JPEG", Body: photo.Bytes()},
		{Name: "CSV", Body: bytes.Repeat([]byte("I,1,name\n"), 1000)},
		{Name: "CSV that ends with the magic number", Body: append(bytes.Repeat([]byte("I,1,name\n"), 1000), "PAR1"...)},
		{Name: "zeros", Body: make([]byte, 1<<20)},
		{Name: "ones", Body: bytes.Repeat([]byte{0xff}, 1<<20)},
		{Name: "gzip around a good file", Body: gzipped(Good())},
		{Name: "an encrypted footer", Body: append(bytes.Clone(Good()[:len(Good())-4]), "PARE"...)},
		{Name: "a good file twice", Body: append(Good(), Good()...), Legal: true},
		{Name: "bytes behind a good file", Body: append(Good(), 0)},
	}
}

// footers have lengths that cannot be.
func footers() []File {
	var files []File
	good := Good()
	for _, n := range []uint32{0, 1, uint32(len(good)) - 8, uint32(len(good)), math.MaxInt32, 1 << 31, math.MaxUint32} {
		b := bytes.Clone(good)
		binary.LittleEndian.PutUint32(b[len(b)-8:], n)
		files = append(files, File{Name: fmt.Sprintf("a footer of %d bytes", n), Body: b})
	}
	return files
}

// thrifts have footers that are hostile before they mean anything.
func thrifts() []File {
	const much = 16<<20 - 100
	raw := func(name string, footer ...[]byte) File {
		return File{Name: name, Body: closed([]byte("PAR1"), slices.Concat(footer...))}
	}
	version := []byte{0x15, 2}
	list := func(field byte, n uint64) []byte { return binary.AppendUvarint([]byte{field<<4 | 9, 0xfc}, n) }
	return []File{
		raw("a list of 2^31 columns in no bytes", version, list(1, 1<<31), []byte{0}),
		raw("a list of 2^63 columns in no bytes", version, list(1, 1<<63), []byte{0}),
		raw("16 million empty columns", version, list(1, much), make([]byte, much+1)),
		raw("16 million empty row groups", version, list(3, much), make([]byte, much+1)),
		raw("16 million empty metadata pairs", version, list(4, much), make([]byte, much+1)),
		raw("16 million fields", version, bytes.Repeat([]byte{0x11}, much), []byte{0}),
		raw("16 million fields of one number", version, bytes.Repeat([]byte{0x01, 0x40}, much/2), []byte{0}),
		raw("a string of 2^63 bytes", version, binary.AppendUvarint([]byte{0x58}, 1<<63), []byte{0}),
		raw("a string of 2^31 bytes", version, binary.AppendUvarint([]byte{0x58}, 1<<31), []byte{0}),
		raw("a million structs in each other", version, bytes.Repeat([]byte{0x1c}, 1<<20), make([]byte, 1<<20+1)),
		raw("a million lists in each other", version, []byte{0x59}, bytes.Repeat([]byte{0x19}, 1<<20), make([]byte, 1<<20+1)),
		raw("a map of 2^31 pairs", version, binary.AppendUvarint([]byte{0x5b}, 1<<31), []byte{0xcc, 0}),
		raw("an endless number", version, []byte{0x55}, bytes.Repeat([]byte{0x80}, 1<<20), []byte{0}),
		raw("a type that thrift has not", version, []byte{0x5f, 0, 0}),
		raw("no end", version),
	}
}

// lies have footers of the right form whose numbers are not so.
func lies() []File {
	var files []File
	add := func(name string, edit func(m *format.FileMetaData)) {
		files = append(files, File{Name: name, Body: build(sheet{meta: edit})})
	}
	rows := func(n int64) func(m *format.FileMetaData) {
		return func(m *format.FileMetaData) {
			m.NumRows, m.RowGroups[0].NumRows = n, n
			for i := range m.RowGroups[0].Columns {
				m.RowGroups[0].Columns[i].MetaData.NumValues = n
			}
		}
	}
	for _, n := range []int64{-1, 0, 1, Rows - 1, Rows + 1, 60_000_000, 1 << 31, 1 << 40, math.MaxInt64, math.MinInt64} {
		add(fmt.Sprintf("%d rows, everywhere", n), rows(n))
		files[len(files)-1].Legal = n == 0 // pages that nobody points to are nobody's
		add(fmt.Sprintf("%d rows in the footer", n), func(m *format.FileMetaData) { m.NumRows = n })
		add(fmt.Sprintf("%d rows in the row group", n), func(m *format.FileMetaData) { m.RowGroups[0].NumRows = n })
	}
	for _, n := range []int64{-1, 1 << 31, 1 << 40, math.MaxInt64} {
		for name, field := range map[string]func(c *format.ColumnMetaData) *int64{
			"values":             func(c *format.ColumnMetaData) *int64 { return &c.NumValues },
			"bytes compressed":   func(c *format.ColumnMetaData) *int64 { return &c.TotalCompressedSize },
			"bytes uncompressed": func(c *format.ColumnMetaData) *int64 { return &c.TotalUncompressedSize },
			"is the data page":   func(c *format.ColumnMetaData) *int64 { return &c.DataPageOffset },
			"is the dictionary":  func(c *format.ColumnMetaData) *int64 { return &c.DictionaryPageOffset },
		} {
			f := File{Name: fmt.Sprintf("a chunk of which %d %s", n, name), Body: build(sheet{meta: func(m *format.FileMetaData) {
				*field(&m.RowGroups[0].Columns[2].MetaData) = n
			}})}
			f.Legal = name == "is the dictionary" // some writers put anything where there is none
			files = append(files, f)
		}
	}
	slices.SortFunc(files, func(a, b File) int { return bytes.Compare([]byte(a.Name), []byte(b.Name)) })
	return append(files, offsets()...)
}

// offsets lead somewhere else.
func offsets() []File {
	var files []File
	add := func(name string, edit func(m *format.FileMetaData)) {
		files = append(files, File{Name: name, Body: build(sheet{meta: edit})})
	}
	column := func(m *format.FileMetaData, i int) *format.ColumnMetaData { return &m.RowGroups[0].Columns[i].MetaData }
	add("a chunk in the place of another", func(m *format.FileMetaData) {
		column(m, 2).DataPageOffset, column(m, 2).TotalCompressedSize = column(m, 0).DataPageOffset, column(m, 0).TotalCompressedSize
	})
	add("a chunk over the next", func(m *format.FileMetaData) { column(m, 0).TotalCompressedSize += 5 })
	add("a chunk in the footer", func(m *format.FileMetaData) {
		end := column(m, 2).DataPageOffset + column(m, 2).TotalCompressedSize
		column(m, 2).DataPageOffset, column(m, 2).TotalCompressedSize = end+2, 40
	})
	add("a chunk over the magic number", func(m *format.FileMetaData) { column(m, 0).DataPageOffset = 0 })
	add("a dictionary in another column", func(m *format.FileMetaData) { column(m, 2).DictionaryPageOffset = 4 })
	add("a thousand row groups in one place", func(m *format.FileMetaData) {
		m.RowGroups, m.NumRows = slices.Repeat(m.RowGroups, 1000), 1000*Rows
	})
	add("20,000 row groups in one place", func(m *format.FileMetaData) {
		m.RowGroups, m.NumRows = slices.Repeat(m.RowGroups, 20_000), 20_000*Rows
	})
	add("a chunk in another file", func(m *format.FileMetaData) { m.RowGroups[0].Columns[1].FilePath = "/etc/passwd" })
	add("an unknown codec", func(m *format.FileMetaData) { column(m, 2).Codec = 99 })
	add("a codec of which there is nothing", func(m *format.FileMetaData) { column(m, 2).Codec = format.Gzip })
	legal := func(name string, edit func(m *format.FileMetaData)) {
		add(name, edit)
		files[len(files)-1].Legal = true
	}
	legal("page indexes beyond the file", func(m *format.FileMetaData) {
		c := &m.RowGroups[0].Columns[2]
		c.OffsetIndexOffset, c.OffsetIndexLength, c.ColumnIndexOffset, c.ColumnIndexLength = math.MaxInt64, math.MaxInt32, 1<<40, math.MaxInt32
	})
	legal("page indexes in the pages", func(m *format.FileMetaData) {
		c := &m.RowGroups[0].Columns[2]
		c.OffsetIndexOffset, c.OffsetIndexLength, c.ColumnIndexOffset, c.ColumnIndexLength = 4, 60, 4, 60
	})
	legal("a bloom filter of -1 bytes", func(m *format.FileMetaData) { column(m, 1).BloomFilterOffset, column(m, 1).BloomFilterLength = -5, -1 })
	legal("bounds that are too short", func(m *format.FileMetaData) {
		column(m, 1).Statistics = format.Statistics{MinValue: []byte{1}, MaxValue: []byte{}, NullCount: -7}
	})
	legal("bounds the wrong way round", func(m *format.FileMetaData) {
		column(m, 1).Statistics = format.Statistics{MinValue: []byte{255, 255, 255, 127}, MaxValue: []byte{0, 0, 0, 128}}
	})
	return files
}

// schemas are hostile in what columns they have.
func schemas() []File {
	var files []File
	add := func(name string, edit func(m *format.FileMetaData)) {
		files = append(files, File{Name: name, Body: build(sheet{meta: edit})})
	}
	add("100,000 columns", func(m *format.FileMetaData) {
		m.Schema = append(m.Schema[:3:3], slices.Repeat(m.Schema[3:4], 100_000)...)
		m.Schema[0].NumChildren = thrift.New(int32(100_002))
		g := &m.RowGroups[0]
		g.Columns = append(g.Columns[:2:2], slices.Repeat(g.Columns[2:3], 100_000)...)
	})
	add("100,000 columns in the schema alone", func(m *format.FileMetaData) {
		m.Schema = append(m.Schema[:3:3], slices.Repeat(m.Schema[3:4], 100_000)...)
	})
	add("100,000 groups in each other", func(m *format.FileMetaData) {
		m.Schema = append(m.Schema[:3:3], slices.Repeat([]format.SchemaElement{{Name: "g", NumChildren: thrift.New(int32(1))}}, 100_000)...)
	})
	add("a group in a group", func(m *format.FileMetaData) {
		m.Schema = append(m.Schema[:3:3], format.SchemaElement{Name: "g", NumChildren: thrift.New(int32(1))}, m.Schema[3])
	})
	add("2^31 children", func(m *format.FileMetaData) { m.Schema[0].NumChildren = thrift.New(int32(math.MaxInt32)) })
	add("no columns", func(m *format.FileMetaData) { m.Schema = m.Schema[:1] })
	add("no schema", func(m *format.FileMetaData) { m.Schema = nil })
	add("a column too many", func(m *format.FileMetaData) { m.Schema = append(m.Schema, leaf("w", format.Int64)) })
	for _, name := range []string{"id", "ID", "", "a\x00b", "../../v", "\xff\xfe"} { // the format has nothing against most of them
		add(fmt.Sprintf("a column named %q", name), func(m *format.FileMetaData) { m.Schema[3].Name = name })
		files[len(files)-1].Legal = name != "" && name != "\xff\xfe"
	}
	add("a type that the pages have not", func(m *format.FileMetaData) { m.Schema[2].Type = thrift.New(format.Int64) })
	add("a type that Parquet has not", func(m *format.FileMetaData) { m.Schema[2].Type = thrift.New(format.Type(77)) })
	add("a type of -1", func(m *format.FileMetaData) { m.Schema[2].Type = thrift.New(format.Type(-1)) })
	add("a repeated column", func(m *format.FileMetaData) { m.Schema[3].RepetitionType = thrift.New(format.Repeated) })
	add("a name of ten million bytes", func(m *format.FileMetaData) { m.Schema[3].Name = string(bytes.Repeat([]byte("n"), 10_000_000)) })
	for _, n := range []int32{-1, 0, math.MaxInt32} {
		files = append(files, File{Name: fmt.Sprintf("bytes of the fixed length %d", n), Body: build(sheet{
			kind: format.FixedLenByteArray, schema: func(e *format.SchemaElement) { e.TypeLength = thrift.New(n) },
		})})
	}
	for _, scale := range []int32{-1, 78, 1001, math.MaxInt32, math.MinInt32} {
		files = append(files, File{Name: fmt.Sprintf("a decimal of the scale %d", scale), Legal: scale < 1000 && scale > -1000, Body: build(sheet{meta: func(m *format.FileMetaData) {
			e := &m.Schema[2]
			e.ConvertedType, e.Scale, e.Precision = thrift.New(deprecated.Decimal), thrift.New(scale), thrift.New(scale)
		}})})
	}
	return files
}
