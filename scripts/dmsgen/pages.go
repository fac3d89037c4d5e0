package dmsgen

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"
)

// plainDictionaryNumber is PLAIN_DICTIONARY, whose name in package format is deprecated.
const plainDictionaryNumber format.Encoding = 2

// oldDictionary gives the pages of a column chunk the encoding PLAIN_DICTIONARY, as writers of Parquet 1.0
// name what is RLE_DICTIONARY since 2.0; the bytes of the pages are the same (Parquet format, "Encodings"). parquet-go
// writes the new name only. Headers keep their length, so that they are changed in place.
func oldDictionary(body []byte, chunk *format.ColumnMetaData) error {
	if chunk.DictionaryPageOffset == 0 {
		return nil
	}
	protocol := new(thrift.CompactProtocol)
	end := chunk.DictionaryPageOffset + chunk.TotalCompressedSize
	for at := chunk.DictionaryPageOffset; at < end; {
		var header format.PageHeader
		if err := thrift.NewDecoder(protocol.NewReader(bytes.NewReader(body[at:end]))).Decode(&header); err != nil {
			return fmt.Errorf("read page header: %w", err)
		}
		before, err := thrift.Marshal(protocol, header)
		if err != nil {
			return fmt.Errorf("write page header: %w", err)
		}
		rename(&header)
		after, err := thrift.Marshal(protocol, header)
		if err != nil {
			return fmt.Errorf("write page header: %w", err)
		}
		if len(after) != len(before) {
			return errors.New("a page header with another encoding has another length")
		}
		copy(body[at:], after)
		at += int64(len(after)) + int64(header.CompressedPageSize)
	}
	for i, encoding := range chunk.Encoding {
		if encoding == format.RLEDictionary {
			chunk.Encoding[i] = plainDictionaryNumber
		}
	}
	for i := range chunk.EncodingStats {
		if chunk.EncodingStats[i].Encoding == format.RLEDictionary || chunk.EncodingStats[i].PageType == format.DictionaryPage {
			chunk.EncodingStats[i].Encoding = plainDictionaryNumber
		}
	}
	return nil
}

// rename changes the encoding of one page; data pages behind a full dictionary are plain, and stay it.
func rename(header *format.PageHeader) {
	if header.Type == format.DictionaryPage {
		header.DictionaryPageHeader.V.Encoding = plainDictionaryNumber
	} else if header.DataPageHeader.V.Encoding == format.RLEDictionary {
		header.DataPageHeader.V.Encoding = plainDictionaryNumber
	}
}
