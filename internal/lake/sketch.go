package lake

import (
	"math"
	"math/bits"
)

// sketch estimates how many different hashes it was given, to about 0.8 % (HyperLogLog, Flajolet et al. 2007, with 2^14 registers
// and hashes of 64 bits, which need no correction at the upper end).
type sketch struct {
	registers [1 << sketchBits]uint8
}

const sketchBits = 14

func (s *sketch) add(hash uint64) {
	at := hash >> (64 - sketchBits)
	rank := uint8(bits.LeadingZeros64(hash<<sketchBits|1<<(sketchBits-1))) + 1
	s.registers[at] = max(s.registers[at], rank)
}

func (s *sketch) estimate() int64 {
	const m = float64(1 << sketchBits)
	sum, empty := 0.0, 0.0
	for _, rank := range s.registers {
		sum += math.Ldexp(1, -int(rank))
		if rank == 0 {
			empty++
		}
	}
	raw := 0.7213 / (1 + 1.079/m) * m * m / sum
	if raw <= 2.5*m && empty > 0 {
		raw = m * math.Log(m/empty)
	}
	return int64(math.Round(raw))
}
