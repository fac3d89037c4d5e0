package dms

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/parquet-go/parquet-go"

	"sluice/internal/parquetedit"
)

// DefaultBeforeImagePrefix is the prefix of the transformation rule
// add-before-image-columns (UG, "Transformation rules and actions").
const DefaultBeforeImagePrefix = "BI_"

// Columnar is an open file that is read by columns, as *parquetedit.File is one.
type Columnar interface {
	Columns() []parquetedit.Column
	NumRows() int64
	RowGroups() []parquetedit.RowGroup
	// Bounds are what is known of a column of a row group without reading it; false when that is nothing.
	Bounds(group, column int) (parquetedit.Bounds, bool)
	// ChunkBytes is what a column of a row group takes in the file, and decompressed.
	ChunkBytes(group, column int) (compressed, uncompressed int64)
	// ReadColumn hands the values of a column of a row group to yield in order; they are valid only during
	// the call. An error of yield ends the reading.
	ReadColumn(ctx context.Context, group, column int, yield func(firstRow int64, values []parquet.Value) error) error
}

// Reader reads the rows of one input, whatever its dialect.
type Reader interface {
	// Columns are the data columns, in file order: without the op and without before images.
	Columns() []parquetedit.Column
	// Rows is how many rows the input has.
	Rows() int64
	// HasOp says whether the input has ops; else every row is an [Insert].
	HasOp() bool
	// BeforeImage says for each before image which data column it is of.
	BeforeImage() []int
	// Batches yields the rows in order, each batch with the wanted data columns and their before images;
	// nil wants all of them, an empty slice none but the ops. An error is the last that is yielded.
	Batches(ctx context.Context, wanted []int) iter.Seq2[Batch, error]
	// Chosen yields some of the rows only, and reads the other columns of no others.
	Chosen(ctx context.Context, wanted []int, c Choice) iter.Seq2[Batch, error]
}

// Choice says which rows of an input are wanted.
type Choice struct {
	By []int // data columns that tell: they and their before images are read of every row, as the ops are
	// Rows returns the wanted rows of a batch that holds these columns alone, ascending, counted from its first row.
	Rows func(b Batch) ([]int32, error)
}

// Batch is a run of rows. It and the values in it belong to the receiver.
type Batch struct {
	FirstRow int64   // number of the first row in the file, from 0
	Chosen   []int32 // its rows, counted from the first one, ascending; nil = all, without a gap
	Ops      []Op    // by row; every one is [Insert] where the file has no ops
	// Columns holds the values by data column and row, nil for a column that was not wanted.
	Columns [][]parquet.Value
	// Before holds the before images, in the order of BeforeImage, by row; NULL means that the column
	// did not change. It is nil for one whose column was not wanted.
	Before [][]parquet.Value
}

// Row is the number of the i-th row of the batch in the file, from 0.
func (b Batch) Row(i int) int64 {
	if b.Chosen == nil {
		return b.FirstRow + int64(i)
	}
	return b.FirstRow + int64(b.Chosen[i])
}

// ErrNames is wrapped when two columns of an input have names that differ at most by case.
var ErrNames = errors.New("column names differ at most by case")

// InputError is returned when an input is not what DMS writes, or its bytes contradict each other.
type InputError struct {
	Column string // "" when no column is to blame
	Row    int64  // number of the row in the file, from 0; -1 when no row is to blame
	Reason string
	Err    error // nil, or what was wrong
}

// Error names column, row and reason.
func (e *InputError) Error() string {
	text := e.Reason
	if e.Row >= 0 {
		text = fmt.Sprintf("row %d: %s", e.Row, text)
	}
	if e.Column != "" {
		text = fmt.Sprintf("column %q: %s", e.Column, text)
	}
	return text
}

// Unwrap returns what was wrong, if it is an error of its own.
func (e *InputError) Unwrap() error { return e.Err }

// Options say how an input is read.
type Options struct {
	Dialect           Dialect // "" = as the file's columns say
	BeforeImagePrefix string  // "" is [DefaultBeforeImagePrefix]
	Lake              bool    // a lake file, which has no before images and no dialect but ours, whatever its columns are named
	Untold            bool    // what is [Unavailable] in a file of Debezium's is [Untold]; else it is a text like any other
	OpIsData          bool    // the op is a column like any other: rows are copied as they are
}

// Input is a columnar file of changes or of a full load.
type Input struct {
	src     Columnar
	columns []parquetedit.Column // data columns
	data    []int                // data[i] = place of columns[i] in the file
	dialect Dialect
	says    Dialect // what the file's columns say
	marks   marks
	untells bool
	of      []int // of[i] = data column that before image i is of
	before  []int // before[i] = place of before image i in the file
}

