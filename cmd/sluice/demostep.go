package main

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"sluice/internal/replicate"
)

// stepReport is what one step of the demo changed.
type stepReport struct {
	Step    string             `json:"step"`
	Results []replicate.Result `json:"results"`
	Tables  []tableChange      `json:"tables"`
}

// step runs, looks at the lake and prints what changed.
func (d *demo) step(ctx context.Context, title string) error {
	results, err := d.run(ctx)
	if err != nil {
		return err
	}
	now, err := readLake(d.lake, d.sample)
	if err != nil {
		return err
	}
	report := stepReport{Step: title, Results: results, Tables: now.changesSince(d.seen)}
	d.seen = now
	d.out.print(report, d.stepText(report))
	return d.out.err
}

// run is one tick; a table that fails or halts ends the demo.
func (d *demo) run(ctx context.Context) ([]replicate.Result, error) {
	var (
		mu      sync.Mutex
		results []replicate.Result
		trouble error
	)
	err := d.engine.Run(ctx, func(r replicate.Result) {
		mu.Lock()
		defer mu.Unlock()
		results = append(results, r)
		if r.Action == replicate.Failed || r.Action == replicate.Halted {
			trouble = fmt.Errorf("table %s %s: %s", r.Table, r.Action, r.Reason)
		}
	})
	slices.SortFunc(results, func(a, b replicate.Result) int { return strings.Compare(a.Table, b.Table) })
	return results, cmp.Or(err, ctx.Err(), trouble)
}

// compare holds the lake against the source, row by row.
func (d *demo) compare() error {
	var sums []string
	for _, t := range d.sample.Tables() {
		source, lake := d.sample.Rows(t.Name), d.seen[t.Name].rows
		if len(source) != len(lake) {
			return fmt.Errorf("the lake has %d rows of %s, the source %d: please report this", len(lake), t.Name, len(source))
		}
		oracle := d.sample.Oracle(t.Name)
		for _, row := range source {
			if got := lake[oracle.Key(row)]; !slices.Equal(got, cellTexts(row)) {
				return fmt.Errorf("the lake has %v of %s, the source %v: please report this", got, t.Name, row)
			}
		}
		sums = append(sums, fmt.Sprintf("%s %d", t.Name, len(source)))
	}
	text := "\n   lake = source, row by row: " + strings.Join(sums, ", ")
	d.out.print(map[string]any{"equal": sums}, text)
	return d.out.err
}

func (d *demo) stepText(r stepReport) string {
	var b strings.Builder
	fmt.Fprintf(&b, "\n%s\n\n", r.Step)
	for _, result := range r.Results {
		for line := range strings.Lines(resultText(result, d.verbose) + "\n") {
			b.WriteString("   " + line)
		}
	}
	for _, t := range r.Tables {
		b.WriteString("\n" + t.text())
	}
	return b.String()
}

// The demo shows so many rows and files of each kind.
const (
	rowsShown  = 5
	filesShown = 6
)

func (t tableChange) text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "   %s: %s inserted, %d updated, %d deleted\n", t.Table, count(int64(t.Inserted), "row"), t.Updated, t.Deleted)
	for _, r := range t.Rows {
		b.WriteString("     " + r.String() + "\n")
	}
	if more := t.Inserted + t.Updated + t.Deleted - len(t.Rows); more > 0 {
		fmt.Fprintf(&b, "     … and %d more\n", more)
	}
	t.filesText(&b)
	return b.String()
}

func (t tableChange) filesText(b *strings.Builder) {
	for _, kind := range []struct {
		name string
		keys []string
	}{{"created", t.Created}, {"rewritten", t.Rewritten}, {"left alone", t.LeftAlone}} {
		for i, key := range kind.keys {
			if i == filesShown {
				fmt.Fprintf(b, "     %-10s … and %d more\n", kind.name, len(kind.keys)-i)
				break
			}
			fmt.Fprintf(b, "     %-10s %s\n", kind.name, key)
		}
	}
}
