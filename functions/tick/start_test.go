package tick_test

import (
	"context"
	"encoding/json"
	"errors"
	"regexp"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"
	smithy "github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"

	"sluice/functions/tablerun"
	"sluice/functions/tick"
	"sluice/internal/replicate"
)

const machine = "arn:aws:states:eu-west-1:123456789012:stateMachine:sluice-TableRun"

// states are executions by name, as Step Functions keeps them: a name is taken for 90 days.
type states struct {
	executions map[string]types.ExecutionStatus
	inputs     []string
	asked      []string // ARNs
	err        error
}

func (s *states) StartExecution(_ context.Context, in *sfn.StartExecutionInput, _ ...func(*sfn.Options)) (*sfn.StartExecutionOutput, error) {
	if s.err != nil {
		return nil, s.err
	}
	if _, taken := s.executions[*in.Name]; taken {
		return nil, &types.ExecutionAlreadyExists{}
	}
	if *in.StateMachineArn != machine {
		return nil, errors.New("another machine")
	}
	s.executions[*in.Name] = types.ExecutionStatusRunning
	s.inputs = append(s.inputs, *in.Input)
	return &sfn.StartExecutionOutput{}, nil
}

func (s *states) DescribeExecution(_ context.Context, in *sfn.DescribeExecutionInput, _ ...func(*sfn.Options)) (*sfn.DescribeExecutionOutput, error) {
	s.asked = append(s.asked, *in.ExecutionArn)
	name := (*in.ExecutionArn)[strings.LastIndex(*in.ExecutionArn, ":")+1:]
	return &sfn.DescribeExecutionOutput{Status: s.executions[name]}, nil
}

var due = replicate.Due{Path: "raw/dms/store/product/", Table: "store.product", Halted: "vanished: gone"}

func TestStart(t *testing.T) {
	s := &states{executions: map[string]types.ExecutionStatus{}}
	starter := tick.Starter{States: s, Machine: machine}
	first, err := starter.Start(t.Context(), due, "2026-03-14T12:00:00Z")
	if err != nil {
		t.Fatal(err)
	}
	var input tablerun.Input
	if err := json.Unmarshal([]byte(s.inputs[0]), &input); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(tablerun.Input{Path: due.Path, Tick: "2026-03-14T12:00:00Z", Halted: due.Halted}, input); diff != "" {
		t.Error(diff)
	}
	for _, status := range []types.ExecutionStatus{types.ExecutionStatusRunning, types.ExecutionStatusSucceeded, types.ExecutionStatusPendingRedrive} {
		s.executions[first] = status
		if again, err := starter.Start(t.Context(), due, "2026-03-14T12:00:00Z"); err != nil || again != first || len(s.inputs) != 1 {
			t.Errorf("one that is %s was started again: %q, %v", status, again, err)
		}
	}
	if want := "arn:aws:states:eu-west-1:123456789012:execution:sluice-TableRun:" + first; s.asked[0] != want {
		t.Errorf("asked for %s, want %s", s.asked[0], want)
	}
	next, err := starter.Start(t.Context(), due, "2026-03-14T13:00:00Z")
	if err != nil || next == first {
		t.Errorf("the next tick starts %q, %v", next, err)
	}
}

func TestStart_behindOneThatEndedBadly(t *testing.T) {
	for _, status := range []types.ExecutionStatus{types.ExecutionStatusFailed, types.ExecutionStatusTimedOut, types.ExecutionStatusAborted} {
		s := &states{executions: map[string]types.ExecutionStatus{}}
		starter := tick.Starter{States: s, Machine: machine}
		first, _ := starter.Start(t.Context(), due, "t")
		last := first
		for n := 2; n <= 9; n++ {
			s.executions[last] = status
			name, err := starter.Start(t.Context(), due, "t")
			if want := first + "-r" + string(rune('0'+n)); err != nil || name != want {
				t.Fatalf("behind %s: %q, %v, want %s", status, name, err, want)
			}
			last = name
		}
		s.executions[last] = status
		if name, err := starter.Start(t.Context(), due, "t"); err == nil {
			t.Errorf("a tenth execution was started: %s", name)
		}
	}
}

func TestStart_refused(t *testing.T) {
	broken := errors.New("throttled")
	if _, err := (tick.Starter{States: &states{err: broken}, Machine: machine}).Start(t.Context(), due, "t"); !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
	for code, want := range map[string]string{
		"AccessDeniedException":    "grant states:StartExecution on " + machine,
		"StateMachineDoesNotExist": "no state machine " + machine + ": correct SLUICE_STATE_MACHINE",
	} {
		refused := &smithy.GenericAPIError{Code: code}
		if _, err := (tick.Starter{States: &states{err: refused}, Machine: machine}).Start(t.Context(), due, "t"); !errors.Is(err, refused) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", code, err)
		}
	}
	if _, err := tick.NewStarter(t.Context(), "arn:aws:lambda:eu-west-1:1:function:x"); err == nil || !strings.Contains(err.Error(), "SLUICE_STATE_MACHINE") {
		t.Errorf("got %v", err)
	}
}

// The names of tables are the source database's; those of executions have 80 characters of a small alphabet.
func TestName_hostileTables(t *testing.T) {
	allowed := regexp.MustCompile(`^[A-Za-z0-9_-]{1,80}$`)
	seen := map[string]string{}
	for _, path := range []string{
		"raw/a/b/", "raw/a/b//", "raw/../../b/", "raw/a/" + strings.Repeat("long", 500) + "/", "raw/straße/größe/", "raw/表/表/",
		"raw/a b/c\td/", "raw/a/\x00\xff/", `raw/"};{"x":"/`, "raw/<>{}[]?*\"#%\\^|~`$&,;:/@/", "raw/a/$.path/", "raw///",
	} {
		for _, n := range []int{1, 2, 9} {
			name := tick.Name(replicate.Due{Path: path, Table: strings.Trim(path, "/")}, "2026-03-14T12:00:00Z", n)
			if !allowed.MatchString(name) {
				t.Errorf("%q: name %q", path, name)
			}
			key := path + string(rune('0'+n))
			if other, taken := seen[name]; taken {
				t.Errorf("%q and %q are both %q", key, other, name)
			}
			seen[name] = key
		}
	}
	a, b := replicate.Due{Path: "raw/a/b/", Table: "x"}, replicate.Due{Path: "raw/a/c/", Table: "x"}
	if tick.Name(a, "t", 1) == tick.Name(b, "t", 1) || tick.Name(a, "t", 1) == tick.Name(a, "u", 1) {
		t.Error("two tables, or two ticks, have one name")
	}
}
