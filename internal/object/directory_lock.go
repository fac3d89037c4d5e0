//go:build unix

package object

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

// lockPause is the longest pause between two looks at a lock that somebody else holds.
const lockPause = 8 * time.Millisecond

// lock waits for the directory's lock and returns what gives it back. Each holder has a file description of its own,
// so goroutines exclude each other, too (flock(2)). The lock file stays where it is: were it removed, two holders
// could have one each.
func (d *Directory) lock(ctx context.Context) (unlock func(), err error) {
	if err := d.makeDir(filepath.Join(d.root, filepath.Dir(lockKey))); err != nil {
		return nil, fmt.Errorf("lock: %w", err)
	}
	f, err := os.OpenFile(filepath.Join(d.root, lockKey), os.O_RDWR|os.O_CREATE, 0o666)
	if err != nil {
		return nil, fmt.Errorf("lock: %w", err)
	}
	for {
		err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		if err == nil {
			return func() { _ = f.Close() }, nil // nothing was written to it
		}
		if !errors.Is(err, unix.EWOULDBLOCK) && !errors.Is(err, unix.EINTR) {
			_ = f.Close()
			return nil, fmt.Errorf("lock %s: %w", f.Name(), err)
		}
		select {
		case <-ctx.Done():
			_ = f.Close()
			return nil, fmt.Errorf("lock %s: %w", f.Name(), ctx.Err())
		case <-time.After(rand.N(lockPause)):
		}
	}
}
