package main

import (
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"sluice/internal/catalog"
	"sluice/internal/replicate"
	"sluice/statestore"
)

// csvFlags are the flags of activate that say how a table's CSV files are written.
type csvFlags struct {
	attributes map[string]*string // by flag
	schema     string
}

// csvAttributes are the attributes that flags set as they are.
func csvAttributes() map[string]string {
	return map[string]string{
		"csv-header": statestore.CSVHeader, "csv-delimiter": statestore.CSVDelimiter, "csv-row-delimiter": statestore.CSVRowDelimiter,
		"csv-null": statestore.CSVNull, "csv-no-sup": statestore.CSVNoSup, "csv-quotes": statestore.CSVQuotes,
	}
}

func addCSVFlags(flags *pflag.FlagSet) *csvFlags {
	f := &csvFlags{attributes: map[string]*string{}}
	text := func(name, usage string) {
		f.attributes[name] = flags.String(name, "", usage)
	}
	text("csv-header", `whether the first line of CSV files names the columns (AddColumnName): true or false; "" = it is recognized where the columns are known`)
	text("csv-delimiter", `what stands between fields (CsvDelimiter), as \t; "" = a comma`)
	text("csv-row-delimiter", `what ends a row (CsvRowDelimiter); "" = a line break`)
	text("csv-null", `what NULL is written as (CsvNullValue); "" = nothing between two delimiters; NULL unless it is set`)
	text("csv-no-sup", `what stands for a value that the source did not log (CsvNoSupValue): the table halts at it; "" = nothing does`)
	text("csv-quotes", `whether fields may be quoted (Rfc4180): true or false; "" = true`)
	flags.StringVar(&f.schema, "csv-schema", "", "columns and types of CSV files: a `FILE` that lists them as SQL does (id bigint, name string), - for stdin, or glue:DATABASE.TABLE; none = none")
	return f
}

// settings are the attributes to set; "" unsets one.
func (f *csvFlags) settings(c *cobra.Command) (map[string]string, error) {
	set := map[string]string{}
	for flag, attribute := range csvAttributes() {
		if c.Flags().Changed(flag) {
			set[attribute] = *f.attributes[flag]
		}
	}
	if null, given := set[statestore.CSVNull]; given && null == "" {
		set[statestore.CSVNull] = `""` // an attribute that is empty is not set
	}
	if !c.Flags().Changed("csv-schema") && len(set) == 0 {
		return nil, nil
	}
	if !c.Flags().Changed("csv-schema") {
		return set, nil
	}
	var err error
	set[statestore.CSVSchema], err = f.columns(c)
	return set, err
}

// columns reads the list that --csv-schema names.
func (f *csvFlags) columns(c *cobra.Command) (string, error) {
	table, isGlue := strings.CutPrefix(f.schema, "glue:")
	switch {
	case f.schema == "" || f.schema == "none":
		return "", nil
	case isGlue:
		return glueColumns(c, table)
	}
	from := c.InOrStdin()
	if f.schema != "-" {
		file, err := os.Open(f.schema)
		if err != nil {
			return "", usagef("--csv-schema: %v", err)
		}
		defer func() { _ = file.Close() }()
		from = file
	}
	return replicate.CSVSchema(from)
}

// glueColumns lists the columns of a table in the AWS Glue Data Catalog, as DMS makes one with GlueCatalogGeneration.
func glueColumns(c *cobra.Command, name string) (string, error) {
	database, table, ok := strings.Cut(name, ".")
	if !ok || database == "" || table == "" {
		return "", usagef("--csv-schema glue:%s is not glue:DATABASE.TABLE", name)
	}
	client, err := catalog.NewGlueClient(c.Context())
	if err != nil {
		return "", err
	}
	found, err := catalog.NewGlue(client, database).Table(c.Context(), table)
	if err != nil {
		return "", fmt.Errorf("--csv-schema glue:%s: %w", name, err)
	}
	var list strings.Builder
	for i, column := range found.Columns {
		if i == 0 && column.Name == "op" {
			column.Name = "Op" // Glue has names in lower case
		}
		fmt.Fprintf(&list, "`%s` %s\n", column.Name, column.Type)
	}
	return replicate.CSVSchema(strings.NewReader(list.String()))
}
