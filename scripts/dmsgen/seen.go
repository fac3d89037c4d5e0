package dmsgen

// Seen returns a row as the files of the settings hold it, which is what a reader can know: in CSV what is written
// as CsvNullValue is NULL, though it be a text; with ParquetTimestampInMillisecond microseconds are cut off; what is
// [Missing] is NULL where nothing marks it. The row is in the canonical form of Read, and has the table's columns.
func (s Settings) Seen(t Table, row []any) []any {
	seen := append([]any(nil), row...)
	for i, v := range row {
		typ, err := parseType(t.Columns[i].Type)
		if err != nil {
			continue // the writer has said so
		}
		if _, missing := v.(Missing); missing {
			if !s.marks(typ) {
				seen[i] = nil
			}
			continue
		}
		if s.Format != CSV {
			if text, ok := v.(string); ok && s.Milliseconds && typ.name == "timestamp" {
				seen[i] = text[:len(text)-len("000")] + "000"
			}
			continue
		}
		if text, err := s.csvText(typ, v); err == nil && text == s.CSV.Null {
			seen[i] = nil
		}
	}
	return seen
}

// marks says whether files tell what is Missing in a column from NULL.
func (s Settings) marks(t sourceType) bool {
	if s.Format == CSV {
		return s.CSV.NoSup != ""
	}
	return s.missing(t) != nil
}
