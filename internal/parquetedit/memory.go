package parquetedit

import (
	"context"
	"math/bits"
	"sync"

	"github.com/parquet-go/parquet-go"
)

// Memory is what files and writers that are done with leave to the next ones: buffers, and the tables of codecs. A Memory
// that is zero is empty. It is safe for concurrent use; what nobody takes is garbage.
type Memory struct {
	in, out sync.Pool // *decompressor, *compressor
	values  sync.Pool // *[]parquet.Value
	blocks  [maxBlockBits + 1]sync.Pool
}

const (
	minBlockBits = 16
	maxBlockBits = 24
)

// Open is [Open] for a file, and what is made of it, that takes from this memory.
func (m *Memory) Open(ctx context.Context, src Source) (*File, error) {
	f, err := Open(ctx, src)
	if err == nil {
		f.memory = m
	}
	return f, err
}

func (m *Memory) compressor() *compressor {
	if k, ok := m.out.Get().(*compressor); ok {
		return k
	}
	return &compressor{memory: m}
}

func (m *Memory) decompressor() *decompressor {
	if k, ok := m.in.Get().(*decompressor); ok {
		return k
	}
	return new(decompressor)
}

// batch gives room for values; the caller puts it back.
func (m *Memory) batch() *[]parquet.Value {
	if b, ok := m.values.Get().(*[]parquet.Value); ok {
		return b
	}
	return new([]parquet.Value)
}

// block is bytes to be used again.
type block struct {
	b    []byte
	bits int  // of its size; more than maxBlockBits when nobody keeps it
	held bool // pages that are still to be written lie in it
}

// block gives n bytes, whatever they held.
func (m *Memory) block(n int) *block {
	size := max(bits.Len(uint(max(n, 1)-1)), minBlockBits)
	if size > maxBlockBits {
		return &block{b: make([]byte, n), bits: size}
	}
	b, ok := m.blocks[size].Get().(*block)
	if !ok {
		b = &block{b: make([]byte, 1<<size), bits: size}
	}
	b.b, b.held = b.b[:n], false
	return b
}

// free takes a block back, if there is one that nothing lies in.
func (m *Memory) free(b *block) {
	if b != nil && !b.held && b.bits <= maxBlockBits {
		m.blocks[b.bits].Put(b)
	}
}

// release takes back blocks whose pages are written.
func (m *Memory) release(held []*block) {
	for _, b := range held {
		b.held = false
		m.free(b)
	}
}

// hold keeps the block that a page of the chunk lies in until the chunk is written.
func (e *encoder) hold(b *block) {
	if b != nil && !b.held {
		b.held = true
		e.held = append(e.held, b)
	}
}

// space gives room for the n bytes of a page: beside others, once there are some.
func (e *encoder) space(n int) []byte {
	if cap(e.slab)-len(e.slab) < n {
		size := min(int(e.bytes), pageBytes)
		if n > size || size < 1<<minBlockBits {
			return make([]byte, 0, n)
		}
		b := e.k.memory.block(size)
		e.hold(b)
		e.slab = b.b[:0]
	}
	at := len(e.slab)
	e.slab = e.slab[:at+n]
	return e.slab[at : at : at+n]
}
