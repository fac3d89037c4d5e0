package replicate_test

import (
	"fmt"
	"slices"

	"sluice/scripts/dmsgen"
)

// caseSetting is a way in which files are written, and what the operator has said about it.
type caseSetting struct {
	name       string
	edit       func(*dmsgen.Settings)
	attributes map[string]string // of the control item
	zone       string            // DatePartitionTimezone; "" = UTC
	key        string            // "" = id
	partition  string
	segments   []func(*dmsgen.Settings) // of the full load
	control    bool                     // control tables and what a validation left lie beside the table
	only       []string                 // events; nil = all of them
	except     []string                 // events that have a test of their own in this setting
	misfit     string                   // code of the halt at a value that does not fit its column; "" = it fits
}

// plays says whether an event is played in a setting.
func (c caseSetting) plays(e caseEvent) bool {
	return (c.only == nil || slices.Contains(c.only, e.name)) && !slices.Contains(c.except, e.name)
}

// caseSettings are the settings one at a time, against the first, which is DMS's own with Parquet.
func caseSettings() []caseSetting {
	settings := []caseSetting{{name: "baseline"}}
	settings = append(settings, pageSettings()...)
	settings = append(settings, columnSettings()...)
	settings = append(settings, nameSettings()...)
	settings = append(settings, tableSettings()...)
	settings = append(settings, debeziumSettings()...)
	for i := range settings {
		settings[i].misfit = "schema"
	}
	return append(settings, csvCases()...)
}

// pageSettings change the bytes of Parquet files.
func pageSettings() []caseSetting {
	return []caseSetting{
		{name: "pages of version 2", edit: func(s *dmsgen.Settings) { s.PageV2 = true }},
		{name: "plain", edit: func(s *dmsgen.Settings) { s.Encoding = "plain" }},
		{name: "plain-dictionary", edit: func(s *dmsgen.Settings) { s.Encoding = "plain-dictionary" }},
		{name: "rle-dictionary", edit: func(s *dmsgen.Settings) { s.Encoding = "rle-dictionary" }},
		{name: "gzip", edit: func(s *dmsgen.Settings) { s.Compression = "gzip" }},
		{name: "no statistics", edit: func(s *dmsgen.Settings) { s.NoStatistics = true }},
		{name: "small pages", edit: func(s *dmsgen.Settings) { s.PageBytes, s.DictionaryBytes, s.Encoding = 20, 20, "rle-dictionary" }},
		{name: "small row groups", edit: func(s *dmsgen.Settings) { s.RowsPerRowGroup = 2 }},
		{name: "milliseconds", edit: func(s *dmsgen.Settings) { s.Milliseconds = true }},
	}
}

// columnSettings change the columns, and which changes there are.
func columnSettings() []caseSetting {
	return []caseSetting{
		{name: "Op in the load", edit: func(s *dmsgen.Settings) { s.OpInLoad = true }},
		{name: "inserts only", edit: func(s *dmsgen.Settings) { s.InsertsOnly, s.OpInLoad = true, true }},
		{name: "inserts only, no Op", edit: func(s *dmsgen.Settings) { s.InsertsOnly, s.NoOp = true, true }},
		{name: "inserts and updates", edit: func(s *dmsgen.Settings) { s.InsertsAndUpdates, s.OpInLoad = true, true }},
		{name: "inserts and updates, no Op", edit: func(s *dmsgen.Settings) { s.InsertsAndUpdates, s.NoOp = true, true }},
		{name: "timestamp column", edit: func(s *dmsgen.Settings) { s.TimestampColumn = "dms_ts" }},
		{name: "sequence column", edit: func(s *dmsgen.Settings) { s.SequenceColumn = "seq" }},
		{name: "every header", edit: everyHeader},
		{name: "sequence column that orders", edit: func(s *dmsgen.Settings) { s.SequenceColumn = "seq" }, attributes: map[string]string{"OrderColumn": "seq"}},
		{name: "images of the key", edit: func(s *dmsgen.Settings) { s.BeforeImages = dmsgen.KeyImages }},
		{name: "images of all columns", edit: func(s *dmsgen.Settings) { s.BeforeImages = dmsgen.AllImages }},
		{
			name: "images with another prefix", attributes: map[string]string{"BeforeImagePrefix": "old."},
			edit: func(s *dmsgen.Settings) { s.BeforeImages, s.BeforePrefix = dmsgen.AllImages, "old." },
		},
		{name: "deletes with the key only", edit: func(s *dmsgen.Settings) { s.KeyOnlyDeletes = true }},
	}
}

