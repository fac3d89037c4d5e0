package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
)

// guard holds the CPU ratios against the bounds of a file.
func (b *bench) guard(name string) error {
	if name == "" {
		return nil
	}
	file, err := os.Open(name)
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }()
	held, err := hold(b.results, file)
	for _, line := range held {
		fmt.Println("guard:", line)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

// hold says which bounds hold; the others are its error. A line is "CASE SYSTEM BOUND", # begins a comment. A ratio is
// the median of those of the repetitions. A line that nothing was measured for is an error, too.
func hold(results []result, bounds io.Reader) (held []string, err error) {
	var wrong []error
	lines := bufio.NewScanner(bounds)
	for lines.Scan() {
		text, _, _ := strings.Cut(lines.Text(), "#")
		if strings.TrimSpace(text) == "" {
			continue
		}
		var name, system string
		var bound float64
		if _, err := fmt.Sscan(text, &name, &system, &bound); err != nil {
			return held, fmt.Errorf("%q: %w", text, err)
		}
		got, err := medianCPU(results, name, system)
		switch {
		case err != nil:
			wrong = append(wrong, err)
		case got > bound:
			wrong = append(wrong, fmt.Errorf("%s: sluice takes %.3f of the CPU time of %s, at most %.3f is allowed", name, got, system, bound))
		default:
			held = append(held, fmt.Sprintf("%s: sluice takes %.3f of the CPU time of %s, bound %.3f", name, got, system, bound))
		}
	}
	if err := lines.Err(); err != nil {
		return held, err
	}
	if len(held)+len(wrong) == 0 {
		return nil, errors.New("no bounds")
	}
	return held, errors.Join(wrong...)
}

// medianCPU is the median over the repetitions of a case of the first side's CPU time as a part of the system's.
func medianCPU(results []result, name, system string) (float64, error) {
	for _, r := range results {
		for _, s := range r.sides[1:] {
			if r.name != name || s.system != system {
				continue
			}
			ratios := make([]float64, len(s.runs))
			for i, u := range s.runs {
				ratios[i] = part(r.sides[0].runs[i], u).cpu
			}
			slices.Sort(ratios)
			return ratios[len(ratios)/2], nil
		}
	}
	return 0, fmt.Errorf("%s: nothing was measured beside %s", name, system)
}
