package parquetedit_test

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"testing"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"

	"sluice/internal/parquetedit"
)

// TestNoColumnIsAddedThatWouldBeRefused: a file of more than 4,096 columns was written, and could not be opened again.
func TestNoColumnIsAddedThatWouldBeRefused(t *testing.T) {
	long := parquetedit.Type{Physical: parquet.Int64}
	b := write(t, []parquetedit.Column{column("n", long)}, [][]parquet.Value{ints(1)}, parquetedit.WriterOptions{})
	var s parquetedit.Script
	for i := range 4096 {
		s.Add = append(s.Add, column(fmt.Sprint("c", i), long))
	}
	_, err := parquetedit.Rewrite(t.Context(), open(t, b), s, parquetedit.NewOutput(source(b), io.Discard))
	if !errors.Is(err, parquetedit.ErrScript) {
		t.Errorf("got %v, want ErrScript", err)
	}
}

// TestPitfall9WhatAFileDeclaresIsHeldAgainstLimits: before memory is taken for it.
func TestPitfall9WhatAFileDeclaresIsHeldAgainstLimits(t *testing.T) {
	long, page := parquetedit.Type{Physical: parquet.Int64}, numbersPage(t, false, 0, 30, false)
	for name, c := range map[string]struct {
		change func(m *format.FileMetaData, c *format.ColumnMetaData)
		want   error
	}{
		"nothing wrong": {func(*format.FileMetaData, *format.ColumnMetaData) {}, nil},
		"a chunk of more bytes than there are": {
			func(_ *format.FileMetaData, c *format.ColumnMetaData) { c.TotalCompressedSize = 1 << 20 }, parquetedit.ErrCorrupt,
		},
		"a chunk before the file":        {func(_ *format.FileMetaData, c *format.ColumnMetaData) { c.DataPageOffset = -5 }, parquetedit.ErrCorrupt},
		"a chunk of more than 16 GiB":    {func(_ *format.FileMetaData, c *format.ColumnMetaData) { c.TotalUncompressedSize = 16<<30 + 1 }, parquetedit.ErrTooLarge},
		"a chunk compressed 1,000 times": {func(_ *format.FileMetaData, c *format.ColumnMetaData) { c.TotalUncompressedSize = 100 << 20 }, parquetedit.ErrTooLarge},
		"more columns than 4,096": {func(m *format.FileMetaData, _ *format.ColumnMetaData) {
			m.Schema = append(m.Schema[:1], slices.Repeat(m.Schema[1:2], 4097)...)
			m.Schema[0].NumChildren = thrift.New(int32(4097))
		}, parquetedit.ErrTooLarge},
		"more row groups than 10,000": {func(m *format.FileMetaData, _ *format.ColumnMetaData) {
			m.RowGroups = slices.Repeat(m.RowGroups, 10_001)
		}, parquetedit.ErrTooLarge},
		"a footer of more than 16 MiB": {func(m *format.FileMetaData, _ *format.ColumnMetaData) {
			m.CreatedBy = string(make([]byte, 16<<20))
		}, parquetedit.ErrTooLarge},
	} {
		meta := metaOfPages(long, format.Uncompressed, 30, int64(len(page)))
		c.change(&meta, &meta.RowGroups[0].Columns[0].MetaData)
		if err := readAll(t.Context(), source(fileOf(t, page, &meta))); !errors.Is(err, c.want) || c.want == nil && err != nil {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}
