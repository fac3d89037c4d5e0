package hostile

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"fmt"
	"math"
	"slices"

	"github.com/klauspost/compress/s2"
	"github.com/klauspost/compress/zstd"
	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"
)

func gzipped(b []byte) []byte {
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	_, _ = w.Write(b) // a buffer takes everything
	_ = w.Close()
	return out.Bytes()
}

// pages have headers that are not so.
func pages() []File {
	var files []File
	add := func(name string, raw []byte) {
		files = append(files, File{Name: name, Body: build(sheet{v: chunk{pages: raw}})})
	}
	good := text("name", Rows).pages
	body := good[len(good)-(len(levels(Rows))+Rows*8):]
	edited := func(edit func(h *format.PageHeader)) []byte {
		h := dataHeader(Rows, format.Plain)
		h.UncompressedPageSize, h.CompressedPageSize = int32(len(body)), int32(len(body))
		edit(&h)
		return append(marshal(&h), body...)
	}
	for _, n := range []int32{math.MinInt32, -1, 0, 1, math.MaxInt32} {
		add(fmt.Sprintf("a page of %d bytes", n), edited(func(h *format.PageHeader) { h.CompressedPageSize = n }))
		add(fmt.Sprintf("a page of %d bytes uncompressed", n), edited(func(h *format.PageHeader) { h.UncompressedPageSize = n }))
		add(fmt.Sprintf("a page of %d values", n), edited(func(h *format.PageHeader) { h.DataPageHeader.V.NumValues = n }))
	}
	add("a page whose checksum differs", edited(func(h *format.PageHeader) { h.CRC = 1 }))
	add("a page of an unknown type", edited(func(h *format.PageHeader) { h.Type = 77 }))
	add("a page of an unknown encoding", edited(func(h *format.PageHeader) { h.DataPageHeader.V.Encoding = 77 }))
	add("levels of an unknown encoding", edited(func(h *format.PageHeader) { h.DataPageHeader.V.DefinitionLevelEncoding = 77 }))
	add("a page without its header", edited(func(h *format.PageHeader) { h.DataPageHeader = thrift.Null[format.DataPageHeader]{} }))
	add("half a page", good[:len(good)/2])
	add("a hundred thousand pages of no rows", bytes.Repeat(page(dataHeader(0, format.Plain), levels(0)), 100_000))
	add("a page header without end", bytes.Repeat([]byte{0x1c}, 1<<20))
	add("a page header of 2^31 fields", binary.AppendUvarint([]byte{0x15, 0, 0x19, 0xfc}, 1<<31))
	add("a page header of eight million fields", slices.Concat([]byte{0x15, 0, 0x15, 0, 0x15, 0}, bytes.Repeat([]byte{0x11}, 8<<20), []byte{0}))
	for name, head := range map[string]format.DataPageHeaderV2{
		"levels longer than the page": {NumValues: Rows, NumRows: Rows, DefinitionLevelsByteLength: math.MaxInt32},
		"levels of -1 bytes":          {NumValues: Rows, NumRows: Rows, DefinitionLevelsByteLength: -1},
		"repetitions of -1 bytes":     {NumValues: Rows, NumRows: Rows, RepetitionLevelsByteLength: -1},
		"more NULLs than values":      {NumValues: Rows, NumRows: Rows, NumNulls: Rows + 1},
	} {
		add("a page of version 2 with "+name, page(format.PageHeader{Type: format.DataPageV2, DataPageHeaderV2: thrift.New(head)}, body))
	}
	slices.SortFunc(files, func(a, b File) int { return bytes.Compare([]byte(a.Name), []byte(b.Name)) })
	return append(files, values()...)
}

