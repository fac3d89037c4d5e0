package dms_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/parquet-go/parquet-go"
	"pgregory.net/rapid"

	"sluice/internal/dms"
	"sluice/internal/parquetedit"
)

func changes() *table {
	null := parquet.NullValue()
	return &table{
		page: 2,
		columns: []parquetedit.Column{
			column("Op", parquet.ByteArray), column("id", parquet.Int64), column("name", parquet.ByteArray),
			column("BI_id", parquet.Int64), column("BI_gone", parquet.Int64),
		},
		groups: [][][]parquet.Value{
			{
				append(texts("I", "U"), null),
				{parquet.Int64Value(1), parquet.Int64Value(2), parquet.Int64Value(3)},
				append(texts("a", ""), null),
				{null, parquet.Int64Value(9), null},
				{null, null, parquet.Int64Value(7)},
			},
			{
				texts("D"), {parquet.Int64Value(4)}, texts("d"), {null}, {null},
			},
		},
	}
}

func TestInput(t *testing.T) {
	file := changes()
	in, err := dms.Open(file, dms.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, c := range in.Columns() {
		names = append(names, c.Name)
	}
	if want := []string{"id", "name", "BI_gone"}; !slices.Equal(names, want) || !in.HasOp() || in.Rows() != 4 {
		t.Errorf("got columns %v, op %v, %d rows", names, in.HasOp(), in.Rows())
	}
	if got := in.BeforeImage(); !slices.Equal(got, []int{0}) {
		t.Errorf("got before images of %v", got)
	}
	for name, c := range map[string]struct {
		wanted []int
		want   []string
		read   []int
	}{
		"all":  {nil, []string{"0 I 1 a <null> | <null>", "1 U 2  <null> | 9", "2 I 3 <null> 7 | <null>", "3 D 4 d <null> | <null>"}, []int{0, 1, 2, 3, 4}},
		"key":  {[]int{0}, []string{"0 I 1 - - | <null>", "1 U 2 - - | 9", "2 I 3 - - | <null>", "3 D 4 - - | <null>"}, []int{0, 1, 3}},
		"ops":  {[]int{}, []string{"0 I - - - | -", "1 U - - - | -", "2 I - - - | -", "3 D - - - | -"}, []int{0}},
		"name": {[]int{1}, []string{"0 I - a - | -", "1 U -  - | -", "2 I - <null> - | -", "3 D - d - | -"}, []int{0, 2}},
	} {
		t.Run(name, func(t *testing.T) {
			file.read = nil
			if got := rows(t, in, c.wanted); !slices.Equal(got, c.want) {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(c.want, "\n"))
			}
			for place := range file.columns {
				if file.read[place] != slices.Contains(c.read, place) {
					t.Errorf("column %d: read %v", place, file.read[place])
				}
			}
		})
	}
}

