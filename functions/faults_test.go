package functions_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	sfntypes "github.com/aws/aws-sdk-go-v2/service/sfn/types"

	"sluice/functions/tablerun"
	"sluice/internal/replicate"
	"sluice/scripts/rig/proxy"
)

// inTrouble is a deployment with a table of three rows in its lake and a change that waits. The worker merge reaches S3 through a
// proxy, and leaves its process id where a test can find it.
type inTrouble struct {
	*account
	proxy *proxy.Proxy
	pids  string
}

func troubled(t *testing.T, env map[string]string) *inTrouble {
	t.Helper()
	a := deploy(t, env)
	x := &inTrouble{account: a, proxy: proxy.New(t, a.endpoint), pids: t.TempDir()}
	a.load(product(), []any{int64(1), "a", "x"}, []any{int64(2), "b", "y"}, []any{int64(3), "c", "x"})
	a.tick()
	a.activate("dept")
	a.tick()
	a.change(product(), update(int64(1), "A", "y"), remove(int64(2), "b", "y"), insert(int64(4), "d", "z"))
	return x
}

// wrap has the worker merge start behind a script that notes its process id.
func (x *inTrouble) wrap(timeout int32) {
	x.t.Helper()
	script := "#!/bin/sh\necho $$ > \"" + x.pids + "/$$\"\nexec \"$LAMBDA_TASK_ROOT/worker\"\n"
	body := unzip(x.t, x.get(code.bucket, merge+".zip"))
	key := "merge-" + x.name + ".zip"
	wrapped, err := zipped(map[string][]byte{"bootstrap": []byte(script), "worker": body})
	x.must(err)
	x.must(x.upload(x.t.Context(), code.bucket, key, wrapped))
	name := aws.String(merge + "-" + x.name)
	_, err = x.lambda.DeleteFunction(x.t.Context(), &lambda.DeleteFunctionInput{FunctionName: name})
	x.must(err)
	env := map[string]string{"AWS_ENDPOINT_URL_S3": x.proxy.URL}
	for k, v := range x.env {
		env[k] = v
	}
	x.function(merge, code.bucket, key, env)
	_, err = x.lambda.UpdateFunctionConfiguration(x.t.Context(), &lambda.UpdateFunctionConfigurationInput{FunctionName: name, Timeout: aws.Int32(timeout)})
	x.must(err)
}

