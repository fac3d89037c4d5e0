package infra_test

import (
	"cmp"
	"encoding/json"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/scheduler"
	"github.com/aws/aws-sdk-go-v2/service/sfn"

	"sluice/functions/wiring"
	"sluice/scripts/rig/stack"
)

// What is deployed is read back from the services: with everything made, and with what there is already.
func TestTheStackAsItIsDeployed(t *testing.T) {
	for name, parameters := range map[string]map[string]string{
		"everything is made": {},
		"storage is there": {
			"RawBucketName": "raw-there", "RawPrefix": "cdc/", "LakeBucketName": "lake-there", "LakePrefix": "tables/",
			"ControlTableName": "DMSCDC_Controller", "CatalogDatabase": "lake", "TickMinutes": "15", "Settle": "5m",
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := deploy(t, "template.yaml", parameters)
			t.Run("the schedule invokes the controller with its time", func(t *testing.T) { s.in(t).checkSchedule(parameters["TickMinutes"]) })
			for _, function := range []string{"Controller", "InitialLoad", "Merge", "Janitor"} {
				t.Run("the settings of "+function+" are understood", func(t *testing.T) { s.in(t).checkFunction(function, parameters) })
			}
			t.Run("the state machine calls the workers and tells the topic", func(t *testing.T) { s.in(t).checkStateMachine() })
			t.Run("the roles name what they may", func(t *testing.T) { s.in(t).checkRoles() })
		})
	}
}

// Who deploys the functions otherwise gets alarms and dashboard from a stack of their own.
func TestTheAlarmsAreAStackOfTheirOwn(t *testing.T) {
	s := deploy(t, "infra/observability.yaml", map[string]string{
		"TopicArn": "arn:aws:sns:eu-west-1:000000000000:topic", "ControllerFunctionName": "c", "InitialLoadFunctionName": "i",
		"MergeFunctionName": "m", "JanitorFunctionName": "j", "ControllerLogs": "lc", "InitialLoadLogs": "li", "MergeLogs": "lm", "StateMachineArn": "arn:aws:states:eu-west-1:000000000000:stateMachine:t",
		"ControlTableName": "DMSCDC_Controller", "DeadLettersName": "d",
	})
	for _, alarm := range []string{
		"TableHalted", "TableRunFailed", "NothingMerged", "ControllerErrors", "ControllerSilent", "JanitorErrors", "DeadLettersWaiting", "Throttles",
	} {
		if s.Resources[alarm] == "" {
			t.Errorf("no alarm %s in %v", alarm, s.Resources)
		}
	}
	s.names("the dashboard's address", s.Outputs["DashboardUrl"], s.Name)
}

func (s *deployed) checkSchedule(minutes string) {
	schedule := s.Resources["Tick"]
	out, err := scheduler.NewFromConfig(s.config).GetSchedule(s.t.Context(), &scheduler.GetScheduleInput{Name: &schedule})
	if err != nil {
		s.t.Fatal(err)
	}
	s.equal("target", *out.Target.Arn, s.Outputs["ControllerFunctionArn"])
	s.equal("input", *out.Target.Input, `{"tick": "<aws.scheduler.scheduled-time>"}`)
	s.equal("expression", *out.ScheduleExpression, "rate("+cmp.Or(minutes, "60")+" minutes)")
	if out.Target.DeadLetterConfig == nil || !strings.Contains(*out.Target.DeadLetterConfig.Arn, ":sqs:") {
		s.t.Errorf("dead letters %v, want the queue", out.Target.DeadLetterConfig)
	}
}

