package parquetedit

import "io"

// doneChunk is a column chunk that is ready to be written: its pages, and what the footer and the
// page index will say about it once its place in the file is known.
type doneChunk struct {
	column       Column
	codec        codec
	encoding     int64
	dictPages    int  // data pages with indices
	legacy       bool // some of them in PLAIN_DICTIONARY
	dict         donePage
	hasDict      bool
	pages        []donePage
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
	c := &doneChunk{column: e.column, codec: e.coding.codec, encoding: e.coding.encoding, dictPages: e.dictPages, legacy: e.legacy, pages: e.pages}
	if e.dict != nil && e.dictPages > 0 {
		var err error
		if e.body, err = plainVector(e.body, &e.dict.values); err != nil {
			return nil, err
		}
		header := tree{i32Field(pageType, dictPage), structField(pageDict, tree{
			i32Field(1, int64(e.dict.values.len())), i32Field(2, encPlain),
		})}
		if err := e.finishPage(&c.dict, header); err != nil {
			return nil, err
		}
		c.hasDict = true
		c.size = c.dict.size()
		c.uncompressed = int64(c.dict.header + c.dict.uncompressed)
	}
	for i := range c.pages {
		p := &c.pages[i]
		c.rows += int64(p.rows)
		c.nulls += int64(p.nulls)
		c.size += p.size()
		c.uncompressed += int64(p.header + p.uncompressed)
		c.bounds.merge(p.bounds, c.column.Type)
	}
	e.reset()
	return c, nil
}

func (c *doneChunk) writeTo(w io.Writer) error {
	if c.hasDict {
		if _, err := w.Write(c.dict.bytes); err != nil {
			return err
		}
	}
	for i := range c.pages {
		if _, err := w.Write(c.pages[i].bytes); err != nil {
			return err
		}
		c.pages[i].bytes = nil
	}
	return nil
}

// columnChunk is the footer's ColumnChunk for a chunk that starts at off.
func (c *doneChunk) columnChunk(off int64) tree {
	encodings := [][]byte{intElem(encRLE)}
	if len(c.pages) > c.dictPages || !c.hasDict {
		encodings = append(encodings, intElem(c.encoding))
	}
	if c.hasDict {
		encodings = append(encodings, intElem(encDictionary))
		if c.legacy {
			encodings = append(encodings, intElem(encPlainDictionary))
		}
		if c.encoding != encPlain || len(c.pages) == c.dictPages {
			encodings = append(encodings, intElem(encPlain))
		}
	}
	meta := tree{
		i32Field(colType, int64(c.column.Type.Physical)),
		listField(colEncodings, tI32, encodings),
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

// encodingStats lets readers see at once whether every data page has a dictionary.
func (c *doneChunk) encodingStats() [][]byte {
	stat := func(typ, encoding int64, n int) []byte {
		return tree{i32Field(1, typ), i32Field(2, encoding), i32Field(3, int64(n))}.encode(nil)
	}
	var stats [][]byte
	if c.hasDict {
		stats = append(stats, stat(dictPage, encPlain, 1), stat(dataPage, encDictionary, c.dictPages))
	}
	if n := len(c.pages) - c.dictPages; n > 0 {
		stats = append(stats, stat(dataPage, c.encoding, n))
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

// columnIndex gives the bounds of every page; nil when a page with values has none.
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
