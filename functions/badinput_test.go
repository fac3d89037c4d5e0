package functions_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	dynamodbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	sfntypes "github.com/aws/aws-sdk-go-v2/service/sfn/types"

	"sluice/functions/tablerun"
	"sluice/internal/replicate"
	"sluice/scripts/dmsgen"
)

func TestTwoTicksAtOnceStartOneRun(t *testing.T) {
	t.Parallel()
	x := troubled(t, nil)
	before := len(x.ended())
	var group sync.WaitGroup
	for range 2 {
		group.Go(func() { x.start("2026-12-24T18:00:00Z") })
	}
	group.Wait()
	if got := len(x.ended()) - before; got != 1 {
		t.Errorf("%d executions", got)
	}
	x.merged()
}

// TestABrokenAttributeHaltsThatTableAlone: what an operator typed into the control item cannot be understood.
func TestABrokenAttributeHaltsThatTableAlone(t *testing.T) {
	t.Parallel()
	x := troubled(t, nil)
	other := dmsgen.Table{Schema: "store", Name: "other", Key: []string{"id"}, Columns: product().Columns}
	x.load(other, []any{int64(1), "a", "x"})
	x.tick()
	_, err := x.operator().Activate(t.Context(), "store.other", replicate.Activation{PrimaryKey: aws.String("id")})
	x.must(err)
	x.set(x.path(), "InputTimezone", "Atlantis/Poseidonis")
	x.heard()
	if got := x.tick(); got.Started != 2 {
		t.Errorf("tick: %+v", got)
	}
	if heard := x.heard(); len(heard) != 1 || !strings.Contains(heard[0], "InputTimezone") || !strings.Contains(heard[0], "store.product") {
		t.Errorf("topic: %q", heard)
	}
	if got := x.rows(x.lake, "other", "id"); len(got) != 1 {
		t.Errorf("the other table: %v", got)
	}
	x.set(x.path(), "InputTimezone", "UTC")
	_, err = x.operator().Acknowledge(t.Context(), "store.product", "")
	x.must(err)
	x.tick()
	x.merged()
}

// set writes an attribute as an operator does in the console.
func (a *account) set(path, name, value string) {
	a.t.Helper()
	_, err := dynamodb.NewFromConfig(a.settings).UpdateItem(a.t.Context(), &dynamodb.UpdateItemInput{
		TableName: &a.table, Key: map[string]dynamodbtypes.AttributeValue{"path": &dynamodbtypes.AttributeValueMemberS{Value: path}},
		AttributeUpdates: map[string]dynamodbtypes.AttributeValueUpdate{
			name: {Value: &dynamodbtypes.AttributeValueMemberS{Value: value}, Action: dynamodbtypes.AttributeActionPut},
		},
	})
	a.must(err)
}

func TestARunOfADeletedItemEnds(t *testing.T) {
	t.Parallel()
	x := troubled(t, nil)
	client := dynamodb.NewFromConfig(x.settings)
	_, err := client.DeleteItem(t.Context(), &dynamodb.DeleteItemInput{TableName: &x.table, Key: map[string]dynamodbtypes.AttributeValue{"path": &dynamodbtypes.AttributeValueMemberS{Value: x.path()}}})
	x.must(err)
	var answer tablerun.Answer
	x.must(x.invoke(merge, tablerun.Event{Version: tablerun.Version, Step: tablerun.StepPlan, Run: "r", Path: x.path()}, &answer))
	if answer.Next != tablerun.NextEnd || !strings.Contains(answer.Reason, "no control item") {
		t.Errorf("plan: %+v", answer)
	}
	if got := x.tick(); got.Registered != 1 {
		t.Errorf("next tick: %+v", got)
	}
}

func TestBadEventsAreRefusedByName(t *testing.T) {
	t.Parallel()
	x := troubled(t, nil)
	for text, event := range map[string]string{
		"version 7":        `{"version":7,"step":"plan","run":"r","path":"p"}`,
		"without a batch":  `{"version":1,"step":"apply","run":"r","path":"p"}`,
		"holds no ops":     `{"version":1,"step":"apply","run":"r","path":"p","batch":{"path":"p","id":"i","plan":"k","phase":1,"ops":[]}}`,
		`step \"dance\"`:   `{"version":1,"step":"dance","run":"r","path":"p"}`,
		"of which commit":  `{"version":1,"step":"finish","run":"r","path":"p"}`,
		"names no table":   `{"version":1,"step":"plan"}`,
		"cannot unmarshal": `{"version":"one"}`,
	} {
		err := x.invoke(merge, json.RawMessage(event), &struct{}{})
		if err == nil || !strings.Contains(err.Error(), text) || text != "cannot unmarshal" && !strings.Contains(err.Error(), "EventError") {
			t.Errorf("%s: %v", event, err)
		}
	}
}

