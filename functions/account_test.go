package functions_test

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	eventtypes "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/smithy-go/logging"

	"sluice/scripts/dmsgen"
	"sluice/scripts/rig"
)

// account is a deployment of the functions and the state machine in the stand-in for AWS: the real binaries behind the Lambda
// runtime interface, the real definition, and stores of this deployment's own.
type account struct {
	t        testing.TB
	endpoint string
	name     string // ends the names of everything in it
	raw      string // buckets
	lake     string
	folder   string            // of the tables in the lake, with a slash at its end, or empty
	table    string            // the control table
	machine  string            // ARN
	queue    string            // URL: what the topic said
	names    map[string]string // of the functions
	env      map[string]string
	settings aws.Config
	s3       *s3.Client
	lambda   *lambda.Client
	states   *sfn.Client
	sqs      *sqs.Client
	out      *dmsgen.Writer
	ticks    int
}

// code is the bucket of the shared stand-in that holds the zips of the functions.
var code struct {
	once   sync.Once
	failed error
	bucket string
}

const (
	controller  = "controller"
	initialload = "initialload"
	merge       = "merge"
	janitor     = "janitor"
)

// deploy makes an account. env is laid over the functions' environment.
func deploy(t testing.TB, env map[string]string) *account {
	t.Helper()
	control := rig.DynamoDB(t)
	a := &account{t: t, endpoint: control.Endpoint, table: control.Name, name: strings.TrimPrefix(control.Name, "DMSCDC_Controller-"), names: map[string]string{}}
	a.raw, a.lake = "raw-"+a.name, "lake-"+a.name
	var err error
	a.settings, err = config.LoadDefaultConfig(t.Context(), config.WithBaseEndpoint(a.endpoint), config.WithRegion(rig.Region), config.WithLogger(logging.Nop{}))
	a.must(err)
	a.s3 = s3.NewFromConfig(a.settings, func(o *s3.Options) { o.UsePathStyle = true })
	a.lambda, a.states, a.sqs = lambda.NewFromConfig(a.settings), sfn.NewFromConfig(a.settings), sqs.NewFromConfig(a.settings)
	code.once.Do(func() {
		code.bucket = "code-" + a.name
		code.failed = a.uploadFunctions(code.bucket)
	})
	a.must(code.failed)
	a.bucket(a.raw)
	a.bucket(a.lake)
	a.env = map[string]string{
		"SLUICE_RAW": "s3://" + a.raw + "/dms", "SLUICE_LAKE": "s3://" + a.lake, "SLUICE_STATE": "dynamodb://" + a.table,
		"SLUICE_SETTLE": "0", "SLUICE_FULL_LOAD_QUIET": "0", "SLUICE_STATE_MACHINE": a.arn("states", "stateMachine:TableRun-"+a.name),
	}
	for name, value := range env {
		a.env[name] = value
	}
	for _, name := range []string{controller, initialload, merge, janitor} {
		a.function(name, code.bucket, name+".zip", a.env)
	}
	a.machine = a.define(a.definition())
	a.tellRunsThatEnded()
	a.writer()
	return a
}

// writer makes what writes as DMS does.
func (a *account) writer() {
	a.t.Helper()
	out, err := dmsgen.NewWriter(dmsgen.SinkFunc(a.put), dmsgen.DefaultSettings())
	a.must(err)
	a.out = out
}

func (a *account) must(err error) {
	a.t.Helper()
	if err != nil {
		a.t.Fatal(err)
	}
}

func (a *account) bucket(name string) {
	a.t.Helper()
	a.must(a.createBucket(a.t.Context(), name))
}

func (a *account) createBucket(ctx context.Context, name string) error {
	where := &s3types.CreateBucketConfiguration{LocationConstraint: rig.Region}
	_, err := a.s3.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: &name, CreateBucketConfiguration: where})
	return err
}

func (a *account) arn(service, rest string) string {
	return fmt.Sprintf("arn:aws:%s:%s:000000000000:%s", service, rig.Region, rest)
}

// zips builds the functions as the Makefile does, and zips them: a test binary needs them once.
var zips = sync.OnceValues(func() (map[string][]byte, error) {
	dir, err := os.MkdirTemp("", "sluice-functions-")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	all := map[string][]byte{}
	for _, name := range []string{controller, initialload, merge, janitor} {
		binary := filepath.Join(dir, name)
		build := exec.CommandContext(context.Background(), "go", "build", "-trimpath", "-tags", "lambda.norpc", "-ldflags", "-s -w", "-o", binary, "./"+name)
		build.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := build.CombinedOutput(); err != nil {
			return nil, fmt.Errorf("build %s: %w\n%s", name, err, out)
		}
		body, err := os.ReadFile(binary)
		if err != nil {
			return nil, err
		}
		if all[name], err = zipped(map[string][]byte{"bootstrap": body}); err != nil {
			return nil, err
		}
	}
	return all, nil
})

// uploadFunctions puts the zips of the functions where Lambda finds them.
func (a *account) uploadFunctions(bucket string) error {
	ctx := context.Background()
	all, err := zips()
	if err != nil {
		return err
	}
	if err := a.createBucket(ctx, bucket); err != nil {
		return err
	}
	for name, body := range all {
		if err := a.upload(ctx, bucket, name+".zip", body); err != nil {
			return err
		}
	}
	return nil
}