// values are bodies of pages that contradict themselves.
func values() []File {
	var files []File
	add := func(name string, raw ...[]byte) {
		c := chunk{pages: slices.Concat(raw...)}
		files = append(files, File{Name: name, Body: build(sheet{v: c})})
	}
	plain := func(body []byte) []byte { return page(dataHeader(Rows, format.Plain), append(levels(Rows), body...)) }
	for _, n := range []uint32{math.MaxInt32, 1 << 31, math.MaxUint32} {
		add(fmt.Sprintf("a string of %d bytes", n), plain(append(binary.LittleEndian.AppendUint32(nil, n), make([]byte, 100)...)))
	}
	add("levels of 2^32 bytes", page(dataHeader(Rows, format.Plain), []byte{255, 255, 255, 255, 1, 1}))
	add("levels of two", page(dataHeader(Rows, format.Plain), []byte{2, 0, 0, 0, 16, 2, 0, 0, 0, 0}))
	indices := page(dataHeader(Rows, format.RLEDictionary), append(levels(Rows), 1, Rows<<1, 1))
	dict := func(n int32, body []byte) []byte { return page(dictHeader(n), body) }
	one := []byte{1, 0, 0, 0, 'a'}
	add("indices without a dictionary", indices)
	add("indices beyond the dictionary", dict(1, one), indices)
	add("indices of 255 bits", dict(1, one), page(dataHeader(Rows, format.RLEDictionary), append(levels(Rows), 255, Rows<<1, 1)))
	add("a dictionary of 2^31 entries", dict(math.MaxInt32, one), indices)
	add("a dictionary of -1 entries", dict(-1, one), indices)
	add("two dictionaries", dict(1, one), dict(1, one), indices)
	add("a dictionary behind its page", indices, dict(1, one))
	add("a run of no values for ever", dict(1, one), page(dataHeader(Rows, format.RLEDictionary), append(levels(Rows), append([]byte{1}, make([]byte, 1<<16)...)...)))
	return files
}

// bombs are a few bytes that become many.
func bombs() []File {
	var files []File
	squeeze := map[string]func([]byte) []byte{
		"gzip":   gzipped,
		"zstd":   func(b []byte) []byte { w, _ := zstd.NewWriter(nil); return w.EncodeAll(b, nil) },
		"snappy": func(b []byte) []byte { return s2.EncodeSnappy(nil, b) },
	}
	codecs := map[string]format.CompressionCodec{"gzip": format.Gzip, "zstd": format.Zstd, "snappy": format.Snappy}
	indices := append(levels(Rows), 0)
	for _, name := range []string{"gzip", "zstd", "snappy"} {
		const mib = 1 << 20
		size := map[string]int64{"gzip": 300 * mib, "zstd": 300 * mib, "snappy": 60 * mib}[name] // snappy can do 1:21 only
		bomb := squeeze[name](make([]byte, size))
		small := squeeze[name](indices)
		for _, c := range []struct {
			says   string
			page   int64
			chunk  int64
			values int32
		}{
			{"what it is", size, size, int32(size / 4)},
			{"it is one entry", size, size, 1},
			{"a KiB", 1024, 2048, 256},
			{"what it is, in a chunk of a KiB", size, 1024, 256},
			{"2 GiB", math.MaxInt32, math.MaxInt32, 256},
		} {
			pages := squeezed(dictHeader(c.values), bomb, c.page)
			first := int64(len(pages))
			pages = append(pages, squeezed(dataHeader(Rows, format.RLEDictionary), small, int64(len(indices)))...)
			files = append(files, File{Name: fmt.Sprintf("%s of %d MiB in a dictionary that says %s", name, size/mib, c.says), Body: build(sheet{
				v: chunk{pages: pages, uncompressed: c.chunk, codec: codecs[name], first: first},
			})})
		}
		files = append(files, File{Name: name + " of much in a page", Body: build(sheet{v: chunk{
			pages: squeezed(dataHeader(Rows, format.Plain), bomb, size), uncompressed: size, codec: codecs[name],
		}})}, File{Name: name + " of much in a page that says a KiB", Body: build(sheet{v: chunk{
			pages: squeezed(dataHeader(Rows, format.Plain), bomb, 1024), uncompressed: size, codec: codecs[name],
		}})}, File{Name: name + " of which half is missing", Body: build(sheet{v: chunk{
			pages: squeezed(dataHeader(Rows, format.Plain), small[:len(small)/2], int64(len(indices))), uncompressed: 1024, codec: codecs[name],
		}})}, File{Name: name + " that is shorter than it says", Body: build(sheet{v: chunk{
			pages: squeezed(dataHeader(Rows, format.Plain), small, 60*mib), uncompressed: 60 * mib, codec: codecs[name],
		}})})
	}
	return files
}

