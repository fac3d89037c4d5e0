package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	_ "time/tzdata" // zones of --date-partition-timezone, wherever the command runs

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"sluice/scripts/dmsgen"
)

// common are the flags that every command has: where to write, and the settings of a DMS endpoint by their own names.
type common struct {
	dir      string
	settings dmsgen.Settings

	parquetVersion   string
	rfc4180          bool
	statistics       bool
	maxFileKilobytes int
	zone             string
	images           string
	addColumns       []string
}

// kilobyte is the unit of MaxFileSize.
const kilobyte = 1 << 10

func (f *common) register(c *cobra.Command) {
	f.settings = dmsgen.DefaultSettings()
	f.settings.Dialect, f.settings.Format = dmsgen.DMS, dmsgen.Parquet
	flags := c.Flags()
	flags.SortFlags = false
	flags.StringVar(&f.dir, "dir", "", "directory to fill (required)")
	flags.StringVar((*string)(&f.settings.Dialect), "dialect", string(dmsgen.DMS), "who writes: dms, or debezium (flattened records: __op, __deleted, __source_ts_ms)")
	f.registerFormat(flags)
	f.registerColumns(flags)
	f.registerNames(flags)
	cobra.CheckErr(c.MarkFlagRequired("dir"))
	c.PreRunE = func(*cobra.Command, []string) error { return f.finish() }
}

// registerFormat has what changes the bytes of a file.
func (f *common) registerFormat(flags *pflag.FlagSet) {
	s := &f.settings
	flags.StringVar((*string)(&s.Format), "data-format", string(dmsgen.Parquet), "parquet or csv")
	flags.StringVar(&s.Compression, "compression-type", "none", "none or gzip; parquet also snappy, which DMS does not know")
	flags.StringVar(&s.CSV.Delimiter, "csv-delimiter", ",", `between the fields of a row; \t and the like are understood`)
	flags.StringVar(&s.CSV.RowDelimiter, "csv-row-delimiter", `\n`, "at the end of every row")
	flags.StringVar(&s.CSV.Null, "csv-null-value", "NULL", "what stands for NULL; a text that reads so is NULL, too")
	flags.StringVar(&s.CSV.NoSup, "csv-no-sup-value", "", "what stands for a column that the source's log does not have; see --partial-updates")
	flags.BoolVar(&f.rfc4180, "rfc-4180", true, "quote fields that hold a quote, a delimiter or a newline; false writes them as they are, and invents no such text")
	flags.BoolVar(&s.CSV.Header, "add-column-name", false, "the first row of a CSV file names its columns")
	flags.IntVar(&f.maxFileKilobytes, "max-file-size", s.CSV.MaxFileBytes/kilobyte, "KB of a LOAD file of CSV")
	flags.StringVar(&f.parquetVersion, "parquet-version", "parquet-1-0", "parquet-1-0 or parquet-2-0, which has other data pages")
	flags.StringVar(&s.Encoding, "encoding-type", "rle-dictionary", "plain, plain-dictionary or rle-dictionary")
	flags.BoolVar(&f.statistics, "enable-statistics", true, "least and greatest value and NULLs of every page and row group")
	flags.IntVar(&s.RowsPerRowGroup, "row-group-length", s.RowsPerRowGroup, "rows of a row group")
	flags.IntVar(&s.PageBytes, "data-page-size", 1<<20, "bytes of a data page")
	flags.IntVar(&s.DictionaryBytes, "dict-page-size-limit", 1<<20, "bytes of a dictionary; a column with a larger one goes on plainly")
	flags.BoolVar(&s.Milliseconds, "parquet-timestamp-in-millisecond", false, "timestamps in milliseconds, microseconds are cut off")
}

