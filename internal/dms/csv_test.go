package dms_test

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/gzip"
	"github.com/parquet-go/parquet-go"

	"sluice/internal/dms"
	"sluice/internal/parquetedit"
)

func source(text string) parquetedit.Source {
	return parquetedit.ReaderAt{ReaderAt: strings.NewReader(text), N: int64(len(text))}
}

func gzipped(t testing.TB, text string) string {
	t.Helper()
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	if _, err := w.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// columnsOf reads a list such as "id int, name string".
func columnsOf(t testing.TB, list string) []parquetedit.Column {
	t.Helper()
	columns, err := dms.ParseColumns(list)
	if err != nil {
		t.Fatal(err)
	}
	return columns
}

// cells reads every field of a file as text, by row; NULL is "∅".
func cells(t testing.TB, f *dms.CSVFile) [][]string {
	t.Helper()
	rows := make([][]string, f.NumRows())
	for g, group := range f.RowGroups() {
		for c := range f.Columns() {
			err := f.ReadColumn(t.Context(), g, c, func(first int64, values []parquet.Value) error {
				for i, v := range values {
					text := "∅"
					if !v.IsNull() {
						text = v.String()
					}
					at := group.FirstRow + first + int64(i)
					rows[at] = append(rows[at], text)
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	return rows
}

func TestCSVFieldsAreReadAsDMSWritesThem(t *testing.T) {
	t.Parallel()
	none := ""
	for _, test := range []struct {
		name, text string
		settings   dms.CSVSettings
		columns    string
		want       [][]string
	}{
		{name: "op first", text: "I,1,a\nD,2,\n", columns: "id int, name string", want: [][]string{{"I", "1", "a"}, {"D", "2", ""}}},
		{name: "full load without op", text: "1,a\n", columns: "id int, name string", want: [][]string{{"1", "a"}}},
		{name: "header names the columns", text: "Op,name,id\nU,a,1\n", columns: "id int, name string", want: [][]string{{"U", "a", "1"}}},
		{name: "header of known names is recognized", text: "id,name\n1,a\n", columns: "id int, name string", want: [][]string{{"1", "a"}}},
		{name: "a first column that holds ops of its own", text: "I,a\n", columns: "Op string, kind string, name string", want: [][]string{{"I", "a"}}},
		{name: "a row of a word that is a column's name", text: "a,x,y\n", columns: "a string, b string, c string", want: [][]string{{"a", "x", "y"}}},
		{name: "header without schema is text", text: "id,name\n1,a\n", settings: dms.CSVSettings{Header: "true"}, want: [][]string{{"1", "a"}}},
		{name: "NULL is the null value, in quotes it is text", text: "1,NULL\nNULL,\"NULL\"\n", columns: "id int, name string", want: [][]string{{"1", "∅"}, {"∅", "NULL"}}},
		{name: "an empty field is text or NULL by its type", text: ",\n", columns: "id int, name string", want: [][]string{{"∅", ""}}},
		{name: "empty null value", text: "1,\n2,\"\"\n", settings: dms.CSVSettings{Null: &none}, columns: "id int, name string", want: [][]string{{"1", "∅"}, {"2", ""}}},
		{name: "quotes hold delimiters, quotes and line breaks", text: "1,\"a,\"\"b\"\"\nc\"\n2,d\n", columns: "id int, name string", want: [][]string{{"1", "a,\"b\"\nc"}, {"2", "d"}}},
		{name: "a quote inside a field is a byte", text: "1,a\"b\n", columns: "id int, name string", want: [][]string{{"1", "a\"b"}}},
		{name: "without quotes", text: "1,\"a\n", settings: dms.CSVSettings{Quotes: "false"}, columns: "id int, name string", want: [][]string{{"1", "\"a"}}},
		{name: "CRLF is recognized", text: "1,a\r\n2,\"b\"\r\n", columns: "id int, name string", want: [][]string{{"1", "a"}, {"2", "b"}}},
		{name: "CRLF behind a quote is recognized", text: "1,\"a\"\r\n2,b\r\n", columns: "id int, name string", want: [][]string{{"1", "a"}, {"2", "b"}}},
		{name: "long delimiters", text: "1||a|x##2||b##", settings: dms.CSVSettings{Delimiter: "||", RowDelimiter: "##"}, columns: "id int, name string", want: [][]string{{"1", "a|x"}, {"2", "b"}}},
		{name: "one byte of a long delimiter is text", text: "1||a#\nb##", settings: dms.CSVSettings{Delimiter: "||", RowDelimiter: "##"}, columns: "id int, name string", want: [][]string{{"1", "a#\nb"}}},
		{name: "no rows", text: "", columns: "id int, name string", want: [][]string{}},
		{name: "header alone", text: "id,name\n", columns: "id int, name string", want: [][]string{}},
		{name: "invalid UTF-8 stays", text: "1,\xff\xfe\n", columns: "id int, name string", want: [][]string{{"1", "\xff\xfe"}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			for _, text := range []string{test.text, gzipped(t, test.text)} {
				c := test.settings
				if test.columns != "" {
					c.Columns = columnsOf(t, test.columns)
				}
				f, err := dms.ScanCSV(t.Context(), source(text), c)
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(test.want, cells(t, f)); diff != "" {
					t.Errorf("rows (-want +got):\n%s", diff)
				}
			}
		})
	}
}

func TestCSVThatIsNotWhatDMSWritesIsRefused(t *testing.T) {
	t.Parallel()
	wide := strings.Repeat("x,", 40_000) + "\n"
	for _, test := range []struct{ name, text, columns, want string }{
		{"cut off in the last field", "1,a\n2,bc", "id int, name string", "row 1: the file ends before the row does"},
		{"a quote is not closed", "1,\"a\n2,b\n", "id int, name string", "row 0: the file ends before the row does"},
		{"text behind a quote", "1,\"a\"b\n", "id int, name string", "row 0: text follows the closing quote of field 1"},
		{"a row with fewer fields", "1,a\n2\n", "id int, name string", "row 1: it has 1 fields, the first row has 2"},
		{"more fields than columns", "1,a,b\n", "id int, name string", "row 0: it has 3 fields; CsvSchema has 2 columns, beside Op"},
		{"a column is missing", "I,1\n", "id int, name string", "row 0: its first field looks like an op"},
		{"no header, no schema", "1,a\n", "", "neither a header nor a schema says which columns it has"},
		{"a header whose names could all be values", "a,b\n1,2\n", "a string, b string", "may be a header as well as a row"},
		{"a header with a name that is not known", "a,b,x\n1,2,3\n", "a string, b string, c string", "may be a header as well as a row"},
		{"no number", "1,a\nx,b\n", "id int, name string", `row 1: column "id": a field of 1 bytes is no value of its type`},
		{"too large", "3000000000,a\n", "id int, name string", `row 0: column "id": a field of 10 bytes is no value of its type`},
		{"no such day", "2026-02-30\n", "d date", `column "d"`},
		{"no such op", "I,1\nX,2\n", "Op string, id int", `column "Op": row 1: "X": the op is none of I, U, D`},
		{"too many fields", wide, "id int", "more than 4096 fields"},
		{"a Parquet file", "PAR1....PAR1", "id int", "it is a Parquet file"},
		{"two columns of one name", "Op,a,A\nI,1,2\n", "", "differs at most by case"},
		{"a column without a name", "Op,a,\nI,1,2\n", "", "field 2 of the header is empty"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			c := dms.CSVSettings{}
			if test.columns != "" {
				c.Columns = columnsOf(t, test.columns)
			}
			if _, err := dms.ScanCSV(t.Context(), source(test.text), c); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("%v, want %q", err, test.want)
			}
		})
	}
}

func TestCSVValuesAreExact(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ typ, text, want string }{
		{"bigint", "-9223372036854775808", "-9223372036854775808"},
		{"bigint", "9223372036854775808", ""},
		{"bigint", "007", "7"},
		{"bigint", "+7", ""},
		{"bigint", "-", ""},
		{"bigint", "1.0", ""},
		{"bigint unsigned", "18446744073709551615", "-1"}, // the bits
		{"bigint unsigned", "18446744073709551616", ""},
		{"bigint unsigned", "-1", ""},
		{"smallint", "32768", ""},
		{"smallint", "-32768", "-32768"},
		{"tinyint", "128", ""},
		{"decimal(4,2)", "12.340", "1234"},
		{"decimal(4,2)", "12.345", ""},
		{"decimal(4,2)", "100", ""},
		{"decimal(4,2)", "-99.99", "-9999"},
		{"decimal(4,2)", ".5", "50"},
		{"decimal(4,2)", "5.", "500"},
		{"decimal(4,2)", ".", ""},
		{"decimal(4,2)", "1e1", ""},
		{"decimal(4,2)", "1.2.3", ""},
		{"decimal(18,0)", "999999999999999999", "999999999999999999"},
		{"double", "NaN", "NaN"},
		{"double", "-0", "-0"},
		{"double", "1e400", ""},
		{"double", "0x1p2", ""},
		{"double", "1_0", ""},
		{"boolean", "t", "true"},
		{"boolean", "yes", ""},
		{"date", "1969-12-31", "-1"},
		{"date", "9999-12-31", "2932896"},
		{"date", "2026-1-01", ""},
		{"timestamp", "1969-12-31 23:59:59.999999", "-1"},
		{"timestamp", "9999-12-31 23:59:59.999999", "253402300799999999"},
		{"timestamp", "2026-01-01T00:00:00Z", "1767225600000000"},
		{"timestamp", "2026-01-01", "1767225600000000"},
		{"timestamp", "2026-01-01 00:00:00.0000001", ""},
		{"timestamp", "2026-01-01 24:00:00", ""},
		{"time", "23:59:59.5", "86399500000"},
		{"binary", "00fFa0", "\x00\xff\xa0"},
		{"binary", "0", ""},
		{"binary", "", ""},
		{"string", "x", "x"},
	} {
		t.Run(test.typ+" "+test.text, func(t *testing.T) {
			t.Parallel()
			f, err := dms.ScanCSV(t.Context(), source("k,"+test.text+"\n"), dms.CSVSettings{Columns: columnsOf(t, "k string, v "+test.typ)})
			var misfit *dms.MisfitError
			if errors.As(err, &misfit) {
				if test.want != "" || test.text == "" {
					t.Fatal(err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got := cells(t, f)[0][1]; got != test.want {
				t.Errorf("%q, want %q", got, test.want)
			}
		})
	}
}

func TestCSVDecimalsBeyond64BitsAreExact(t *testing.T) {
	t.Parallel()
	text := "12345678901234567890123456789012345.678\n-99999999999999999999999999999999999.999\n"
	f, err := dms.ScanCSV(t.Context(), source(text), dms.CSVSettings{Columns: columnsOf(t, "v decimal(38,3)")})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	err = f.ReadColumn(t.Context(), 0, 0, func(_ int64, values []parquet.Value) error {
		for _, v := range values {
			got = append(got, fmt.Sprintf("%x", v.ByteArray()))
		}
		return nil
	})
	want := []string{"0949b0f6f0023313c4499050de38f34e", "b4c4b357a5793b85f675ddc000000001"}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v\n%s", err, diff)
	}
}

// TestCSVOfManyBlocksIsTheOneThatEncodingCSVReads reads random files of several blocks from front to back, from back to
// front, and again from an index alone.
func TestCSVOfManyBlocksIsTheOneThatEncodingCSVReads(t *testing.T) {
	t.Parallel()
	for seed := range uint64(6) {
		t.Run(fmt.Sprintf("seed=%d", seed), func(t *testing.T) {
			t.Parallel()
			rng := rand.New(rand.NewPCG(seed, 11))
			var text bytes.Buffer
			out := csv.NewWriter(&text)
			var want [][]string
			for i := range 30_000 + rng.IntN(30_000) {
				row := []string{fmt.Sprint(i), strings.Repeat("ab\"c,\nd", rng.IntN(12)), strings.Repeat("x", rng.IntN(3)+1)}
				want = append(want, row)
				if err := out.Write(row); err != nil {
					t.Fatal(err)
				}
			}
			out.Flush()
			body := text.String()
			if seed%2 == 1 {
				body = gzipped(t, body)
			}
			f, err := dms.ScanCSV(t.Context(), source(body), dms.CSVSettings{Columns: columnsOf(t, "a string, b string, c string")})
			if err != nil {
				t.Fatal(err)
			}
			if len(f.RowGroups()) < 2 {
				t.Fatalf("%d blocks", len(f.RowGroups()))
			}
			if !cmp.Equal(want, cells(t, f)) || !cmp.Equal(want, cells(t, dms.OpenCSV(source(body), f.Index()))) {
				t.Error("rows differ")
			}
			back := dms.OpenCSV(source(body), f.Index())
			for g := len(f.RowGroups()) - 1; g >= 0; g-- {
				first := f.RowGroups()[g].FirstRow
				err := back.ReadColumn(t.Context(), g, 1, func(_ int64, values []parquet.Value) error {
					for i, v := range values {
						if v.String() != want[first+int64(i)][1] {
							return fmt.Errorf("row %d differs", first+int64(i))
						}
					}
					return nil
				})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
}

func TestTruncatedCompressedCSVIsRefused(t *testing.T) {
	t.Parallel()
	var text strings.Builder
	for i := range 20_000 {
		fmt.Fprintf(&text, "%d,%x\n", i, i*7919)
	}
	whole := gzipped(t, text.String())
	for n := 1; n < 64; n++ {
		_, err := dms.ScanCSV(t.Context(), source(whole[:len(whole)*n/64]), dms.CSVSettings{Columns: columnsOf(t, "id int, v string")})
		var input *dms.InputError
		if !errors.As(err, &input) {
			t.Errorf("cut at %d/64: %v", n, err)
		}
	}
}

func TestACompressedBombIsRefusedEarly(t *testing.T) {
	t.Parallel()
	bomb := strings.Repeat(gzipped(t, strings.Repeat("I,1,a\n", 1<<20)), 20) // members of a compressed file follow one another
	_, err := dms.ScanCSV(t.Context(), source(bomb), dms.CSVSettings{Columns: columnsOf(t, "id int, v string")})
	if err == nil || !strings.Contains(err.Error(), "inflates to more than") {
		t.Error(err)
	}
	row := strings.Repeat(gzipped(t, strings.Repeat("0", 5<<20)), 16)
	_, err = dms.ScanCSV(t.Context(), source(row), dms.CSVSettings{Columns: columnsOf(t, "id int, v string")})
	if err == nil || !strings.Contains(err.Error(), "longer than 32 MiB") {
		t.Error(err)
	}
}

func TestAValueThatIsTooWideForTheLakeWidensItsTypeWhenAccepted(t *testing.T) {
	t.Parallel()
	known := columnsOf(t, "id int, price decimal(4,2), d date")
	settings := dms.CSVSettings{Known: known, Header: "true"}
	text := "id,price,d\n1,1.5,2026-01-01\n3000000000,1.234,2026-01-02\n99999999999999999999,12345,2026-01-03\n"
	var misfit *dms.MisfitError
	if _, err := dms.ScanCSV(t.Context(), source(text), settings); !errors.As(err, &misfit) || misfit.Given {
		t.Fatal(err)
	}
	settings.Widen = true
	f, err := dms.ScanCSV(t.Context(), source(text), settings)
	if err != nil {
		t.Fatal(err)
	}
	id, price := f.Columns()[0].Type, f.Columns()[1].Type
	if id.Precision != 20 || id.Scale != 0 || price.Precision != 8 || price.Scale != 3 {
		t.Errorf("id decimal(%d,%d), price decimal(%d,%d)", id.Precision, id.Scale, price.Precision, price.Scale)
	}
	if _, err := dms.ScanCSV(t.Context(), source("id,price,d\n1,1,tomorrow\n"), settings); !errors.As(err, &misfit) || misfit.Column != "d" {
		t.Error(err)
	}
}

// trouble is a source whose reads fail.
type trouble struct{ parquetedit.Source }

var errTrouble = errors.New("the store is away")

func (t trouble) ReadRange(_ context.Context, _ []byte, off int64) error {
	return fmt.Errorf("at %d: %w", off, errTrouble)
}

func TestTroubleWithStorageIsNoFaultOfTheFile(t *testing.T) {
	t.Parallel()
	_, err := dms.ScanCSV(t.Context(), trouble{source("1,a\n")}, dms.CSVSettings{Columns: columnsOf(t, "id int, v string")})
	var input *dms.InputError
	if !errors.Is(err, errTrouble) || errors.As(err, &input) {
		t.Error(err)
	}
}
