package infra_test

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"

	"sluice/scripts/rig"
)

// stack is the template as it is deployed on the rig's stand-in for AWS, which has no account and makes up nothing: what is
// read back from its services is what CloudFormation handed them.
type stack struct {
	t         *testing.T
	config    aws.Config
	name      string
	resources map[string]string // physical by logical ids, those of nested stacks among them
	outputs   map[string]string
}

// deploy translates the templates as SAM does, puts code and nested stacks in a bucket, as sam package does, and creates the
// stack of one of them with the given parameters.
func deploy(t *testing.T, template string, parameters map[string]string) *stack {
	t.Helper()
	table := rig.DynamoDB(t) // for its endpoint, which is that of every service, and a name
	s := &stack{
		t: t, name: "sluice" + table.Name[strings.LastIndex(table.Name, "-"):],
		config: aws.Config{
			BaseEndpoint: aws.String(table.Endpoint), Region: rig.Region,
			Credentials: credentials.NewStaticCredentialsProvider(os.Getenv("AWS_ACCESS_KEY_ID"), os.Getenv("AWS_SECRET_ACCESS_KEY"), ""),
		},
		resources: map[string]string{}, outputs: map[string]string{},
	}
	dir := translate(t)
	bucket := s.name + "-code"
	store := s3.NewFromConfig(s.config, func(o *s3.Options) { o.UsePathStyle = true })
	if _, err := store.CreateBucket(t.Context(), &s3.CreateBucketInput{
		Bucket: &bucket, CreateBucketConfiguration: &s3types.CreateBucketConfiguration{LocationConstraint: rig.Region},
	}); err != nil {
		t.Fatal(err)
	}
	objects := map[string][]byte{"code.zip": code(t), "template.yaml": nil, "infra/observability.yaml": nil}
	for key, body := range objects {
		if body == nil {
			body = packaged(t, filepath.Join(dir, strings.TrimSuffix(filepath.Base(key), ".yaml")+".json"), table.Endpoint, bucket)
		}
		in := &s3.PutObjectInput{Bucket: &bucket, Key: &key, Body: bytes.NewReader(body)}
		if _, err := store.PutObject(t.Context(), in); err != nil {
			t.Fatal(err)
		}
	}
	s.create(table.Endpoint+"/"+bucket+"/"+template, parameters)
	return s
}

// in returns the same stack for a test inside the one that deployed it.
func (s *stack) in(t *testing.T) *stack {
	t.Helper()
	inner := *s
	inner.t = t
	return &inner
}

// translate returns a directory of the templates as they are deployed.
func translate(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	python := strings.TrimSpace(run(t, "scripts/rig/setup", "templates", "tools/templates/requirements.lock"))
	templates, err := filepath.Glob("*.yaml")
	if err != nil || len(templates) == 0 {
		t.Fatalf("no templates: %v", err)
	}
	args := []string{"tools/templates/translate.py", dir, "template.yaml"}
	for _, name := range templates {
		args = append(args, "infra/"+name)
	}
	run(t, python, args...)
	return dir
}

// run runs a program in the repository's root and returns what it prints.
func run(t *testing.T, program string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), program, args...)
	cmd.Dir = ".."
	if !filepath.IsAbs(program) {
		cmd.Path = filepath.Join("..", program)
		cmd.Path, _ = filepath.Abs(cmd.Path)
		cmd.Err = nil
	}
	cmd.Env = append(os.Environ(), "AWS_DEFAULT_REGION="+rig.Region, "PYTHONDONTWRITEBYTECODE=1")
	var failed strings.Builder
	cmd.Stderr = &failed
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s %v: %v\n%s", program, args, err, failed.String())
	}
	return string(out)
}

