package parquetedit

import (
	"fmt"

	"github.com/parquet-go/parquet-go"
)

const (
	pageRows     = 20_000  // rows of a page at most
	pageBytes    = 1 << 20 // bytes of a page in the PLAIN encoding, give or take one value
	dictMaxBytes = 1 << 20 // bytes of a dictionary; the values behind that are written without one
)

// coding is how a column chunk is written.
type coding struct {
	codec    codec
	encoding int64 // of the pages without a dictionary
	dict     bool  // try a dictionary
}

// newCoding is how a chunk of a new file is written.
func newCoding(t Type, c codec) coding {
	k := coding{codec: c, encoding: encPlain}
	switch t.Physical {
	case parquet.Int32, parquet.Int64:
		k.encoding = encDelta
	case parquet.ByteArray, parquet.FixedLenByteArray:
		k.dict = true
	case parquet.Boolean, parquet.Int96, parquet.Float, parquet.Double:
	}
	return k
}

// donePage is a data page that is ready to be written, and what the indexes say about it.
type donePage struct {
	bytes             []byte // header and body; nil once written, and of a page that is copied
	from              int64  // where a page that is copied lies in the old file
	length            int    // of bytes
	header            int    // bytes of the page header
	uncompressed      int    // bytes of the body before compression
	version, encoding int64  // dataPage or dataPageV2, and the encoding of its values
	rows              int
	pageFacts
}

// pageFacts are what is known of the values of a page.
type pageFacts struct {
	nulls   int
	bounds  bounds
	bounded bool // the bounds are known, none among them; a page that stays as it is may hold what nobody has looked at
}

func (p *donePage) size() int64 { return int64(p.length) }

// encoder writes one column chunk into memory. It is not safe for concurrent use.
type encoder struct {
	column Column
	coding coding
	k      *compressor

	pages []donePage // finished
	bytes int64      // of the finished pages

	rows, nulls int
	present     []byte // of the current page, a byte per row; empty while no row is NULL
	values      vector // of the current page, unless it has indices
	dict        *dict  // nil when the chunk has none, or not any longer
	indices     []int32
	dictPages   int  // pages with indices among the finished
	begun       bool // the first page of the old chunk was seen
	v2          bool // pages are written in version 2
	adopted     bool // the dictionary begins with that of the old chunk
	oldDict     *dictAt
	oldBounds   bounds // of the old chunk; none when they are not known
	unread      unread
	plain       bool   // pages from here on do without the dictionary
	seen        []byte // by entry of the dictionary: 1 for those that a page uses
	used        vector // of the dictionary by a page

	scratch, body, header []byte
	slab                  []byte   // of finished pages, as far as it is taken
	held                  []*block // what finished pages lie in
}

func newEncoder(c Column, k coding) *encoder {
	e := &encoder{column: c, coding: k, values: newVector(c.Type)}
	if k.dict {
		e.dict = newDict(c.Type)
	}
	return e
}

// reset makes the encoder ready for the next chunk.
func (e *encoder) reset() {
	e.pages, e.bytes, e.dictPages = nil, 0, 0
	e.slab, e.held = nil, nil
	e.begun, e.v2, e.adopted, e.plain, e.oldDict = false, false, false, false, nil
	e.oldBounds, e.unread = bounds{}, unread{}
	if e.coding.dict && e.dict == nil {
		e.dict = newDict(e.column.Type)
	} else if e.dict != nil {
		e.dict.reset()
	}
}

// size estimates the bytes that the chunk takes so far.
func (e *encoder) size() int64 {
	n := e.bytes + int64(e.values.plainBytes()+len(e.indices))
	if e.dict != nil {
		n += int64(e.dict.values.plainBytes())
	}
	return n
}

// check says which of the values does not fit the column.
func (e *encoder) check(vs []parquet.Value) error {
	kind, fixed := e.values.kind, e.values.kind == parquet.FixedLenByteArray
	for i := range vs {
		switch k := vs[i].Kind(); {
		case k == kind && (!fixed || len(vs[i].ByteArray()) == e.values.width):
		case vs[i].IsNull() && !e.column.Required:
		case vs[i].IsNull():
			return fmt.Errorf("column %q, value %d: %w: NULL in a required column", e.column.Name, i, ErrValue)
		case k == kind:
			return fmt.Errorf("column %q, value %d: %w: %d bytes given, %d wanted", e.column.Name, i, ErrValue, len(vs[i].ByteArray()), e.values.width)
		default:
			return fmt.Errorf("column %q, value %d: %w: %v given, %v wanted", e.column.Name, i, ErrValue, k, kind)
		}
	}
	return nil
}