// zipped is a zip of executable files. They are stored, not compressed: nobody carries them far.
func zipped(files map[string][]byte) ([]byte, error) {
	var body bytes.Buffer
	z := zip.NewWriter(&body)
	for name, content := range files {
		header := &zip.FileHeader{Name: name, Method: zip.Store}
		header.SetMode(0o755)
		w, err := z.CreateHeader(header)
		if err != nil {
			return nil, err
		}
		if _, err := w.Write(content); err != nil {
			return nil, err
		}
	}
	err := z.Close()
	return body.Bytes(), err
}

func (a *account) upload(ctx context.Context, bucket, key string, body []byte) error {
	_, err := a.s3.PutObject(ctx, &s3.PutObjectInput{Bucket: &bucket, Key: &key, Body: bytes.NewReader(body)})
	return err
}

// function makes a function of this account from a zip.
func (a *account) function(name, bucket, key string, env map[string]string) {
	a.t.Helper()
	a.names[name] = name + "-" + a.name
	_, err := a.lambda.CreateFunction(a.t.Context(), &lambda.CreateFunctionInput{
		FunctionName: aws.String(a.names[name]), Role: aws.String("arn:aws:iam::000000000000:role/" + name),
		Runtime: lambdatypes.RuntimeProvidedal2023, Handler: aws.String("bootstrap"), MemorySize: aws.Int32(3538), Timeout: aws.Int32(900),
		Code:        &lambdatypes.FunctionCode{S3Bucket: &bucket, S3Key: &key},
		Environment: &lambdatypes.Environment{Variables: env},
	})
	a.must(err)
}

// definition is the real one, with this account's names.
func (a *account) definition() string {
	a.t.Helper()
	text, err := os.ReadFile("../infra/tablerun.asl.json")
	a.must(err)
	topic := a.topic()
	return strings.NewReplacer(
		"${MergeFunctionArn}", a.arn("lambda", "function:"+merge+"-"+a.name),
		"${InitialLoadFunctionArn}", a.arn("lambda", "function:"+initialload+"-"+a.name),
		"${TopicArn}", topic,
	).Replace(string(text))
}

// topic makes the topic.
func (a *account) topic() string {
	a.t.Helper()
	topic, err := sns.NewFromConfig(a.settings).CreateTopic(a.t.Context(), &sns.CreateTopicInput{Name: aws.String("topic-" + a.name)})
	a.must(err)
	a.listen(*topic.TopicArn)
	return *topic.TopicArn
}

// listen makes a queue that hears what the topic says.
func (a *account) listen(topic string) {
	a.t.Helper()
	name := topic[strings.LastIndex(topic, ":")+1:] + "-heard"
	queue, err := a.sqs.CreateQueue(a.t.Context(), &sqs.CreateQueueInput{QueueName: &name})
	a.must(err)
	a.queue = *queue.QueueUrl
	_, err = a.sqs.SetQueueAttributes(a.t.Context(), &sqs.SetQueueAttributesInput{QueueUrl: queue.QueueUrl, Attributes: map[string]string{
		"Policy": fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"sns.amazonaws.com"},"Action":"sqs:SendMessage","Resource":%q}]}`, a.arn("sqs", name)),
	}})
	a.must(err)
	_, err = sns.NewFromConfig(a.settings).Subscribe(a.t.Context(), &sns.SubscribeInput{TopicArn: &topic, Protocol: aws.String("sqs"), Endpoint: aws.String(a.arn("sqs", name))})
	a.must(err)
}

// tellRunsThatEnded makes the template's rule RunEnded. The stand-in knows no TIMED_OUT.
func (a *account) tellRunsThatEnded() {
	a.t.Helper()
	pattern, err := json.Marshal(map[string]any{
		"source": []string{"aws.states"}, "detail-type": []string{"Step Functions Execution Status Change"},
		"detail": map[string]any{"stateMachineArn": []string{a.machine}, "$or": []any{
			map[string]any{"status": []string{"TIMED_OUT", "ABORTED"}},
			map[string]any{"status": []string{"FAILED"}, "error": []any{map[string]string{"anything-but": "TableHalted"}}},
		}},
	})
	a.must(err)
	rules := eventbridge.NewFromConfig(a.settings)
	name := aws.String("RunEnded-" + a.name)
	_, err = rules.PutRule(a.t.Context(), &eventbridge.PutRuleInput{Name: name, EventPattern: aws.String(string(pattern))})
	a.must(err)
	_, err = rules.PutTargets(a.t.Context(), &eventbridge.PutTargetsInput{Rule: name, Targets: []eventtypes.Target{{
		Id: aws.String("topic"), Arn: aws.String(a.arn("sns", "topic-"+a.name)), InputTransformer: &eventtypes.InputTransformer{
			InputPathsMap: map[string]string{"name": "$.detail.name", "status": "$.detail.status"},
			InputTemplate: aws.String(`"sluice: the table run <name> ended as <status>."`),
		},
	}}})
	a.must(err)
}

func (a *account) define(definition string) string {
	a.t.Helper()
	out, err := a.states.CreateStateMachine(a.t.Context(), &sfn.CreateStateMachineInput{
		Name: aws.String("TableRun-" + a.name), Definition: &definition, RoleArn: aws.String("arn:aws:iam::000000000000:role/tablerun"),
	})
	a.must(err)
	return *out.StateMachineArn
}