// kill ends every worker that has noted its process id.
func (x *inTrouble) kill() int {
	entries, _ := os.ReadDir(x.pids)
	for _, e := range entries {
		if pid, err := strconv.Atoi(e.Name()); err == nil {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
		_ = os.Remove(filepath.Join(x.pids, e.Name()))
	}
	return len(entries)
}

// refuseLakeFiles has every write of a lake file fail, until the proxy is healed.
func (x *inTrouble) refuseLakeFiles() {
	x.proxy.Program(proxy.Rule{Kind: proxy.Refused500, Operation: "PutObject", Match: func(r *http.Request) bool {
		return strings.Contains(r.URL.Path, "/product/dept=") && !strings.Contains(r.URL.Path, "_sluice")
	}})
}

// merged says that the change arrived, once.
func (x *inTrouble) merged() {
	x.t.Helper()
	if got := strings.Join(x.rows(x.lake, "product", "id, name, dept"), "; "); got != "1 A y; 3 c x; 4 d z" {
		x.t.Errorf("lake: %s", got)
	}
}

// TestTableRunSurvivesAWorkerThatCrashes kills the worker at each of its writes to the lake in turn.
func TestTableRunSurvivesAWorkerThatCrashes(t *testing.T) {
	t.Parallel()
	for _, inline := range []string{"1", "1GiB"} {
		t.Run("inline="+inline, func(t *testing.T) {
			t.Parallel()
			x := troubled(t, map[string]string{"SLUICE_INLINE_BYTES": inline})
			x.wrap(900)
			killed := 0 // guarded by the proxy's lock
			for n := 1; n <= 3; n++ {
				writes := 0
				x.proxy.Program(proxy.Rule{Kind: proxy.Dropped, Operation: "PutObject", Match: func(*http.Request) bool {
					if writes++; writes != 2*n {
						return false
					}
					killed += x.kill()
					return true
				}})
				x.change(product(), update(int64(1), "A", "y"), insert(int64(4), fmt.Sprint("d", n), "z"))
				x.tick()
				run := x.latest()
				x.succeeded(run)
				if inline != "1" { // of a batch's worker the map's own history tells
					x.failedOnce(run, "Runtime.ExitError")
				}
				x.change(product(), update(int64(4), "d", "z"))
			}
			x.proxy.Heal()
			x.tick()
			if killed == 0 {
				t.Error("no worker was killed")
			}
			x.merged()
		})
	}
}

// TestTableRunSurvivesAWorkerThatTimesOut: S3 stops answering until the invocation's time is over, once.
func TestTableRunSurvivesAWorkerThatTimesOut(t *testing.T) {
	t.Parallel()
	x := troubled(t, map[string]string{"SLUICE_STOP_BEFORE": "1s"})
	x.wrap(3)
	x.proxy.Program(proxy.Rule{Kind: proxy.NoAnswer, Operation: "PutObject", Nth: 4, Times: 1})
	x.tick()
	run := x.latest()
	x.succeeded(run)
	x.failedOnce(run, "Timedout")
	x.merged()
}

// failedOnce says that a step of the execution failed with the error before it succeeded.
func (a *account) failedOnce(run *sfn.DescribeExecutionOutput, name string) {
	a.t.Helper()
	var met []string
	for _, e := range a.history(run) {
		if d := e.TaskFailedEventDetails; d != nil {
			met = append(met, aws.ToString(d.Error))
		}
		if d := e.LambdaFunctionFailedEventDetails; d != nil {
			met = append(met, aws.ToString(d.Error))
		}
	}
	if !strings.Contains(strings.Join(met, " "), name) {
		a.t.Errorf("execution %s: no step failed with %s: %q", *run.Name, name, met)
	}
}

func TestTableRunWaitsOutThrottling(t *testing.T) {
	t.Parallel()
	x := troubled(t, nil)
	name := aws.String(merge + "-" + x.name)
	_, err := x.lambda.PutFunctionConcurrency(t.Context(), &lambda.PutFunctionConcurrencyInput{FunctionName: name, ReservedConcurrentExecutions: aws.Int32(0)})
	x.must(err)
	x.start("throttled")
	time.Sleep(300 * time.Millisecond)
	_, err = x.lambda.DeleteFunctionConcurrency(t.Context(), &lambda.DeleteFunctionConcurrencyInput{FunctionName: name})
	x.must(err)
	run := x.latest()
	x.succeeded(run)
	x.failedOnce(run, "Lambda.") // of the stand-in Lambda.Unknown, of AWS Lambda.TooManyRequestsException
	x.merged()
}

// TestWorkersInvokedTwiceDoNothingTwice sends every event of a handed-over commit two times, at once.
func TestWorkersInvokedTwiceDoNothingTwice(t *testing.T) {
	t.Parallel()
	x := troubled(t, map[string]string{"SLUICE_INLINE_BYTES": "1"})
	event := tablerun.Event{Version: tablerun.Version, Step: tablerun.StepPlan, Run: "by-hand", Path: x.path(), Tick: "t"}
	answer := x.twice(event)
	if answer.Next != tablerun.NextApply || answer.Commit == nil {
		t.Fatalf("plan: %+v", answer)
	}
	for phase, p := range answer.Commit.Phases {
		if p.Ops == 0 {
			continue
		}
		var batches []replicate.Batch
		x.must(json.Unmarshal(x.get(x.lake, p.Key), &batches))
		for _, b := range batches {
			again := event
			again.Step, again.Batch = tablerun.StepApply, &b
			if got := x.twice(again); got.Next != tablerun.NextEnd {
				t.Errorf("apply: %+v", got)
			}
		}
		if phase == 0 {
			again := event
			again.Step, again.Commit = tablerun.StepRegister, answer.Commit
			x.twice(again)
		}
	}
	event.Step, event.Commit = tablerun.StepFinish, answer.Commit
	if got := x.twice(event); got.Next != tablerun.NextPlan || got.Stage != "merge" {
		t.Errorf("finish: %+v", got)
	}
	x.merged()
}

func (a *account) path() string { return a.raw + "/dms/store/product/" }

// twice sends an event to the worker merge two times at once and returns the answer that says more.
func (a *account) twice(event tablerun.Event) tablerun.Answer {
	a.t.Helper()
	var group sync.WaitGroup
	var answers [2]tablerun.Answer
	var failed [2]error
	for i := range answers {
		group.Go(func() { failed[i] = a.invoke(merge, event, &answers[i]) })
	}
	group.Wait()
	for i := range answers {
		if failed[i] != nil {
			a.t.Fatalf("%s: %v", event.Step, failed[i])
		}
	}
	if answers[0].Action == replicate.Busy || answers[0].Action == replicate.Idle {
		return answers[1]
	}
	return answers[0]
}

// TestAHaltIsToldOnce: the table halts, the topic says so, the execution ends visibly; the next tick starts nothing.
func TestAHaltIsToldOnce(t *testing.T) {
	t.Parallel()
	x := troubled(t, nil)
	_, err := x.s3.PutObject(t.Context(), &s3.PutObjectInput{Bucket: &x.raw, Key: aws.String("dms/store/product/" + time.Now().UTC().Add(time.Second).Format("20060102-150405000") + ".parquet"), Body: bytes.NewReader([]byte("this is no Parquet"))})
	x.must(err)
	x.tick()
	run := x.latest()
	if run.Status != sfntypes.ExecutionStatusFailed || aws.ToString(run.Error) != "TableHalted" || !strings.HasPrefix(aws.ToString(run.Cause), "input: ") {
		t.Errorf("execution: %s %s %s", run.Status, aws.ToString(run.Error), aws.ToString(run.Cause))
	}
	heard := x.heard()
	if len(heard) != 1 || !strings.Contains(heard[0], "sluice acknowledge store.product") || !strings.Contains(heard[0], "input: ") {
		t.Errorf("topic: %q", heard)
	}
	before := len(x.ended())
	if got := x.tick(); got.Halted != 1 || got.Started != 0 || len(x.ended()) != before {
		t.Errorf("next tick: %+v", got)
	}
	if heard := x.heard(); len(heard) != 0 {
		t.Errorf("topic again: %q", heard)
	}
}

// TestAFailureIsToldAndRedriven: S3 fails for longer than the workflow is patient; a redrive completes what was begun, and so does the
// next tick.
func TestAFailureIsToldAndRedriven(t *testing.T) {
	t.Parallel()
	x := troubled(t, map[string]string{"SLUICE_INLINE_BYTES": "1", "AWS_MAX_ATTEMPTS": "1"})
	x.wrap(900)
	x.refuseLakeFiles()
	x.tick()
	run := x.latest()
	if run.Status != sfntypes.ExecutionStatusFailed {
		t.Fatalf("execution: %s", run.Status)
	}
	if heard := x.heard(); len(heard) != 1 || !strings.Contains(heard[0], *run.Name) || !strings.Contains(heard[0], "FAILED") {
		t.Errorf("topic: %q", heard)
	}
	x.proxy.Heal()
	x.redrive(run)
	x.merged()
}

// redrive does what RedriveExecution does, which the stand-in lacks: it enters the last state once more, the one that failed, with
// the input that it had. https://docs.aws.amazon.com/step-functions/latest/dg/redrive-executions.html
func (a *account) redrive(run *sfn.DescribeExecutionOutput) {
	a.t.Helper()
	state, input := "", ""
	for _, e := range a.history(run) {
		d := e.StateEnteredEventDetails
		if d != nil && d.Name != nil && *d.Name != "Apply" && *d.Name != "Apply2" {
			state, input = *d.Name, aws.ToString(d.Input)
		}
	}
	var definition map[string]any
	described, err := a.states.DescribeStateMachine(a.t.Context(), &sfn.DescribeStateMachineInput{StateMachineArn: &a.machine})
	a.must(err)
	a.must(json.Unmarshal([]byte(*described.Definition), &definition))
	definition["StartAt"] = state
	text, err := json.Marshal(definition)
	a.must(err)
	out, err := a.states.CreateStateMachine(a.t.Context(), &sfn.CreateStateMachineInput{
		Name: aws.String("Redrive-" + a.name), Definition: aws.String(string(text)), RoleArn: described.RoleArn,
	})
	a.must(err)
	a.machine = *out.StateMachineArn
	_, err = a.states.StartExecution(a.t.Context(), &sfn.StartExecutionInput{StateMachineArn: &a.machine, Name: run.Name, Input: &input})
	a.must(err)
	a.succeeded(a.latest())
}
