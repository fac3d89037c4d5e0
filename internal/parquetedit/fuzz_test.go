package parquetedit_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"slices"
	"testing"

	"github.com/parquet-go/parquet-go/format"

	"sluice/internal/parquetedit"
)

// known says whether an error is one that a caller can tell.
func known(err error) bool {
	for _, e := range []error{
		parquetedit.ErrCorrupt, parquetedit.ErrEncrypted, parquetedit.ErrCodec, parquetedit.ErrEncoding,
		parquetedit.ErrNested, parquetedit.ErrTooLarge,
	} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// bytesLeft are the choices of a fuzzer; 0 when there are no more.
type bytesLeft struct{ b []byte }

func (x *bytesLeft) IntN(n int) int {
	v := 0
	for m := n - 1; m > 0 && len(x.b) > 0; m >>= 8 {
		v, x.b = v<<8|int(x.b[0]), x.b[1:]
	}
	return v % n
}

// survives: whatever a file holds, reading and editing it ends with a known error or with a file that can be read; when all values of the old one
// could be read, it holds those of the naive rewrite.
func survives(t *testing.T, b, choices []byte) {
	t.Helper()
	f, err := parquetedit.Open(t.Context(), source(b))
	if err != nil {
		if !known(err) {
			t.Fatal(err)
		}
		return
	}
	if f.NumRows() > 1<<16 || len(f.Columns()) > 100 || len(f.RowGroups()) > 100 || f.NumRows()*int64(len(f.Columns())) > 1<<19 {
		return
	}
	for rg := range f.RowGroups() {
		for c := range f.Columns() {
			f.Bounds(rg, c)
		}
	}
	values, broken := tryValues(t, f)
	if broken != nil && !known(broken) {
		t.Fatal(broken)
	}
	s := parquetedit.Script{Parallel: 1}
	if broken == nil {
		s = someScript(&bytesLeft{choices}, f.Columns(), values)
	} else if f.NumRows() > 1 {
		s.Deletes = []int64{0}
	}
	var out bytes.Buffer
	stats, err := parquetedit.Rewrite(t.Context(), f, s, parquetedit.NewOutput(source(b), &out))
	if err != nil {
		if !known(err) {
			t.Fatal(err)
		}
		return
	}
	again, err := parquetedit.Open(t.Context(), source(out.Bytes()))
	if err != nil || again.NumRows() != stats.Rows {
		t.Fatal("rewritten:", stats, err)
	}
	if broken == nil {
		if d := firstOther(t, again, naive(values, s)); d != "" {
			t.Fatal(d)
		}
	}
}

// FuzzEdit: whole files and edit scripts.
func FuzzEdit(f *testing.F) {
	files, names := subjects(f)
	for i, name := range names {
		f.Add(files[name], slices.Repeat([]byte{2, byte(i), 3, 7, byte(i * 37), 1}, 40))
	}
	f.Fuzz(survives)
}

// FuzzFooter: the pages are good, the footer is anything.
func FuzzFooter(f *testing.F) {
	files, names := subjects(f)
	for i, name := range names {
		x := layoutOf(files[name])
		f.Add(byte(i), x.b[x.footerAt:len(x.b)-8], []byte{2, 0, 3})
	}
	f.Fuzz(func(t *testing.T, i byte, footer, choices []byte) {
		x := layoutOf(files[names[int(i)%len(names)]])
		b := binary.LittleEndian.AppendUint32(append(slices.Clone(x.b[:x.footerAt]), footer...), uint32(len(footer)))
		survives(t, append(b, "PAR1"...), choices)
	})
}

// FuzzPages: the footer is good, the headers and bodies of the pages are anything.
func FuzzPages(f *testing.F) {
	files, names := subjects(f)
	for _, name := range names {
		x := newSubject(f, name, files[name])
		for c, column := range x.columns {
			typ := slices.IndexFunc(types(), func(t parquetedit.Type) bool {
				return t.Physical == column.Type.Physical && t.Length == column.Type.Length
			})
			chunk := layoutOf(x.body).groups[0].chunks[c]
			if typ >= 0 && !column.Required && len(chunk.raw) > 0 {
				f.Add(byte(typ), byte(chunk.meta.int(4)), uint16(chunk.meta.int(5)), chunk.raw, []byte{2, 1, 3})
			}
		}
	}
	f.Fuzz(func(t *testing.T, typ, codec byte, rows uint16, pages, choices []byte) {
		survives(t, aroundPages(t, types()[int(typ)%len(types())], format.CompressionCodec(codec), int64(rows), pages), choices)
	})
}
