package parquetedit_test

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/klauspost/compress/s2"
	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/encoding/bytestreamsplit"
	"github.com/parquet-go/parquet-go/encoding/delta"
	"github.com/parquet-go/parquet-go/encoding/rle"
	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"

	"sluice/internal/parquetedit"
)

// plainDictionary is how pages with indices, and their dictionaries, were marked before version 2.
const plainDictionary format.Encoding = 2

// mixedFile makes files by hand whose chunks have pages of all versions and encodings one behind the other, with levels in every form that
// the format has: more than any one writer mixes.
type mixedFile struct {
	tb     testing.TB
	rng    *rand.Rand
	rows   int
	wide   int // bytes that texts are longer than others
	codec  format.CompressionCodec
	body   []byte // behind the magic number
	groups format.RowGroup
}

// mixedChunk is a chunk in the making.
type mixedChunk struct {
	*mixedFile
	column    parquetedit.Column
	entries   []parquet.Value // of the dictionary, some of them twice and some of them unused
	encodings map[format.Encoding]bool
	stats     map[[2]int]int32
	unpacked  int64
	places    []format.PageLocation
}

func (m *mixedFile) chance(n int) bool { return m.rng.IntN(n) == 0 }

// mixed gives a file and what is in it. Texts are so many bytes longer than others.
func mixed(tb testing.TB, rng *rand.Rand, wide int) ([]byte, [][]parquet.Value) {
	tb.Helper()
	m := &mixedFile{tb: tb, rng: rng, wide: wide, rows: 20 + rng.IntN(300), codec: []format.CompressionCodec{format.Uncompressed, format.Snappy}[rng.IntN(2)]}
	columns := 1 + rng.IntN(3)
	meta := format.FileMetaData{Version: 2, NumRows: int64(m.rows), Schema: []format.SchemaElement{{Name: "root", NumChildren: thrift.New(int32(columns))}}}
	var values [][]parquet.Value
	var faces []parquetedit.Type
	for _, t := range types() {
		if wide > 0 && t.Physical != parquet.ByteArray {
			continue
		}
		if t.Logical == parquetedit.None || t.Logical == parquetedit.Integer && !t.Signed {
			faces = append(faces, t)
		}
	}
	for c := range columns {
		t := faces[rng.IntN(len(faces))]
		t.Logical, t.Bits, t.Signed = parquetedit.None, 0, false
		x := &mixedChunk{mixedFile: m, column: parquetedit.Column{Name: fmt.Sprint("c", c), Type: t, Required: m.chance(4)}, encodings: map[format.Encoding]bool{}, stats: map[[2]int]int32{}}
		leaf := format.SchemaElement{Name: x.column.Name, Type: thrift.New(format.Type(t.Physical)), RepetitionType: thrift.New(format.Optional)}
		if x.column.Required {
			leaf.RepetitionType = thrift.New(format.Required)
		}
		if t.Physical == parquet.FixedLenByteArray {
			leaf.TypeLength = thrift.New(int32(t.Length))
		}
		meta.Schema = append(meta.Schema, leaf)
		values = append(values, x.write())
	}
	m.groups.NumRows = int64(m.rows)
	meta.RowGroups = []format.RowGroup{m.groups}
	return fileOf(tb, m.body, &meta), values
}

