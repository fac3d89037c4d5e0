package parquetedit_test

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/deprecated"
	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"

	"sluice/internal/parquetedit"
)

// TestAnIndexBeyondTheDictionaryBecomesNoValue: a page with such an index is broken. Were its other rows patched and the dictionary made
// longer, the index would stand for somebody else's value.
func TestAnIndexBeyondTheDictionaryBecomesNoValue(t *testing.T) {
	typ := parquetedit.Type{Physical: parquet.Int96} // no bounds are asked for, which would look at the value
	page := func(h format.PageHeader, body []byte) []byte {
		h.UncompressedPageSize, h.CompressedPageSize = int32(len(body)), int32(len(body))
		return append(marshal(t, &h), body...)
	}
	dict := page(format.PageHeader{
		Type: format.DictionaryPage, DictionaryPageHeader: thrift.New(format.DictionaryPageHeader{NumValues: 2, Encoding: format.Plain}),
	}, make([]byte, 24))
	for index, want := range map[byte]error{1: nil, 2: parquetedit.ErrCorrupt, 3: parquetedit.ErrCorrupt} {
		levels, indices := []byte{2, 0, 0, 0, 4 << 1, 1}, []byte{2, 1<<1 | 1, 1 | index<<2, 0} // four rows: entry 1, the index, entry 0 twice
		pages := append(slices.Clone(dict), page(format.PageHeader{Type: format.DataPage, DataPageHeader: thrift.New(format.DataPageHeader{
			NumValues: 4, Encoding: format.RLEDictionary, DefinitionLevelEncoding: format.RLE, RepetitionLevelEncoding: format.RLE,
		})}, append(levels, indices...))...)
		meta := metaOfPages(typ, format.Uncompressed, 4, int64(len(pages)))
		c := &meta.RowGroups[0].Columns[0].MetaData
		c.DictionaryPageOffset, c.DataPageOffset = 4, int64(4+len(dict))
		b := fileOf(t, pages, &meta)
		var out bytes.Buffer
		_, err := parquetedit.Rewrite(t.Context(), open(t, b), parquetedit.Script{
			Replaces: []int64{3}, Replace: [][]parquet.Value{{parquet.Int96Value(deprecated.Int96{7, 7, 7})}},
		}, parquetedit.NewOutput(source(b), &out))
		if !errors.Is(err, want) || want == nil && err != nil {
			t.Errorf("index %d of a dictionary of 2: %v, want %v", index, err, want)
		}
	}
}

// TestADictionaryThatFillsUpInTheMiddleOfAPage: a page whose new values do not fit into the dictionary does without it, as a whole.
func TestADictionaryThatFillsUpInTheMiddleOfAPage(t *testing.T) {
	const rows, size, limit = 200, 25_000, 1 << 20
	wide := func(n int) parquet.Value { return text(fmt.Sprintf("%0*d", size, n))[0] }
	values := make([]parquet.Value, rows)
	for i := range values {
		values[i] = wide(i % 20)
	}
	columns := []parquetedit.Column{column("s", textType())}
	file := write(t, columns, [][]parquet.Value{values}, parquetedit.WriterOptions{Compression: "none"})
	s := parquetedit.Script{Replace: make([][]parquet.Value, 1)}
	for i := range 60 {
		s.Replaces, s.Replace[0] = append(s.Replaces, int64(3*i)), append(s.Replace[0], wide(1000+i))
	}
	y := newSubject(t, "file", file).edited(t, s, true)
	for _, p := range layoutOf(y.body).groups[0].chunks[0].pages {
		if p.kind == kindDictionary && len(p.body()) > limit+size || p.data() && p.encoding != int64(format.Plain) {
			t.Errorf("a page of kind %v, encoding %d and %d bytes", p.kind, p.encoding, len(p.body()))
		}
	}
}
