package statestore

import (
	"fmt"
	"strings"
)

// Item is the string attributes of one table by their names in the control table. An attribute that is absent and
// one that is empty are different things to the backends; settings treat them alike.
type Item map[string]string

// The attributes of the AWS sample, named as it writes them.
const (
	Path                = "path"                // bucket/prefix/schema/table/: the key
	Bucket              = "bucket"              // raw bucket
	Prefix              = "prefix"              // prefix/schema/ below the raw bucket
	Folder              = "folder"              // table/
	PrimaryKey          = "PrimaryKey"          // comma list of columns, or NoColumns
	PartitionKey        = "PartitionKey"        // comma list of columns, or NoColumns
	LastFullLoadDate    = "LastFullLoadDate"    // 2006-01-02 15:04:05, UTC
	LastIncrementalFile = "LastIncrementalFile" // bucket/key
	ActiveFlag          = "ActiveFlag"          // True or False
	OutPath             = "out_path"            // lakebucket/lakeprefix/
)

// The attributes that sluice adds. All may be absent.
const (
	Seq               = "Seq"               // of the latest commit: see FormatSeq
	CommitID          = "CommitId"          // of the pending commit
	CommitPlan        = "CommitPlan"        // object key of its plan
	Index             = "Index"             // object key of the lake file index
	Ledger            = "Ledger"            // object key of the inputs consumed
	LeaseOwner        = "LeaseOwner"        // who runs the table
	LeaseUntil        = "LeaseUntil"        // 2006-01-02T15:04:05.000Z, UTC
	Status            = "Status"            // Halted, or absent
	StatusReason      = "StatusReason"      // why it is halted
	Generation        = "Generation"        // of the full load in the lake
	LoadFingerprint   = "LoadFingerprint"   // of the LOAD objects it was made from
	InputsDigest      = "InputsDigest"      // of the listing at the latest finish
	OrderColumn       = "OrderColumn"       // setting: column that orders changes of a key
	InputTimezone     = "InputTimezone"     // setting: zone of the times in CDC file names
	LoadLead          = "LoadLead"          // setting: subtracted from the load's start
	ReloadPolicy      = "ReloadPolicy"      // setting: auto or fence
	BeforeImagePrefix = "BeforeImagePrefix" // setting: prefix of before-image columns
	CSVHeader         = "CsvHeader"         // setting: True or False, whether the first row of CSV files names the columns
	CSVDelimiter      = "CsvDelimiter"      // setting: between fields
	CSVRowDelimiter   = "CsvRowDelimiter"   // setting: behind rows
	CSVNull           = "CsvNull"           // setting: what NULL is written as; "" in quotes for nothing
	CSVNoSup          = "CsvNoSup"          // setting: what a field is written as that the source's log leaves out
	CSVQuotes         = "CsvQuotes"         // setting: True or False, whether fields may be quoted
	CSVSchema         = "CsvSchema"         // setting: columns and types of CSV files
	Dialect           = "Dialect"           // setting: dms or debezium, whose columns tell what happened to a row; the first commit sets it where it is absent
	Compact           = "Compact"           // setting: True or False, whether runs compact the table by themselves
	SchemaPolicy      = "SchemaPolicy"      // setting: strict or evolve, what a change of columns does
	Contract          = "Contract"          // setting: what rows have to be, in YAML
	Quarantined       = "Quarantined"       // how many rows contracts kept out so far
	Accept            = "Accept"            // what an operator accepted when acknowledging
	ListedOn          = "ListedOn"          // day of the latest whole listing
	Catalog           = "Catalog"           // what of the table is registered in which catalog, and the day that was compared
)

// The values that conditions and defaults are made of.
const (
	True         = "true"                // of ActiveFlag and Compact
	False        = "false"               // of ActiveFlag and Compact
	NoColumns    = "null"                // of PrimaryKey and PartitionKey
	NeverDate    = "1900-01-01 00:00:00" // of LastFullLoadDate before the first load
	FirstFile    = "0.parquet"           // appended to the path: LastIncrementalFile before the first merge
	StatusHalted = "halted"              // of Status
)

// NewItem returns the item that registers a table: the sample's defaults for path (bucket/prefix/schema/table/, the
// prefix may be empty) and a lake at outPath (lakebucket/lakeprefix/). ErrInvalid when path is of another form.
func NewItem(path, outPath string) (Item, error) {
	return Item{Path: path, OutPath: outPath}.withDefaults()
}

// Active reports whether an operator lets the table be replicated. As in the sample, only "true" does.
func (i Item) Active() bool { return i[ActiveFlag] == True }

// Halted reports whether the table is halted.
func (i Item) Halted() bool { return i[Status] == StatusHalted }

// Pending reports whether a commit is binding and not finished.
func (i Item) Pending() bool { return i[CommitID] != "" }

// withDefaults returns a copy in which each attribute of the sample that i lacks has its default; out_path has none.
func (i Item) withDefaults() (Item, error) {
	path := i[Path]
	bucket, rest, _ := strings.Cut(path, "/")
	parts := strings.Split(rest, "/") // prefix…, schema, table, ""
	n := len(parts)
	if bucket == "" || n < 3 || parts[n-1] != "" || parts[n-2] == "" || parts[n-3] == "" {
		return nil, fmt.Errorf("%w: path %q is not bucket/prefix/schema/table/", ErrInvalid, path)
	}
	folder := parts[n-2] + "/"
	full := Item{
		Bucket:              bucket,
		Prefix:              strings.TrimSuffix(rest, folder),
		Folder:              folder,
		PrimaryKey:          NoColumns,
		PartitionKey:        NoColumns,
		LastFullLoadDate:    NeverDate,
		LastIncrementalFile: path + FirstFile,
		ActiveFlag:          False,
	}
	for attr, value := range i {
		full[attr] = value
	}
	return full, nil
}

// known reports whether attr is one that this package names: such an attribute must be a string.
func known(attr string) bool {
	switch attr {
	case Path, Bucket, Prefix, Folder, PrimaryKey, PartitionKey, LastFullLoadDate, LastIncrementalFile, ActiveFlag, OutPath,
		Seq, CommitID, CommitPlan, Index, Ledger, LeaseOwner, LeaseUntil, Status, StatusReason, Generation, LoadFingerprint,
		InputsDigest, OrderColumn, InputTimezone, LoadLead, ReloadPolicy, BeforeImagePrefix, CSVHeader, CSVDelimiter, CSVRowDelimiter, CSVNull, CSVNoSup, CSVQuotes, CSVSchema, Dialect, Compact, SchemaPolicy, Contract, Quarantined, Accept, ListedOn, Catalog:
		return true
	}
	return false
}
