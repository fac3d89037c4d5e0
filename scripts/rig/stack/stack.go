// Package stack deploys the repository's templates to a stand-in for AWS of the rig: translated as SAM does, by the stand-in's
// CloudFormation. Only tests import it.
package stack

import (
	"archive/zip"
	"bytes"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
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

// Stack is a template as it is deployed. The stand-in has no account and makes up nothing: what is read back from its services
// is what CloudFormation handed them.
type Stack struct {
	Name      string
	Resources map[string]string // physical by logical ids, those of nested stacks among them
	Outputs   map[string]string

	config aws.Config
}

// Config returns the settings of the account's root at a stand-in.
func Config(endpoint string) aws.Config {
	return aws.Config{
		BaseEndpoint: &endpoint, Region: rig.Region,
		Credentials: credentials.NewStaticCredentialsProvider(os.Getenv("AWS_ACCESS_KEY_ID"), os.Getenv("AWS_SECRET_ACCESS_KEY"), ""),
	}
}

// Deploy translates the templates as SAM does, puts code and nested stacks in a bucket, as sam package does, and creates the
// stack of one of them, under a name of its own, with the given parameters. code holds the zip of each function by its logical id; without it they are
// bootstraps that nobody runs.
func Deploy(t testing.TB, config aws.Config, template string, parameters map[string]string, code map[string][]byte) *Stack {
	t.Helper()
	s := &Stack{Name: "sluice-" + strings.ToLower(rand.Text()[:10]), Resources: map[string]string{}, Outputs: map[string]string{}, config: config}
	dir := translate(t)
	bucket := s.Name + "-code"
	store := s3.NewFromConfig(config, func(o *s3.Options) { o.UsePathStyle = true })
	if _, err := store.CreateBucket(t.Context(), &s3.CreateBucketInput{
		Bucket: &bucket, CreateBucketConfiguration: &s3types.CreateBucketConfiguration{LocationConstraint: rig.Region},
	}); err != nil {
		t.Fatal(err)
	}
	place := *config.BaseEndpoint + "/" + bucket + "/"
	objects := map[string][]byte{"code.zip": stub(t)}
	for function, body := range code {
		objects[function+".zip"] = body
	}
	for _, source := range []string{"template.yaml", "infra/observability.yaml"} {
		objects[source] = packaged(t, filepath.Join(dir, strings.TrimSuffix(filepath.Base(source), ".yaml")+".json"), place, bucket, code)
	}
	for key, body := range objects {
		in := &s3.PutObjectInput{Bucket: &bucket, Key: &key, Body: bytes.NewReader(body)}
		if _, err := store.PutObject(t.Context(), in); err != nil {
			t.Fatal(err)
		}
	}
	s.create(t, place+template, parameters)
	return s
}

// translate returns a directory of the templates as they are deployed.
func translate(t testing.TB) string {
	t.Helper()
	dir := t.TempDir()
	python := strings.TrimSpace(run(t, filepath.Join(root(), "scripts", "rig", "setup"), "templates", "tools/templates/requirements.lock"))
	templates, err := filepath.Glob(filepath.Join(root(), "infra", "*.yaml"))
	if err != nil || len(templates) == 0 {
		t.Fatalf("no templates: %v", err)
	}
	args := []string{"tools/templates/translate.py", dir, "template.yaml"}
	for _, name := range templates {
		args = append(args, "infra/"+filepath.Base(name))
	}
	run(t, python, args...)
	return dir
}

// root is the directory of the repository.
func root() string {
	_, file, _, _ := runtime.Caller(0)
	return filepath.Join(filepath.Dir(file), "..", "..", "..")
}

// run runs a program in the repository's root and returns what it prints.
func run(t testing.TB, program string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), program, args...)
	cmd.Dir = root()
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
func packaged(t testing.TB, path, place, bucket string, code map[string][]byte) []byte {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	text = bytes.ReplaceAll(text, []byte(`"S3Bucket": "bucket"`), fmt.Appendf(nil, `"S3Bucket": %q`, bucket))
	text = bytes.ReplaceAll(text, []byte("https://s3.eu-west-1.amazonaws.com/bucket/"), []byte(place))
	var template map[string]any
	if err := json.Unmarshal(text, &template); err != nil {
		t.Fatal(err)
	}
	for name, resource := range template["Resources"].(map[string]any) {
		properties := resource.(map[string]any)["Properties"].(map[string]any)
		if resource.(map[string]any)["Type"] == "AWS::CloudWatch::Alarm" && properties["Metrics"] != nil {
			delete(properties, "Metrics")
			maps.Copy(properties, map[string]any{"Namespace": "several", "MetricName": "several", "Statistic": "Sum", "Period": 60})
		}
		if code[name] != nil {
			properties["Code"].(map[string]any)["S3Key"] = name + ".zip"
		}
	}
	if text, err = json.Marshal(template); err != nil {
		t.Fatal(err)
	}
	return text
}

// stub is a bootstrap that nobody runs.
func stub(t testing.TB) []byte {
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

func (s *Stack) create(t testing.TB, template string, parameters map[string]string) {
	t.Helper()
	client := cloudformation.NewFromConfig(s.config)
	in := &cloudformation.CreateStackInput{
		StackName: &s.Name, TemplateURL: &template,
		Capabilities: []types.Capability{types.CapabilityCapabilityNamedIam},
	}
	for _, name := range slices.Sorted(maps.Keys(parameters)) {
		in.Parameters = append(in.Parameters, types.Parameter{ParameterKey: &name, ParameterValue: aws.String(parameters[name])})
	}
	if _, err := client.CreateStack(t.Context(), in); err != nil {
		t.Fatal(err)
	}
	wait := cloudformation.NewStackCreateCompleteWaiter(client, func(o *cloudformation.StackCreateCompleteWaiterOptions) {
		o.MinDelay, o.MaxDelay = 100*time.Millisecond, time.Second
	})
	out, err := wait.WaitForOutput(t.Context(), &cloudformation.DescribeStacksInput{StackName: &s.Name}, time.Minute)
	if err != nil {
		t.Fatalf("%v: %s", err, s.whatFailed(t, client))
	}
	for _, o := range out.Stacks[0].Outputs {
		s.Outputs[*o.OutputKey] = *o.OutputValue
	}
	s.list(t, client, s.Name)
}

func (s *Stack) whatFailed(t testing.TB, client *cloudformation.Client) string {
	t.Helper()
	events, err := client.DescribeStackEvents(t.Context(), &cloudformation.DescribeStackEventsInput{StackName: &s.Name})
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

func (s *Stack) list(t testing.TB, client *cloudformation.Client, name string) {
	t.Helper()
	out, err := client.DescribeStackResources(t.Context(), &cloudformation.DescribeStackResourcesInput{StackName: &name})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range out.StackResources {
		s.Resources[*r.LogicalResourceId] = *r.PhysicalResourceId
		if *r.ResourceType == "AWS::CloudFormation::Stack" {
			s.list(t, client, *r.PhysicalResourceId)
		}
	}
}

// Document reads a JSON document, which IAM gives URL-encoded.
func Document(t testing.TB, text string) map[string]any {
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
