package parquetedit

import (
	"cmp"
	"maps"
	"slices"
)

// doneChunk is a column chunk that is ready to be written: its pages, and what the footer and the
// page index will say about it once its place in the file is known.
type doneChunk struct {
	column       Column
	codec        codec
	dict         donePage // with the encoding of its values, when there is one
	hasDict      bool
	pages        []donePage
	held         []*block // that these lie in
	memory       *Memory  // to give them back to
	unread       unread
	rows, nulls  int64
	size         int64 // bytes, headers included
	uncompressed int64 // the same before compression
	bounds       bounds
}

// finish ends the chunk. The encoder is then reset.
func (e *encoder) finish() (*doneChunk, error) {
	if err := e.flush(); err != nil {
		return nil, err
	}
	c := &doneChunk{column: e.column, codec: e.coding.codec, pages: e.pages, held: e.held, memory: e.k.memory, unread: e.unread, uncompressed: e.unread.bytes}
	if e.dict != nil && e.dictPages > 0 {
		var err error
		if c.dict, err = e.finishDict(); err != nil {
			return nil, err
		}
		c.hasDict = true
		c.size = c.dict.size()
		c.uncompressed += int64(c.dict.header + c.dict.uncompressed)
	}
	all := true
	for i := range c.pages {
		p := &c.pages[i]
		c.rows += int64(p.rows)
		c.nulls += int64(p.nulls)
		c.size += p.size()
		c.uncompressed += int64(p.header + p.uncompressed)
		c.bounds.merge(p.bounds, c.column.Type)
		all = all && p.bounded
	}
	if !all { // what the old chunk said of all its pages holds for those that stayed
		c.bounds = c.bounds.orNone(e.oldBounds, c.column.Type)
	}
	e.reset()
	return c, nil
}

// finishDict is the dictionary page: the old one, when nothing was added to it.
func (e *encoder) finishDict() (donePage, error) {
	if old := e.oldDict; e.adopted && e.dict.values.len() <= old.values {
		return donePage{
			bytes: old.raw, length: len(old.raw), header: len(old.raw) - len(old.body), uncompressed: old.uncompressed, encoding: old.encoding,
		}, nil
	}
	var err error
	if e.body, err = plainVector(e.body, &e.dict.values); err != nil {
		return donePage{}, err
	}
	p := donePage{encoding: encPlain}
	err = e.finishPage(&p, tree{i32Field(pageType, dictPage), structField(pageDict, tree{
		i32Field(1, int64(e.dict.values.len())), i32Field(2, encPlain),
	})}, e.body, 0)
	return p, err
}

// writeTo writes the chunk, which has no pages any more then.
func (c *doneChunk) writeTo(w *counted) error {
	if c.hasDict {
		if _, err := w.Write(c.dict.bytes); err != nil {
			return err
		}
	}
	for i := range c.pages {
		p := &c.pages[i]
		if p.from > 0 {
			if err := w.copyRange(p.from, int64(p.length)); err != nil {
				return err
			}
			continue
		}
		if _, err := w.Write(p.bytes); err != nil {
			return err
		}
		p.bytes = nil
	}
	c.memory.release(c.held)
	c.dict.bytes, c.held = nil, nil
	return nil
}

// columnChunk is the footer's ColumnChunk for a chunk that starts at off.
func (c *doneChunk) columnChunk(off int64) tree {
	meta := tree{
		i32Field(colType, int64(c.column.Type.Physical)),
		listField(colEncodings, tI32, c.encodings()),
		listField(colPath, tBinary, [][]byte{binaryElem(c.column.Name)}),
		i32Field(colCodec, int64(c.codec)),
		i64Field(colValues, c.rows),
		i64Field(colUncompressed, c.uncompressed),
		i64Field(colCompressed, c.size),
	}
	data := off
	if c.hasDict {
		data += c.dict.size()
	}
	meta = append(meta, i64Field(colDataOffset, data))
	if c.hasDict {
		meta = append(meta, i64Field(colDictOffset, off))
	}
	meta = append(meta, structField(colStatistics, c.statistics()), listField(colEncodingStats, tStruct, c.encodingStats()))
	return tree{i64Field(chunkFileOffset, 0), structField(chunkMeta, meta)}
}

// statistics leaves the bounds out where readers disagree about their order.
func (c *doneChunk) statistics() tree {
	s := tree{i64Field(statNulls, c.nulls)}
	b, exactMin, exactMax := c.bounds.cut(c.column.Type)
	if !b.ok {
		return s
	}
	if c.column.Type.order() == signedOrder {
		// Readers older than the column orders know only these, and only for signed integers.
		s = s.with(binaryField(statLegacyMax, b.max), binaryField(statLegacyMin, b.min))
	}
	return append(s,
		binaryField(statMax, b.max), binaryField(statMin, b.min),
		boolField(statMaxExact, exactMax), boolField(statMinExact, exactMin))
}

