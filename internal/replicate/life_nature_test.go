package replicate_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"sluice/scripts/dmsgen"
	"sluice/statestore"
)

// nature is what stays the same in a life: how its files are written, and what the operator has said about them.
type nature struct {
	settings   dmsgen.Settings
	attributes map[string]string // of the control item
	keyless    bool
	badText    bool
	evolves    bool // columns may come and go
	partial    bool // updates leave columns out
	partType   string
}

func (n nature) String() string {
	return fmt.Sprintf("attributes %v, key-less %v, partial %v, settings %+v", n.attributes, n.keyless, n.partial, n.settings)
}

// names are what a census knows of it.
func (n nature) names() []string {
	names := []string{"Parquet"}
	if n.settings.Format == dmsgen.CSV {
		names[0] = "CSV"
	} else if n.settings.Dialect == dmsgen.Debezium {
		names[0] = "Debezium"
	}
	for name, is := range map[string]bool{
		"key-less": n.keyless, "partial updates": n.partial, "ordered": n.attributes[statestore.OrderColumn] != "", "no ops": n.settings.NoOp,
	} {
		if is {
			names = append(names, name)
		}
	}
	return names
}

// newNature draws a nature.
func newNature(rng *rand.Rand) nature {
	n := nature{settings: dmsgen.DefaultSettings(), attributes: map[string]string{}, evolves: true}
	n.badText, n.partType = rng.IntN(8) == 0, []string{"int", "int", "text"}[rng.IntN(3)]
	n.drawNames(rng)
	switch d := rng.IntN(10); {
	case d < 5:
		n.drawColumns(rng)
		n.drawPages(rng)
	case d < 8:
		n.settings.Format = dmsgen.CSV
		n.drawCSV(rng)
		n.drawColumns(rng)
	default:
		n.settings.Dialect = dmsgen.Debezium
		n.drawPages(rng)
		n.settings.KeyOnlyDeletes = rng.IntN(2) == 0
		if rng.IntN(4) == 0 {
			n.attributes[statestore.OrderColumn] = "__source_ts_ms"
		}
		n.partial = rng.IntN(4) == 0
	}
	n.keyless = rng.IntN(12) == 0 && n.attributes[statestore.OrderColumn] == "" && n.settings.BeforeImages == dmsgen.NoImages
	n.settings.KeyOnlyDeletes = n.settings.KeyOnlyDeletes && !n.keyless
	return n
}

// drawNames draws where files lie and what they are called.
func (n *nature) drawNames(rng *rand.Rand) {
	s := &n.settings
	s.DateFolders = []string{"", "", "", "YYYYMMDD", "YYYYMMDDHH", "YYYYMM", "MMYYYYDD", "DDMMYYYY"}[rng.IntN(8)]
	s.DateDelimiter = []string{"SLASH", "DASH", "UNDERSCORE", "NONE"}[rng.IntN(4)]
	s.RowsPerFile = []int{0, 30}[rng.IntN(2)]
	s.Segment = []int{0, 0, 0, 1}[rng.IntN(4)]
	s.SegmentFolder = []string{"", "", "", "p1"}[rng.IntN(4)]
	if rng.IntN(6) == 0 {
		zone := []string{"America/New_York", "Asia/Kolkata", "Europe/Berlin"}[rng.IntN(3)]
		s.Location, _ = time.LoadLocation(zone)
		n.attributes[statestore.InputTimezone] = zone
	}
}

// drawPages draws how Parquet is written.
func (n *nature) drawPages(rng *rand.Rand) {
	s := &n.settings
	s.RowsPerRowGroup = 1 + rng.IntN(40)
	s.Compression = []string{"none", "gzip"}[rng.IntN(2)]
	s.Encoding = []string{"", "plain", "plain-dictionary", "rle-dictionary"}[rng.IntN(4)]
	s.PageV2, s.NoStatistics, s.Milliseconds = rng.IntN(3) == 0, rng.IntN(4) == 0, rng.IntN(3) == 0
	s.PageBytes = []int{0, 0, 64}[rng.IntN(3)]
	s.DictionaryBytes = []int{0, 0, 64}[rng.IntN(3)]
}

// drawCSV draws how CSV is written. Without a header the operator gives the columns, and they stay.
func (n *nature) drawCSV(rng *rand.Rand) {
	c := &n.settings.CSV
	n.settings.Compression = []string{"none", "gzip"}[rng.IntN(2)]
	delimiters := [][2]string{{",", "\n"}, {"\t", "\r\n"}, {"|~|", "<end>\n"}, {"\x1f", "\x1e"}, {";", "\n"}}[rng.IntN(5)]
	c.Delimiter, c.RowDelimiter = delimiters[0], delimiters[1]
	n.attributes[statestore.CSVDelimiter], n.attributes[statestore.CSVRowDelimiter] = fmt.Sprintf("%q", c.Delimiter), fmt.Sprintf("%q", c.RowDelimiter)
	c.Null = []string{"NULL", "", `\N`}[rng.IntN(3)]
	n.attributes[statestore.CSVNull] = fmt.Sprintf("%q", c.Null)
	c.NoQuotes = rng.IntN(4) == 0
	n.attributes[statestore.CSVQuotes] = fmt.Sprint(!c.NoQuotes)
	c.Header = rng.IntN(2) == 0
	n.attributes[statestore.CSVHeader] = fmt.Sprint(c.Header)
	n.evolves = c.Header
	if rng.IntN(4) == 0 {
		c.NoSup, n.partial = "-?-", true
		n.attributes[statestore.CSVNoSup] = c.NoSup
	}
}

// drawColumns draws the columns around the source's, and which changes are written.
func (n *nature) drawColumns(rng *rand.Rand) {
	s := &n.settings
	s.OpInLoad, s.KeyOnlyDeletes = rng.IntN(2) == 0, rng.IntN(2) == 0
	if rng.IntN(3) == 0 {
		s.TimestampColumn = "dms_ts"
	}
	if rng.IntN(3) == 0 {
		s.SequenceColumn = "seq"
		if rng.IntN(2) == 0 {
			n.attributes[statestore.OrderColumn] = "seq"
		}
	}
	if s.Format != dmsgen.CSV || s.CSV.Header {
		s.BeforeImages = []dmsgen.Images{dmsgen.NoImages, dmsgen.KeyImages, dmsgen.KeyImages, dmsgen.AllImages}[rng.IntN(4)]
	}
	if s.BeforeImages != dmsgen.NoImages && rng.IntN(3) == 0 {
		s.BeforePrefix = "old."
		n.attributes[statestore.BeforeImagePrefix] = "old."
	}
	switch rng.IntN(12) {
	case 0:
		s.InsertsOnly, s.NoOp = true, !s.OpInLoad
	case 1:
		s.InsertsAndUpdates, s.NoOp = true, !s.OpInLoad
	}
}

// table is the table of a seed, with a column of few values that partitions it.
func (n *nature) table(seed uint64) dmsgen.Table {
	t := dmsgen.RandomTable(seed)
	t.Columns = append(t.Columns, dmsgen.Column{Name: "part", Type: n.partType})
	if n.keyless {
		t.Key = nil
	}
	if n.settings.Format == dmsgen.CSV {
		schema := csvSchema(n.settings, t)
		for _, physical := range []string{" int32", " int64", " bytes"} {
			schema = strings.ReplaceAll(schema, ")"+physical, ")")
		}
		n.attributes[statestore.CSVSchema] = schema
	}
	return t
}
