package dmsgen

import (
	"errors"
	"fmt"
	"slices"
	"strings"
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

// Format is the DataFormat of a target endpoint.
type Format string

// The formats that DMS writes.
const (
	Parquet Format = "parquet"
	CSV     Format = "csv"
)

// Dialect says who writes the files.
type Dialect string

// The dialects.
const (
	DMS      Dialect = "dms"
	Debezium Dialect = "debezium" // see debezium.go
)

// CSVSettings are the settings that only files of the format [CSV] know.
type CSVSettings struct {
	Delimiter    string // CsvDelimiter: between fields
	RowDelimiter string // CsvRowDelimiter: behind every row
	NoQuotes     bool   // Rfc4180 is false: text is copied as it is, whatever is in it
	Null         string // CsvNullValue; empty = NULL is an empty field
	NoSup        string // CsvNoSupValue, which stands for [Missing]; empty = UseCsvNoSupValue is off
	Header       bool   // AddColumnName: the first row of every file names the columns
	MaxFileBytes int    // MaxFileSize × 1024: a LOAD file is ended by the row that reaches it; 0 = no such bound
}

// Settings are the S3Settings of a target endpoint, and the transformation
// rules of a task, as far as they change what is written.
type Settings struct {
	Dialect Dialect // empty = DMS
	Format  Format  // DataFormat; empty = Parquet
	CSV     CSVSettings

	Compression string // "none", "gzip" (CompressionType); Parquet also "snappy", which DMS does not know

	RowsPerRowGroup int    // RowGroupLength
	PageV2          bool   // ParquetVersion is parquet-2-0: data pages of version 2
	Encoding        string // EncodingType: plain, plain-dictionary, rle-dictionary; empty = a dictionary for Table.Dictionary alone
	NoStatistics    bool   // EnableStatistics is false
	PageBytes       int    // DataPageSize; 0 = 1 MiB
	DictionaryBytes int    // DictPageSizeLimit; 0 = 1 MiB
	Milliseconds    bool   // ParquetTimestampInMillisecond

	OpInLoad        bool           // IncludeOpForFullLoad
	NoOp            bool           // CDC files have no Op column: InsertsOnly or InsertsAndUpdates without OpInLoad
	TimestampColumn string         // TimestampColumnName: second column of changes, first of loads; empty = none
	SequenceColumn  string         // add-column rule with $AR_H_CHANGE_SEQ: comes last, NULL in loads; empty = none
	Headers         []HeaderColumn // more add-column rules, behind it

	InsertsOnly       bool // CdcInsertsOnly: other changes are not written
	InsertsAndUpdates bool // CdcInsertsAndUpdates: deletes are not written

	BeforeImages   Images // rule add-before-image-columns: columns come after the source's
	BeforePrefix   string // its prefix
	KeyOnlyDeletes bool   // D records carry the key and NULLs, as with PostgreSQL's default replica identity

	DateFolders   string         // DatePartitionSequence: "", YYYYMMDD, YYYYMMDDHH, YYYYMM, MMYYYYDD, DDMMYYYY
	DateDelimiter string         // DatePartitionDelimiter: SLASH, UNDERSCORE, DASH, NONE
	Location      *time.Location // DatePartitionTimezone: of folders and of CDC names

	Folder        string        // BucketFolder: empty, or ends in "/"
	CdcPath       string        // PreserveTransactions and CdcPath: where WriteTransactions writes, "a/b"
	SegmentFolder string        // parallel load of named partitions: LOAD files in this folder of the table's
	Segment       int           // parallel load of unnamed ranges: SEGMENT<n>_LOAD…; 0 = none
	FirstLoad     int           // counter of the first LOAD file
	RowsPerFile   int           // rows of one LOAD file; 0 = all in one
	BatchSize     int           // changes of one CDC file of WriteBatches; 0 = all in one
	Delay         time.Duration // LastModified of an object minus the time in its name
}

// DefaultSettings returns what DMS does when nothing is set, Parquet apart: the zero Format.
func DefaultSettings() Settings {
	return Settings{
		CSV:             CSVSettings{Delimiter: ",", RowDelimiter: "\n", Null: "NULL", MaxFileBytes: 1 << 30},
		RowsPerRowGroup: 10_000, Compression: "none", BeforePrefix: "BI_",
		DateDelimiter: "SLASH", Location: time.UTC, FirstLoad: 1,
	}
}

// validate names the first setting that cannot be.
func (s Settings) validate() error {
	if err := s.validateDialect(); err != nil {
		return err
	}
	if err := s.validateTransactions(); err != nil {
		return err
	}
	for _, h := range s.Headers {
		if h.Name == "" || !slices.Contains(Headers(), h.Expression) {
			return fmt.Errorf("column %s=%s is not a name and one of %v", h.Name, h.Expression, Headers())
		}
	}
	if s.InsertsOnly && s.InsertsAndUpdates {
		return errors.New("CdcInsertsOnly and CdcInsertsAndUpdates exclude each other")
	}
	switch s.Format {
	case Parquet, "":
	case CSV:
		if err := s.CSV.validate(); err != nil {
			return err
		}
	default:
		return fmt.Errorf("format %q is not one of parquet, csv", s.Format)
	}
	if s.RowsPerRowGroup < 1 {
		return fmt.Errorf("rows per row group %d: at least 1", s.RowsPerRowGroup)
	}
	if _, ok := codecs()[s.Compression]; !ok {
		return fmt.Errorf("compression %q is not one of none, gzip, snappy", s.Compression)
	}
	if s.Format == CSV && s.Compression == "snappy" {
		return errors.New("compression snappy is for Parquet only")
	}
	switch s.Encoding {
	case "", plain, plainDictionary, rleDictionary:
	default:
		return fmt.Errorf("encoding %q is not one of plain, plain-dictionary, rle-dictionary", s.Encoding)
	}
	if s.DateFolders != "" && len(dateParts(s.DateFolders)) == 0 {
		return fmt.Errorf("date folders %q are not a sequence that DMS knows", s.DateFolders)
	}
	if _, ok := delimiters()[s.DateDelimiter]; !ok {
		return fmt.Errorf("date delimiter %q is not one of SLASH, UNDERSCORE, DASH, NONE", s.DateDelimiter)
	}
	return nil
}

// validate names what makes rows that nobody can tell apart.
func (c CSVSettings) validate() error {
	if c.Delimiter == "" || c.RowDelimiter == "" {
		return errors.New("CSV has no delimiter of fields or of rows")
	}
	if strings.Contains(c.Delimiter, c.RowDelimiter) || strings.HasPrefix(c.RowDelimiter, c.Delimiter) {
		return fmt.Errorf("CSV delimiter %q and row delimiter %q are not told apart", c.Delimiter, c.RowDelimiter)
	}
	return nil
}

// validateTransactions refuses what does not go with PreserveTransactions (API reference of S3Settings).
func (s Settings) validateTransactions() error {
	if s.CdcPath != "" && (s.CSV.Header || s.DateFolders != "" || s.NoOp) {
		return errors.New("CdcPath goes neither with AddColumnName nor with date folders nor without ops")
	}
	return nil
}

// extension is what the names of files end in.
func (s Settings) extension() string {
	switch {
	case s.Format != CSV:
		return ".parquet"
	case s.Compression == "gzip":
		return ".csv.gz"
	}
	return ".csv"
}