// registerColumns has what changes the columns of a file, and which changes are in it.
func (f *common) registerColumns(flags *pflag.FlagSet) {
	s := &f.settings
	flags.BoolVar(&s.OpInLoad, "include-op-for-full-load", false, "LOAD files have the column Op, too")
	flags.BoolVar(&s.InsertsOnly, "cdc-inserts-only", false, "write inserts and no other change; without --include-op-for-full-load without Op")
	flags.BoolVar(&s.InsertsAndUpdates, "cdc-inserts-and-updates", false, "write no deletes; without --include-op-for-full-load without Op")
	flags.StringVar(&s.TimestampColumn, "timestamp-column-name", "", "a column with the time of the commit, behind Op")
	flags.StringArrayVar(&f.addColumns, "add-column", nil, "a column with a header of the change, as seq=$AR_H_CHANGE_SEQ; again for more")
	flags.StringVar(&f.images, "before-image-columns", "none", "rule add-before-image-columns: none, pk-only or all")
	flags.StringVar(&s.BeforePrefix, "before-image-prefix", s.BeforePrefix, "what the names of such columns begin with")
	flags.BoolVar(&s.KeyOnlyDeletes, "key-only-deletes", false, "a delete has the key and NULLs, as with PostgreSQL's default replica identity")
}

// registerNames has what changes the names of files.
func (f *common) registerNames(flags *pflag.FlagSet) {
	s := &f.settings
	flags.StringVar(&s.Folder, "bucket-folder", "", "folder of all schemas")
	flags.StringVar(&s.DateFolders, "date-partition-sequence", "", "date folders for changes: YYYYMMDD, YYYYMMDDHH, YYYYMM, MMYYYYDD or DDMMYYYY")
	flags.StringVar(&s.DateDelimiter, "date-partition-delimiter", "SLASH", "SLASH, UNDERSCORE, DASH or NONE")
	flags.StringVar(&f.zone, "date-partition-timezone", "UTC", "time zone of date folders and of the names of CDC files, as Europe/Berlin")
	flags.IntVar(&s.RowsPerFile, "rows-per-file", 500_000, "rows of a LOAD file")
	flags.IntVar(&s.BatchSize, "changes-per-file", 20_000, "changes of a CDC file")
}

// finish turns the flags into settings.
func (f *common) finish() error {
	s := &f.settings
	switch f.parquetVersion {
	case "parquet-1-0":
	case "parquet-2-0":
		s.PageV2 = true
	default:
		return fmt.Errorf("--parquet-version %q is not one of parquet-1-0, parquet-2-0", f.parquetVersion)
	}
	switch f.images {
	case "none":
	case string(dmsgen.KeyImages), string(dmsgen.AllImages):
		s.BeforeImages = dmsgen.Images(f.images)
	default:
		return fmt.Errorf("--before-image-columns %q is not one of none, pk-only, all", f.images)
	}
	for _, column := range f.addColumns {
		name, expression, _ := strings.Cut(column, "=")
		s.Headers = append(s.Headers, dmsgen.HeaderColumn{Name: name, Expression: dmsgen.Header(expression)})
	}
	var err error
	if s.Location, err = time.LoadLocation(f.zone); err != nil {
		return fmt.Errorf("--date-partition-timezone: %w", err)
	}
	s.NoOp = (s.InsertsOnly || s.InsertsAndUpdates) && !s.OpInLoad
	s.NoStatistics, s.CSV.NoQuotes, s.CSV.MaxFileBytes = !f.statistics, !f.rfc4180, f.maxFileKilobytes*kilobyte
	s.CSV.Delimiter, s.CSV.RowDelimiter = unescaped(s.CSV.Delimiter), unescaped(s.CSV.RowDelimiter)
	if s.Folder != "" {
		s.Folder = strings.TrimSuffix(s.Folder, "/") + "/"
	}
	return nil
}

// unescaped reads \t, \n, \x01 and the like; what is no such text stands for itself.
func unescaped(text string) string {
	if plain, err := strconv.Unquote(`"` + text + `"`); err == nil {
		return plain
	}
	return text
}

// writer writes below a subfolder of --dir.
func (f *common) writer(sub string) (*dmsgen.Writer, error) {
	return dmsgen.NewWriter(dmsgen.Directory(f.dir+"/"+sub), f.settings)
}