func TestInput_withoutOp(t *testing.T) {
	file := &table{page: 1, columns: []parquetedit.Column{column("id", parquet.Int64)}, groups: [][][]parquet.Value{{{parquet.Int64Value(1)}}}}
	in, err := dms.Open(file, dms.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if got := rows(t, in, nil); in.HasOp() || !slices.Equal(got, []string{"0 I 1 |"}) {
		t.Errorf("got %q", got)
	}
}

func TestInput_withoutRows(t *testing.T) {
	for name, groups := range map[string][][][]parquet.Value{"no row group": nil, "empty row group": {{{}, {}}}} {
		file := &table{page: 1, columns: []parquetedit.Column{column("Op", parquet.ByteArray), column("id", parquet.Int64)}, groups: groups}
		in, err := dms.Open(file, dms.Options{})
		if err != nil {
			t.Fatal(err)
		}
		for b, err := range in.Batches(t.Context(), nil) {
			t.Errorf("%s: got %+v, %v", name, b, err)
		}
	}
}

func TestInput_fails(t *testing.T) {
	broken := errors.New("broken")
	for name, c := range map[string]struct {
		spoil  func(*table)
		is     error
		column string
		row    int64
	}{
		"unknown op":   {func(f *table) { f.groups[1][0] = texts("X") }, dms.ErrOp, "Op", 3},
		"short column": {func(f *table) { f.groups[0][2] = texts("a") }, nil, "name", 1},
		"unreadable":   {func(f *table) { f.fail = broken }, broken, "", 0},
	} {
		t.Run(name, func(t *testing.T) {
			file := changes()
			c.spoil(file)
			in, err := dms.Open(file, dms.Options{})
			if err != nil {
				t.Fatal(err)
			}
			var last error
			for _, last = range in.Batches(t.Context(), nil) {
				if last != nil {
					continue
				}
			}
			var bad *dms.InputError
			if c.is != nil && !errors.Is(last, c.is) {
				t.Errorf("got %v, want %v", last, c.is)
			}
			if c.column != "" && (!errors.As(last, &bad) || bad.Column != c.column || bad.Row != c.row) {
				t.Errorf("got %v", last)
			}
		})
	}
}

func TestInput_stops(t *testing.T) {
	in, err := dms.Open(changes(), dms.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, err := range in.Batches(t.Context(), nil) {
		if err != nil {
			t.Fatal(err)
		}
		break
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, err := range in.Batches(ctx, nil) {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
	}
}

// A batch has at most 16,384 rows, and fewer when they are large.
func TestInput_batchRows(t *testing.T) {
	for name, c := range map[string]struct {
		each int64
		want []int
	}{
		"small rows": {10, []int{16_384, 3_616}},
		"4 KiB":      {4 << 10, []int{8_192, 8_192, 3_616}},
	} {
		file := numbered(8192)
		file.each = c.each
		addGroup(file, 20_000)
		in, err := dms.Open(file, dms.Options{})
		if err != nil {
			t.Fatal(err)
		}
		var got []int
		for b, err := range in.Batches(t.Context(), []int{0}) {
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, len(b.Ops))
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: got %v, want %v", name, got, c.want)
		}
	}
}

// Whatever the pages and row groups, the batches are the file's rows, and keep their values when the file goes on.
func TestInput_batchesAreTheRows(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		file := numbered(rapid.IntRange(1, 200).Draw(t, "page"))
		file.each = rapid.SampledFrom([]int64{0, 100, 300_000, 1 << 30}).Draw(t, "bytes a row")
		for range rapid.IntRange(0, 3).Draw(t, "groups") {
			addGroup(file, rapid.SampledFrom([]int{0, 1, 64, 100, 300}).Draw(t, "rows"))
		}
		n := file.NumRows()
		in, err := dms.Open(file, dms.Options{})
		if err != nil {
			t.Fatal(err)
		}
		var batches []dms.Batch
		for b, err := range in.Batches(context.Background(), nil) {
			if err != nil {
				t.Fatal(err)
			}
			batches = append(batches, b)
		}
		row := int64(0)
		for _, b := range batches {
			if b.FirstRow != row || len(b.Ops) > 16_384 || len(b.Ops) == 0 {
				t.Fatalf("a batch of %d rows begins at %d, want %d", len(b.Ops), b.FirstRow, row)
			}
			for i, op := range b.Ops {
				if op != opOf(row) || b.Columns[0][i].Int64() != row || b.Columns[1][i].String() != fmt.Sprint("row ", row) {
					t.Fatalf("row %d: got %v %v %v", row, op, b.Columns[0][i], b.Columns[1][i])
				}
				row++
			}
		}
		if row != n || in.Rows() != n {
			t.Fatalf("got %d rows of %d", row, n)
		}
	})
}

// The file that a DMS task wrote: no op, every column type of PostgreSQL that DMS maps.
func TestInput_realFile(t *testing.T) {
	body, err := os.ReadFile("testdata/dms_test_table_LOAD00000001.parquet")
	if err != nil {
		t.Fatal(err)
	}
	file, err := parquetedit.Open(t.Context(), parquetedit.ReaderAt{ReaderAt: bytes.NewReader(body), N: int64(len(body))})
	if err != nil {
		t.Fatal(err)
	}
	in, err := dms.Open(file, dms.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if in.HasOp() || len(in.BeforeImage()) != 0 || len(in.Columns()) != len(file.Columns()) {
		t.Errorf("got op %v, %d columns", in.HasOp(), len(in.Columns()))
	}
	want := plainRows(t, body)
	got := 0
	for b, err := range in.Batches(t.Context(), nil) {
		if err != nil {
			t.Fatal(err)
		}
		for i := range b.Ops {
			for c, values := range b.Columns {
				if !parquet.Equal(values[i], want[got][c]) {
					t.Errorf("row %d, %s: got %v, want %v", got, in.Columns()[c].Name, values[i], want[got][c])
				}
			}
			got++
		}
	}
	if got != len(want) || in.Rows() != int64(got) {
		t.Errorf("got %d rows of %d", got, len(want))
	}
}

// plainRows reads a file with parquet-go alone.
func plainRows(t *testing.T, body []byte) []parquet.Row {
	t.Helper()
	file, err := parquet.OpenFile(bytes.NewReader(body), int64(len(body)))
	if err != nil {
		t.Fatal(err)
	}
	var all []parquet.Row
	for _, group := range file.RowGroups() {
		reader := group.Rows()
		for {
			buffer := make([]parquet.Row, 1)
			n, err := reader.ReadRows(buffer)
			if n == 0 {
				if err := reader.Close(); err != nil {
					t.Fatal(err)
				}
				break
			}
			all = append(all, buffer[0].Clone())
			if err != nil && n == 0 {
				t.Fatal(err)
			}
		}
	}
	return all
}