// Open tells the columns of a file apart; it reads none of them. A before image is a column named
// with the prefix whose rest names another column of the file, which is no before image
// itself. It returns an [*InputError] when names differ at most by case, one is empty or no UTF-8, the op is no text, a
// before image has another type than its column, or a Debezium file has a column of the op's name in the lake.
func Open(src Columnar, o Options) (*Input, error) {
	all := src.Columns()
	if err := checkNames(all); err != nil {
		return nil, err
	}
	for _, c := range all {
		if !o.Lake && c.Name != OpColumn && strings.EqualFold(c.Name, OpColumn) {
			return nil, &InputError{Column: c.Name, Row: -1, Reason: "its name differs only by case from Op, which says what happened to a row; rename it by a transformation rule", Err: ErrNames}
		}
	}
	prefix := o.BeforeImagePrefix
	if prefix == "" {
		prefix = DefaultBeforeImagePrefix
	}
	in := &Input{src: src, dialect: o.Dialect, untells: o.Untold, says: dialectOf(all), marks: marks{-1, -1}}
	switch {
	case o.Lake:
		in.dialect = DMS
	case in.dialect == "":
		in.dialect = in.says
	}
	if !o.OpIsData {
		var err error
		if in.marks, err = in.dialect.find(all); err != nil {
			return nil, err
		}
	}
	images := map[string]string{}
	if !o.Lake {
		images = imagesOf(all, prefix, in.marks)
	}
	for place, c := range all {
		if _, image := images[c.Name]; place != in.marks.op && place != in.marks.deleted && !image {
			in.columns, in.data = append(in.columns, c), append(in.data, place)
		}
	}
	return in, in.addImages(all, images)
}

// imagesOf returns the before images and the names of their columns.
func imagesOf(all []parquetedit.Column, prefix string, m marks) map[string]string {
	names := make(map[string]bool, len(all))
	for place, c := range all {
		names[c.Name] = c.Name != OpColumn && place != m.op && place != m.deleted
	}
	images := map[string]string{}
	var isImage func(name string) bool
	isImage = func(name string) bool {
		rest, ok := strings.CutPrefix(name, prefix)
		return ok && names[rest] && !isImage(rest)
	}
	for name := range names {
		if isImage(name) {
			images[name] = strings.TrimPrefix(name, prefix)
		}
	}
	return images
}

func (in *Input) addImages(all []parquetedit.Column, images map[string]string) error {
	for place, c := range all {
		name, ok := images[c.Name]
		if !ok {
			continue
		}
		of := slices.IndexFunc(in.columns, func(c parquetedit.Column) bool { return c.Name == name })
		if in.columns[of].Type != c.Type {
			return &InputError{
				Column: c.Name, Row: -1,
				Reason: fmt.Sprintf("its type is not that of %q; if it is no before image, set another BeforeImagePrefix", name),
			}
		}
		in.of, in.before = append(in.of, of), append(in.before, place)
	}
	return nil
}

func checkNames(columns []parquetedit.Column) error {
	seen := make(map[string]string, len(columns))
	for i, c := range columns {
		if c.Name == "" || !utf8.ValidString(c.Name) {
			return &InputError{Column: c.Name, Row: -1, Reason: fmt.Sprintf("the name of column %d is empty or no UTF-8", i+1)}
		}
		folded := strings.ToLower(strings.ToUpper(c.Name))
		if first, ok := seen[folded]; ok {
			return &InputError{Column: c.Name, Row: -1, Reason: fmt.Sprintf("its name differs at most by case from %q", first), Err: ErrNames}
		}
		seen[folded] = c.Name
	}
	return nil
}

func isText(t parquetedit.Type) bool {
	return t.Physical == parquet.ByteArray && (t.Logical == parquetedit.None || t.Logical == parquetedit.String)
}

// Columns returns the data columns in file order, without the op and without before images.
func (in *Input) Columns() []parquetedit.Column { return in.columns }

// Rows returns how many rows the file has.
func (in *Input) Rows() int64 { return in.src.NumRows() }

// HasOp says whether the file has ops; else every row is an [Insert].
func (in *Input) HasOp() bool { return in.marks.op >= 0 || in.marks.deleted >= 0 }

// Says is the dialect that the file's columns are of, whatever it is read in; "" when they tell none.
func (in *Input) Says() Dialect { return in.says }

// Marks returns the dialect that the file is read in, and where the columns are that tell what happened to its rows: the op
// (Op or __op) and __deleted, -1 for one that is not there.
func (in *Input) Marks() (d Dialect, op, deleted int) {
	return in.dialect, in.marks.op, in.marks.deleted
}

// BeforeImage returns, for each before image in file order, the data column that it is of.
func (in *Input) BeforeImage() []int { return in.of }
