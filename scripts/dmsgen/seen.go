package dmsgen

// Seen returns a row as the files of the settings hold it, which is what a reader can know: in CSV a text that
// reads as CsvNullValue is NULL; with ParquetTimestampInMillisecond microseconds are cut off; what is [Missing] is NULL
// where no CsvNoSupValue marks it. The row is in the canonical form of Read.
func (s Settings) Seen(t Table, row []any) []any {
	seen := append([]any(nil), row...)
	for i, v := range row {
		switch v := v.(type) {
		case Missing:
			if s.Format != CSV || s.CSV.NoSup == "" {
				seen[i] = nil
			}
		case string:
			if s.Format == CSV && v == s.CSV.Null {
				seen[i] = nil
			}
			if s.Format != CSV && s.Milliseconds && t.Columns[i].Type == "timestamp" {
				seen[i] = v[:len(v)-len("000")] + "000"
			}
		}
	}
	return seen
}
