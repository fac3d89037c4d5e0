//go:build unix

package object

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// AbortAbandoned removes temporary files last written before the time given, left by processes that were killed, and
// returns how many. They do not tell their key, so the prefix is not looked at. An upload that still lives then fails
// in Close.
func (d *Directory) AbortAbandoned(ctx context.Context, _ string, before time.Time) (int, error) {
	removed := 0
	names, err := os.ReadDir(filepath.Join(d.root, tempPrefix))
	if gone(err) {
		return 0, nil
	}
	for _, name := range names {
		info, infoErr := name.Info()
		if gone(infoErr) {
			continue // published meanwhile
		}
		if err = errors.Join(ctx.Err(), infoErr); err != nil {
			break
		}
		if !info.ModTime().Before(before) {
			continue
		}
		if err = os.Remove(filepath.Join(d.root, tempPrefix, name.Name())); err != nil && !gone(err) {
			break
		}
		err = nil
		removed++
	}
	if err != nil {
		return removed, fmt.Errorf("remove temporary files of %s: %w", d.root, d.sentinel(err))
	}
	return removed, nil
}
