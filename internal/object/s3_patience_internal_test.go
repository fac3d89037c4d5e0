package object

import (
	"errors"
	"testing"
	"time"

	smithy "github.com/aws/smithy-go"
)

// TestPausesAreRandomAndBounded: the SDK's own are all the same once they have reached the largest.
func TestPausesAreRandomAndBounded(t *testing.T) {
	p := DefaultPatience()
	for _, c := range []struct {
		err     error
		ceiling []time.Duration // of the pause after each attempt
	}{
		{errors.New("reset"), []time.Duration{200 * time.Millisecond, 400 * time.Millisecond, 800 * time.Millisecond, 1600 * time.Millisecond, 3200 * time.Millisecond}},
		{&smithy.GenericAPIError{Code: "SlowDown"}, []time.Duration{time.Second, 2 * time.Second, 4 * time.Second, 8 * time.Second, 16 * time.Second}},
	} {
		for i, ceiling := range c.ceiling {
			seen := map[time.Duration]bool{}
			for range 20 {
				got, err := p.delay(i+1, c.err)
				if err != nil || got < 0 || got >= ceiling {
					t.Errorf("after attempt %d: %s, %v; want less than %s", i+1, got, err, ceiling)
				}
				seen[got] = true
			}
			if len(seen) < 10 {
				t.Errorf("after attempt %d: %d pauses of 20 differ", i+1, len(seen))
			}
		}
	}
	if got, _ := p.delay(1000, errors.New("reset")); got >= p.MaxPause {
		t.Errorf("got %s", got)
	}
}