// write writes the chunk, its indexes behind it, and gives its values.
func (x *mixedChunk) write() []parquet.Value {
	start := int64(4 + len(x.body))
	c := format.ColumnMetaData{Type: format.Type(x.column.Type.Physical), PathInSchema: []string{x.column.Name}, Codec: x.codec, NumValues: int64(x.rows)}
	if !x.chance(3) && x.column.Type.Physical != parquet.Boolean {
		for range 1 + x.rng.IntN(12) {
			x.entries = append(x.entries, x.value())
		}
		x.entries = append(x.entries, x.entries[0])
		c.DictionaryPageOffset = start
		x.dictionary()
	}
	c.DataPageOffset = int64(4 + len(x.body))
	var all []parquet.Value
	for len(all) < x.rows {
		n := min(1+x.rng.IntN(60), x.rows-len(all))
		at := len(x.body)
		all = append(all, x.page(n)...)
		x.places = append(x.places, format.PageLocation{Offset: int64(4 + at), CompressedPageSize: int32(len(x.body) - at), FirstRowIndex: int64(len(all) - n)})
	}
	c.TotalCompressedSize, c.TotalUncompressedSize = int64(4+len(x.body))-start, x.unpacked
	c.Encoding = []format.Encoding{format.RLE, format.BitPacked}
	for e := range x.encodings {
		c.Encoding = append(c.Encoding, e)
	}
	if !x.chance(3) {
		for k, n := range x.stats {
			c.EncodingStats = append(c.EncodingStats, format.PageEncodingStats{PageType: format.PageType(k[0]), Encoding: format.Encoding(k[1]), Count: n})
		}
	}
	c.Statistics.NullCount = nulls(bytesOf(all))
	x.groups.TotalByteSize += c.TotalUncompressedSize
	x.groups.Columns = append(x.groups.Columns, format.ColumnChunk{MetaData: c})
	x.index(all)
	return all
}

// index writes the page index, or a part of it, or none.
func (x *mixedChunk) index(all []parquet.Value) {
	if x.chance(4) {
		return
	}
	chunk := &x.groups.Columns[len(x.groups.Columns)-1]
	b := marshal(x.tb, &format.OffsetIndex{PageLocations: x.places})
	chunk.OffsetIndexOffset, chunk.OffsetIndexLength = int64(4+len(x.body)), int32(len(b))
	x.body = append(x.body, b...)
	compare, ok := statOrder(x.column.Type)
	if !ok || x.chance(4) {
		return
	}
	lo, hi := extremes(x.column.Type, bytesOf(all), compare)
	if lo == nil {
		return
	}
	chunk.MetaData.Statistics.MinValue, chunk.MetaData.Statistics.MaxValue = lo, hi
	index := format.ColumnIndex{}
	told := !x.chance(3)
	for i, p := range x.places {
		end := len(all)
		if i+1 < len(x.places) {
			end = int(x.places[i+1].FirstRowIndex)
		}
		values := bytesOf(all[p.FirstRowIndex:end])
		n := nulls(values)
		lo, hi := extremes(x.column.Type, values, compare)
		if lo == nil && n < int64(len(values)) {
			return // nothing but NaN
		}
		index.NullPages, index.MinValues, index.MaxValues = append(index.NullPages, lo == nil), append(index.MinValues, lo), append(index.MaxValues, hi)
		if told {
			index.NullCounts = append(index.NullCounts, n)
		}
	}
	b = marshal(x.tb, &index)
	chunk.ColumnIndexOffset, chunk.ColumnIndexLength = int64(4+len(x.body)), int32(len(b))
	x.body = append(x.body, b...)
}

// value gives one that the column may lack.
func (x *mixedChunk) value() parquet.Value {
	v := newValue(x.rng, x.column.Type)
	if x.wide == 0 || v.Kind() != parquet.ByteArray {
		return v
	}
	b := slices.Grow(slices.Clone(v.ByteArray()), x.wide)
	for range x.wide / 8 {
		b = binary.LittleEndian.AppendUint64(b, x.rng.Uint64())
	}
	return parquet.ByteArrayValue(b)
}

func bytesOf(values []parquet.Value) [][]byte {
	out := make([][]byte, len(values))
	for i, v := range values {
		if !v.IsNull() {
			out[i] = v.AppendBytes(make([]byte, 0, 8))
		}
	}
	return out
}

