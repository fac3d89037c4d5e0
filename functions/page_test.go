package functions_test

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sfn"

	"sluice/functions/cleaning"
	"sluice/functions/metrics"
	"sluice/functions/tablerun"
	"sluice/functions/tick"
	"sluice/functions/wiring"
	"sluice/internal/cost"
	"sluice/internal/replicate"
)

// docs/FUNCTIONS.md names whatever the functions say and listen to.

func page(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../docs/FUNCTIONS.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// named says which of the names the page does not have in backquotes.
func named(t *testing.T, kind string, names []string) {
	t.Helper()
	text := page(t)
	if len(names) == 0 {
		t.Errorf("no %s at all", kind)
	}
	for _, name := range names {
		if !strings.Contains(text, "`"+name+"`") {
			t.Errorf("docs/FUNCTIONS.md does not name the %s %s", kind, name)
		}
	}
}

func TestThePageNamesEveryField(t *testing.T) {
	for _, message := range []any{
		tick.Event{},
		tick.Answer{},
		cleaning.Event{},
		cleaning.Answer{},
		tablerun.Input{},
		tablerun.Event{},
		tablerun.Commit{},
		tablerun.Phase{},
		tablerun.Answer{},
	} {
		if names := fields(reflect.TypeOf(message)); len(names) > 0 {
			named(t, reflect.TypeOf(message).String()+"'s field", names)
		}
	}
}

// fields are the JSON names of a struct's own fields and of those it embeds.
func fields(of reflect.Type) []string {
	var names []string
	for i := range of.NumField() {
		f := of.Field(i)
		if f.Anonymous {
			names = append(names, fields(f.Type)...)
			continue
		}
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		names = append(names, name)
	}
	return slices.DeleteFunc(names, func(name string) bool { return name == "-" })
}

func TestThePageNamesEveryVariableAndNoOther(t *testing.T) {
	var asked []string
	_, err := wiring.Read(func(name string) (string, bool) {
		asked = append(asked, name)
		return "", false
	}, 1)
	if err == nil {
		t.Error("an environment without SLUICE_RAW was taken")
	}
	named(t, "variable", asked)
	for _, name := range regexp.MustCompile("SLUICE_[A-Z_]+").FindAllString(page(t), -1) {
		if name != "SLUICE_" && !slices.Contains(asked, name) {
			t.Errorf("docs/FUNCTIONS.md names %s, which nobody reads", name)
		}
	}
}

func TestThePageNamesEveryError(t *testing.T) {
	var names []string
	for _, err := range []error{&tick.FailedError{}, &tablerun.EventError{}, &tablerun.FailedError{}, &cleaning.FailedError{}, &wiring.SettingsError{}} {
		names = append(names, reflect.TypeOf(err).Elem().Name())
	}
	named(t, "error", names)
}

func TestThePageNamesEveryMetric(t *testing.T) {
	var out bytes.Buffer
	lines := metrics.New(&out, "sluice", true, time.Now)
	var logged bytes.Buffer
	silent := slog.New(slog.NewJSONHandler(&logged, nil))
	due := replicate.Due{Path: "raw/s/t/", Table: "s.t", Waiting: time.Hour}
	controller := &tick.Controller{
		Open: func(string, *slog.Logger) (tick.Engine, error) { return surveyed{due}, nil }, Log: silent, Metrics: lines,
		Starter: tick.Starter{States: started{}, Machine: "arn:aws:states:eu-west-1:1:stateMachine:TableRun"},
	}
	if _, err := controller.Handle(t.Context(), tick.Event{Tick: "now"}); err != nil {
		t.Fatal(err)
	}
	worker := &tablerun.Worker{
		Open: func(string, *slog.Logger) (tablerun.Engine, error) { return halting{}, nil }, Log: silent, Metrics: lines,
	}
	if _, err := worker.Handle(t.Context(), tablerun.Event{Version: 1, Step: "plan", Run: "r", Path: "raw/s/t/"}); err != nil {
		t.Fatal(err)
	}
	var names []string
	ofTables, ofAll := map[string]bool{}, map[string]bool{}
	for line := range strings.Lines(out.String()) {
		var l struct {
			AWS struct {
				CloudWatchMetrics []struct {
					Dimensions [][]string
					Metrics    []struct{ Name string }
				}
			} `json:"_aws"`
		}
		if err := json.Unmarshal([]byte(line), &l); err != nil {
			t.Fatal(err)
		}
		for _, m := range l.AWS.CloudWatchMetrics[0].Metrics {
			names = append(names, m.Name)
			ofAll[m.Name] = true
			if len(l.AWS.CloudWatchMetrics[0].Dimensions) == 2 {
				ofTables[m.Name] = true
			}
		}
	}
	if len(ofTables) != cost.TableMetrics || len(ofAll) != cost.TotalMetrics {
		t.Errorf("%d metrics of tables, %d of all; docs/COST.md counts %d and %d", len(ofTables), len(ofAll), cost.TableMetrics, cost.TotalMetrics)
	}
	if n := out.Len() + logged.Len() + 600; n > cost.LogBytes+cost.StartLogBytes { // Lambda's own lines: START, END, REPORT
		t.Errorf("a run logs %d bytes, docs/COST.md counts %d", n, cost.LogBytes+cost.StartLogBytes)
	}
	named(t, "metric", names)
	if !slices.Contains(names, "TickSeconds") || !slices.Contains(names, "LagSeconds") {
		t.Errorf("metrics %v are not those of controller and worker", names)
	}
}

// surveyed is an engine to which one table is due.
type surveyed struct{ due replicate.Due }

func (s surveyed) Survey(ctx context.Context, start func(context.Context, replicate.Due) error, report func(replicate.Result)) error {
	err := start(ctx, s.due)
	report(replicate.Result{Table: s.due.Table, Path: s.due.Path, Action: replicate.Started})
	return err
}

// halting is an engine whose every step halts its table.
type halting struct{ tablerun.Engine }

func (halting) Plan(context.Context, string, replicate.Stage, replicate.StepOptions) replicate.Step {
	return replicate.Step{Result: replicate.Result{Table: "s.t", Action: replicate.Halted, Reason: "input: broken"}, Next: replicate.NextEnd}
}

// started is a Step Functions that starts whatever it is asked to.
type started struct{ tick.States }

func (started) StartExecution(context.Context, *sfn.StartExecutionInput, ...func(*sfn.Options)) (*sfn.StartExecutionOutput, error) {
	return &sfn.StartExecutionOutput{}, nil
}
