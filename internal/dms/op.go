package dms

import "errors"

// Op says what happened to a row. The zero value is none of them.
type Op byte

// The three ops, as the first field of a CDC record holds them (UG).
const (
	Insert Op = 'I'
	Update Op = 'U'
	Delete Op = 'D'
)

// OpColumn is the name of the column that holds the op in Parquet files. It comes first in CDC files; full
// loads have it only with IncludeOpForFullLoad (SDK).
const OpColumn = "Op"

// ErrOp is returned when an op is none of I, U and D.
var ErrOp = errors.New("the op is none of I, U, D")

// ParseOp reads the op of a row. Empty text, which stands for NULL too, is
// [Insert]: a file without ops holds rows as they are. Else it returns [ErrOp] for anything but one
// of the three capital letters.
func ParseOp(text []byte) (Op, error) {
	if len(text) == 0 {
		return Insert, nil
	}
	if len(text) == 1 {
		switch op := Op(text[0]); op {
		case Insert, Update, Delete:
			return op, nil
		}
	}
	return 0, ErrOp
}

// String returns the letter that DMS writes.
func (o Op) String() string { return string(rune(o)) }