func everyHeader(s *dmsgen.Settings) {
	for i, h := range dmsgen.Headers() {
		s.Headers = append(s.Headers, dmsgen.HeaderColumn{Name: fmt.Sprintf("header%d", i), Expression: h})
	}
}

// nameSettings change the names of files.
func nameSettings() []caseSetting {
	var settings []caseSetting
	for _, sequence := range []string{"YYYYMMDD", "YYYYMMDDHH", "YYYYMM", "MMYYYYDD", "DDMMYYYY"} {
		for _, delimiter := range []string{"SLASH", "DASH", "UNDERSCORE", "NONE"} {
			settings = append(settings, caseSetting{
				name: "date folders " + sequence + " " + delimiter,
				edit: func(s *dmsgen.Settings) { s.DateFolders, s.DateDelimiter = sequence, delimiter },
				only: []string{"update", "one key many times", "a run for each file", "late file", "reload", "source truncated"},
			})
		}
	}
	for _, zone := range []string{"America/New_York", "Asia/Kolkata"} {
		settings = append(settings, caseSetting{
			name: "local time of " + zone, attributes: map[string]string{"InputTimezone": zone},
			edit: func(s *dmsgen.Settings) { s.DateFolders = "YYYYMMDDHH" }, zone: zone,
		})
	}
	return append(settings,
		caseSetting{name: "bucket folder", edit: func(s *dmsgen.Settings) { s.Folder = "dms/west/" }},
		caseSetting{name: "control tables beside", control: true},
		caseSetting{name: "named segments", segments: []func(*dmsgen.Settings){
			func(s *dmsgen.Settings) { s.SegmentFolder = "north" }, func(s *dmsgen.Settings) { s.SegmentFolder = "south" },
		}},
		caseSetting{name: "unnamed segments", segments: []func(*dmsgen.Settings){
			func(s *dmsgen.Settings) { s.Segment, s.RowsPerFile = 1, 2 }, func(s *dmsgen.Settings) { s.Segment = 2 },
		}},
		caseSetting{name: "many LOAD files", edit: func(s *dmsgen.Settings) { s.RowsPerFile = 3 }},
	)
}

// tableSettings are the operator's.
func tableSettings() []caseSetting {
	return []caseSetting{
		{name: "partitioned", partition: "dept"},
		{name: "key of two columns", key: "shop,id"},
	}
}

func debeziumSettings() []caseSetting {
	return []caseSetting{
		{name: "Debezium", edit: func(s *dmsgen.Settings) { s.Dialect = dmsgen.Debezium }},
		{name: "Debezium, deletes with the key only", edit: func(s *dmsgen.Settings) { s.Dialect, s.KeyOnlyDeletes = dmsgen.Debezium, true }},
		{name: "Debezium, snappy", edit: func(s *dmsgen.Settings) { s.Dialect, s.Compression = dmsgen.Debezium, "snappy" }},
		{
			name: "Debezium, partitioned, ordered", partition: "dept", attributes: map[string]string{"OrderColumn": "__source_ts_ms"},
			edit: func(s *dmsgen.Settings) { s.Dialect, s.KeyOnlyDeletes = dmsgen.Debezium, true },
		},
	}
}

// casePairs are settings that meet.
func casePairs() []caseSetting {
	pairs := []caseSetting{
		{name: "partitioned, deletes with the key only", partition: "dept", edit: func(s *dmsgen.Settings) { s.KeyOnlyDeletes = true }},
		{name: "partitioned, images of the key", partition: "dept", edit: func(s *dmsgen.Settings) { s.BeforeImages = dmsgen.KeyImages }},
		{
			name: "order column, images, gzip, timestamp column", attributes: map[string]string{"OrderColumn": "seq"},
			edit: func(s *dmsgen.Settings) {
				s.SequenceColumn, s.BeforeImages, s.Compression, s.TimestampColumn = "seq", dmsgen.KeyImages, "gzip", "ts"
			},
		},
		{
			name: "date folders that do not sort, Op in the load, small row groups",
			edit: func(s *dmsgen.Settings) { s.DateFolders, s.OpInLoad, s.RowsPerRowGroup = "DDMMYYYY", true, 2 },
		},
		{
			name: "pages of version 2, plain-dictionary, milliseconds",
			edit: func(s *dmsgen.Settings) { s.PageV2, s.Encoding, s.Milliseconds = true, "plain-dictionary", true },
		},
	}
	for i := range pairs {
		pairs[i].misfit = "schema"
	}
	return pairs
}