// append adds rows whose values check accepted.
func (e *encoder) append(vs []parquet.Value) error {
	for len(vs) > 0 {
		if e.adopted && !e.room() {
			if err := e.setPlain(true); err != nil {
				return err
			}
		}
		n := min(len(vs), pageRows-e.rows)
		done := 0
		for done < n && e.values.plainBytes() < pageBytes {
			done += e.appendSome(vs[done:min(n, done+256)])
		}
		vs = vs[done:]
		e.seal()
		if err := e.flushFull(); err != nil {
			return err
		}
	}
	return nil
}

// appendSome adds the values up to a full page of bytes.
func (e *encoder) appendSome(vs []parquet.Value) int {
	for i := 0; i < len(vs); {
		j := i
		for j < len(vs) && vs[j].IsNull() {
			j++
		}
		if j > i {
			e.appendNulls(j - i)
			i = j
			continue
		}
		for j < len(vs) && !vs[j].IsNull() {
			j++
		}
		n := e.values.appendRun(vs[i:j], pageBytes)
		e.appendPresent(n)
		i += n
		if len(e.values.raw) >= pageBytes {
			return i
		}
	}
	return len(vs)
}

func (e *encoder) appendNulls(n int) {
	if e.nulls == 0 {
		e.present = grow(e.present, e.rows)
		for i := range e.present {
			e.present[i] = 1
		}
	}
	for range n {
		e.present = append(e.present, 0)
	}
	e.rows, e.nulls = e.rows+n, e.nulls+n
}

func (e *encoder) appendPresent(n int) {
	if e.nulls > 0 {
		for range n {
			e.present = append(e.present, 1)
		}
	}
	e.rows += n
}

func grow(b []byte, n int) []byte {
	if cap(b) < n {
		return make([]byte, n, 2*n)
	}
	return b[:n]
}

// seal turns the values gathered so far into indices, while there is a dictionary.
func (e *encoder) seal() {
	if !e.room() {
		return
	}
	if len(e.indices) > 0 || e.values.len() > 0 {
		e.indices = e.dict.add(e.indices, &e.values, 0, e.values.len())
		e.values.reset()
	}
}

// room says whether the dictionary takes another value.
func (e *encoder) room() bool {
	return e.dict != nil && !e.plain && e.dict.values.plainBytes() < dictMaxBytes
}

func (e *encoder) flushFull() error {
	if e.rows < pageRows && e.values.plainBytes() < pageBytes && (len(e.indices) == 0 || e.adopted || e.room()) {
		return nil
	}
	return e.flush()
}

// flush ends the current page.
func (e *encoder) flush() error {
	if e.rows == 0 {
		return nil
	}
	e.seal()
	if e.dict != nil && e.dictPages == 0 && !e.adopted && len(e.indices) > 0 && !e.worthwhile() {
		e.dict.undo(&e.values, e.indices)
		e.dict, e.indices = nil, e.indices[:0]
	}
	p := donePage{encoding: e.coding.encoding, rows: e.rows, pageFacts: pageFacts{nulls: e.nulls, bounded: true}}
	e.body = e.body[:0]
	if !e.column.Required {
		if err := e.encodeLevels(); err != nil {
			return err
		}
	}
	levels := len(e.body)
	var err error
	if len(e.indices) > 0 {
		p.encoding = encDictionary
		p.bounds = e.dictBounds(e.indices)
		err = e.encodeIndices(e.indices)
		e.dictPages++
	} else {
		p.bounds = vectorBounds(&e.values, e.column.Type)
		err = e.encodeValues(p.encoding)
	}
	if err != nil {
		return err
	}
	if err := e.finishData(e.body, levels, p); err != nil {
		return err
	}
	e.rows, e.nulls = 0, 0
	e.present, e.indices = e.present[:0], e.indices[:0]
	e.values.reset()
	return nil
}

// worthwhile says whether the dictionary makes the first page smaller.
func (e *encoder) worthwhile() bool {
	if e.values.len() > 0 {
		return false // the dictionary was full before the page was
	}
	plainBytes := 0
	for _, i := range e.indices {
		if e.dict.values.kind == parquet.ByteArray {
			plainBytes += 4 + len(e.dict.values.bytes(int(i)))
		}
	}
	if e.dict.values.kind != parquet.ByteArray {
		plainBytes = len(e.indices) * e.dict.values.plainBytes() / max(1, e.dict.values.len())
	}
	return e.dict.values.plainBytes()+len(e.indices)*e.dict.width()/8 < plainBytes*3/4
}
