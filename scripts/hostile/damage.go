package hostile

import (
	"bytes"
	"fmt"
	"math/rand/v2"
)

// Truncated are a file's first 0/64, 1/64 … 63/64.
func Truncated(whole []byte) []File {
	var files []File
	for part := range 64 {
		files = append(files, File{Name: fmt.Sprintf("cut at %d/64", part), Body: whole[:len(whole)*part/64]})
	}
	return files
}

// Flipped is a file with a bit of one to four bytes changed, so many times; everything follows from the seed. Every other one is
// changed in its last 4 KiB alone, where the footer is. A page without a checksum shows nothing of it: what it holds are then other values.
func Flipped(whole []byte, n int, seed uint64) []File {
	rng := rand.New(rand.NewPCG(seed, 1))
	var files []File
	for i := range n {
		bad := bytes.Clone(whole)
		for range 1 + rng.IntN(4) {
			at := rng.IntN(len(bad))
			if i%2 == 0 {
				at = len(bad) - 1 - rng.IntN(min(len(bad), 4<<10))
			}
			bad[at] ^= 1 << rng.IntN(8)
		}
		files = append(files, File{Name: fmt.Sprintf("seed %d, flip %d", seed, i), Body: bad, Legal: true})
	}
	return files
}
