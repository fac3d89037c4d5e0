package lake

import "context"

// scan looks up every key of a row group; rows are ordinals in the group.
func (s *seeker) scan(ctx context.Context, group int) ([]hit, error) {
	if s.index.ints != nil {
		return s.scanInts(ctx, group)
	}
	parts := make([]keyColumn, len(s.key))
	for i, k := range s.key {
		if err := s.encodeColumn(ctx, group, keyTarget{k, &parts[i]}); err != nil {
			return nil, err
		}
	}
	var hits []hit
	var key []byte
	for row := range s.open.RowGroups()[group].Rows {
		key = key[:0]
		for i := range parts {
			key = append(key, parts[i].at(row)...)
		}
		if n := s.index.find(key); n >= 0 {
			hits = append(hits, hit{row: row, change: n})
		}
	}
	return hits, nil
}

func (s *seeker) scanInts(ctx context.Context, group int) ([]hit, error) {
	column := s.Schema.Columns[s.key[0]]
	at := find(s.columns, column.Name)
	convert, _ := Converter(s.columns[at].Type, column.Type)
	var hits []hit
	err := s.open.ReadColumn(ctx, group, at, func(first int64, values []value) error {
		for i, v := range values {
			if convert != nil {
				var err error
				if v, err = convert(v); err != nil {
					return valueError(place{s.file.Key, first + int64(i)}, column, s.columns[at].Type, err)
				}
			}
			key, ok := IntKey(column.Type, v)
			if !ok {
				continue
			}
			if n := s.index.findInt(key); n >= 0 {
				hits = append(hits, hit{row: first + int64(i), change: n})
			}
		}
		return nil
	})
	return hits, err
}

// keyColumn is one key column of a row group, canonically encoded.
type keyColumn struct {
	bytes    []byte
	ends     []uint32 // end of each row's encoding; nil for a constant
	constant []byte
}

func (k *keyColumn) at(row int64) []byte {
	if k.ends == nil {
		return k.constant
	}
	from := uint32(0)
	if row > 0 {
		from = k.ends[row-1]
	}
	return k.bytes[from:k.ends[row]]
}

type keyTarget struct {
	column int // of the table
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
	t.into.ends = make([]uint32, 0, s.open.RowGroups()[group].Rows)
	return s.open.ReadColumn(ctx, group, at, func(first int64, values []value) error {
		for i, v := range values {
			if convert != nil {
				var err error
				if v, err = convert(v); err != nil {
					return valueError(place{s.file.Key, first + int64(i)}, column, s.columns[at].Type, err)
				}
			}
			t.into.bytes = AppendKey(t.into.bytes, column.Type, v)
			t.into.ends = append(t.into.ends, uint32(len(t.into.bytes)))
		}
		return nil
	})
}
