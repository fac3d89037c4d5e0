package tablerun_test

import (
	"encoding/json"
	"os"
	"slices"
	"testing"
	"time"
)

// state is of a state of the definition what these tests ask.
type state struct {
	Type, Resource string
	Retry          []struct {
		ErrorEquals     []string
		IntervalSeconds float64
		BackoffRate     float64
		MaxAttempts     int
		MaxDelaySeconds float64
		JitterStrategy  string
	}
	ItemProcessor *struct{ States map[string]state }
}

// invocations are the states of the definition that invoke a worker, those of its maps too.
func invocations(t *testing.T) map[string]state {
	t.Helper()
	text, err := os.ReadFile("../../infra/tablerun.asl.json")
	if err != nil {
		t.Fatal(err)
	}
	var definition struct{ States map[string]state }
	if err := json.Unmarshal(text, &definition); err != nil {
		t.Fatal(err)
	}
	found := map[string]state{}
	var look func(map[string]state)
	look = func(states map[string]state) {
		for name, s := range states {
			if s.Resource == "arn:aws:states:::lambda:invoke" {
				found[name] = s
			}
			if s.ItemProcessor != nil {
				look(s.ItemProcessor.States)
			}
		}
	}
	look(definition.States)
	return found
}

// patience is how long a state goes on asking behind an error, on average.
func (s state) patience(name string) time.Duration {
	for _, r := range s.Retry {
		if !slices.Contains(r.ErrorEquals, name) {
			continue
		}
		var sum float64
		for wait := r.IntervalSeconds; r.MaxAttempts > 0; r.MaxAttempts-- {
			sum += min(wait, r.MaxDelaySeconds)
			wait *= r.BackoffRate
		}
		if r.JitterStrategy == "FULL" {
			sum /= 2
		}
		return time.Duration(sum * float64(time.Second))
	}
	return 0
}

// TestATableRunWaitsItsTurn: forty batches of each of many tables are more than an account allows at once, or than
// WorkerConcurrency does. That all workers are busy is no trouble to give up for, and to tell an operator of.
func TestATableRunWaitsItsTurn(t *testing.T) {
	t.Parallel()
	all := invocations(t)
	if len(all) != 6 {
		t.Errorf("%d states invoke workers", len(all))
	}
	for name, s := range all {
		if got := s.patience("Lambda.TooManyRequestsException"); got < 3*time.Hour {
			t.Errorf("%s waits %s for a worker that is free", name, got)
		}
		if got := s.patience("FailedError"); got < time.Minute || got > 10*time.Minute {
			t.Errorf("%s waits %s for storage to be well again", name, got)
		}
		if got := s.patience("EventError") + s.patience("SettingsError"); got != 0 {
			t.Errorf("%s repeats for %s what cannot succeed", name, got)
		}
	}
}
