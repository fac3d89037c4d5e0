package tick

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"
	smithy "github.com/aws/smithy-go"

	"sluice/functions/tablerun"
	"sluice/internal/replicate"
)

// States is what is asked of Step Functions.
type States interface {
	StartExecution(ctx context.Context, in *sfn.StartExecutionInput, o ...func(*sfn.Options)) (*sfn.StartExecutionOutput, error)
	DescribeExecution(ctx context.Context, in *sfn.DescribeExecutionInput, o ...func(*sfn.Options)) (*sfn.DescribeExecutionOutput, error)
}

// Starter starts executions of a state machine.
type Starter struct {
	States  States
	Machine string // ARN
}

// NewStarter returns a starter of the state machine with that ARN. Its client comes from the SDK's usual chain, as those of
// the stores do. The error names what is wrong with the ARN.
func NewStarter(ctx context.Context, machine string) (Starter, error) {
	if !strings.Contains(machine, ":stateMachine:") {
		return Starter{}, fmt.Errorf("environment variable SLUICE_STATE_MACHINE is %q; it has to be the ARN of a state machine", machine)
	}
	settings, err := config.LoadDefaultConfig(ctx, config.WithRetryMode(aws.RetryModeAdaptive), config.WithRetryMaxAttempts(8))
	if err != nil {
		return Starter{}, fmt.Errorf("load AWS settings: %w", err)
	}
	return Starter{States: sfn.NewFromConfig(settings), Machine: machine}, nil
}

// maxRepeats is how many executions of one table a tick may have, each behind one that ended badly.
const maxRepeats = 9

// Start starts the table run of a tick and returns its name. A tick that comes twice starts nothing twice: the name is made
// of path and tick. One that failed, ran out of time or was aborted is started again under the name with -r2, -r3.
func (s Starter) Start(ctx context.Context, due replicate.Due, tick string) (string, error) {
	input, err := json.Marshal(tablerun.Input{Path: due.Path, Tick: tick, Halted: due.Halted})
	if err != nil {
		return "", err
	}
	text := string(input)
	for n := 1; n <= maxRepeats; n++ {
		name := Name(due, tick, n)
		_, err := s.States.StartExecution(ctx, &sfn.StartExecutionInput{StateMachineArn: &s.Machine, Name: &name, Input: &text})
		var exists *types.ExecutionAlreadyExists
		if !errors.As(err, &exists) {
			return name, explain("states:StartExecution", s.Machine, err)
		}
		bad, err := s.endedBadly(ctx, name)
		if err != nil || !bad {
			return name, err
		}
	}
	return "", fmt.Errorf("%d executions of tick %s have failed; the next tick starts another one", maxRepeats, tick)
}

// Name is the name of a tick's n-th execution for a table: at most 80 characters of letters, digits, "-" and "_".
func Name(due replicate.Due, tick string, n int) string {
	sum := sha256.Sum256([]byte(due.Path + "\x00" + tick))
	plain := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '_' {
			return r
		}
		return '-'
	}, due.Table)
	name := plain[:min(len(plain), 40)] + "-" + hex.EncodeToString(sum[:16])
	if n > 1 {
		name += fmt.Sprintf("-r%d", n)
	}
	return name
}

func (s Starter) endedBadly(ctx context.Context, name string) (bool, error) {
	arn := strings.Replace(s.Machine, ":stateMachine:", ":execution:", 1) + ":" + name
	out, err := s.States.DescribeExecution(ctx, &sfn.DescribeExecutionInput{ExecutionArn: &arn})
	if err != nil {
		return false, explain("states:DescribeExecution", arn, err)
	}
	switch out.Status {
	case types.ExecutionStatusFailed, types.ExecutionStatusTimedOut, types.ExecutionStatusAborted:
		return true, nil
	case types.ExecutionStatusRunning, types.ExecutionStatusSucceeded, types.ExecutionStatusPendingRedrive:
	}
	return false, nil
}

// explain says what was asked for, and what to do where that is not allowed or the state machine is not there.
func explain(action, arn string, err error) error {
	var api smithy.APIError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &api) && api.ErrorCode() == "AccessDeniedException":
		return fmt.Errorf("access denied: grant %s on %s to the role of the controller (docs/DEPLOY.md); the next tick goes on: %w", action, arn, err)
	case errors.As(err, &api) && api.ErrorCode() == "StateMachineDoesNotExist":
		return fmt.Errorf("no state machine %s: correct SLUICE_STATE_MACHINE; the next tick goes on: %w", arn, err)
	}
	return fmt.Errorf("%s: %w", arn, err)
}
