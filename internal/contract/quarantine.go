package contract

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/parquet-go/parquet-go"

	"sluice/internal/dms"
	"sluice/internal/parquetedit"
)

// Kept is what is kept out of a file.
type Kept struct {
	Name  string // of the input: its key
	ETag  string
	File  dms.Columnar // whole
	Rows  dms.Reader   // of all of it: it knows the ops
	Found []Finding
}

// prefix begins the names of the columns that say why a row is there; the input's own columns stand behind them.
const prefix = "_sluice_"

// Where the columns stand.
const (
	placeFile = iota
	placeETag
	placeRow
	placeOp
	placeColumn
	placeRule
	ownColumns
)

func reasons() []parquetedit.Column {
	words := parquetedit.Type{Physical: parquet.ByteArray, Logical: parquetedit.String}
	count := parquetedit.Type{Physical: parquet.Int64, Logical: parquetedit.Integer, Bits: 64, Signed: true}
	columns := make([]parquetedit.Column, ownColumns)
	for place, name := range map[int]string{placeFile: "file", placeETag: "etag", placeRow: "row", placeOp: "op", placeColumn: "column", placeRule: "rule"} {
		columns[place] = parquetedit.Column{Name: prefix + name, Type: words}
	}
	columns[placeRow].Type = count
	return columns
}

// Groups parts the inputs into those that one quarantine file can hold: they have the same columns.
func Groups(inputs []Kept) [][]Kept {
	var groups [][]Kept
	for _, in := range inputs {
		n := len(groups) - 1
		if n < 0 || !slices.Equal(groups[n][0].File.Columns(), in.File.Columns()) {
			groups, n = append(groups, nil), n+1
		}
		groups[n] = append(groups[n], in)
	}
	return groups
}

// Write writes a quarantine file: the rows of the findings with all columns of their files, op and before images too, as they are, and
// in front of them file, ETag, number of the row from 0, op, column and rule. The inputs have the same columns. It returns an [*Error]
// when one of these has a name that begins like those in front.
func Write(ctx context.Context, to io.Writer, inputs []Kept, o parquetedit.WriterOptions) error {
	columns := reasons()
	for _, c := range inputs[0].File.Columns() {
		if strings.HasPrefix(strings.ToLower(c.Name), prefix) {
			return errorf(0, "%s: no column whose name begins with %s can go to the quarantine, but %q does", inputs[0].Name, prefix, c.Name)
		}
		c.Required = false
		columns = append(columns, c)
	}
	out, err := parquetedit.NewWriter(to, columns, o)
	if err != nil {
		return err
	}
	for _, in := range inputs {
		if err := in.write(ctx, out); err != nil {
			return fmt.Errorf("read %s: %w", in.Name, err)
		}
	}
	return out.Close()
}

func (k *Kept) write(ctx context.Context, out *parquetedit.Writer) error {
	reader, err := dms.Open(k.File, dms.Options{Lake: true, OpIsData: true})
	if err != nil {
		return err
	}
	rows, rest := Rows(k.Found), k.Found
	choice := dms.Choice{By: []int{}, Rows: func(b dms.Batch) ([]int32, error) { return rows.In(b.FirstRow, len(b.Ops)), nil }}
	var ops []dms.Op
	for b, err := range k.Rows.Chosen(ctx, []int{}, choice) {
		if err != nil {
			return err
		}
		ops = append(ops, b.Ops...)
	}
	for b, err := range reader.Chosen(ctx, nil, choice) {
		if err != nil {
			return err
		}
		why := make([][]parquet.Value, ownColumns)
		for i := range b.Ops {
			row := b.Row(i)
			for rest[0].To <= row {
				rest = rest[1:]
			}
			why[placeFile] = append(why[placeFile], words(k.Name))
			why[placeETag] = append(why[placeETag], words(k.ETag))
			why[placeRow] = append(why[placeRow], parquet.Int64Value(row))
			why[placeOp] = append(why[placeOp], words(ops[0].String()))
			ops = ops[1:]
			why[placeColumn] = append(why[placeColumn], words(rest[0].Column))
			why[placeRule] = append(why[placeRule], words(rest[0].Rule))
		}
		if err := out.Write(append(why, b.Columns...)); err != nil {
			return err
		}
	}
	return nil
}

func words(s string) parquet.Value { return parquet.ByteArrayValue([]byte(s)) }

// Source is an input as a quarantine file names it.
type Source struct {
	Name, ETag string
}

// Read returns which rows of which inputs a quarantine file holds.
func Read(ctx context.Context, f dms.Columnar) (map[Source]dms.Rows, error) {
	reader, err := dms.Open(f, dms.Options{Lake: true})
	if err != nil {
		return nil, err
	}
	if len(reader.Columns()) < ownColumns || reader.Columns()[placeRow] != reasons()[placeRow] {
		return nil, fmt.Errorf("%w: no quarantine file", parquetedit.ErrCorrupt)
	}
	kept := map[Source]dms.Rows{}
	for b, err := range reader.Batches(ctx, []int{placeFile, placeETag, placeRow}) {
		if err != nil {
			return nil, err
		}
		for i := range b.Ops {
			s := Source{b.Columns[placeFile][i].String(), b.Columns[placeETag][i].String()}
			row := b.Columns[placeRow][i].Int64()
			if rows := kept[s]; len(rows) > 0 && rows[len(rows)-1].To == row {
				rows[len(rows)-1].To++
			} else {
				kept[s] = append(rows, dms.Span{From: row, To: row + 1})
			}
		}
	}
	return kept, nil
}
