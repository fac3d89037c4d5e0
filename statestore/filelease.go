package statestore

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// fileLeases keeps a lease as an exclusive lock on a file of the table's own. The lock belongs to the open file, so
// a second claim is refused in the same process too; the files stay, for removing one would let two hold it.
type fileLeases struct {
	dir   string
	items Items

	mu   *sync.Mutex
	held map[string]heldLease // by path
}

type heldLease struct {
	owner string
	file  *os.File
}

// Claim implements Leases. The time to live means nothing here: the lease ends with Release, Close or the process.
func (l fileLeases) Claim(ctx context.Context, path, owner string, _ time.Duration) error {
	if _, err := l.items.Read(ctx, path); err != nil {
		return fmt.Errorf("claim: %w", err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if held, ok := l.held[path]; ok {
		if held.owner != owner {
			return fmt.Errorf("claim %s: %w: %s", path, ErrLeased, held.owner)
		}
		return nil
	}
	file, err := l.lock(path)
	if err != nil {
		return fmt.Errorf("claim %s: %w", path, err)
	}
	l.held[path] = heldLease{owner: owner, file: file}
	return nil
}

// Renew implements Leases.
func (l fileLeases) Renew(ctx context.Context, path, owner string, _ time.Duration) error {
	if _, err := l.items.Read(ctx, path); err != nil {
		return fmt.Errorf("renew: %w", err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if held, ok := l.held[path]; !ok || held.owner != owner {
		return fmt.Errorf("renew %s: %w", path, ErrLeased)
	}
	return nil
}

// Release implements Leases.
func (l fileLeases) Release(ctx context.Context, path, owner string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	held, ok := l.held[path]
	if !ok || held.owner != owner {
		return nil
	}
	delete(l.held, path)
	return held.file.Close()
}

// Close gives up every lease that was claimed through this File.
func (l fileLeases) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	var errs []error
	for path, held := range l.held {
		errs = append(errs, held.file.Close())
		delete(l.held, path)
	}
	return errors.Join(errs...)
}

func (l fileLeases) lock(path string) (*os.File, error) {
	if err := os.MkdirAll(l.dir, dirMode); err != nil {
		return nil, denied(err)
	}
	sum := sha256.Sum256([]byte(path))
	name := filepath.Join(l.dir, hex.EncodeToString(sum[:16])+".lock")
	file, err := os.OpenFile(name, os.O_CREATE|os.O_RDWR, fileMode)
	if err != nil {
		return nil, denied(err)
	}
	err = unix.Flock(int(file.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	if errors.Is(err, unix.EWOULDBLOCK) {
		err = ErrLeased
	}
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return file, nil
}
