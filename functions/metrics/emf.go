// Package metrics writes CloudWatch metrics as lines of the log, in the embedded metric format: no calls, no permissions.
//
// The format: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
package metrics

import (
	"encoding/json"
	"io"
	"sync"
	"time"
)

// Unit is what a metric is counted in, by CloudWatch's names.
type Unit string

// The units in use.
const (
	Count   Unit = "Count"
	Bytes   Unit = "Bytes"
	Seconds Unit = "Seconds"
)

// Metric is one value. The specification allows 100 in a line.
type Metric struct {
	Name  string
	Unit  Unit
	Value float64
}

// Log writes metrics to a log. A nil one, and one without a namespace, writes nothing. It is safe for concurrent use.
type Log struct {
	mu        sync.Mutex
	out       io.Writer
	namespace string
	tables    bool
	now       func() time.Time
}

// New returns a log of metrics in a namespace; an empty namespace turns them off. Unless tables, what is written of a
// table counts for all tables together alone, and its name is a field of the line: CloudWatch bills each metric of each
// table by the month.
func New(out io.Writer, namespace string, tables bool, now func() time.Time) *Log {
	return &Log{out: out, namespace: namespace, tables: tables, now: now}
}

// Dimension is the name of the one dimension that metrics have: the table, schema.table.
const Dimension = "table"

// Table writes a table's metrics: each counts for the table, if the log is one of tables, and for all tables together.
// fields go into the line beside them and are no metrics: ids to find other lines by.
func (l *Log) Table(table string, fields map[string]string, list ...Metric) {
	dimensions := [][]string{{Dimension}, {}}
	if l != nil && !l.tables {
		dimensions = dimensions[1:]
	}
	l.write(dimensions, fields, list, table)
}

// Total writes metrics of all tables together.
func (l *Log) Total(fields map[string]string, list ...Metric) {
	l.write([][]string{{}}, fields, list, "")
}

func (l *Log) write(dimensions [][]string, fields map[string]string, list []Metric, table string) {
	if l == nil || l.namespace == "" {
		return
	}
	type definition struct {
		Name string
		Unit Unit
	}
	type directive struct {
		Namespace  string
		Dimensions [][]string
		Metrics    []definition
	}
	line := map[string]any{}
	for name, value := range fields {
		line[name] = value
	}
	d := directive{Namespace: l.namespace, Dimensions: dimensions}
	for _, m := range list {
		d.Metrics = append(d.Metrics, definition{m.Name, m.Unit})
		line[m.Name] = m.Value
	}
	if table != "" {
		line[Dimension] = table
	}
	line["_aws"] = map[string]any{"Timestamp": l.now().UnixMilli(), "CloudWatchMetrics": []directive{d}}
	text, err := json.Marshal(line)
	if err != nil {
		return // values that are no numbers, which nobody counts
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	_, _ = l.out.Write(append(text, '\n'))
}
