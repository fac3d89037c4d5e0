package cost

import (
	"fmt"
	"math"
)

// Fleet is what is asked: tables that are looked at once an hour, and how much changes.
type Fleet struct {
	Tables       int     // active ones
	Changing     float64 // share of them that has changes in an hour
	Inputs       int     // change files that one merge takes
	ChangeRows   int     // changes that one merge takes
	RowBytes     int64   // of a row in the lake; with ChangeRows a bound of what a change file weighs
	TableBytes   int64   // of a table in the lake
	Files        int     // lake files of a table
	Touched      int     // lake files that one merge rewrites
	Random       bool    // the changes lie everywhere in these, not together as those of new rows do
	Objects      int     // of a table in raw, within the horizon
	MemoryMB     int     // of the workers
	ARM          bool
	TableMetrics bool // SLUICE_TABLE_METRICS
	SparkSeconds float64
}

// Check says which figure cannot be.
func (f Fleet) Check() error {
	switch {
	case f.Tables < 1 || f.Files < 1 || f.Inputs < 1 || f.ChangeRows < 1 || f.RowBytes < 1 || f.TableBytes < 1 || f.Objects < 0:
		return fmt.Errorf("tables, files, inputs, rows and bytes are above zero")
	case f.Changing < 0 || f.Changing > 1 || math.IsNaN(f.Changing):
		return fmt.Errorf("changing is a share from 0 to 1, not %g", f.Changing)
	case f.Touched < 1 || f.Touched > f.Files:
		return fmt.Errorf("touched is from 1 to the %d files of a table, not %d", f.Files, f.Touched)
	case f.MemoryMB < 128 || f.MemoryMB > 10240:
		return fmt.Errorf("a function has 128 to 10240 MB, not %d", f.MemoryMB)
	case f.SparkSeconds < 0 || math.IsNaN(f.SparkSeconds):
		return fmt.Errorf("spark-seconds is a time, not %g", f.SparkSeconds)
	}
	return nil
}

// Line is one part of a month's cost.
type Line struct {
	Name    string  `json:"name"`
	Amount  float64 `json:"amount"`
	Unit    string  `json:"unit"`
	Dollars float64 `json:"dollars"`
}

// Total adds lines up.
func Total(lines []Line) float64 {
	var sum float64
	for _, l := range lines {
		sum += l.Dollars
	}
	return sum
}

// What the model assumes beside the counts.
const (
	hours = 720 // of a month: the ticks; 30 days
	days  = 30
	// requestSeconds is how long one request takes within a region; nearly all of a small merge's come one behind the other.
	requestSeconds = 0.030
	// secondsPerMB is a bound of what it takes one vCPU to merge into a MB of lake files of which every page is touched:
	// adopted-random of docs/PERFORMANCE.md, 4.5 CPU s for 386 MB.
	secondsPerMB = 0.012
	armSlower    = 1.37 // no assembly there: measured
	vcpuMB       = 1769
	partBytes    = 8 << 20 // of uploads, and of windows in which a file is read
	wholeBytes   = 1 << 20 // a file up to this size is one request
	perFile      = 43      // requests for the columns of such a file of 16 columns, of which every page is touched
	tailBytes    = 16e6    // of a larger file that are decoded or written when only its end changes
	controllerMB = 1769
	controllerAt = 32 // tables at once
	alarms       = 9
)

