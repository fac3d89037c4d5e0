package lake

import (
	"fmt"
	"testing"

	"github.com/zeebo/xxh3"
)

func TestSketch(t *testing.T) {
	for _, n := range []int64{0, 1, 10, 1000, 30_000, 50_000, 400_000, 3_000_000} {
		s := &sketch{}
		for i := range n {
			s.add(xxh3.HashString(fmt.Sprint(i)))
			s.add(xxh3.HashString(fmt.Sprint(i / 2)))
		}
		if off := s.estimate() - n; max(off, -off) > n*3/100 {
			t.Errorf("%d of %d", s.estimate(), n)
		}
	}
}
