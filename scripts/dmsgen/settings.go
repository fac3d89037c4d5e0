package dmsgen

import (
	"fmt"
	"time"
)

// Images says which before-image columns a change carries.
type Images string

// The column filters of the rule add-before-image-columns that we write.
const (
	NoImages  Images = ""        // no such columns
	KeyImages Images = "pk-only" // key columns only, as PostgreSQL sources give them
	AllImages Images = "all"     // every column, as MySQL sources give them
)

// Settings are the S3Settings of a target endpoint, and the transformation
// rules of a task, as far as they change what is written.
type Settings struct {
	RowsPerRowGroup int    // RowGroupLength
	Compression     string // "none", "gzip" (CompressionType); "snappy" too, which DMS does not know, for benchmarks
	Milliseconds    bool   // ParquetTimestampInMillisecond
	OpInLoad        bool   // IncludeOpForFullLoad
	NoOp            bool   // CdcInsertsOnly without IncludeOpForFullLoad: no Op column anywhere
	TimestampColumn string // TimestampColumnName: second column of changes, first of loads; empty = none
	SequenceColumn  string // add-column rule with $AR_H_CHANGE_SEQ: comes last, NULL in loads; empty = none
	BeforeImages    Images // rule add-before-image-columns: columns come after the source's
	BeforePrefix    string // its prefix
	KeyOnlyDeletes  bool   // D records carry the key and NULLs, as with PostgreSQL's default replica identity

	DateFolders   string         // DatePartitionSequence: "", YYYYMMDD, YYYYMMDDHH, YYYYMM, MMYYYYDD, DDMMYYYY
	DateDelimiter string         // DatePartitionDelimiter: SLASH, UNDERSCORE, DASH, NONE
	Location      *time.Location // DatePartitionTimezone: of folders and of CDC names

	Folder        string        // BucketFolder: empty, or ends in "/"
	SegmentFolder string        // parallel load of named partitions: LOAD files in this folder of the table's
	Segment       int           // parallel load of unnamed ranges: SEGMENT<n>_LOAD…; 0 = none
	FirstLoad     int           // counter of the first LOAD file
	RowsPerFile   int           // rows of one LOAD file; 0 = all in one
	BatchSize     int           // changes of one CDC file of WriteBatches; 0 = all in one
	Delay         time.Duration // LastModified of an object minus the time in its name
}

// DefaultSettings returns what DMS does when nothing is set, Parquet apart.
func DefaultSettings() Settings {
	return Settings{
		RowsPerRowGroup: 10_000, Compression: "none", BeforePrefix: "BI_",
		DateDelimiter: "SLASH", Location: time.UTC, FirstLoad: 1,
	}
}

// validate names the first setting that cannot be.
func (s Settings) validate() error {
	if s.RowsPerRowGroup < 1 {
		return fmt.Errorf("rows per row group %d: at least 1", s.RowsPerRowGroup)
	}
	if _, ok := codecs()[s.Compression]; !ok {
		return fmt.Errorf("compression %q is not one of none, gzip, snappy", s.Compression)
	}
	if s.DateFolders != "" && len(dateParts(s.DateFolders)) == 0 {
		return fmt.Errorf("date folders %q are not a sequence that DMS knows", s.DateFolders)
	}
	if _, ok := delimiters()[s.DateDelimiter]; !ok {
		return fmt.Errorf("date delimiter %q is not one of SLASH, UNDERSCORE, DASH, NONE", s.DateDelimiter)
	}
	return nil
}
