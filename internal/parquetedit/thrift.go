package parquetedit

import (
	"encoding/binary"
)

// The types of the Thrift compact protocol
// (https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md).
const (
	tTrue   = 1
	tFalse  = 2
	tI8     = 3
	tI16    = 4
	tI32    = 5
	tI64    = 6
	tDouble = 7
	tBinary = 8
	tList   = 9
	tSet    = 10
	tMap    = 11
	tStruct = 12
)

// maxDepth bounds the nesting of structs and lists; a Parquet footer needs eight.
const maxDepth = 32

// field is one field of a struct. raw is its encoding without the field header, and aliases what it
// was read from; it is empty for booleans, whose value is the type. What nobody edits stays raw, so
// that a struct that is read and written again is the same bytes whatever it holds.
type field struct {
	id   int16
	typ  byte
	long bool // the header was written in the long form
	raw  []byte
}

// tree is a struct: its fields in the order in which they were written.
type tree []field

// readTree reads the struct at the start of b and says how many bytes it takes.
func readTree(b []byte) (tree, int, error) {
	var t tree
	n, id := 0, int16(0)
	for {
		f, h, err := readFieldHeader(b[n:], id)
		if err != nil {
			return nil, 0, err
		}
		n += h
		if f.typ == 0 {
			return t, n, nil
		}
		v := 0
		if f.typ != tTrue && f.typ != tFalse {
			if v, err = skip(f.typ, b[n:], maxDepth); err != nil {
				return nil, 0, err
			}
		}
		if len(t) == maxFields {
			return nil, 0, corrupt("thrift: struct of more than %d fields", maxFields)
		}
		f.raw = b[n : n+v : n+v]
		t, id, n = append(t, f), f.id, n+v
	}
}

// readFieldHeader reads the header of the field behind the one with the id last; type 0 is the end.
func readFieldHeader(b []byte, last int16) (field, int, error) {
	if len(b) == 0 {
		return field{}, 0, corrupt("thrift: struct without end")
	}
	typ, delta := b[0]&0x0f, int16(b[0]>>4)
	if b[0] == 0 {
		return field{}, 1, nil
	}
	if typ == 0 || typ > tStruct {
		return field{}, 0, corrupt("thrift: field type %d", typ)
	}
	if delta != 0 {
		return field{id: last + delta, typ: typ}, 1, nil
	}
	id, n := binary.Varint(b[1:])
	if n <= 0 || id != int64(int16(id)) {
		return field{}, 0, corrupt("thrift: field id")
	}
	return field{id: int16(id), typ: typ, long: true}, 1 + n, nil
}

// skip says how many bytes the value at the start of b takes.
func skip(typ byte, b []byte, depth int) (int, error) {
	if depth == 0 {
		return 0, corrupt("thrift: nested too deep")
	}
	n := 0
	switch typ {
	case tTrue, tFalse, tI8:
		n = 1
	case tI16, tI32, tI64:
		if _, n = binary.Uvarint(b); n <= 0 {
			return 0, corrupt("thrift: integer")
		}
	case tDouble:
		n = 8
	case tBinary:
		size, h := binary.Uvarint(b)
		if h <= 0 || size > uint64(len(b)-h) {
			return 0, corrupt("thrift: string length")
		}
		n = h + int(size)
	case tList, tSet:
		return skipList(b, depth)
	case tMap:
		return skipMap(b, depth)
	case tStruct:
		return skipStruct(b, depth)
	default:
		return 0, corrupt("thrift: type %d", typ)
	}
	if n > len(b) {
		return 0, corrupt("thrift: value beyond the end")
	}
	return n, nil
}

func skipStruct(b []byte, depth int) (int, error) {
	n, id := 0, int16(0)
	for {
		f, h, err := readFieldHeader(b[n:], id)
		if err != nil {
			return 0, err
		}
		n, id = n+h, f.id
		if f.typ == 0 {
			return n, nil
		}
		if f.typ == tTrue || f.typ == tFalse {
			continue
		}
		v, err := skip(f.typ, b[n:], depth-1)
		if err != nil {
			return 0, err
		}
		n += v
	}
}

func skipList(b []byte, depth int) (int, error) {
	typ, count, n, err := readListHeader(b)
	if err != nil {
		return 0, err
	}
	for range count {
		v, err := skip(typ, b[n:], depth-1)
		if err != nil {
			return 0, err
		}
		n += v
	}
	return n, nil
}

func skipMap(b []byte, depth int) (int, error) {
	count, n := binary.Uvarint(b)
	if n <= 0 || count > uint64(len(b)) {
		return 0, corrupt("thrift: map size")
	}
	if count == 0 {
		return n, nil
	}
	if n >= len(b) {
		return 0, corrupt("thrift: map without types")
	}
	types := [2]byte{b[n] >> 4, b[n] & 0x0f}
	n++
	for i := range 2 * count {
		v, err := skip(types[i%2], b[n:], depth-1)
		if err != nil {
			return 0, err
		}
		n += v
	}
	return n, nil
}

// readListHeader gives the element type and count of the list at the start of b, and the header's size.
func readListHeader(b []byte) (typ byte, count, n int, err error) {
	if len(b) == 0 {
		return 0, 0, 0, corrupt("thrift: list without header")
	}
	typ, count, n = b[0]&0x0f, int(b[0]>>4), 1
	if count == 15 {
		size, h := binary.Uvarint(b[1:])
		if h <= 0 || size > uint64(len(b)) {
			return 0, 0, 0, corrupt("thrift: list size")
		}
		count, n = int(size), 1+h
	}
	// Every element takes a byte at least.
	if count > len(b)-n {
		return 0, 0, 0, corrupt("thrift: list of %d elements in %d bytes", count, len(b)-n)
	}
	return typ, count, n, nil
}
