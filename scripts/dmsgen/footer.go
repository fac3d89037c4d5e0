package dmsgen

import (
	"encoding/binary"
	"fmt"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"
)

// signAsDMS gives a file of parquet-go the footer that DMS writes: created by
// "AWS", version 2, ConvertedType and no LogicalType, no page index, no column
// orders, no bounds for fixed-length decimals; no statistics and dictionaries of the old name where the settings say so.
func signAsDMS(s Settings, body []byte) ([]byte, error) {
	start := len(body) - tailBytes - footerBytes(body)
	protocol := new(thrift.CompactProtocol)
	var meta format.FileMetaData
	if err := thrift.Unmarshal(protocol, body[start:len(body)-tailBytes], &meta); err != nil {
		return nil, fmt.Errorf("read footer: %w", err)
	}
	end := start
	for i := range meta.RowGroups {
		for j := range meta.RowGroups[i].Columns {
			chunk := &meta.RowGroups[i].Columns[j]
			end = min(end, stripChunk(chunk))
			if s.NoStatistics {
				chunk.MetaData.Statistics = format.Statistics{}
			}
			if s.Encoding == plainDictionary && !s.PageV2 {
				if err := oldDictionary(body, &chunk.MetaData); err != nil {
					return nil, err
				}
			}
		}
	}
	for i := range meta.Schema {
		meta.Schema[i].LogicalType = format.LogicalType{}
	}
	meta.ColumnOrders, meta.CreatedBy, meta.Version = nil, "AWS", 2
	footer, err := thrift.Marshal(protocol, meta)
	if err != nil {
		return nil, fmt.Errorf("write footer: %w", err)
	}
	signed := append(body[:end:end], footer...)
	signed = binary.LittleEndian.AppendUint32(signed, uint32(len(footer)))
	return append(signed, "PAR1"...), nil
}

// stripChunk removes what DMS does not write about a column chunk, and returns
// where its page index began.
func stripChunk(c *format.ColumnChunk) int {
	begin := min(c.ColumnIndexOffset, c.OffsetIndexOffset)
	c.ColumnIndexOffset, c.ColumnIndexLength, c.OffsetIndexOffset, c.OffsetIndexLength = 0, 0, 0, 0
	c.MetaData.SizeStatistics = format.SizeStatistics{}
	if s := &c.MetaData.Statistics; c.MetaData.Type == format.Type(parquet.FixedLenByteArray) {
		s.Min, s.Max, s.MinValue, s.MaxValue = nil, nil, nil, nil
	}
	return int(begin)
}

// footerBytes returns the length of the footer of a Parquet file.
func footerBytes(body []byte) int {
	return int(binary.LittleEndian.Uint32(body[len(body)-tailBytes:]))
}

// tailBytes is what follows the footer: its length and the magic.
const tailBytes = 8
