package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"sync"
)

// output prints what a command found: JSON lines or text. It may be used by
// many goroutines; lines come out whole, and the progress bar makes way.
type output struct {
	mu   sync.Mutex
	out  io.Writer
	json bool
	bar  *bar
	err  error // of the first print that did not succeed
}

func (a *app) output(o *options, b *bar) *output {
	return &output{out: a.stdout, json: o.json, bar: b}
}

// print writes one finding: value as JSON, or text, which may have several lines.
func (p *output) print(value any, text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.json {
		var line strings.Builder
		encoder := json.NewEncoder(&line)
		encoder.SetEscapeHTML(false)
		if err := encoder.Encode(value); err != nil {
			p.fail(err)
			return
		}
		text = line.String()
	}
	p.bar.clear()
	if _, err := fmt.Fprintln(p.out, strings.TrimRight(text, "\n")); err != nil {
		p.fail(err)
	}
}

func (p *output) fail(err error) {
	if p.err == nil {
		p.err = fmt.Errorf("write output: %w", err)
	}
}

// columns writes rows as aligned columns, without blanks at the ends of lines.
func columns(rows [][]string) string {
	var widths []int
	for _, row := range rows {
		for i, cell := range row {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], len([]rune(cell)))
		}
	}
	var b strings.Builder
	for _, row := range rows {
		var line strings.Builder
		for i, cell := range row {
			fmt.Fprintf(&line, "%-*s  ", widths[i], cell)
		}
		b.WriteString(strings.TrimRight(line.String(), " ") + "\n")
	}
	return b.String()
}

// count writes a number and a noun: "1 file", "2 files".
func count(n int64, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