// pageKind is what readers want to know of a chunk's pages before they read them.
type pageKind struct{ version, encoding int64 }

// kinds counts the pages of each kind, in the order of their first one, the dictionary included.
func (c *doneChunk) kinds() ([]pageKind, map[pageKind]int) {
	var order []pageKind
	count := map[pageKind]int{}
	add := func(k pageKind) {
		if count[k]++; count[k] == 1 {
			order = append(order, k)
		}
	}
	if c.hasDict {
		add(pageKind{dictPage, c.dict.encoding})
	}
	for i := range c.pages {
		if p := &c.pages[i]; p.from == 0 {
			add(pageKind{p.version, p.encoding})
		}
	}
	for _, k := range slices.SortedFunc(maps.Keys(c.unread.kinds), func(a, b pageKind) int {
		return cmp.Or(cmp.Compare(a.version, b.version), cmp.Compare(a.encoding, b.encoding))
	}) {
		add(k)
		count[k] += c.unread.kinds[k] - 1
	}
	return order, count
}

// encodings lists those of the levels, the values and the dictionary.
func (c *doneChunk) encodings() [][]byte {
	all := []int64{encRLE}
	kinds, _ := c.kinds()
	for _, k := range kinds {
		if !slices.Contains(all, k.encoding) {
			all = append(all, k.encoding)
		}
	}
	elems := make([][]byte, len(all))
	for i, e := range all {
		elems[i] = intElem(e)
	}
	return elems
}

// encodingStats lets readers see at once whether every data page has a dictionary.
func (c *doneChunk) encodingStats() [][]byte {
	kinds, count := c.kinds()
	stats := make([][]byte, len(kinds))
	for i, k := range kinds {
		stats[i] = tree{i32Field(1, k.version), i32Field(2, k.encoding), i32Field(3, int64(count[k]))}.encode(nil)
	}
	return stats
}

// offsetIndex says where the pages of the chunk at off lie.
func (c *doneChunk) offsetIndex(off int64) tree {
	if c.hasDict {
		off += c.dict.size()
	}
	row := int64(0)
	locations := make([][]byte, len(c.pages))
	for i, p := range c.pages {
		locations[i] = tree{i64Field(1, off), i32Field(2, p.size()), i64Field(3, row)}.encode(nil)
		off += p.size()
		row += int64(p.rows)
	}
	return tree{listField(1, tStruct, locations)}
}

// columnIndex gives the bounds of every page; nil when a page with values has none, or none that are known.
func (c *doneChunk) columnIndex() tree {
	n := len(c.pages)
	nullPages, mins, maxs, nulls := make([][]byte, n), make([][]byte, n), make([][]byte, n), make([][]byte, n)
	cuts := make([]bounds, 0, n)
	for i, p := range c.pages {
		nullPages[i], nulls[i] = boolElem(p.nulls == p.rows), intElem(int64(p.nulls))
		if p.nulls == p.rows {
			mins[i], maxs[i] = binaryElem(""), binaryElem("")
			continue
		}
		b, _, _ := p.bounds.cut(c.column.Type)
		if !b.ok {
			return nil
		}
		mins[i], maxs[i] = binaryElem(b.min), binaryElem(b.max)
		cuts = append(cuts, b)
	}
	return tree{
		listField(1, tTrue, nullPages), listField(2, tBinary, mins), listField(3, tBinary, maxs),
		i32Field(4, boundaryOrder(cuts, c.column.Type)), listField(5, tI64, nulls),
	}
}

// boundaryOrder is 1 when the bounds of the pages ascend, 2 when they descend, else 0.
func boundaryOrder(bs []bounds, t Type) int64 {
	asc, desc := true, true
	for i := 1; i < len(bs); i++ {
		lo, hi := compareStat(bs[i-1].min, bs[i].min, t), compareStat(bs[i-1].max, bs[i].max, t)
		asc = asc && lo <= 0 && hi <= 0
		desc = desc && lo >= 0 && hi >= 0
	}
	switch {
	case asc:
		return 1
	case desc:
		return 2
	default:
		return 0
	}
}

// nullChunk is a chunk of nothing but NULLs, for a column that rows already written lack.
func nullChunk(c Column, codec codec, k *compressor, rows int64) (*doneChunk, error) {
	e := newEncoder(c, coding{codec: codec, encoding: encPlain})
	e.k = k
	for rows > 0 {
		n := min(rows, pageRows)
		e.appendNulls(int(n))
		if err := e.flush(); err != nil {
			return nil, err
		}
		rows -= n
	}
	return e.finish()
}
