package lake

import (
	"encoding/binary"
	"slices"

	"github.com/parquet-go/parquet-go"
	"github.com/zeebo/xxh3"

	"sluice/internal/parquetedit"
)

// matched is a value of a page whose key changes.
type matched struct {
	k int32 // number of the value among those of the page
	n int32 // of the key in the index
}

// firstIndex indexes the values that changed keys have in their first column, each once: as integers or as texts where the
// files hold these, so that a row is looked up as it lies in a page. Of a key of one column the numbers are those of the changes.
func (c *Changes) firstIndex() *keyIndex {
	t := c.Schema.Columns[c.key[0]].Type
	firsts := c.entries
	if len(c.key) > 1 {
		firsts = nil
		for _, e := range c.entries {
			key := e.key[:partLength(t, e.key)]
			if n := len(firsts); n == 0 || firsts[n-1].key != key {
				firsts = append(firsts, entry{key: key})
			}
		}
	}
	x := &keyIndex{entries: firsts}
	switch {
	case isInt(t):
		x.ints = make([]int64, len(firsts))
		for i, e := range firsts {
			x.ints[i], _ = DecodeIntKey(t, e.key)
		}
	case isPlainText(t):
		x.texts = make([]string, len(firsts))
		for i, e := range firsts {
			x.texts[i] = unescaped(e.key)
		}
	}
	x.rebuild(len(firsts))
	x.screen()
	return x
}

// isPlainText says whether a key of the type is encoded as the bytes that the files hold.
func isPlainText(t parquetedit.Type) bool {
	f := familyOf(t)
	return isBytes(t) && (f == famBytes || f == famUUID)
}

// partLength is the length of the encoding of the column that a key begins with; see AppendKey.
func partLength(t parquetedit.Type, key string) int {
	if key[0] == keyNull {
		return 1
	}
	if isInt(t) {
		return 9
	}
	switch familyOf(t) {
	case famBool:
		return 2
	case famFloat:
		return 9
	case famNumber:
		const middle = 1 << 31
		n := int64(binary.BigEndian.Uint32([]byte(key[1:5]))) - middle
		return 5 + int(max(n, -n))
	case famTimestamp:
		return 13
	case famBytes, famUUID, famDate, famTime, famOther:
	}
	for i := 1; ; i++ {
		if key[i] == 0 {
			if key[i+1] == 1 {
				return i + 2
			}
			i++
		}
	}
}

// unescaped is the bytes that appendEscaped encoded behind keyValue.
func unescaped(key string) string {
	text := key[1 : len(key)-2]
	for i := range len(text) {
		if text[i] == 0 {
			plain := []byte(text[:i])
			for ; i < len(text); i++ {
				plain = append(plain, text[i])
				if text[i] == 0 {
					i++ // the FF behind it
				}
			}
			return string(plain)
		}
	}
	return text
}

const phi = 0x9e3779b97f4a7c15 // 2^64 divided by the golden ratio: a product's high bits depend on every bit

// screen makes the bitmap that most values that are not there do not pass: sixteen bits for a key.
func (x *keyIndex) screen() {
	width := 10
	for 1<<width < 16*len(x.entries) && width < 23 {
		width++
	}
	x.shift, x.bits = 64-width, make([]uint64, 1<<width/64)
	for i := range x.entries {
		at := x.hash(i) * phi >> x.shift
		x.bits[at/64] |= 1 << (at % 64)
	}
}

// passes says whether a hash may be that of a key.
func (x *keyIndex) passes(hash uint64) bool {
	at := hash * phi >> x.shift
	return x.bits[at/64]>>(at%64)&1 != 0
}

// findText returns the number of a text, or -1.
func (x *keyIndex) findText(text []byte) int32 {
	hash := xxh3.Hash(text)
	if !x.passes(hash) {
		return -1
	}
	for at := hash & x.mask; ; at = (at + 1) & x.mask {
		n := x.slots[at]
		if n == 0 {
			return -1
		}
		if x.texts[n-1] == string(text) {
			return n - 1
		}
	}
}

// findValue returns the number of a value of the table's type, or -1.
func (x *keyIndex) findValue(t parquetedit.Type, v value, scratch *[]byte) int32 {
	switch {
	case v.IsNull():
		return -1
	case x.ints != nil:
		key, _ := IntKey(t, v)
		return x.findInt(key)
	case x.texts != nil:
		return x.findText(v.Bytes())
	}
	*scratch = AppendKey((*scratch)[:0], t, v)
	return x.find(*scratch)
}

