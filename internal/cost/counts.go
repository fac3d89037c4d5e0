// Package cost is a model of what sluice costs on AWS in a month, and the AWS sample on Glue beside it: requests that were
// counted, function seconds, prices with their date. It knows nothing of tables' contents and asks nobody.
//
// The counts are those of this file. The tests of this package count the same on real servers and fail when they differ.
package cost

import "math"

// Requests are counts of requests to S3 and DynamoDB, by what they cost.
type Requests struct {
	Lists  float64 `json:"lists"`
	Puts   float64 `json:"puts"`   // PUT, COPY, POST and parts of uploads
	Gets   float64 `json:"gets"`   // GET and HEAD
	Reads  float64 `json:"reads"`  // of control items, strongly consistent
	Writes float64 `json:"writes"` // of control items
}

func (r Requests) times(n float64) Requests {
	return Requests{r.Lists * n, r.Puts * n, r.Gets * n, r.Reads * n, r.Writes * n}
}

func (r Requests) plus(o Requests) Requests {
	return Requests{r.Lists + o.Lists, r.Puts + o.Puts, r.Gets + o.Gets, r.Reads + o.Reads, r.Writes + o.Writes}
}

// Counts are the requests of each thing that sluice does.
type Counts struct {
	Tick      Requests // the controller's own: schemas and tables are listed, the control table is scanned
	IdleTable Requests // a table in a tick, whether it has something to do or not: a listing of up to 1,000 objects
	Morning   Requests // the day's first run of a table that rests
	Merge     Requests // one commit, without the next two
	Input     Requests // each change file of up to 4 MiB that it takes
	File      Requests // each lake file of up to 1 MiB that it rewrites
	Large     Requests // each lake file of 20 MB and 16 columns in whose last hundredth rows change: the rest is copied in the store
	Load      Requests // a full load: one commit, without the next two
	LoadInput Requests // each LOAD file of up to 1 MiB
	LoadFile  Requests // each lake file that it makes
}

// Counted returns the counts that the tests hold against servers.
func Counted() Counts {
	return Counts{
		Tick:      Requests{Lists: 2, Reads: 1},
		IdleTable: Requests{Lists: 1},
		Morning:   Requests{Lists: 1, Gets: 1, Reads: 2, Writes: 3},
		Merge:     Requests{Lists: 4, Puts: 5, Gets: 8, Reads: 3, Writes: 4},
		Input:     Requests{Gets: 1},
		File:      Requests{Puts: 1, Gets: 3},
		Large:     Requests{Puts: 4, Gets: 26},
		Load:      Requests{Lists: 6, Puts: 21, Gets: 15, Reads: 3, Writes: 4},
		LoadInput: Requests{Gets: 3},
		LoadFile:  Requests{Puts: 1, Gets: 1},
	}
}

// The figures beside the requests.
const (
	// Transitions of an execution that does everything in its first step: Merge, WhatNext, Done.
	Transitions = 3
	// TableMetrics are the metrics of a table that has something to do in an hour: those of the worker, and WaitingSeconds.
	TableMetrics = 14
	// TotalMetrics are those of all tables together: the worker's, and the controller's.
	TotalMetrics = 20
	// LogBytes is a bound of what a worker's invocation logs, with Lambda's own three lines.
	LogBytes = 4096
	// StartLogBytes is a bound of what the controller logs of a table that it starts a run for.
	StartLogBytes = 1024
	// ItemBytes is a bound of a control item: two write units, one read unit, half a unit in a scan.
	ItemBytes = 2048
)

// LoadOf is what a full load takes, roughly: the counts, and a request more for each window of 8 MiB of what is read and
// of what is written.
func LoadOf(inputs, files int, read, written int64) Requests {
	c := Counted()
	return c.Load.plus(c.LoadInput.times(float64(inputs))).plus(c.LoadFile.times(float64(files))).
		plus(Requests{Gets: math.Floor(float64(read) / partBytes), Puts: math.Floor(float64(written) / partBytes)})
}