func TestAWrongSettingIsNamedByEveryInvocation(t *testing.T) {
	t.Parallel()
	x := deploy(t, map[string]string{"SLUICE_HORIZON": "soon"})
	for _, name := range []string{controller, initialload, merge, janitor} {
		err := x.invoke(name, struct{}{}, &struct{}{})
		if err == nil || !strings.Contains(err.Error(), "SettingsError") || !strings.Contains(err.Error(), "SLUICE_HORIZON") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAMissingBucketFailsTheTickByName(t *testing.T) {
	t.Parallel()
	x := deploy(t, map[string]string{"SLUICE_RAW": "s3://no-such-bucket-" + fmt.Sprint(time.Now().UnixNano())})
	err := x.invoke(controller, struct{}{}, &struct{}{})
	if err == nil || !strings.Contains(err.Error(), "FailedError") || !strings.Contains(err.Error(), "no-such-bucket") {
		t.Errorf("controller: %v", err)
	}
}

// TestARunIsNotHurtByARedeployment: the state machine gets another definition while an execution of the old one is waiting to
// repeat a step, and the functions refuse what they do not understand.
func TestARunIsNotHurtByARedeployment(t *testing.T) {
	t.Parallel()
	x := troubled(t, map[string]string{"SLUICE_INLINE_BYTES": "1"})
	x.wrap(900)
	x.refuseLakeFiles()
	x.start("before")
	time.Sleep(300 * time.Millisecond)
	described, err := x.states.DescribeStateMachine(t.Context(), &sfn.DescribeStateMachineInput{StateMachineArn: &x.machine})
	x.must(err)
	newer := strings.ReplaceAll(*described.Definition, `"version": 1`, `"version": 2`)
	_, err = x.states.UpdateStateMachine(t.Context(), &sfn.UpdateStateMachineInput{StateMachineArn: &x.machine, Definition: &newer})
	x.must(err)
	x.proxy.Heal()
	x.ended()
	x.succeeded(x.latest()) // by the definition that it began with
	x.merged()
	x.change(product(), insert(int64(5), "e", "z"))
	x.tick()
	run := x.latest()
	if run.Status != sfntypes.ExecutionStatusFailed || !strings.Contains(aws.ToString(run.Cause), "version 2") {
		t.Errorf("newer definition: %s %s", run.Status, aws.ToString(run.Cause))
	}
	_, err = x.states.UpdateStateMachine(t.Context(), &sfn.UpdateStateMachineInput{StateMachineArn: &x.machine, Definition: described.Definition})
	x.must(err)
	x.tick()
	x.succeeded(x.latest())
	if got := len(x.rows(x.lake, "product", "id")); got != 4 {
		t.Errorf("%d rows", got)
	}
}

// TestHostileNames: what S3 keys may hold does not reach beyond its table, nor out of a log line or a state.
func TestHostileNames(t *testing.T) {
	t.Parallel()
	a := deploy(t, map[string]string{"SLUICE_INLINE_BYTES": "1"})
	names := []string{"..", "a b", `q"uote`, "$.path", "{}", "States.Format('x')", "ünï", "x\ny", "${TopicArn}", "-rf", "%2e%2e"}
	for n, name := range names {
		table := product()
		table.Name = name
		_, err := a.out.WriteLoad(t.Context(), table, time.Now(), []any{int64(n), name, "x"})
		a.must(err)
	}
	got := a.tick()
	if got.Failed != 0 || got.Registered == 0 {
		t.Errorf("first tick: %+v", got)
	}
	tables, err := a.operator().Tables(t.Context())
	a.must(err)
	for _, table := range tables {
		_, err := a.operator().Activate(t.Context(), table.Path, replicate.Activation{PrimaryKey: aws.String("id")})
		a.must(err)
	}
	if got := a.tick(); got.Started != len(tables) {
		t.Errorf("second tick: %+v", got)
	}
	for _, run := range a.ended() {
		if run.Status != sfntypes.ExecutionStatusSucceeded {
			t.Errorf("execution %s: %s", *run.Name, run.Status)
		}
	}
	if got := a.tick(); got.Idle != len(tables) {
		t.Errorf("third tick: %+v of %d", got, len(tables))
	}
	t.Logf("%d of %d names are tables", len(tables), len(names))
}
