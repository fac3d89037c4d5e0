package main

import (
	"sync"

	"github.com/schollz/progressbar/v3"
)

// bar shows how many files are done: lake files of the commits being applied, or files verified. It
// exists only on a terminal; a nil bar does nothing.
type bar struct {
	mu     sync.Mutex
	bar    *progressbar.ProgressBar
	tables map[string]share
}

// share is one table's part of the bar.
type share struct{ done, total int }

// bar returns a bar that counts what is named; nil when stderr is no terminal.
func (a *app) bar(what string) *bar {
	if !a.terminal {
		return nil
	}
	return &bar{tables: map[string]share{}, bar: progressbar.NewOptions(-1,
		progressbar.OptionSetWriter(a.stderr),
		progressbar.OptionSetDescription(what),
		progressbar.OptionShowCount(),
		progressbar.OptionClearOnFinish(),
		progressbar.OptionUseANSICodes(false),
		progressbar.OptionEnableColorCodes(false),
		progressbar.OptionSetWidth(30),
	)}
}

// progress implements the engine's Progress. A bar that cannot be drawn is not
// worth an error.
func (b *bar) progress(table string, done, total int) {
	if b == nil || total == 0 {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.tables[table] = share{done, total}
	var sum share
	for _, s := range b.tables {
		sum.done, sum.total = sum.done+s.done, sum.total+s.total
	}
	b.bar.ChangeMax(sum.total)
	_ = b.bar.Set(sum.done)
}

// clear takes the bar off the screen before a line is printed.
func (b *bar) clear() {
	if b == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	_ = b.bar.Clear()
}
