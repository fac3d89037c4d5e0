package dmsgen

import (
	"bytes"
	"compress/gzip"
	"encoding/hex"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// csvFile is a CSV file: every row ends with the row delimiter, the last one too.
type csvFile struct {
	settings Settings
	fields   []field
	body     bytes.Buffer
}

func newCSVFile(s Settings, fields []field) *csvFile {
	f := &csvFile{settings: s, fields: fields}
	if s.CSV.Header {
		for i, field := range fields {
			f.write(i, s.CSV.quoted(field.name))
		}
	}
	return f
}

func (f *csvFile) append(row []any) error {
	for i, field := range f.fields {
		text, err := f.settings.csvText(field.typ, row[i])
		if err != nil {
			return fmt.Errorf("column %s: %w", field.name, err)
		}
		f.write(i, text)
	}
	return nil
}

// write adds the i-th field of a row.
func (f *csvFile) write(i int, text string) {
	f.body.WriteString(text)
	if i == len(f.fields)-1 {
		f.body.WriteString(f.settings.CSV.RowDelimiter)
		return
	}
	f.body.WriteString(f.settings.CSV.Delimiter)
}

func (f *csvFile) size() int { return f.body.Len() }

func (f *csvFile) finish() ([]byte, error) { return compressed(f.settings, f.body.Bytes()) }

// compressed returns a CSV file as CompressionType wants it.
func compressed(s Settings, body []byte) ([]byte, error) {
	if s.Compression != "gzip" {
		return body, nil
	}
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	if _, err := w.Write(body); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return packed.Bytes(), nil
}

// csvText returns a value as a field. Numbers, dates and timestamps have the form of Read, timestamps with
// microseconds whatever the settings (API reference of S3Settings, ParquetTimestampInMillisecond); bytes are hexadecimal digits.
func (s Settings) csvText(t sourceType, v any) (string, error) {
	if v == nil {
		return s.CSV.Null, nil
	}
	if _, missing := v.(Missing); missing {
		if s.CSV.NoSup != "" {
			return s.CSV.NoSup, nil
		}
		return s.CSV.Null, nil
	}
	encoded, err := t.value(v, false)
	if err != nil {
		return "", err
	}
	switch c := decoder(t.node(false).Type())(encoded).(type) {
	case string:
		return s.CSV.quoted(c), nil
	case []byte:
		return hex.EncodeToString(c), nil
	case float32:
		return floatText(float64(c), 32), nil
	case float64:
		return floatText(c, 64), nil
	default:
		return fmt.Sprint(c), nil
	}
}

// floatText is the shortest text that is read back as the same float, with the names that PostgreSQL gives to what is no number.
func floatText(f float64, bits int) string {
	switch {
	case math.IsInf(f, 1):
		return "Infinity"
	case math.IsInf(f, -1):
		return "-Infinity"
	}
	return strconv.FormatFloat(f, 'g', -1, bits)
}

// quoted encloses a text in quotes where it needs them: "if the data has quotation marks or newline
// characters in it, DMS encloses the entire column with an additional pair of double quotation marks. Every
// quotation mark within the data is repeated twice" (API reference of S3Settings, Rfc4180); delimiters count, too.
// A text that reads as CsvNullValue is written as it is, and nobody can tell it from NULL.
func (c CSVSettings) quoted(text string) string {
	if c.NoQuotes || !strings.ContainsAny(text, "\"\r\n") && !strings.Contains(text, c.Delimiter) && !strings.Contains(text, c.RowDelimiter) {
		return text
	}
	return `"` + strings.ReplaceAll(text, `"`, `""`) + `"`
}
