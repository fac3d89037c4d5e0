package dms

import (
	"context"
	"errors"
	"iter"

	"github.com/parquet-go/parquet-go"
)

// stream reads a column of a row group in runs that the reader chooses. The values
// of a run stay valid until the next one is asked for, since the file waits meanwhile.
type stream struct {
	name string
	next func() ([]parquet.Value, error, bool)
	stop func()
	rest []parquet.Value // what is left of the current run
	own  bool            // the values are the caller's to keep
	skip int             // rows to leave out before the next one; a column of which no row is wanted is never read
}

// errStopped ends the reading of a column whose reader wants no more.
var errStopped = errors.New("stopped")

func (in *Input) stream(ctx context.Context, group, column int) *stream {
	s := &stream{name: in.src.Columns()[column].Name}
	if o, ok := in.src.(owner); ok {
		s.own = o.OwnValues()
	}
	s.next, s.stop = iter.Pull2(func(yield func([]parquet.Value, error) bool) {
		stopped := false
		err := in.src.ReadColumn(ctx, group, column, func(_ int64, values []parquet.Value) error {
			if stopped || !yield(values, nil) {
				stopped = true
				return errStopped
			}
			return nil
		})
		if err != nil && !stopped {
			yield(nil, err)
		}
	})
	return s
}

// each hands the next rows to use, in one or more runs of borrowed values.
func (s *stream) each(first int64, rows int, use func([]parquet.Value) error) error {
	skipped := s.skip
	s.skip = 0
	for done := -skipped; done < rows; {
		if len(s.rest) == 0 {
			run, err, ok := s.next()
			if err != nil {
				return err
			}
			if !ok {
				return &InputError{Column: s.name, Row: first + int64(done), Reason: "the column ends before the rows of its row group"}
			}
			s.rest = run
			continue
		}
		if done < 0 {
			n := min(len(s.rest), -done)
			s.rest, done = s.rest[n:], done+n
			continue
		}
		n := min(len(s.rest), rows-done)
		if err := use(s.rest[:n]); err != nil {
			return err
		}
		s.rest, done = s.rest[n:], done+n
	}
	return nil
}

// eachRow hands the next rows to use one by one, with their numbers from 0. A nil stream has none.
func (s *stream) eachRow(first int64, rows int, use func(i int, v parquet.Value) error) error {
	if s == nil {
		return nil
	}
	i := 0
	return s.each(first, rows, func(values []parquet.Value) error {
		for _, v := range values {
			if err := use(i, v); err != nil {
				return err
			}
			i++
		}
		return nil
	})
}

// owner is a columnar file whose values belong to whoever gets them: they need not be copied.
type owner interface{ OwnValues() bool }

// take returns the next rows, owned by the caller. A nil stream, of a column that is not wanted, gives nil.
func (s *stream) take(first int64, rows int) ([]parquet.Value, error) {
	if s == nil {
		return nil, nil
	}
	if s.own {
		if taken, ok, err := s.takeOwn(rows); ok || err != nil {
			return taken, err
		}
	}
	taken := make([]parquet.Value, 0, rows)
	err := s.each(first, rows, func(values []parquet.Value) error {
		taken = appendOwned(taken, values)
		return nil
	})
	return taken, err
}

// takeOwn returns the next rows as they came, where a run holds them all.
func (s *stream) takeOwn(rows int) ([]parquet.Value, bool, error) {
	if len(s.rest) == 0 {
		run, err, ok := s.next()
		if err != nil || !ok {
			return nil, false, err
		}
		s.rest = run
	}
	if s.skip > 0 || len(s.rest) < rows {
		return nil, false, nil
	}
	taken := s.rest[:rows:rows]
	s.rest = s.rest[rows:]
	return taken, true, nil
}

// takeChosen returns those of the next rows that are chosen, owned by the caller; chosen is ascending.
func (s *stream) takeChosen(first int64, rows int, chosen []int32) ([]parquet.Value, error) {
	if s == nil {
		return nil, nil
	}
	if len(chosen) == 0 {
		s.skip += rows
		return []parquet.Value{}, nil
	}
	taken, borrowed := make([]parquet.Value, 0, len(chosen)), make([]parquet.Value, 0, len(chosen))
	at, next := int32(0), 0
	err := s.each(first, rows, func(values []parquet.Value) error {
		borrowed = borrowed[:0]
		end := at + int32(len(values))
		for ; next < len(chosen) && chosen[next] < end; next++ {
			borrowed = append(borrowed, values[chosen[next]-at])
		}
		taken, at = appendOwned(taken, borrowed), end
		return nil
	})
	return taken, err
}

// appendOwned appends values, with the bytes of all of them in one new block.
func appendOwned(dst, values []parquet.Value) []parquet.Value {
	size := 0
	for _, v := range values {
		if k := v.Kind(); k == parquet.ByteArray || k == parquet.FixedLenByteArray {
			size += len(v.ByteArray())
		}
	}
	var block []byte
	if size > 0 {
		block = make([]byte, 0, size)
	}
	for _, v := range values {
		switch v.Kind() {
		case parquet.ByteArray, parquet.FixedLenByteArray:
			from := len(block)
			block = append(block, v.ByteArray()...)
			dst = append(dst, rewrap(v.Kind(), block[from:len(block):len(block)]))
		case parquet.Int96:
			dst = append(dst, parquet.Int96Value(v.Int96()))
		case parquet.Boolean, parquet.Int32, parquet.Int64, parquet.Float, parquet.Double:
			dst = append(dst, v)
		default: // NULL, which has a kind of its own
			dst = append(dst, v)
		}
	}
	return dst
}

func rewrap(k parquet.Kind, b []byte) parquet.Value {
	if k == parquet.FixedLenByteArray {
		return parquet.FixedLenByteArrayValue(b)
	}
	return parquet.ByteArrayValue(b)
}