func (x *mixedChunk) dictionary() {
	encoding := []format.Encoding{format.Plain, plainDictionary}[x.rng.IntN(2)]
	x.put(format.PageHeader{DictionaryPageHeader: thrift.New(format.DictionaryPageHeader{NumValues: int32(len(x.entries)), Encoding: encoding}), Type: format.DictionaryPage},
		encoding, nil, x.plain(x.entries))
}

// page writes a page of n rows and gives their values.
func (x *mixedChunk) page(n int) []parquet.Value {
	encoding := x.encoding()
	values, present := make([]parquet.Value, n), make([]byte, n)
	few := []int{0, 1, 2, n + 1}[x.rng.IntN(4)] // one row of so many has a value; 0 = all, the last = none
	var some []parquet.Value
	var indices []int32
	for i := range values {
		if !x.column.Required && few > 0 && (few > n || x.rng.IntN(few+1) > 0) {
			continue
		}
		present[i] = 1
		if values[i] = x.value(); encoding == format.RLEDictionary || encoding == plainDictionary {
			indices = append(indices, int32(x.rng.IntN(len(x.entries))))
			values[i] = x.entries[indices[len(indices)-1]]
		}
		some = append(some, values[i])
	}
	body := x.encode(encoding, some, indices)
	if encoding == format.Plain && x.chance(4) {
		body = append(body, make([]byte, 1+x.rng.IntN(40))...) // nobody has to look behind the last value
	}
	stats := format.Statistics{NullCount: int64(n - len(some))}
	if x.chance(2) {
		levels := x.runs(present)
		x.put(format.PageHeader{Type: format.DataPageV2, DataPageHeaderV2: thrift.New(format.DataPageHeaderV2{
			NumValues: int32(n), NumRows: int32(n), NumNulls: int32(n - len(some)), Encoding: encoding,
			DefinitionLevelsByteLength: int32(len(levels)), IsCompressed: thrift.New(x.codec != format.Uncompressed && !x.chance(3)), Statistics: stats,
		})}, encoding, levels, body)
		return values
	}
	h := format.DataPageHeader{NumValues: int32(n), Encoding: encoding, DefinitionLevelEncoding: format.RLE, RepetitionLevelEncoding: format.RLE, Statistics: stats}
	var levels []byte
	switch {
	case x.column.Required:
	case x.chance(3):
		h.DefinitionLevelEncoding, levels = format.BitPacked, make([]byte, (n+7)/8)
		for i, p := range present {
			levels[i>>3] |= p << (7 - i&7)
		}
	default:
		levels = x.runs(present)
		levels = append(binary.LittleEndian.AppendUint32(nil, uint32(len(levels))), levels...)
	}
	x.put(format.PageHeader{Type: format.DataPage, DataPageHeader: thrift.New(h)}, encoding, nil, append(levels, body...))
	return values
}

// runs are definition levels as one run bit by bit, or as runs of one.
func (x *mixedChunk) runs(present []byte) []byte {
	if x.column.Required {
		return nil
	}
	var b []byte
	if x.chance(2) {
		b = binary.AppendUvarint(b, uint64((len(present)+7)/8)<<1|1)
		packed := make([]byte, (len(present)+7)/8)
		for i, p := range present {
			packed[i>>3] |= p << (i & 7)
		}
		return append(b, packed...)
	}
	for i := 0; i < len(present); {
		j := i + 1
		for j < len(present) && present[j] == present[i] {
			j++
		}
		b = append(binary.AppendUvarint(b, uint64(j-i)<<1), present[i])
		i = j
	}
	return b
}

// put writes a page: its first bytes as they are, the others compressed.
func (x *mixedChunk) put(h format.PageHeader, encoding format.Encoding, first, rest []byte) {
	h.UncompressedPageSize = int32(len(first) + len(rest))
	if x.codec == format.Snappy && (h.Type != format.DataPageV2 || h.DataPageHeaderV2.V.IsCompressed.V) {
		rest = s2.EncodeSnappy(nil, rest)
	}
	body := slices.Concat(first, rest)
	h.CompressedPageSize = int32(len(body))
	if !x.chance(3) {
		h.CRC = int32(crc32.ChecksumIEEE(body))
	}
	head := marshal(x.tb, &h)
	x.unpacked += int64(len(head)) + int64(h.UncompressedPageSize)
	x.encodings[encoding] = true
	x.stats[[2]int{int(h.Type), int(encoding)}]++
	x.body = append(append(x.body, head...), body...)
}

