package dms_test

import (
	"encoding/csv"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/parquet-go/parquet-go"

	"sluice/internal/dms"
	"sluice/internal/parquetedit"
)

// naiveCSV parts text into fields, letter by letter; ok is false where it is no table: a row with another number of fields, text
// behind a closing quote, a quote that is not closed, a last row without its delimiter. NULL is "∅".
func naiveCSV(text, delimiter, row string, quotes bool) (rows [][]string, ok bool) {
	for len(text) > 0 {
		var fields []string
		for last := false; !last; {
			field, quoted := "", quotes && text != "" && text[0] == '"'
			if quoted {
				text = text[1:]
				for {
					at := strings.IndexByte(text, '"')
					if at < 0 {
						return nil, false
					}
					field, text = field+text[:at], text[at+1:]
					if !strings.HasPrefix(text, `"`) {
						break
					}
					field, text = field+`"`, text[1:]
				}
			} else {
				for text != "" && !strings.HasPrefix(text, delimiter) && !strings.HasPrefix(text, row) {
					field, text = field+text[:1], text[1:]
				}
			}
			if field == "NULL" && !quoted {
				field = "∅"
			}
			fields = append(fields, field)
			if rest, end := strings.CutPrefix(text, row); end {
				text, last = rest, true
			} else if rest, more := strings.CutPrefix(text, delimiter); more {
				text = rest
			} else {
				return nil, false
			}
		}
		if len(rows) > 0 && len(rows[0]) != len(fields) {
			return nil, false
		}
		rows = append(rows, fields)
	}
	return rows, true
}

// csvKinds are delimiters of fields and of rows.
func csvKinds() [][2]string {
	return [][2]string{{",", "\n"}, {";", "\r\n"}, {"\t", "\n"}, {"||", "##"}, {"ab", "aab"}, {",", "|"}, {"\x01", "\x02"}}
}

// FuzzCSV: text is parted as a naive reader does it, as encoding/csv does it where that tells the same forms apart, from blocks that are
// read again as well, compressed or not.
func FuzzCSV(f *testing.F) {
	for i, text := range []string{
		"1,a\n", "1,\"a,\"\"b\"\"\nc\"\n2,NULL\n", "\"NULL\",NULL\n", "a\n\n\n", ",\n,\n", "\"a\"b\n", "1,a\n2\n", "1,a\n2,b", "\"", "\"\"\n", "1||a|##", "\r\n\r\n",
		"x;\"y\r\n\"\r\n", "I,1\nX,2\n", "\xff,\xfe\n", "aabab", "aaab", "1\x012\x02", "\x1f\x8b\n", "PAR1,\n", "a\rb,\"\r\"\n",
	} {
		f.Add(text, byte(i), i%3 != 0)
	}
	f.Fuzz(func(t *testing.T, text string, kind byte, quotes bool) {
		if len(text) > 1<<16 {
			return
		}
		d := csvKinds()[int(kind)%len(csvKinds())]
		want, ok := naiveCSV(text, d[0], d[1], quotes)
		width := 1
		if ok && len(want) > 0 {
			width = len(want[0])
		}
		names := make([]string, width)
		for i := range names {
			names[i] = fmt.Sprint("n", i)
		}
		whole := strings.Join(names, d[0]) + d[1] + text
		settings := dms.CSVSettings{Delimiter: d[0], RowDelimiter: d[1], Header: "true", Quotes: strconv.FormatBool(quotes)}
		for _, body := range []string{whole, gzipped(t, whole)} {
			file, err := dms.ScanCSV(t.Context(), source(body), settings)
			var input *dms.InputError
			if err != nil && !errors.As(err, &input) {
				t.Fatalf("%q: %v", text, err)
			}
			if (err == nil) != ok {
				t.Fatalf("%q parted by %q and %q: %v, want %q", text, d[0], d[1], err, want)
			}
			if err != nil {
				continue
			}
			for _, got := range [][][]string{cells(t, file), cells(t, dms.OpenCSV(source(body), file.Index()))} {
				if !slices.EqualFunc(got, want, slices.Equal) {
					t.Fatalf("%q parted by %q and %q: %q, want %q", text, d[0], d[1], got, want)
				}
			}
		}
		if d == [2]string{",", "\n"} && quotes {
			sameAsLibrary(t, text, want, ok)
		}
	})
}

// sameAsLibrary holds rows against those of encoding/csv, which passes over empty lines, takes "\r\n" for "\n" and for a row what the file
// ends with, and refuses a quote inside a field.
func sameAsLibrary(t *testing.T, text string, want [][]string, ok bool) {
	t.Helper()
	if strings.Contains(text, "\r") || strings.Contains("\n"+text, "\n\n") || !strings.HasSuffix(text, "\n") {
		return
	}
	library, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil {
		return
	}
	if !ok || len(library) != len(want) {
		t.Fatalf("%q: %q, encoding/csv has %q", text, want, library)
	}
	for i, row := range library {
		for k, field := range row {
			if field == "NULL" && want[i][k] == "∅" {
				field = "∅"
			}
			if field != want[i][k] {
				t.Fatalf("%q: %q, encoding/csv has %q", text, want, library)
			}
		}
	}
}

