package functions_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	sfntypes "github.com/aws/aws-sdk-go-v2/service/sfn/types"

	"sluice/functions/tick"
)

// without takes an action on a resource (an ARN, which may end in *) away from a role, and returns what gives it back. It is a
// statement that denies: a permission that was never there is answered alike.
func (e *enforced) without(logical, action, resource string) (restore func()) {
	e.t.Helper()
	role, policy := e.Resources[logical], aws.String("without")
	_, err := e.iam.PutRolePolicy(e.t.Context(), &iam.PutRolePolicyInput{RoleName: &role, PolicyName: policy, PolicyDocument: aws.String(
		fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":%q,"Resource":%q}]}`, action, resource))})
	e.must(err)
	return func() {
		e.t.Helper()
		_, err := e.iam.DeleteRolePolicy(e.t.Context(), &iam.DeleteRolePolicyInput{RoleName: &role, PolicyName: policy})
		e.must(err)
	}
}

// aMissingPermissionIsNamed takes permissions away, one at a time, and reads what the operator gets: it names the action, on what,
// and where to look. The next tick after the permission is back does what was left.
func aMissingPermissionIsNamed(t *testing.T, e *enforced) {
	t.Helper()
	raw, lake := "arn:aws:s3:::"+e.raw, "arn:aws:s3:::"+e.lake
	e.ended()
	e.heard()
	for n, missing := range []struct {
		action, resource string
		names            []string // in the cause of the execution, beside what is always there
	}{
		{"s3:PutObject", lake + "/*", []string{"store.product: ", "put s3://" + e.lake + "/tables/_sluice/product/"}},
		{"s3:GetObject", raw + "/*", []string{"get s3://" + e.path()}},
		{"dynamodb:UpdateItem", "*", []string{e.path(), e.table}},
		{"glue:BatchCreatePartition", "*", []string{"glue:" + e.database + ".product", "the database " + e.database}},
	} {
		e.change(product(), insert(int64(1000+n), missing.action, fmt.Sprint("new", n)))
		restore := e.without("MergeRole", missing.action, missing.resource)
		run := e.failing()
		restore()
		said(t, "cause without "+missing.action, aws.ToString(run.Cause),
			append(missing.names, "denied", missing.action, "docs/DEPLOY.md", "sluice doctor", "the next run goes on")...)
		e.told(t, run)
		e.ran("Merge")
	}
	e.missingInTheController(t)
	if got := e.rows(e.lake, "tables/product", "name"); len(got) != 65 || !slices.Contains(got, "started") {
		t.Errorf("%d rows: %v", len(got), got)
	}
	restore := e.without("JanitorRole", "s3:DeleteObject", lake+"/*")
	err := e.invoke(janitor, struct{}{}, &struct{}{})
	said(t, "janitor", fmt.Sprint(err), "FailedError", "access denied", "grant s3:DeleteObject", "delete s3://"+e.lake+"/tables/", "docs/DEPLOY.md")
	restore()
	e.must(e.invoke(janitor, struct{}{}, &struct{}{}))
}

// missingInTheController: its error lands in the log and, the third time, in the dead letters.
func (e *enforced) missingInTheController(t *testing.T) {
	t.Helper()
	var answer tick.Answer
	e.change(product(), insert(int64(100), "started", "new"))
	restore := e.without("ControllerRole", "states:StartExecution", "*")
	err := e.invoke(controller, tick.Event{Tick: "denied"}, &answer)
	restore()
	said(t, "controller", fmt.Sprint(err), "FailedError", "store.product", "access denied: grant states:StartExecution on "+e.machine, "docs/DEPLOY.md", "the next tick goes on")
	e.set(controller, "SLUICE_RAW", "s3://"+e.other()+"/dms/") // a bucket of somebody else
	err = e.invoke(controller, tick.Event{Tick: "other"}, &answer)
	said(t, "controller", fmt.Sprint(err), "FailedError", "list s3://"+e.other()+"/dms/", "grant s3:ListBucket", "docs/DEPLOY.md")
	e.set(controller, "SLUICE_RAW", "s3://"+e.raw+"/dms/")
	e.ran("Merge")
}

// told says that the topic had one message, with the command that prints the cause.
func (e *enforced) told(t *testing.T, run *sfn.DescribeExecutionOutput) {
	t.Helper()
	heard := e.heard()
	if len(heard) != 1 {
		t.Errorf("topic: %q", heard)
	}
	said(t, "topic", strings.Join(heard, ""), *run.Name, *run.Error, "describe-execution --execution-arn "+*run.ExecutionArn, "The next tick goes on", "docs/OPERATIONS.md, alarm table-run-failed")
}

// failing makes a tick whose run fails.
func (e *enforced) failing() *sfn.DescribeExecutionOutput {
	e.t.Helper()
	e.tick()
	run := e.latest()
	if run.Status != sfntypes.ExecutionStatusFailed {
		e.t.Errorf("without a permission: %s", run.Status)
	}
	return run
}

func said(t *testing.T, what, text string, names ...string) {
	t.Helper()
	for _, name := range names {
		if !strings.Contains(text, name) {
			t.Errorf("%s does not say %q: %s", what, name, text)
		}
	}
}
