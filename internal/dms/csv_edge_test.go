package dms_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/parquet-go/parquet-go"
	"golang.org/x/sync/errgroup"

	"sluice/internal/dms"
)

// TestCSVAtTheEdgesOfBlocks has delimiters, quotes and ends of rows lie across the edge of what is read at once, one byte further each
// time: at 64 KiB, where the end of the first row is looked for, and at 1 MiB, where blocks end. Several readers read each file at once.
func TestCSVAtTheEdgesOfBlocks(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]delimiters{
		"as it comes":           {",", "\n", ""},
		"carriage returns":      {",", "\r\n", ""},
		"of several bytes":      {"||", "|\r\n", "|\r\n"},
		"that begin as another": {"~~-", "~~+", "~~+"},
	} {
		for _, edge := range []int{64 << 10, 1 << 20} {
			t.Run(fmt.Sprintf("%s at %d", name, edge), func(t *testing.T) {
				t.Parallel()
				rows := [][]string{{"", "x"}, {`a"b` + c.delimiter + `"`, c.row + `""`}, {"c", ""}, {"NULL", "∅"}, {"", c.delimiter[:1]}, {`"`, "d"}}
				text := c.line(`""`, "x") + c.line(quoted(rows[1][0]), quoted(rows[1][1])) + c.line("c", "") + c.line(`"NULL"`, "NULL") + c.line("", quoted(c.delimiter[:1])) + c.line(quoted(`"`), "d")
				for at := range len(text) + 1 {
					long := strings.Repeat("z", edge-at-len(c.line(`""`, "y")))
					rows[0] = []string{long, "y"}
					settings := dms.CSVSettings{Delimiter: c.delimiter, RowDelimiter: c.set, Columns: columnsOf(t, "a string, b string")}
					body := c.line(quoted(long), "y") + text[len(c.line(`""`, "x")):] + strings.Repeat(c.line("tail", "t"), edge>>14)
					f, err := dms.ScanCSV(t.Context(), source(body), settings)
					if err != nil {
						t.Fatalf("at %d: %v", at, err)
					}
					var readers errgroup.Group
					for range 2 {
						readers.Go(func() error {
							if !slices.EqualFunc(rows, cells(t, f)[:len(rows)], slices.Equal) {
								return errors.New("rows differ")
							}
							return nil
						})
					}
					if err := readers.Wait(); err != nil {
						t.Fatalf("at %d: %v", at, err)
					}
				}
			})
		}
	}
}

// delimiters are those of a file, and what is set as that of its rows.
type delimiters struct{ delimiter, row, set string }

func (d delimiters) line(fields ...string) string { return strings.Join(fields, d.delimiter) + d.row }

func quoted(text string) string { return `"` + strings.ReplaceAll(text, `"`, `""`) + `"` }

// TestAByteOrderMarkIsNoPartOfAField in a compressed file, too.
func TestAByteOrderMarkIsNoPartOfAField(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"\ufeffa,b\n", "\ufeff\"a\",b\n", gzipped(t, "\ufeffa,b\n")} {
		_, err := dms.ScanCSV(t.Context(), source(text), dms.CSVSettings{Columns: columnsOf(t, "a string, b string")})
		if err == nil || !strings.Contains(err.Error(), "byte order mark") {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// TestCSVOfManyMembersIsRead: parts of a compressed file may be compressed on their own, and the last of them may be cut off.
func TestCSVOfManyMembersIsRead(t *testing.T) {
	t.Parallel()
	var body strings.Builder
	var want [][]string
	for i := range 3000 {
		row := []string{fmt.Sprint(i), strings.Repeat("v", i%700)}
		want = append(want, row)
		line := strings.Join(row, ",") + "\n"
		body.WriteString(gzipped(t, line[:i%len(line)]) + gzipped(t, line[i%len(line):]))
	}
	settings := dms.CSVSettings{Columns: columnsOf(t, "a string, b string")}
	f, err := dms.ScanCSV(t.Context(), source(body.String()), settings)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, cells(t, f)); diff != "" {
		t.Error("rows differ")
	}
	for cut := 1; cut < 30; cut++ {
		if _, err := dms.ScanCSV(t.Context(), source(body.String()[:body.Len()-cut]), settings); err == nil {
			t.Errorf("%d bytes less are well", cut)
		}
	}
}

// TestANullInQuotesIsText, and so is what stands for a value that was left out.
func TestANullInQuotesIsText(t *testing.T) {
	t.Parallel()
	f, err := dms.ScanCSV(t.Context(), source("\"NULL\",\"~\"\nNULL,b\n"), dms.CSVSettings{NoSup: "~", Columns: columnsOf(t, "a string, b string")})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([][]string{{"NULL", "~"}, {"∅", "b"}}, cells(t, f)); diff != "" || f.Untold() != nil {
		t.Errorf("%s, %v", diff, f.Untold())
	}
}

// TestAFaultBehindTheFirstBlockIsNamedByItsRow, which the header is none of.
func TestAFaultBehindTheFirstBlockIsNamedByItsRow(t *testing.T) {
	t.Parallel()
	text := "a,b\n" + strings.Repeat("0123456789,0123456789\n", 100_000) + "a,b,c\n"
	_, err := dms.ScanCSV(t.Context(), source(text), dms.CSVSettings{Header: "true"})
	var input *dms.InputError
	if !errors.As(err, &input) || input.Row != 100_000 {
		t.Error(err)
	}
}

// TestCSVThatIsAnotherThanWasScannedIsRefused where the rows of a block are no longer so many.
func TestCSVThatIsAnotherThanWasScannedIsRefused(t *testing.T) {
	t.Parallel()
	f, err := dms.ScanCSV(t.Context(), source("x,y\nc,d\n"), dms.CSVSettings{Columns: columnsOf(t, "a string, b string")})
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"x,yyyyy\n", "x,y\nc,dd", "x,y\n"} {
		err := f.Reopen(source(text)).ReadColumn(t.Context(), 0, 0, func(int64, []parquet.Value) error { return nil })
		var input *dms.InputError
		if !errors.As(err, &input) {
			t.Errorf("%q: %v", text, err)
		}
	}
}
