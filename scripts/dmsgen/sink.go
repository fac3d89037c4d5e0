package dmsgen

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// Sink takes finished objects. An object appears whole or not at all.
// modified is the LastModified that the object shall have, where the store
// lets its writer say so.
type Sink interface {
	Put(ctx context.Context, key string, body []byte, modified time.Time) error
}

// SinkFunc is a Sink made of one function.
type SinkFunc func(ctx context.Context, key string, body []byte, modified time.Time) error

// Put calls the function.
func (f SinkFunc) Put(ctx context.Context, key string, body []byte, modified time.Time) error {
	return f(ctx, key, body, modified)
}

// Directory is a Sink that writes each key as a file below a folder, with the
// given modification time. Files are renamed into place.
type Directory string

// The modes of what a Directory makes.
const (
	folderMode fs.FileMode = 0o755
	fileMode   fs.FileMode = 0o644
)

// Put writes one file.
func (d Directory) Put(ctx context.Context, key string, body []byte, modified time.Time) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	name := filepath.Join(string(d), filepath.FromSlash(key))
	if err := os.MkdirAll(filepath.Dir(name), folderMode); err != nil {
		return fmt.Errorf("put %s: %w", key, err)
	}
	partial := filepath.Join(filepath.Dir(name), ".partial-"+filepath.Base(name))
	if err := os.WriteFile(partial, body, fileMode); err != nil {
		return fmt.Errorf("put %s: %w", key, err)
	}
	if err := os.Chtimes(partial, modified, modified); err != nil {
		return fmt.Errorf("put %s: %w", key, err)
	}
	if err := os.Rename(partial, name); err != nil {
		return fmt.Errorf("put %s: %w", key, err)
	}
	return nil
}