// encoding chooses one that values of the type may have.
func (x *mixedChunk) encoding() format.Encoding {
	all := []format.Encoding{format.Plain, format.Plain}
	switch x.column.Type.Physical {
	case parquet.Int32, parquet.Int64:
		all = append(all, format.DeltaBinaryPacked, format.ByteStreamSplit)
	case parquet.Float, parquet.Double, parquet.FixedLenByteArray:
		all = append(all, format.ByteStreamSplit)
	case parquet.ByteArray:
		all = append(all, format.DeltaLengthByteArray, format.DeltaByteArray)
	case parquet.Boolean, parquet.Int96:
	}
	if len(x.entries) > 0 {
		all = append(all, format.RLEDictionary, format.RLEDictionary, plainDictionary)
	}
	return all[x.rng.IntN(len(all))]
}

func (x *mixedChunk) plain(values []parquet.Value) []byte {
	var b []byte
	for i, v := range values {
		switch v.Kind() {
		case parquet.Boolean:
			if i&7 == 0 {
				b = append(b, 0)
			}
			if v.Boolean() {
				b[i>>3] |= 1 << (i & 7)
			}
			continue
		case parquet.ByteArray:
			b = binary.LittleEndian.AppendUint32(b, uint32(len(v.ByteArray())))
		case parquet.Int32, parquet.Int64, parquet.Int96, parquet.Float, parquet.Double, parquet.FixedLenByteArray:
		}
		b = v.AppendBytes(b)
	}
	return b
}

func (x *mixedChunk) encode(encoding format.Encoding, values []parquet.Value, indices []int32) []byte {
	var b []byte
	var err error
	fixed := x.plain(values)
	texts, ends := []byte(nil), []uint32{0}
	if x.column.Type.Physical == parquet.ByteArray {
		for _, v := range values {
			texts = append(texts, v.ByteArray()...)
			ends = append(ends, uint32(len(texts)))
		}
	}
	switch encoding {
	case format.Plain:
		return fixed
	case format.RLEDictionary, plainDictionary:
		hybrid := rle.Encoding{BitWidth: 4}
		b, err = hybrid.EncodeInt32(nil, indices)
		b = append([]byte{4}, b...)
	case format.DeltaBinaryPacked:
		packed := delta.BinaryPackedEncoding{}
		if x.column.Type.Physical == parquet.Int32 {
			b, err = packed.EncodeInt32(nil, numbersOf[int32](values))
		} else {
			b, err = packed.EncodeInt64(nil, numbersOf[int64](values))
		}
	case format.DeltaLengthByteArray:
		b, err = new(delta.LengthByteArrayEncoding).EncodeByteArray(nil, texts, ends)
	case format.DeltaByteArray:
		b, err = new(delta.ByteArrayEncoding).EncodeByteArray(nil, texts, ends)
	case format.ByteStreamSplit:
		if len(values) > 0 {
			b, err = new(bytestreamsplit.Encoding).EncodeFixedLenByteArray(nil, fixed, len(fixed)/len(values))
		}
	case format.RLE, format.BitPacked:
	}
	if err != nil {
		x.tb.Fatal(err)
	}
	return b
}

func numbersOf[T int32 | int64](values []parquet.Value) []T {
	out := make([]T, len(values))
	for i, v := range values {
		if v.Kind() == parquet.Int32 {
			out[i] = T(v.Int32())
		} else {
			out[i] = T(v.Int64())
		}
	}
	return out
}
