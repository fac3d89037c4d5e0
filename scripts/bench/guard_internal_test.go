package main

import (
	"strings"
	"testing"
)

// cpuRuns are runs that took so many CPU seconds.
func cpuRuns(system string, seconds ...float64) side {
	s := side{system: system}
	for _, cpu := range seconds {
		s.runs = append(s.runs, usage{wall: 1, cpu: cpu, peak: 1})
	}
	return s
}

func TestHold(t *testing.T) {
	results := []result{
		{name: "tail", sides: []side{cpuRuns("sluice", 1, 9, 2), cpuRuns(duckDB, 10, 10, 10), cpuRuns("floor", 2, 2, 2)}},
		{name: "load", sides: []side{cpuRuns("sluice", 5, 5, 5), cpuRuns(duckDB, 10, 10, 10)}},
	}
	for name, c := range map[string]struct {
		bounds string
		want   string // in the error; "" = none
	}{
		"the median counts, not the one slow run": {"tail DuckDB 0.3", ""},
		"above the bound":                         {"load DuckDB 0.6\ntail DuckDB 0.15", "tail: sluice takes 0.200 of the CPU time of DuckDB, at most 0.150"},
		"all that are above":                      {"tail floor 0.9\nload DuckDB 0.4", "load: sluice takes 0.500"},
		"comments and empty lines":                {"# bounds\n\nload DuckDB 0.6 # of three\n", ""},
		"a case that did not run":                 {"random DuckDB 0.6", "random: nothing was measured beside DuckDB"},
		"a system that did not run":               {"load Polars 0.6", "load: nothing was measured beside Polars"},
		"no number":                               {"load DuckDB half", "load DuckDB half"},
		"no bounds at all":                        {"# nothing", "no bounds"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := hold(results, strings.NewReader(c.bounds))
			if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

func TestGoalsJudge(t *testing.T) {
	for want, got := range map[string]string{
		"":                                  goalOf("idle", "sluice").judge(ratio{wall: 9}),
		"goal wall ≤ 0.25, CPU ≤ 0.33: met": goalOf("adopted-tail", duckDB).judge(ratio{wall: 0.25, cpu: 0.3, peak: 9}),
		"goal wall ≤ 0.25, CPU ≤ 0.33: MISSED": goalOf("adopted-tail", duckDB).judge(ratio{wall: 0.2, cpu: 0.34}),
		"goal peak ≤ 256 MiB: met":             goalOf("memory", "sluice").judgeAlone(usage{peak: 256 << 20}),
		"goal peak ≤ 256 MiB: MISSED":          goalOf("memory", "sluice").judgeAlone(usage{peak: 257 << 20}),
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