// checkFunction reads the environment as the function does.
func (s *deployed) checkFunction(name string, parameters map[string]string) {
	function := s.Resources[name+"Function"]
	out, err := lambda.NewFromConfig(s.config).GetFunctionConfiguration(s.t.Context(), &lambda.GetFunctionConfigurationInput{FunctionName: &function})
	if err != nil {
		s.t.Fatal(err)
	}
	env := out.Environment.Variables
	e, err := wiring.Read(func(name string) (string, bool) { value, ok := env[name]; return value, ok }, 1)
	if err != nil {
		s.t.Fatalf("%v in %v", err, env)
	}
	s.equal("raw bucket", e.Config.RawBucket, s.Outputs["RawBucketName"])
	s.equal("raw prefix", e.Config.RawPrefix, parameters["RawPrefix"])
	s.equal("lake bucket", e.Config.LakeBucket, s.Outputs["LakeBucketName"])
	s.equal("lake prefix", e.Config.LakePrefix, parameters["LakePrefix"])
	s.equal("control table", e.Table, s.Outputs["ControlTableName"])
	s.equal("metrics, where the alarms look", e.Namespace, s.Outputs["MetricsNamespace"])
	if name == "Controller" {
		s.equal("state machine", e.Machine, s.Outputs["TableRunArn"])
	}
	if name != "Janitor" {
		s.equal("catalog", e.Database, parameters["CatalogDatabase"])
		s.equal("settle", e.Config.Settle.String(), cmp.Or(parameters["Settle"], "1m")+"0s")
	}
	s.equal("role", (*out.Role)[strings.LastIndex(*out.Role, "/")+1:], s.Resources[name+"Role"])
}

func (s *deployed) checkStateMachine() {
	arn := s.Outputs["TableRunArn"]
	out, err := sfn.NewFromConfig(s.config).DescribeStateMachine(s.t.Context(), &sfn.DescribeStateMachineInput{StateMachineArn: &arn})
	if err != nil {
		s.t.Fatal(err)
	}
	s.names("the definition", *out.Definition,
		":function:"+s.Resources["InitialLoadFunction"], ":function:"+s.Resources["MergeFunction"], s.Outputs["TopicArn"])
	if strings.Contains(*out.Definition, "${") {
		s.t.Error("a substitution is left over in the definition")
	}
	s.equal("role", (*out.RoleArn)[strings.LastIndex(*out.RoleArn, "/")+1:], s.Resources["TableRunRole"])
	s.names("the role, for its own children,", s.policies("TableRunRole"), `"`+arn+`"`)
}

func (s *deployed) checkRoles() {
	raw, lake := "arn:aws:s3:::"+s.Outputs["RawBucketName"], "arn:aws:s3:::"+s.Outputs["LakeBucketName"]
	table := ":table/" + s.Outputs["ControlTableName"]
	for role, want := range map[string][]string{
		"ControllerRole":  {raw, lake, table, s.Outputs["TableRunArn"]},
		"InitialLoadRole": {raw + "/", lake + "/", table},
		"MergeRole":       {raw + "/", lake + "/", table},
		"JanitorRole":     {lake + "/", table, "s3:DeleteObject"},
		"TableRunRole":    {lake + "/", ".batch-*.json", s.Outputs["TopicArn"]},
		"ScheduleRole":    {s.Outputs["ControllerFunctionArn"], s.Outputs["JanitorFunctionArn"]},
	} {
		text := s.policies(role)
		s.names(role, text, want...)
		if role != "JanitorRole" && strings.Contains(text, "s3:Delete") {
			s.t.Errorf("%s may delete: %s", role, text)
		}
	}
}

func (s *deployed) equal(what, got, want string) {
	s.t.Helper()
	if got != want {
		s.t.Errorf("%s: %s, want %s", what, got, want)
	}
}

func (s *deployed) names(what, text string, want ...string) {
	s.t.Helper()
	for _, w := range want {
		if !strings.Contains(text, w) {
			s.t.Errorf("%s does not name %s: %s", what, w, text)
		}
	}
}

// policies returns the statements of a role as JSON.
func (s *deployed) policies(logical string) string {
	s.t.Helper()
	client, role := iam.NewFromConfig(s.config), s.Resources[logical]
	names, err := client.ListRolePolicies(s.t.Context(), &iam.ListRolePoliciesInput{RoleName: &role})
	if err != nil {
		s.t.Fatal(err)
	}
	var all []any
	for _, name := range names.PolicyNames {
		out, err := client.GetRolePolicy(s.t.Context(), &iam.GetRolePolicyInput{RoleName: &role, PolicyName: &name})
		if err != nil {
			s.t.Fatal(err)
		}
		all = append(all, stack.Document(s.t, *out.PolicyDocument)["Statement"])
	}
	text, err := json.Marshal(all)
	if err != nil || len(all) == 0 {
		s.t.Fatalf("%s has no policies: %v", role, err)
	}
	return string(text)
}
