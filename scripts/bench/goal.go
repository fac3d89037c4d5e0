package main

import (
	"fmt"
	"strings"
)

// goal is what a ratio may be at most, and what sluice's own memory may be; 0 = no goal.
type goal struct {
	ratio

	mib int64
}

// goalOf returns the goal of a case beside a system, or of sluice alone.
func goalOf(name, system string) goal {
	switch name + "/" + system {
	case "load/DuckDB", "load/Polars", "load-snappy/DuckDB", "load-snappy/Polars":
		return goal{ratio: ratio{wall: 0.8, cpu: 0.8}}
	case "csv/DuckDB":
		return goal{ratio: ratio{wall: 1}}
	case "adopted-tail/DuckDB":
		return goal{ratio: ratio{wall: 0.25, cpu: 0.33}}
	case "adopted-tail/" + sparkJob, "adopted-tail/" + sparkRecorded:
		return goal{ratio: ratio{wall: 0.01}}
	case "adopted-random/DuckDB", "adopted-random/Polars":
		return goal{ratio: ratio{wall: 0.5, cpu: 0.5}}
	case "adopted-random/delta-rs":
		return goal{ratio: ratio{wall: 0.25, cpu: 0.25, peak: 0.25}}
	case "adopted-random/" + sparkJob, "adopted-random/" + sparkRecorded:
		return goal{ratio: ratio{wall: 1.0 / 30}}
	case "columns/DuckDB":
		return goal{ratio: ratio{wall: 0.25, cpu: 0.25}}
	case "adopted-tail/floor", "adopted-random/floor", "columns/floor":
		return goal{ratio: ratio{cpu: 1.5}}
	case "doubled/" + single:
		return goal{ratio: ratio{wall: 1.1}}
	case "memory/sluice":
		return goal{mib: 256}
	case "memory-big/sluice, a tenth":
		return goal{ratio: ratio{peak: 1.1}}
	case "memory-big/sluice":
		return goal{mib: 256}
	case "huge-groups/sluice":
		return goal{mib: 512}
	}
	return goal{}
}

// judge says the goal, and whether the ratio meets it.
func (g goal) judge(r ratio) string {
	var words []string
	met := true
	for _, c := range []struct {
		what        string
		got, atMost float64
	}{{"wall", r.wall, g.wall}, {"CPU", r.cpu, g.cpu}, {"memory", r.peak, g.peak}} {
		if c.atMost > 0 {
			words = append(words, fmt.Sprintf("%s ≤ %.2g", c.what, c.atMost))
			met = met && c.got <= c.atMost
		}
	}
	return verdict(words, met)
}

// judgeAlone is judge for what sluice took by itself.
func (g goal) judgeAlone(u usage) string {
	if g.mib == 0 {
		return ""
	}
	return verdict([]string{fmt.Sprintf("peak ≤ %d MiB", g.mib)}, u.peak <= g.mib<<20)
}

func verdict(words []string, met bool) string {
	switch {
	case len(words) == 0:
		return ""
	case met:
		return "goal " + strings.Join(words, ", ") + ": met"
	default:
		return "goal " + strings.Join(words, ", ") + ": MISSED"
	}
}