// csvTypes are types of columns, and what a text that they take has to be.
func csvTypes(t testing.TB) (columns []parquetedit.Column, right []func(text string, v parquet.Value) bool) {
	t.Helper()
	integer := func(bits int) func(string, parquet.Value) bool {
		return func(text string, v parquet.Value) bool {
			n, err := strconv.ParseInt(text, 10, bits)
			return err == nil && (bits == 64 && n == v.Int64() || bits == 32 && n == int64(v.Int32()))
		}
	}
	decimal := func(scale int) func(string, parquet.Value) bool {
		return func(text string, v parquet.Value) bool {
			want, ok := new(big.Rat).SetString(text)
			unscaled := new(big.Int)
			if kind := v.Kind(); kind == parquet.Int32 {
				unscaled.SetInt64(int64(v.Int32()))
			} else if kind == parquet.Int64 {
				unscaled.SetInt64(v.Int64())
			} else {
				b := v.ByteArray()
				unscaled.SetBytes(b)
				if b[0] >= 0x80 {
					unscaled.Sub(unscaled, new(big.Int).Lsh(big.NewInt(1), uint(8*len(b))))
				}
			}
			got := new(big.Rat).SetFrac(unscaled, new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(scale)), nil))
			return ok && got.Cmp(want) == 0
		}
	}
	moment := func(layouts ...string) func(string, parquet.Value) bool {
		return func(text string, v parquet.Value) bool {
			for _, layout := range layouts {
				at, err := time.Parse(layout, text)
				if err == nil && (v.Kind() == parquet.Int32 && at.Unix() == int64(v.Int32())*86400 || v.Kind() == parquet.Int64 && at.UnixMicro() == v.Int64()) {
					return true
				}
			}
			return false
		}
	}
	double := func(text string, v parquet.Value) bool {
		n, err := strconv.ParseFloat(text, 64)
		return err == nil && (n == v.Double() || n != n && v.Double() != v.Double())
	}
	columns = columnsOf(t, "i int, b bigint, p decimal(9,2), q decimal(38,10), d date, s timestamp, x double, f boolean")
	return columns, []func(string, parquet.Value) bool{
		integer(32), integer(64), decimal(2), decimal(10), moment(time.DateOnly), moment(time.DateTime, "2006-01-02T15:04:05", "2006-01-02 15:04:05Z07", "2006-01-02T15:04:05Z07:00", time.DateOnly), double,
		func(text string, v parquet.Value) bool {
			b, err := strconv.ParseBool(text)
			return err == nil && b == v.Boolean()
		},
	}
}

// FuzzCSVValue: a field that is taken for a value of its column's type is that value to the standard library, too.
func FuzzCSVValue(f *testing.F) {
	for i := range 8 {
		for _, text := range []string{
			"0", "-1", "2147483648", "9223372036854775807", "9223372036854775808", "1.50", "-0.001", "99999999999999999999999999.9999999999", "1e5", "+5", "007", "2026-02-29", "9999-12-31",
			"2026-03-14 12:00:00.123456", "1969-12-31 23:59:59.9", "2026-03-14 12:00:00", "24:00:00", "NaN", "-Infinity", "true", "f", "0x10", "1_000", ".", "-", "٣",
		} {
			f.Add(byte(i), text)
		}
	}
	columns, right := csvTypes(f)
	f.Fuzz(func(t *testing.T, which byte, text string) {
		i := int(which) % len(columns)
		if strings.ContainsAny(text, "\",\n\r") || text == "NULL" || text == "" {
			return
		}
		file, err := dms.ScanCSV(t.Context(), source(text+"\n"), dms.CSVSettings{Columns: columns[i : i+1], Header: "false", RowDelimiter: "\n"})
		if err != nil {
			return
		}
		err = file.ReadColumn(t.Context(), 0, 0, func(_ int64, values []parquet.Value) error {
			if len(values) != 1 || !right[i](text, values[0]) {
				t.Fatalf("%q as %s is %v", text, columns[i].Name, values)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}

// FuzzColumns: a list of columns is read or refused; what is read has names and types that a file can be read with.
func FuzzColumns(f *testing.F) {
	for _, list := range []string{
		"id int, name string", "`a b` decimal(10,2) # price\nd date", "x timestamp(ms)", "a decimal(38,38)", "a decimal(0,0)", "a decimal(99999999999,1)", "a int, A int", "", "a", "\"\" int", "n numeric (5) unsigned",
	} {
		f.Add(list)
	}
	f.Fuzz(func(t *testing.T, list string) {
		columns, err := dms.ParseColumns(list)
		if err != nil {
			return
		}
		row := strings.Repeat(",", len(columns)-1) + "\n"
		if len(columns) == 1 {
			row = "NULL\n"
		}
		file, err := dms.ScanCSV(t.Context(), source(row), dms.CSVSettings{Columns: columns, Header: "false"})
		if err != nil || len(file.Columns()) != len(columns) || file.NumRows() != 1 {
			t.Fatalf("%q gives %+v: %v", list, columns, err)
		}
	})
}
