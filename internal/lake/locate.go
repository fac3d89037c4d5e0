package lake

import (
	"context"
	"errors"
	"fmt"

	"github.com/parquet-go/parquet-go"

	"sluice/internal/dms"
	"sluice/internal/parquetedit"
)

// hit is a lake row whose key changes.
type hit struct {
	row    int64 // ordinal in the file
	change int32
	same   bool // the row is already what the upsert makes of it
	stale  bool // the row's order column is above the change's
}

// locate finds the rows of a lake file whose keys change: row groups are
// skipped by their statistics, then only key columns are read; further columns
// are read for the rows that were hit, until each is known to differ.
func (c *Changes) locate(ctx context.Context, open *parquetedit.File, f *File) ([]hit, error) {
	seek, err := c.seeker(open, f)
	if err != nil {
		return nil, err
	}
	var hits []hit
	for group, info := range open.RowGroups() {
		if !seek.mayHold(group) {
			continue
		}
		found, err := seek.scan(ctx, group)
		if err != nil {
			return nil, err
		}
		if err := c.examine(ctx, seek, groupHits{group: group, hits: found}); err != nil {
			return nil, err
		}
		for i := range found {
			found[i].row += info.FirstRow
		}
		hits = append(hits, found...)
	}
	return hits, nil
}

// seeker is a lake file matched with the changed keys.
type seeker struct {
	*Changes
	open     *parquetedit.File
	file     *File
	columns  []parquetedit.Column
	constant map[int]value // values of partition columns, by column of the table
	bounds   *bounder
}

func (c *Changes) seeker(open *parquetedit.File, f *File) (*seeker, error) {
	constant, err := c.Schema.dirValues(f.Dir)
	if err != nil {
		return nil, err
	}
	s := &seeker{Changes: c, open: open, file: f, columns: open.Columns(), constant: constant}
	for _, k := range c.key {
		column := c.Schema.Columns[k]
		at := find(s.columns, column.Name)
		if _, partition := constant[k]; !partition && at < 0 {
			return nil, &KeyError{File: f.Key, Column: column.Name, Row: -1}
		}
		if at >= 0 {
			if _, err := Converter(s.columns[at].Type, column.Type); err != nil {
				return nil, typeError(f.Key, column, s.columns[at].Type)
			}
		}
	}
	if at := find(s.columns, c.Schema.Columns[c.key[0]].Name); at >= 0 {
		s.bounds = newBounder(s.columns[at].Type, c.Schema.Columns[c.key[0]].Type)
	}
	return s, nil
}

// dirValues parses a partition directory into values by column of the table.
func (s *Schema) dirValues(dir string) (map[int]value, error) {
	values := map[int]value{}
	if dir == "" {
		return values, nil
	}
	parts, err := ParsePartitionDir(dir)
	if err != nil {
		return nil, err
	}
	for _, p := range parts {
		c := s.Index(p.Name)
		if c < 0 {
			continue
		}
		if values[c], err = ParsePartition(s.Columns[c].Type, p.Value); err != nil {
			return nil, fmt.Errorf("partition directory %s: %w", dir, err)
		}
	}
	return values, nil
}

// mayHold says whether a row group may hold a changed key.
func (s *seeker) mayHold(group int) bool {
	first := s.key[0]
	if exact, ok := s.constantKey(first); ok {
		return s.any(exact, exact)
	}
	low, high, ok := s.bounds.of(s.open, group, find(s.columns, s.Schema.Columns[first].Name))
	return !ok || s.any(low, high)
}

// constantKey encodes the value that the partition directory gives a key column.
func (s *seeker) constantKey(column int) ([]byte, bool) {
	v, ok := s.constant[column]
	return dirKey(s.Schema.Columns[column].Type, v), ok
}

// dirKey encodes a value of a directory as one of a key. The directory of NULL
// is that of empty text too; a key is never NULL.
func dirKey(t parquetedit.Type, v value) []byte {
	if v.IsNull() && isText(t) {
		v = parquet.ByteArrayValue([]byte{})
	}
	return AppendKey(nil, t, v)
}

// errEnough ends the reading of a column whose remaining values do not matter.
var errEnough = errors.New("enough")

// pick reads the values of a column at the given rows of a row group, ascending.
func pick(ctx context.Context, from chunk, rows []int64, visit func(i int, v value) error) error {
	next := 0
	if len(rows) == 0 {
		return nil
	}
	err := from.open.ReadColumn(ctx, from.group, from.column, func(first int64, values []value) error {
		for next < len(rows) && rows[next] < first+int64(len(values)) {
			if err := visit(next, values[rows[next]-first]); err != nil {
				return err
			}
			next++
		}
		if next == len(rows) {
			return errEnough
		}
		return nil
	})
	if errors.Is(err, errEnough) {
		return nil
	}
	return err
}

// chunk is one column of one row group of an open file.
type chunk struct {
	open          dms.Columnar
	group, column int
}