// intsOf appends the values that are keys. Values that come in order are found by going along the keys; order, as soon as it
// is broken, is not looked for again.
func intsOf[T int32 | int64](x *keyIndex, values []T, key func(T) int64, unordered *bool, found []matched) []matched {
	k := 0
	if !*unordered && len(values) > 0 {
		last := key(values[0])
		n, _ := slices.BinarySearch(x.ints, last)
		for ; k < len(values); k++ {
			v := key(values[k])
			if v < last {
				*unordered = true
				break
			}
			last = v
			for n < len(x.ints) && x.ints[n] < v {
				n++
			}
			if n < len(x.ints) && x.ints[n] == v {
				found = append(found, matched{int32(k), int32(n)})
			}
		}
	}
	for ; k < len(values); k++ {
		v := key(values[k])
		if !x.passes(uint64(v)) {
			continue
		}
		if n := x.findInt(v); n >= 0 {
			found = append(found, matched{int32(k), n})
		}
	}
	return found
}

// int32sOf and int64sOf are intsOf for columns that may be unsigned.
func int32sOf(x *keyIndex, t parquetedit.Type, values []int32, unordered *bool, found []matched) []matched {
	if t.Logical == parquetedit.Integer && !t.Signed {
		return intsOf(x, values, func(v int32) int64 { return int64(uint32(v)) }, unordered, found)
	}
	return intsOf(x, values, func(v int32) int64 { return int64(v) }, unordered, found)
}

func int64sOf(x *keyIndex, t parquetedit.Type, values []int64, unordered *bool, found []matched) []matched {
	if t.Logical == parquetedit.Integer && !t.Signed {
		return intsOf(x, values, func(v int64) int64 { return int64(uint64(v) ^ signBit) }, unordered, found)
	}
	return intsOf(x, values, func(v int64) int64 { return v }, unordered, found)
}

// firstColumn looks the values of the first key column of a row group up.
type firstColumn struct {
	*keyIndex
	table     parquetedit.Type
	convert   convertFunc // nil = the file holds values of the table's type
	bad       func(row int64, err error) error
	unordered bool
	entries   []int32 // of the dictionary: the number of a value, unseen, or -1
	found     []matched
	scratch   []byte
}

const unseen = -2

// page gives the rows of a page whose values are keys.
func (f *firstColumn) page(p *parquetedit.Page, add func(row int64, n int32)) error {
	f.found = f.found[:0]
	switch {
	case p.Indices != nil:
		if err := f.indexed(p); err != nil {
			return err
		}
	case f.convert == nil && f.ints != nil && f.table.Physical == parquet.Int64:
		f.found = int64sOf(f.keyIndex, f.table, p.Int64s(), &f.unordered, f.found)
	case f.convert == nil && f.ints != nil:
		f.found = int32sOf(f.keyIndex, f.table, p.Int32s(), &f.unordered, f.found)
	case f.convert == nil && f.texts != nil:
		for k := range p.Len() {
			if n := f.findText(p.Bytes(k)); n >= 0 {
				f.found = append(f.found, matched{int32(k), n})
			}
		}
	default:
		for k := range p.Len() {
			n, err := f.value(p, k, int32(k))
			if err != nil {
				return err
			}
			if n >= 0 {
				f.found = append(f.found, matched{int32(k), n})
			}
		}
	}
	f.rows(p, add)
	return nil
}

// indexed looks every entry of the dictionary up when it is first met.
func (f *firstColumn) indexed(p *parquetedit.Page) error {
	if len(f.entries) != p.Len() {
		f.entries = slices.Repeat([]int32{unseen}, p.Len())
	}
	for k, i := range p.Indices {
		n := f.entries[i]
		if n == unseen {
			var err error
			if n, err = f.value(p, k, i); err != nil {
				return err
			}
			f.entries[i] = n
		}
		if n >= 0 {
			f.found = append(f.found, matched{int32(k), n})
		}
	}
	return nil
}

// value looks value i of a page up, which is that of the k-th row that is not NULL.
func (f *firstColumn) value(p *parquetedit.Page, k int, i int32) (int32, error) {
	v := p.Value(int(i))
	if f.convert != nil {
		var err error
		if v, err = f.convert(v); err != nil {
			return -1, f.bad(rowOf(p, k), err)
		}
	}
	return f.findValue(f.table, v, &f.scratch), nil
}

// rows hands over the rows of the values that were found.
func (f *firstColumn) rows(p *parquetedit.Page, add func(row int64, n int32)) {
	if p.Present == nil {
		for _, m := range f.found {
			add(p.First+int64(m.k), m.n)
		}
		return
	}
	row, k := 0, int32(0) // k is the number of values before row
	for _, m := range f.found {
		for ; k <= m.k; row++ {
			k += int32(p.Present[row])
		}
		add(p.First+int64(row-1), m.n)
	}
}

// rowOf is the row of the k-th value of a page.
func rowOf(p *parquetedit.Page, k int) int64 {
	for row := range p.Rows {
		if p.Present == nil || p.Present[row] != 0 {
			if k == 0 {
				return p.First + int64(row)
			}
			k--
		}
	}
	return -1
}
