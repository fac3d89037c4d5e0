package lake

import (
	"context"
	"errors"

	"sluice/internal/parquetedit"
)

// scan finds the rows of a row group whose keys change; rows are ordinals in the group. The first key column is looked up
// in every page that may hold a changed key, the others only in the rows where it was found.
func (s *seeker) scan(ctx context.Context, group int) ([]hit, error) {
	hits, err := s.scanFirst(ctx, group)
	if err != nil || len(s.key) == 1 || len(hits) == 0 {
		return hits, err
	}
	parts := make([]keyColumn, len(s.key)-1)
	rows := make([]int64, len(hits))
	for i, h := range hits {
		rows[i] = h.row
	}
	for i, k := range s.key[1:] {
		if err := s.encodeColumn(ctx, group, keyTarget{k, rows, &parts[i]}); err != nil {
			return nil, err
		}
	}
	kept := hits[:0]
	var key []byte
	for i, h := range hits {
		key = append(key[:0], s.first.entries[h.change].key...)
		for p := range parts {
			key = append(key, parts[p].at(i)...)
		}
		if h.change = s.index.find(key); h.change >= 0 {
			kept = append(kept, h)
		}
	}
	return kept, nil
}

// scanFirst finds the rows that have a changed key's value in the first key column: its number in the index of these.
func (s *seeker) scanFirst(ctx context.Context, group int) ([]hit, error) {
	var hits []hit
	if key, ok := s.constantKey(s.key[0]); ok {
		n := s.first.findKey(s.Schema.Columns[s.key[0]].Type, key)
		for row := range s.open.RowGroups()[group].Rows {
			if n >= 0 {
				hits = append(hits, hit{row: row, change: n})
			}
		}
		return hits, nil
	}
	column := s.Schema.Columns[s.key[0]]
	at := find(s.columns, column.Name)
	convert, _ := Converter(s.columns[at].Type, column.Type)
	look := func(keep func(parquetedit.Bounds) bool) error {
		f := &firstColumn{keyIndex: s.first, table: column.Type, convert: convert, bad: func(row int64, err error) error {
			return valueError(place{s.file.Key, row}, column, s.columns[at].Type, err)
		}}
		hits = hits[:0]
		return s.open.Scan(ctx, group, at, keep, func(p *parquetedit.Page) error {
			return f.page(p, func(row int64, n int32) { hits = append(hits, hit{row: row, change: n}) })
		})
	}
	err := look(s.keep())
	if errors.Is(err, parquetedit.ErrPageIndex) {
		err = look(nil)
	}
	return hits, err
}

// keep says of the bounds of a page of the first key column whether a changed key may lie between them.
func (s *seeker) keep() func(parquetedit.Bounds) bool {
	if s.bounds == nil {
		return nil
	}
	return func(b parquetedit.Bounds) bool {
		low, high, ok := s.bounds.encode(b)
		return !ok || s.any(low, high)
	}
}

// keyColumn is one key column of some rows of a row group, canonically encoded.
type keyColumn struct {
	bytes    []byte
	ends     []uint32 // end of each row's encoding; nil for a constant
	constant []byte
}

func (k *keyColumn) at(i int) []byte {
	if k.ends == nil {
		return k.constant
	}
	from := uint32(0)
	if i > 0 {
		from = k.ends[i-1]
	}
	return k.bytes[from:k.ends[i]]
}

type keyTarget struct {
	column int // of the table
	rows   []int64
	into   *keyColumn
}

func (s *seeker) encodeColumn(ctx context.Context, group int, t keyTarget) error {
	column := s.Schema.Columns[t.column]
	if key, ok := s.constantKey(t.column); ok {
		t.into.constant = key
		return nil
	}
	at := find(s.columns, column.Name)
	convert, _ := Converter(s.columns[at].Type, column.Type)
	t.into.ends = make([]uint32, 0, len(t.rows))
	return pick(ctx, chunk{s.open, group, at}, t.rows, func(i int, v value) error {
		if convert != nil {
			var err error
			if v, err = convert(v); err != nil {
				return valueError(place{s.file.Key, t.rows[i]}, column, s.columns[at].Type, err)
			}
		}
		t.into.bytes = AppendKey(t.into.bytes, column.Type, v)
		t.into.ends = append(t.into.ends, uint32(len(t.into.bytes)))
		return nil
	})
}
