package parquetedit

import (
	"encoding/binary"
	"fmt"
	"slices"
)

// find gives the field with that id.
func (t tree) find(id int16) (field, bool) {
	for _, f := range t {
		if f.id == id {
			return f, true
		}
	}
	return field{}, false
}

// int gives an integer of any width; ok is false when the field is absent or no integer.
func (t tree) int(id int16) (v int64, ok bool) {
	f, ok := t.find(id)
	if !ok {
		return 0, false
	}
	switch f.typ {
	case tI8:
		return int64(int8(f.raw[0])), true
	case tI16, tI32, tI64:
		v, _ = binary.Varint(f.raw)
		return v, true
	default:
		return 0, false
	}
}

// bool gives a boolean, or absent when the field is not there.
func (t tree) bool(id int16, absent bool) bool {
	f, ok := t.find(id)
	switch {
	case ok && f.typ == tTrue:
		return true
	case ok && f.typ == tFalse:
		return false
	default:
		return absent
	}
}

// bytes gives a string; it aliases the footer.
func (t tree) bytes(id int16) ([]byte, bool) {
	f, ok := t.find(id)
	if !ok || f.typ != tBinary {
		return nil, false
	}
	_, n := binary.Uvarint(f.raw)
	return f.raw[n:], true
}

// sub gives a struct; it is empty when the field is absent.
func (t tree) sub(id int16) (tree, bool, error) {
	f, ok := t.find(id)
	if !ok || f.typ != tStruct {
		return nil, false, nil
	}
	s, _, err := readTree(f.raw)
	return s, err == nil, err
}

// list gives the encoded elements of a list, which must be of that type; none when the field is absent.
func (t tree) list(id int16, typ byte) ([][]byte, error) {
	f, ok := t.find(id)
	if !ok {
		return nil, nil
	}
	if f.typ != tList {
		return nil, corrupt("thrift: field %d is no list", id)
	}
	got, count, n, err := readListHeader(f.raw)
	if err != nil {
		return nil, err
	}
	// Booleans may be announced as either of their two types.
	if count > 0 && got != typ && (got > tFalse || typ > tFalse) {
		return nil, corrupt("thrift: list of type %d, want %d", got, typ)
	}
	if count > maxElements {
		return nil, fmt.Errorf("%w: list of %d elements, at most %d", ErrTooLarge, count, maxElements)
	}
	elems := make([][]byte, count)
	for i := range elems {
		v, err := skip(got, f.raw[n:], maxDepth)
		if err != nil {
			return nil, err
		}
		elems[i], n = f.raw[n:n+v:n+v], n+v
	}
	return elems, nil
}

// ints gives the elements of a list of integers.
func (t tree) ints(id int16, typ byte) ([]int64, error) {
	elems, err := t.list(id, typ)
	if err != nil {
		return nil, err
	}
	vs := make([]int64, len(elems))
	for i, e := range elems {
		vs[i], _ = binary.Varint(e)
	}
	return vs, nil
}

// elemBytes is a string that is an element of a list.
func elemBytes(elem []byte) []byte {
	_, n := binary.Uvarint(elem)
	return elem[n:]
}

// with gives the struct with these fields put in: in the place of the one with the same id, or where
// the order of the ids wants it. The struct itself stays as it is.
func (t tree) with(fs ...field) tree {
	t = slices.Clone(t)
	for _, f := range fs {
		i := slices.IndexFunc(t, func(o field) bool { return o.id >= f.id })
		switch {
		case i < 0:
			t = append(t, f)
		case t[i].id == f.id:
			t[i] = f
		default:
			t = slices.Insert(t, i, f)
		}
	}
	return t
}

// without gives the struct without the fields of these ids.
func (t tree) without(ids ...int16) tree {
	return slices.DeleteFunc(slices.Clone(t), func(f field) bool { return slices.Contains(ids, f.id) })
}

// encode appends the encoding of the struct to b.
func (t tree) encode(b []byte) []byte {
	last := int16(0)
	for _, f := range t {
		if d := int(f.id) - int(last); d > 0 && d <= 15 && !f.long {
			b = append(b, byte(d)<<4|f.typ)
		} else {
			b = binary.AppendVarint(append(b, f.typ), int64(f.id))
		}
		b, last = append(b, f.raw...), f.id
	}
	return append(b, 0)
}

func boolField(id int16, v bool) field {
	if v {
		return field{id: id, typ: tTrue}
	}
	return field{id: id, typ: tFalse}
}

func i8Field(id int16, v int8) field { return field{id: id, typ: tI8, raw: []byte{byte(v)}} }

func i16Field(id int16, v int64) field {
	return field{id: id, typ: tI16, raw: binary.AppendVarint(nil, v)}
}

func i32Field(id int16, v int64) field {
	return field{id: id, typ: tI32, raw: binary.AppendVarint(nil, v)}
}

func i64Field(id int16, v int64) field {
	return field{id: id, typ: tI64, raw: binary.AppendVarint(nil, v)}
}

func binaryField[T string | []byte](id int16, v T) field {
	return field{id: id, typ: tBinary, raw: binaryElem(v)}
}

func structField(id int16, t tree) field {
	return field{id: id, typ: tStruct, raw: t.encode(nil)}
}

func listField(id int16, typ byte, elems [][]byte) field {
	size := 6
	for _, e := range elems {
		size += len(e)
	}
	raw := make([]byte, 0, size)
	if len(elems) < 15 {
		raw = append(raw, byte(len(elems))<<4|typ)
	} else {
		raw = binary.AppendUvarint(append(raw, 0xf0|typ), uint64(len(elems)))
	}
	for _, e := range elems {
		raw = append(raw, e...)
	}
	return field{id: id, typ: tList, raw: raw}
}

func binaryElem[T string | []byte](v T) []byte {
	return append(binary.AppendUvarint(make([]byte, 0, len(v)+3), uint64(len(v))), v...)
}

func intElem(v int64) []byte { return binary.AppendVarint(nil, v) }

func boolElem(v bool) []byte {
	if v {
		return []byte{tTrue}
	}
	return []byte{tFalse}
}
