package cost_test

import (
	"strings"
	"testing"

	"sluice/internal/cost"
)

// typical is the fleet of docs/COST.md.
func typical() cost.Fleet {
	return cost.Fleet{Tables: 2000, Changing: 0.05, Inputs: 1, ChangeRows: 1000, RowBytes: 100, TableBytes: 438 << 20, Files: 10, Touched: 1, Objects: 168, MemoryMB: 3538, SparkSeconds: 32}
}

func prices(t *testing.T) cost.Prices {
	t.Helper()
	list, err := cost.Listed()
	if err != nil {
		t.Fatal(err)
	}
	p, err := list.In("eu-west-1")
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// A fiftieth of the AWS sample at 2 DPU for the work itself; an installation that does nothing costs ten dollars.
func TestMonth_goal(t *testing.T) {
	f, p := typical(), prices(t)
	use, fixed := cost.Month(f, p)
	ancestor := cost.Total(cost.Ancestor(f, p, 2))
	if ratio := ancestor / cost.Total(use); ratio < 50 {
		t.Errorf("the sample costs %.2f, %.1f times sluice's %.2f; the goal is 50 times", ancestor, ratio, cost.Total(use))
	}
	if got := cost.Total(fixed); got > 10 {
		t.Errorf("fixed costs are %.2f", got)
	}
	t.Logf("figure: cost: %.0f times at 2 DPU, %.0f at 10; with alarms, dashboard and metrics %.0f and %.0f",
		ancestor/cost.Total(use), cost.Total(cost.Ancestor(f, p, 10))/cost.Total(use),
		ancestor/(cost.Total(use)+cost.Total(fixed)), cost.Total(cost.Ancestor(f, p, 10))/(cost.Total(use)+cost.Total(fixed)))
}

// What is asked for more of costs more, and what rests costs its listings.
func TestMonth_grows(t *testing.T) {
	p := prices(t)
	total := func(change func(f *cost.Fleet)) float64 {
		f := typical()
		change(&f)
		use, _ := cost.Month(f, p)
		return cost.Total(use)
	}
	base := total(func(*cost.Fleet) {})
	for name, change := range map[string]func(f *cost.Fleet){
		"tables":   func(f *cost.Fleet) { f.Tables *= 2 },
		"changing": func(f *cost.Fleet) { f.Changing *= 2 },
		"inputs":   func(f *cost.Fleet) { f.Inputs = 20 },
		"rows":     func(f *cost.Fleet) { f.ChangeRows *= 1000 },
		"touched":  func(f *cost.Fleet) { f.Touched = 10 },
		"random":   func(f *cost.Fleet) { f.Random = true },
		"objects":  func(f *cost.Fleet) { f.Objects = 1001 },
		"memory":   func(f *cost.Fleet) { f.MemoryMB *= 2 },
		"metrics":  func(f *cost.Fleet) { f.TableMetrics = true },
	} {
		if got := total(change); got <= base {
			t.Errorf("more %s: %.2f, not more than %.2f", name, got, base)
		}
	}
	if got := total(func(f *cost.Fleet) { f.ARM = true }); got >= base {
		t.Errorf("arm64: %.2f, not less than %.2f", got, base)
	}
}

func TestCheck(t *testing.T) {
	for name, spoil := range map[string]func(f *cost.Fleet){
		"no tables":     func(f *cost.Fleet) { f.Tables = 0 },
		"a share above": func(f *cost.Fleet) { f.Changing = 5 },
		"touched":       func(f *cost.Fleet) { f.Touched = 11 },
		"memory":        func(f *cost.Fleet) { f.MemoryMB = 64 },
		"no files":      func(f *cost.Fleet) { f.Files = 0 },
		"spark":         func(f *cost.Fleet) { f.SparkSeconds = -1 },
	} {
		f := typical()
		spoil(&f)
		if f.Check() == nil {
			t.Errorf("%s was taken", name)
		}
	}
	if err := typical().Check(); err != nil {
		t.Error(err)
	}
}

func TestReadList_refused(t *testing.T) {
	for text, says := range map[string]string{
		`{`:                        "price list",
		`{"date":"2026-01-01"}`:    "regions",
		`{"date":"x","prices":{}}`: "prices",
		`{"date":"x","regions":{"r":{"s3_put":1}}}`: "of r is 0",
	} {
		if _, err := cost.ReadList([]byte(text)); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v", text, err)
		}
	}
	list, err := cost.Listed()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := list.In("mars-1"); err == nil || !strings.Contains(err.Error(), "eu-west-1, us-east-1") {
		t.Errorf("got %v", err)
	}
}
