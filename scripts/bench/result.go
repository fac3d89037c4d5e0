package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
)

// side is what one system took for a case, once for each repetition.
type side struct {
	system string
	runs   []usage
}

// took is the quickest of the runs.
func (s side) took() usage {
	u := s.runs[0]
	for _, o := range s.runs[1:] {
		u = u.quicker(o)
	}
	return u
}

// result is a case: the first side is measured against the others.
type result struct {
	name, note string
	sides      []side
}

// add adds what a system took.
func (r *result) add(system string, u usage) { r.sides = append(r.sides, side{system, []usage{u}}) }

// record adds a result, or its runs to those of the one that is there.
func (b *bench) record(r result) {
	words := make([]string, len(r.sides))
	for i, s := range r.sides {
		words[i] = fmt.Sprintf("%s %.2f s", s.system, s.took().wall)
	}
	fmt.Fprintf(os.Stderr, "bench: %s: %s\n", r.name, strings.Join(words, ", "))
	for i := range b.results {
		if have := &b.results[i]; have.name == r.name {
			for j := range have.sides {
				have.sides[j].runs = append(have.sides[j].runs, r.sides[j].runs...)
			}
			have.note = r.note
			return
		}
	}
	b.results = append(b.results, r)
}

// print prints a line for every side: what it took, the first side's part of it, and the goal.
func (b *bench) print(w io.Writer) {
	out := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	line := func(format string, args ...any) { _, _ = fmt.Fprintf(out, format+"\n", args...) }
	line("case\tsystem\twall s\tCPU s\tpeak MiB\twall ratio\tCPU ratio\tmemory ratio\t  ")
	for _, r := range b.results {
		first := r.sides[0].took()
		line("%s\t%s\t%.2f\t%.2f\t%d\t\t\t\t  %s", r.name, r.sides[0].system, first.wall, first.cpu, first.peak>>20,
			strings.TrimPrefix(b.goal(r.name, r.sides[0].system).judgeAlone(first)+"; "+r.note, "; "))
		for _, s := range r.sides[1:] {
			u := s.took()
			ratio := part(first, u)
			line("%s\t%s\t%.2f\t%.2f\t%d\t%.2f\t%.2f\t%.2f\t  %s", r.name, s.system, u.wall, u.cpu, u.peak>>20,
				ratio.wall, ratio.cpu, ratio.peak, b.goal(r.name, s.system).judge(ratio))
		}
	}
	_ = out.Flush()
	if b.rows != fullRows {
		fmt.Fprintf(w, "The goals are for %d rows, this was %d: none is shown.\n", fullRows, b.rows)
	}
	if b.recorded() {
		fmt.Fprintln(w, recordedNote)
	}
}

// goal is goalOf, where the table has the size that the goals are for.
func (b *bench) goal(name, system string) goal {
	if b.rows != fullRows {
		return goal{}
	}
	return goalOf(name, system)
}

// ratio is one usage as a part of another.
type ratio struct{ wall, cpu, peak float64 }

func part(of, whole usage) ratio {
	return ratio{of.wall / whole.wall, of.cpu / whole.cpu, float64(of.peak) / float64(whole.peak)}
}
