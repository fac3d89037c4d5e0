package parquetedit

import (
	"encoding/binary"
	"fmt"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/encoding/delta"
)

// plainValues reads n values in the PLAIN encoding into an empty vector. Bytes behind them are ignored,
// as other readers do.
func plainValues(v *vector, b []byte, n int) error {
	short := func(size int) bool { return len(b)/size < n }
	switch v.kind {
	case parquet.Boolean:
		if len(b) < (n+7)/8 {
			return corrupt("%d bytes for %d booleans", len(b), n)
		}
		for i := range n {
			v.raw = append(v.raw, b[i>>3]>>(i&7)&1)
		}
	case parquet.Int32, parquet.Float:
		if short(4) {
			return corrupt("%d bytes for %d values", len(b), n)
		}
		for i := range n {
			v.i32 = append(v.i32, int32(binary.LittleEndian.Uint32(b[4*i:])))
		}
	case parquet.Int64, parquet.Double:
		if short(8) {
			return corrupt("%d bytes for %d values", len(b), n)
		}
		for i := range n {
			v.i64 = append(v.i64, int64(binary.LittleEndian.Uint64(b[8*i:])))
		}
	case parquet.Int96, parquet.FixedLenByteArray:
		if short(v.width) {
			return corrupt("%d bytes for %d values", len(b), n)
		}
		v.raw = append(v.raw, b[:n*v.width]...)
	case parquet.ByteArray:
		return plainByteArrays(v, b, n)
	}
	return nil
}

func plainByteArrays(v *vector, b []byte, n int) error {
	if len(b)/4 < n {
		return corrupt("%d bytes for %d values", len(b), n)
	}
	if need := len(b) - 4*n; cap(v.raw) < need {
		v.raw = make([]byte, 0, need)
	}
	if cap(v.ends) < n+1 {
		v.ends = append(make([]uint32, 0, n+1), 0)
	}
	for range n {
		if len(b) < 4 {
			return corrupt("value beyond the page")
		}
		size := binary.LittleEndian.Uint32(b)
		if uint64(size) > uint64(len(b)-4) {
			return corrupt("value of %d bytes, %d are left", size, len(b)-4)
		}
		v.appendBytes(b[4 : 4+size])
		b = b[4+size:]
	}
	return nil
}

// deltaSize checks the headers of a DELTA_BINARY_PACKED run of n integers, which parquet-go's decoder
// takes as they come, and says how many bytes the run takes.
func deltaSize(b []byte, n, bits int) (int, error) {
	at := 0
	next := func() uint64 {
		u, m := binary.Uvarint(b[at:])
		if m <= 0 {
			at = len(b) + 1
			return 0
		}
		at += m
		return u
	}
	if len(b) == 0 {
		return 0, corrupt("delta: no header")
	}
	block := next()
	minis, total := uint64(0), uint64(0)
	for _, u := range []*uint64{&minis, &total} {
		if at <= len(b) {
			*u = next()
		}
	}
	if at <= len(b) {
		next() // the first value
	}
	if at > len(b) || block == 0 || block > 1<<16 || minis == 0 || minis > block || block%minis != 0 || (block/minis)%8 != 0 {
		return 0, corrupt("delta: blocks of %d in %d", block, minis)
	}
	if total != uint64(n) {
		return 0, corrupt("delta: %d values in a page of %d", total, n)
	}
	per := int(block / minis)
	for left := n - 1; left > 0; {
		if next(); at > len(b) || int(minis) > len(b)-at {
			return 0, corrupt("delta: %d values missing", left)
		}
		widths := b[at : at+int(minis)]
		at += int(minis)
		for _, w := range widths {
			if left <= 0 {
				break
			}
			if int(w) > bits {
				return 0, corrupt("delta: %d bits", w)
			}
			at += per * int(w) / 8
			left -= per
		}
		if at > len(b) {
			// Some writers do not pad the last miniblock.
			if at-len(b) > per*bits/8 || left > 0 {
				return 0, corrupt("delta: block beyond the page")
			}
			at = len(b)
		}
	}
	return at, nil
}

// lengths reads n DELTA_BINARY_PACKED lengths, none negative, and their sum.
func lengths(b []byte, n int) (ls []int32, sum int64, rest []byte, err error) {
	size, err := deltaSize(b, n, 32)
	if err != nil {
		return nil, 0, nil, err
	}
	var e delta.BinaryPackedEncoding
	if ls, err = e.DecodeInt32(nil, b[:size:size]); err != nil {
		return nil, 0, nil, corrupt("%v", err)
	}
	if len(ls) != n {
		return nil, 0, nil, corrupt("delta: %d lengths, want %d", len(ls), n)
	}
	for _, l := range ls {
		if l < 0 {
			return nil, 0, nil, corrupt("delta: length %d", l)
		}
		sum += int64(l)
	}
	return ls, sum, b[size:], nil
}

func deltaLengthValues(v *vector, b []byte, n int) error {
	if v.kind != parquet.ByteArray {
		return corrupt("delta length encoding for %v", v.kind)
	}
	ls, sum, b, err := lengths(b, n)
	if err != nil {
		return err
	}
	if sum > int64(len(b)) {
		return corrupt("delta: values of %d bytes, %d are left", sum, len(b))
	}
	for _, l := range ls {
		v.appendBytes(b[:l])
		b = b[l:]
	}
	return nil
}

// deltaByteValues reads DELTA_BYTE_ARRAY, whose shared prefixes may make a few bytes explode.
func deltaByteValues(v *vector, b []byte, n int) error {
	if v.kind != parquet.ByteArray && v.kind != parquet.FixedLenByteArray {
		return corrupt("delta byte array encoding for %v", v.kind)
	}
	prefixes, shared, b, err := lengths(b, n)
	if err != nil {
		return err
	}
	suffixes, own, b, err := lengths(b, n)
	if err != nil {
		return err
	}
	if own > int64(len(b)) {
		return corrupt("delta: suffixes of %d bytes, %d are left", own, len(b))
	}
	if whole := shared + own; whole > maxPageBytes || whole > freeBytes && whole/maxPageRatio > own+int64(n) {
		return fmt.Errorf("%w: %d bytes of values in a page of %d", ErrTooLarge, whole, own)
	}
	last := 0
	for i, p := range prefixes {
		if int(p) > len(v.raw)-last {
			return corrupt("delta: prefix of %d bytes", p)
		}
		start := len(v.raw)
		v.raw = append(v.raw, v.raw[last:last+int(p)]...)
		v.raw = append(v.raw, b[:suffixes[i]]...)
		b, last = b[suffixes[i]:], start
		if v.kind == parquet.ByteArray {
			v.ends = append(v.ends, uint32(len(v.raw)))
		} else if len(v.raw)-start != v.width {
			return corrupt("delta: value of %d bytes, want %d", len(v.raw)-start, v.width)
		}
	}
	return nil
}
