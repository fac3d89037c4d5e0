package lake

import (
	"encoding/binary"

	"github.com/zeebo/xxh3"
)

const (
	textChunk  = 1 << 20 // bytes that lie together
	leastChunk = 1 << 10
	recentText = 1 << 10 // texts that are remembered, so that what occurs again and again is kept once
)

// texts keeps texts side by side, each behind its length, and names each by where it lies.
type texts struct {
	chunks [][]byte
	recent []uint64 // place + 1 by hash
}

// put returns where a text lies. It may be shared: a text is never changed.
func (t *texts) put(b []byte) uint64 {
	if t.recent == nil {
		t.recent = make([]uint64, recentText)
	}
	known := &t.recent[xxh3.Hash(b)%recentText]
	if *known != 0 && string(t.get(*known-1)) == string(b) {
		return *known - 1
	}
	size := len(b) + binary.MaxVarintLen32
	n := len(t.chunks) - 1
	if n < 0 || len(t.chunks[n])+size > cap(t.chunks[n]) {
		room := leastChunk
		if n >= 0 {
			room = min(2*cap(t.chunks[n]), textChunk)
		}
		t.chunks = append(t.chunks, make([]byte, 0, max(room, size)))
		n++
	}
	at := uint64(n)<<32 | uint64(len(t.chunks[n]))
	t.chunks[n] = append(binary.AppendUvarint(t.chunks[n], uint64(len(b))), b...)
	*known = at + 1
	return at
}

// get returns the text at a place, which nobody may change.
func (t *texts) get(at uint64) []byte {
	b := t.chunks[at>>32][at&0xffffffff:]
	n, size := binary.Uvarint(b)
	end := size + int(n)
	return b[size:end:end]
}

func word(b []byte) uint32       { return binary.LittleEndian.Uint32(b) }
func putWord(b []byte, u uint32) { binary.LittleEndian.PutUint32(b, u) }
