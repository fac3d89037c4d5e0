package replicate

import (
	"context"
	"math/rand/v2"
	"time"
)

// pauseTime is the ceiling of the pause before something is begun again for the first time; it doubles with each time.
// The requests behind it were repeated before, by the store's client.
const pauseTime = time.Second

// pause waits a random time, so that runs which failed together do not come back together.
func (e *Engine) pause(ctx context.Context, again int) error {
	return e.stores.Sleep(ctx, rand.N(pauseTime<<(again-1)))
}

// sleep waits for d, or until ctx is done.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
