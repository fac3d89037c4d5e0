package parquetedit

import (
	"errors"
	"fmt"
)

// The reasons why a file cannot be edited. They are wrapped with the column and row group at fault.
var (
	// ErrCorrupt is returned when the bytes are not what the Parquet format says they should be.
	ErrCorrupt = errors.New("corrupt parquet file")
	// ErrEncrypted is returned when the file, or one of its columns, is encrypted.
	ErrEncrypted = errors.New("encrypted parquet file")
	// ErrCodec is returned when a column is compressed with LZ4, LZ4_RAW or LZO, or when the codec is unknown.
	ErrCodec = errors.New("unsupported compression codec")
	// ErrEncoding is returned when the values of a page have an encoding that this package does not read.
	ErrEncoding = errors.New("unsupported encoding")
	// ErrNested is returned when the schema holds a group or a repeated column.
	ErrNested = errors.New("nested columns are not supported")
	// ErrTooLarge is returned when the file declares more than the limits of this package allow.
	ErrTooLarge = errors.New("parquet file exceeds a limit")
	// ErrValue is returned when a value does not fit its column: another physical type, another
	// length, or NULL in a required column.
	ErrValue = errors.New("value does not fit the column")
	// ErrScript is returned when a Script contradicts itself or the file.
	ErrScript = errors.New("invalid script")
	// ErrPageIndex is returned when a page index was trusted and turns out not to fit the pages.
	ErrPageIndex = errors.New("the page index does not fit the pages")
	// ErrRows is returned when the rows written are not those that were asked for: a defect of this
	// package, or a Source that changed meanwhile. What was written must not be used.
	ErrRows = errors.New("row count mismatch")
)

// MaxColumns is how many leaf columns a file may have, read or written.
const MaxColumns = 4096

// What a file may declare. A file beyond one of them is refused before memory is taken.
const (
	maxFooterBytes = 16 << 20  // bytes of the footer
	maxRowGroups   = 10_000    // row groups
	maxChunkBytes  = 16 << 30  // bytes of one column chunk, uncompressed: it is read in windows
	maxPageBytes   = 512 << 20 // bytes of one page, uncompressed
	maxPageValues  = 64 << 20  // values of one page
	maxHeaderBytes = 16 << 20  // bytes of the header of one page
	maxFields      = 1000      // fields of one struct; Parquet's have fewer than twenty
	maxElements    = 1 << 20   // elements of one list
	maxNameBytes   = 64 << 10  // bytes of a column's name
	maxDigits      = 1000      // decimal digits, and those behind the point
	freeBytes      = 64 << 20  // a chunk or page up to this size may have any compression ratio
	maxRatio       = 1000      // a larger chunk at most this
	maxPageRatio   = 100       // a larger page at most this: it is in memory as a whole
	freeRows       = 64 << 20  // a file of more rows has a byte at least for maxRatio of them
)

func corrupt(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrCorrupt, fmt.Sprintf(format, args...))
}

// recovered turns the panics that codecs and decoders have for bytes they do not expect into an error. It is to be deferred.
func recovered(err *error) {
	if r := recover(); r != nil {
		*err = corrupt("%v", r)
	}
}