// Month is what a fleet costs in 30 days, by what is billed. The first return value is the use alone; the second what an
// installation costs that does nothing: metrics of all tables together, alarms, dashboard.
func Month(f Fleet, p Prices) (use, fixed []Line) {
	c := Counted()
	tables, merges := float64(f.Tables), float64(f.Tables)*f.Changing*hours
	mornings := tables * days * (1 - f.Changing) // those that have changes in the first tick merge instead
	merge := f.merge(c)
	idle := c.IdleTable
	idle.Lists = max(1, math.Ceil(float64(f.Objects)/1000))
	ticks := c.Tick.times(hours).plus(idle.times(tables * hours))
	ticks.Reads = hours * tables * ItemBytes / 4096
	requests := ticks.plus(merge.times(merges)).plus(c.Morning.times(mornings))

	mergeSeconds := f.seconds(merge)
	morningSeconds := sequential(c.Morning)
	tickSeconds := tables*requestSeconds/controllerAt + (merges/hours+mornings/days/24)*requestSeconds/controllerAt*2 + 1
	worker := (merges*mergeSeconds + mornings*morningSeconds) * float64(f.MemoryMB) / 1024
	controller := hours * tickSeconds * controllerMB / 1024
	second, runs := p.LambdaX86, merges+mornings
	if f.ARM {
		second = p.LambdaARM
	}
	logged := (runs*(LogBytes+StartLogBytes) + hours*StartLogBytes) / 1e9
	use = []Line{
		{"S3 LIST of ticks", ticks.Lists, "requests", ticks.Lists * p.S3Put},
		{"S3 LIST and PUT of runs", requests.Lists - ticks.Lists + requests.Puts, "requests", (requests.Lists - ticks.Lists + requests.Puts) * p.S3Put},
		{"S3 GET", requests.Gets, "requests", requests.Gets * p.S3Get},
		{"Lambda, workers", worker, "GB-s", worker * second},
		{"Lambda, controller", controller, "GB-s", controller * second},
		{"Lambda invocations", runs + hours + days, "requests", (runs + hours + days) * p.LambdaRequest},
		{"Step Functions, merges", merges * Transitions, "transitions", merges * Transitions * p.Transition},
		{"Step Functions, the day's first runs", mornings * Transitions, "transitions", mornings * Transitions * p.Transition},
		{"DynamoDB writes", requests.Writes * 2, "units", requests.Writes * 2 * p.DynamoDBWrite},
		{"DynamoDB reads", requests.Reads, "units", requests.Reads * p.DynamoDBRead},
		{"EventBridge Scheduler", hours + days, "invocations", (hours + days) * p.Schedule},
		{"CloudWatch Logs", logged, "GB", logged * p.LogGB},
		{"X-Ray, if every run were traced", runs, "traces", runs * p.Trace},
	}
	if f.TableMetrics {
		use = append(use, Line{"CloudWatch metrics of single tables", Metrics(f, p) / p.Metric, "metric-months", Metrics(f, p)})
	}
	fixed = []Line{
		{"CloudWatch metrics of all tables", TotalMetrics, "metrics", TotalMetrics * p.Metric},
		{"CloudWatch alarms", alarms, "alarms", alarms * p.Alarm},
		{"CloudWatch dashboard", 1, "dashboards", p.Dashboard},
	}
	return use, fixed
}

// Metrics is what the metrics of single tables cost: each is billed for the hours in which it has a value.
func Metrics(f Fleet, p Prices) float64 {
	return float64(f.Tables) * f.Changing * TableMetrics * p.Metric
}

// merge is what one merge requests. A larger file costs what one of 20 MB does, because what is not touched is copied
// within the store; with changes everywhere it is read by columns and windows, and sent in parts.
func (f Fleet) merge(c Counts) Requests {
	file := c.File
	if size := f.fileBytes(); size > wholeBytes {
		file = c.Large
		if f.Random {
			windows := math.Ceil(size / partBytes)
			file.Gets, file.Puts = perFile+windows, windows+2
		}
	}
	input := c.Input
	if changes := float64(f.ChangeRows) * float64(f.RowBytes) / float64(f.Inputs); changes > 4<<20 {
		input.Gets = perFile + math.Ceil(changes/partBytes)
	}
	return c.Merge.plus(input.times(float64(f.Inputs))).plus(file.times(float64(f.Touched)))
}

func (f Fleet) fileBytes() float64 { return float64(f.TableBytes) / float64(f.Files) }

func sequential(r Requests) float64 {
	return (r.Lists + r.Puts + r.Gets + r.Reads + r.Writes) * requestSeconds
}

// seconds is a bound of how long a merge takes: every request waits for the one before it, and what is touched is decoded
// and encoded on one vCPU at most.
func (f Fleet) seconds(r Requests) float64 {
	touched := f.fileBytes()
	if !f.Random {
		touched = min(touched, tailBytes)
	}
	bytes := touched*float64(f.Touched) + float64(f.ChangeRows)*float64(f.RowBytes)
	work := bytes / 1e6 * secondsPerMB / min(1, float64(f.MemoryMB)/vcpuMB)
	if f.ARM {
		work *= armSlower
	}
	return sequential(r) + work
}
