package parquetedit

import (
	"encoding/binary"

	"github.com/parquet-go/bitpack"
)

// hybrid decodes n integers of the RLE/bit-packing hybrid into dst[:0]. parquet-go's decoder believes
// the run lengths, which are up to 2^31 values in a few bytes; this one stops at n.
func hybrid(dst []int32, src []byte, width, n int) ([]int32, error) {
	if width < 0 || width > 32 {
		return nil, corrupt("rle: %d bits", width)
	}
	if cap(dst) < n {
		dst = make([]int32, 0, n)
	}
	dst = dst[:0]
	bytes := (width + 7) / 8
	for len(dst) < n {
		h, m := binary.Uvarint(src)
		if m <= 0 {
			return nil, corrupt("rle: %d of %d values", len(dst), n)
		}
		src = src[m:]
		left := n - len(dst)
		if h&1 == 0 {
			if len(src) < bytes {
				return nil, corrupt("rle: run without value")
			}
			v := runValue(src[:bytes])
			src = src[bytes:]
			at := len(dst)
			dst = dst[:at+int(min(h>>1, uint64(left)))]
			for i := at; i < len(dst); i++ {
				dst[i] = v
			}
			continue
		}
		groups := h >> 1
		if groups == 0 || groups > uint64(len(src)) && width > 0 {
			return nil, corrupt("rle: %d groups in %d bytes", groups, len(src))
		}
		count := int(min(groups*8, uint64(left)))
		size := min(int(groups)*width, len(src))
		if size*8 < count*width {
			return nil, corrupt("rle: bit-packed run of %d values in %d bytes", count, len(src))
		}
		at := len(dst)
		dst = dst[:at+count]
		unpack(dst[at:], src[:size], width)
		src = src[size:]
	}
	return dst, nil
}

func runValue(b []byte) int32 {
	var v uint32
	for i, x := range b {
		v |= uint32(x) << (8 * i)
	}
	return int32(v)
}

// unpack reads len(dst) integers of that many bits. The library wants bytes to read behind the last one.
func unpack(dst []int32, src []byte, width int) {
	if width == 0 {
		clear(dst)
		return
	}
	if cap(src)-len(src) < bitpack.PaddingInt32 {
		padded := make([]byte, len(src), len(src)+bitpack.PaddingInt32)
		copy(padded, src)
		src = padded
	}
	bitpack.Unpack(dst, src, uint(width))
}

// allPresent says whether n definition levels begin with a run that says of all that there is a value.
func allPresent(src []byte, n int) bool {
	h, m := binary.Uvarint(src)
	return m > 0 && m < len(src) && h&1 == 0 && h>>1 >= uint64(n) && src[m] == 1
}

// presence decodes the n definition levels of a flat optional column into one byte each, 1 for a
// value and 0 for NULL, and counts the values.
func presence(dst []byte, src []byte, n int) ([]byte, int, error) {
	if cap(dst) < n {
		dst = make([]byte, 0, n)
	}
	dst = dst[:0]
	ones := 0
	for len(dst) < n {
		h, m := binary.Uvarint(src)
		if m <= 0 || m == len(src) {
			return nil, 0, corrupt("definition levels: %d of %d", len(dst), n)
		}
		src = src[m:]
		at, left := len(dst), n-len(dst)
		if h&1 == 0 {
			if src[0] > 1 {
				return nil, 0, corrupt("definition level %d", src[0])
			}
			dst = dst[:at+int(min(h>>1, uint64(left)))]
			for i := at; i < len(dst); i++ {
				dst[i] = src[0]
			}
			ones += int(src[0]) * (len(dst) - at)
			src = src[1:]
			continue
		}
		groups := h >> 1
		if groups == 0 || groups > uint64(len(src)) {
			return nil, 0, corrupt("definition levels: %d groups in %d bytes", groups, len(src))
		}
		dst = dst[:at+min(int(groups)*8, left)]
		for i := at; i < len(dst); i++ {
			k := i - at
			b := src[k>>3] >> (k & 7) & 1
			dst[i] = b
			ones += int(b)
		}
		src = src[groups:]
	}
	return dst, ones, nil
}

// bitPresence decodes the deprecated BIT_PACKED levels, most significant bit first.
func bitPresence(dst []byte, src []byte, n int) ([]byte, int, error) {
	if len(src) < (n+7)/8 {
		return nil, 0, corrupt("definition levels: %d bytes for %d values", len(src), n)
	}
	dst = dst[:0]
	ones := 0
	for i := range n {
		b := src[i>>3] >> (7 - i&7) & 1
		dst = append(dst, b)
		ones += int(b)
	}
	return dst, ones, nil
}