// packaged returns a translated template with the places of its code and of nested stacks put in. The stand-in knows no alarm
// over several metrics: such a one is over one metric here.
func packaged(t *testing.T, path, endpoint, bucket string) []byte {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	text = bytes.ReplaceAll(text, []byte(`"S3Bucket": "bucket"`), fmt.Appendf(nil, `"S3Bucket": %q`, bucket))
	text = bytes.ReplaceAll(text, []byte("https://s3.eu-west-1.amazonaws.com/bucket/"), []byte(endpoint+"/"+bucket+"/"))
	var template map[string]any
	if err := json.Unmarshal(text, &template); err != nil {
		t.Fatal(err)
	}
	for _, resource := range template["Resources"].(map[string]any) {
		properties := resource.(map[string]any)["Properties"].(map[string]any)
		if resource.(map[string]any)["Type"] == "AWS::CloudWatch::Alarm" && properties["Metrics"] != nil {
			delete(properties, "Metrics")
			maps.Copy(properties, map[string]any{"Namespace": "several", "MetricName": "several", "Statistic": "Sum", "Period": 60})
		}
	}
	if text, err = json.Marshal(template); err != nil {
		t.Fatal(err)
	}
	return text
}

// code is a bootstrap that nobody runs.
func code(t *testing.T) []byte {
	t.Helper()
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	f, err := z.Create("bootstrap")
	if err == nil {
		_, err = f.Write([]byte("#!/bin/sh\n"))
	}
	if err == nil {
		err = z.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func (s *stack) create(template string, parameters map[string]string) {
	s.t.Helper()
	client := cloudformation.NewFromConfig(s.config)
	in := &cloudformation.CreateStackInput{
		StackName: &s.name, TemplateURL: &template,
		Capabilities: []types.Capability{types.CapabilityCapabilityNamedIam},
	}
	for _, name := range slices.Sorted(maps.Keys(parameters)) {
		in.Parameters = append(in.Parameters, types.Parameter{ParameterKey: &name, ParameterValue: aws.String(parameters[name])})
	}
	if _, err := client.CreateStack(s.t.Context(), in); err != nil {
		s.t.Fatal(err)
	}
	wait := cloudformation.NewStackCreateCompleteWaiter(client, func(o *cloudformation.StackCreateCompleteWaiterOptions) {
		o.MinDelay, o.MaxDelay = 100*time.Millisecond, time.Second
	})
	out, err := wait.WaitForOutput(s.t.Context(), &cloudformation.DescribeStacksInput{StackName: &s.name}, time.Minute)
	if err != nil {
		s.t.Fatalf("%v: %s", err, s.whatFailed(client))
	}
	for _, o := range out.Stacks[0].Outputs {
		s.outputs[*o.OutputKey] = *o.OutputValue
	}
	s.list(client, s.name)
}

func (s *stack) whatFailed(client *cloudformation.Client) string {
	events, err := client.DescribeStackEvents(s.t.Context(), &cloudformation.DescribeStackEventsInput{StackName: &s.name})
	if err != nil {
		return err.Error()
	}
	var said []string
	for _, e := range events.StackEvents {
		if strings.HasSuffix(string(e.ResourceStatus), "_FAILED") {
			said = append(said, aws.ToString(e.LogicalResourceId)+": "+aws.ToString(e.ResourceStatusReason))
		}
	}
	return strings.Join(said, "\n")
}

func (s *stack) list(client *cloudformation.Client, name string) {
	s.t.Helper()
	out, err := client.DescribeStackResources(s.t.Context(), &cloudformation.DescribeStackResourcesInput{StackName: &name})
	if err != nil {
		s.t.Fatal(err)
	}
	for _, r := range out.StackResources {
		s.resources[*r.LogicalResourceId] = *r.PhysicalResourceId
		if *r.ResourceType == "AWS::CloudFormation::Stack" {
			s.list(client, *r.PhysicalResourceId)
		}
	}
}

// document reads a JSON document, which IAM gives URL-encoded.
func document(t *testing.T, text string) map[string]any {
	t.Helper()
	if plain, err := url.QueryUnescape(text); err == nil {
		text = plain
	}
	var v map[string]any
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	return v
}
