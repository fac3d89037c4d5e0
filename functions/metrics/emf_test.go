package metrics_test

import (
	"bytes"
	"encoding/json"
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sluice/functions/metrics"
)

// line is what the specification says of a line: every metric and every dimension is a member at the root.
type line struct {
	AWS struct {
		Timestamp         int64
		CloudWatchMetrics []struct {
			Namespace  string
			Dimensions [][]string
			Metrics    []struct{ Name, Unit string }
		}
	} `json:"_aws"`
}

func write(t *testing.T, tables bool, do func(l *metrics.Log)) (line, map[string]any) {
	t.Helper()
	var out bytes.Buffer
	do(metrics.New(&out, "sluice", tables, func() time.Time { return time.UnixMilli(1_773_500_000_123) }))
	var l line
	root := map[string]any{}
	if err := json.Unmarshal(out.Bytes(), &l); err != nil {
		t.Fatalf("%v in %q", err, out.String())
	}
	if err := json.Unmarshal(out.Bytes(), &root); err != nil {
		t.Fatal(err)
	}
	if bytes.Count(out.Bytes(), []byte("\n")) != 1 || !bytes.HasSuffix(out.Bytes(), []byte("\n")) {
		t.Errorf("%q is not one line", out.String())
	}
	return l, root
}

func TestTable(t *testing.T) {
	list := []metrics.Metric{{"Halts", metrics.Count, 1}, {"LagSeconds", metrics.Seconds, 2.5}, {"BytesRead", metrics.Bytes, 0}}
	for name, want := range map[string][][]string{"of tables": {{"table"}, {}}, "of all": {{}}} {
		t.Run(name, func(t *testing.T) {
			l, root := write(t, name == "of tables", func(l *metrics.Log) {
				l.Table("sto\nre.\"t\"", map[string]string{"tick": "now", "run": "r"}, list...)
			})
			if l.AWS.Timestamp != 1_773_500_000_123 || len(l.AWS.CloudWatchMetrics) != 1 {
				t.Fatalf("got %+v", l)
			}
			d := l.AWS.CloudWatchMetrics[0]
			if diff := cmp.Diff(want, d.Dimensions); d.Namespace != "sluice" || diff != "" {
				t.Errorf("namespace %q, dimensions: %s", d.Namespace, diff)
			}
			for i, m := range d.Metrics {
				if m.Name != list[i].Name || m.Unit != string(list[i].Unit) || root[m.Name] != list[i].Value {
					t.Errorf("metric %+v = %v, want %+v", m, root[m.Name], list[i])
				}
			}
			if root["table"] != "sto\nre.\"t\"" || root["tick"] != "now" || root["run"] != "r" || len(d.Metrics) != 3 {
				t.Errorf("got %v", root)
			}
		})
	}
}

func TestTotal(t *testing.T) {
	l, root := write(t, true, func(l *metrics.Log) { l.Total(nil, metrics.Metric{Name: "Tables", Unit: metrics.Count, Value: 7}) })
	if diff := cmp.Diff([][]string{{}}, l.AWS.CloudWatchMetrics[0].Dimensions); diff != "" || root["Tables"] != 7.0 {
		t.Errorf("%v: %s", root, diff)
	}
}

// What is off, and what is no number, leaves no line behind, least of all half of one.
func TestNothing(t *testing.T) {
	var out bytes.Buffer
	m := metrics.Metric{Name: "Tables", Unit: metrics.Count, Value: 1}
	var none *metrics.Log
	none.Total(nil, m)
	none.Table("t", nil, m)
	metrics.New(&out, "", true, time.Now).Table("t", nil, m)
	m.Value = math.NaN()
	metrics.New(&out, "sluice", true, time.Now).Table("t", nil, m)
	if out.Len() > 0 {
		t.Errorf("got %q", out.String())
	}
}
