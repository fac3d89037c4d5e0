package parquetedit

import (
	"bytes"
	"fmt"
	"io"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/s2"
	"github.com/klauspost/compress/zstd"
)

// codec is a CompressionCodec of the format.
type codec int32

const (
	codecNone   codec = 0
	codecSnappy codec = 1
	codecGzip   codec = 2
	codecBrotli codec = 4
	codecZstd   codec = 6
)

// parseCodec reads the name of a codec that new files may have; "" is zstd.
func parseCodec(name string) (codec, error) {
	switch name {
	case "", "zstd":
		return codecZstd, nil
	case "snappy":
		return codecSnappy, nil
	case "gzip":
		return codecGzip, nil
	case "none":
		return codecNone, nil
	default:
		return 0, fmt.Errorf("%w: %q", ErrCodec, name)
	}
}

func (c codec) String() string {
	switch c {
	case codecNone:
		return "none"
	case codecSnappy:
		return "snappy"
	case codecGzip:
		return "gzip"
	case codecBrotli:
		return "brotli"
	case codecZstd:
		return "zstd"
	case 3:
		return "lzo"
	case 5:
		return "lz4"
	case 7:
		return "lz4_raw"
	default:
		return fmt.Sprintf("codec %d", int32(c))
	}
}

// check returns ErrCodec for what cannot be read. LZ4_RAW is refused because parquet-go, which other
// readers of the lake may be built on, returns garbage for it.
func (c codec) check() error {
	switch c {
	case codecNone, codecSnappy, codecGzip, codecBrotli, codecZstd:
		return nil
	default:
		return fmt.Errorf("%w: %v", ErrCodec, c)
	}
}

// compressor compresses pages with one codec after the other. It is not safe for concurrent use.
type compressor struct {
	scratch, body []byte // of the encoder at work
	memory        *Memory

	zstd   *zstd.Encoder
	gzip   *gzip.Writer
	brotli *brotli.Writer
	buf    bytes.Buffer
}

// compress writes src compressed over dst[:0].
func (k *compressor) compress(c codec, dst, src []byte) ([]byte, error) {
	switch c {
	case codecNone:
		return append(dst[:0], src...), nil
	case codecSnappy:
		if n := s2.MaxEncodedLen(len(src)); cap(dst) < n {
			dst = make([]byte, n)
		}
		return s2.EncodeSnappy(dst[:cap(dst)], src), nil
	case codecZstd:
		if k.zstd == nil {
			var err error
			k.zstd, err = zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1),
				zstd.WithLowerEncoderMem(true), zstd.WithEncoderCRC(false), zstd.WithWindowSize(1<<20))
			if err != nil {
				return nil, err
			}
		}
		return k.zstd.EncodeAll(src, dst[:0]), nil
	case codecGzip:
		if k.gzip == nil {
			k.gzip = gzip.NewWriter(nil)
		}
		k.buf.Reset()
		k.gzip.Reset(&k.buf)
		return k.stream(dst, src, k.gzip)
	case codecBrotli:
		if k.brotli == nil {
			k.brotli = brotli.NewWriterLevel(nil, 1)
		}
		k.buf.Reset()
		k.brotli.Reset(&k.buf)
		return k.stream(dst, src, k.brotli)
	default:
		return nil, c.check()
	}
}

func (k *compressor) stream(dst, src []byte, w io.WriteCloser) ([]byte, error) {
	if _, err := w.Write(src); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return append(dst[:0], k.buf.Bytes()...), nil
}

// decompressor decompresses pages. It is not safe for concurrent use.
type decompressor struct {
	buf, present []byte // of the decoder at work
	indices      []int32
	values       vector

	zstd *zstd.Decoder
	gzip *gzip.Reader
}

// decompress fills dst, whose length is what the page header promises, from src.
func (k *decompressor) decompress(c codec, dst, src []byte) error {
	if len(src) == 0 && len(dst) == 0 {
		return nil
	}
	var r io.Reader
	switch c {
	case codecNone:
		if len(src) != len(dst) {
			return corrupt("uncompressed page of %d bytes, the header says %d", len(src), len(dst))
		}
		copy(dst, src)
		return nil
	case codecSnappy:
		n, err := s2.DecodedLen(src)
		if err != nil || n != len(dst) {
			return corrupt("snappy: %d bytes, the header says %d (%v)", n, len(dst), err)
		}
		if _, err := s2.Decode(dst, src); err != nil {
			return corrupt("snappy: %v", err)
		}
		return nil
	case codecZstd:
		return k.unzstd(dst, src)
	case codecGzip:
		if k.gzip == nil {
			k.gzip = new(gzip.Reader)
		}
		if err := k.gzip.Reset(bytes.NewReader(src)); err != nil {
			return corrupt("gzip: %v", err)
		}
		r = k.gzip
	case codecBrotli:
		r = brotli.NewReader(bytes.NewReader(src))
	default:
		return c.check()
	}
	if _, err := io.ReadFull(r, dst); err != nil {
		return corrupt("%v: %v", c, err)
	}
	// One byte more would contradict the page header; the end also verifies gzip's checksum.
	var more [1]byte
	if n, err := io.ReadFull(r, more[:]); n != 0 || err != io.EOF {
		return corrupt("%v: more than the %d bytes of the header (%v)", c, len(dst), err)
	}
	return nil
}

func (k *decompressor) unzstd(dst, src []byte) error {
	if k.zstd == nil {
		var err error
		k.zstd, err = zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true),
			zstd.WithDecoderMaxMemory(maxPageBytes), zstd.WithDecodeAllCapLimit(true))
		if err != nil {
			return err
		}
	}
	out, err := k.zstd.DecodeAll(src, dst[:0:len(dst)])
	if err != nil {
		return corrupt("zstd: %v", err)
	}
	if len(out) != len(dst) {
		return corrupt("zstd: %d bytes, the header says %d", len(out), len(dst))
	}
	return nil
}