// encodings claim more than they hold.
func encodings() []File {
	var files []File
	add := func(name string, kind format.Type, encoding format.Encoding, body []byte) {
		files = append(files, File{Name: name, Body: build(sheet{
			kind: kind, v: chunk{pages: page(dataHeader(Rows, encoding), append(levels(Rows), body...))},
		})})
	}
	varints := func(numbers ...uint64) (b []byte) {
		for _, n := range numbers {
			b = binary.AppendUvarint(b, n)
		}
		return b
	}
	add("deltas in a block of 2^31", format.Int64, format.DeltaBinaryPacked, varints(1<<31, 4, Rows, 0))
	add("deltas in blocks of nothing", format.Int64, format.DeltaBinaryPacked, varints(0, 0, Rows, 0))
	add("deltas in 2^31 parts", format.Int64, format.DeltaBinaryPacked, varints(1<<40, 1<<31, Rows, 0))
	add("2^31 deltas", format.Int64, format.DeltaBinaryPacked, varints(128, 4, 1<<31, 0))
	add("2^63 deltas", format.Int64, format.DeltaBinaryPacked, varints(128, 4, 1<<63, 0))
	add("deltas of 255 bits", format.Int64, format.DeltaBinaryPacked, append(varints(128, 4, Rows, 0, 0), 255, 255, 255, 255))
	add("deltas that end", format.Int64, format.DeltaBinaryPacked, varints(128, 4, Rows))
	add("deltas of text", format.ByteArray, format.DeltaBinaryPacked, varints(128, 4, Rows, 0))
	add("lengths of 2^31", format.ByteArray, format.DeltaLengthByteArray, varints(128, 4, Rows, 1<<32-2, 0, 0, 0))
	add("lengths below nothing", format.ByteArray, format.DeltaLengthByteArray, varints(128, 4, Rows, 1, 0, 0, 0))
	add("prefixes of nothing", format.ByteArray, format.DeltaByteArray, varints(128, 4, Rows, 200, 0, 0, 0, 128, 4, Rows, 0, 0, 0, 0))
	add("streams of no values", format.Int64, format.ByteStreamSplit, []byte{1, 2, 3})
	add("a run of booleans that ends", format.Int32, format.RLE, []byte{255, 255, 255, 255, 1})
	files = append(files, prefixes())
	return files
}

// prefixes is a page of 300 KB in which each of 4,000 texts of 128 KiB repeats the one before.
func prefixes() File {
	const texts, long = 4000, 128 << 10
	pack := func(first, then int64) []byte { // DELTA_BINARY_PACKED: one number, then another for ever
		b := binary.AppendUvarint(nil, 128)
		b = binary.AppendUvarint(b, 4)
		b = binary.AppendUvarint(b, texts)
		b = binary.AppendVarint(b, first)
		for left, delta := texts-1, then-first; left > 0; left, delta = left-128, 0 {
			b = append(binary.AppendVarint(b, min(delta, 0)), 32, 0, 0, 0) // the first of each block, in 32 bits, then equal ones
			mini := make([]byte, 32*4)
			for i := range 32 {
				d := -min(delta, 0)
				if i == 0 {
					d = delta - min(delta, 0)
				}
				binary.LittleEndian.PutUint32(mini[4*i:], uint32(d))
			}
			b = append(b, mini...)
			if delta < 0 { // every other delta is 0 above the least
				b[len(b)-len(mini)-3], b[len(b)-len(mini)-2], b[len(b)-len(mini)-1] = 32, 32, 32
				for range 96 {
					b = binary.LittleEndian.AppendUint32(b, uint32(-delta))
				}
			}
		}
		return b
	}
	body := slices.Concat(levels(texts), pack(0, long), pack(long, 0), make([]byte, long))
	return File{Name: "500 MB of prefixes in 300 KB", Body: build(sheet{
		v: chunk{pages: page(dataHeader(texts, format.DeltaByteArray), body)}, rows: texts,
	})}
}
