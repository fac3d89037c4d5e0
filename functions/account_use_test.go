package functions_test

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	sfntypes "github.com/aws/aws-sdk-go-v2/service/sfn/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"sluice/functions/tick"
	"sluice/internal/object"
	"sluice/internal/replicate"
	"sluice/scripts/rig"
	"sluice/statestore"
)

// put stores what DMS writes.
func (a *account) put(ctx context.Context, key string, body []byte, _ time.Time) error {
	_, err := a.s3.PutObject(ctx, &s3.PutObjectInput{Bucket: &a.raw, Key: aws.String("dms/" + key), Body: bytes.NewReader(body)})
	return err
}

// invoke calls a function; the error holds the name of the function's error.
func (a *account) invoke(name string, event, answer any) error {
	a.t.Helper()
	payload, err := json.Marshal(event)
	a.must(err)
	out, err := a.lambda.Invoke(a.t.Context(), &lambda.InvokeInput{FunctionName: aws.String(a.names[name]), Payload: payload})
	a.must(err)
	if out.FunctionError != nil {
		return fmt.Errorf("%s: %s", *out.FunctionError, out.Payload)
	}
	return json.Unmarshal(out.Payload, answer)
}

// tick makes a tick as the schedule does, and waits until every execution that it started has ended.
func (a *account) tick() tick.Answer {
	a.t.Helper()
	a.ticks++
	answer := a.start(fmt.Sprintf("2026-11-21T%02d:00:00Z", a.ticks))
	a.ended()
	return answer
}

// start makes a tick, and does not wait for what it started.
func (a *account) start(name string) tick.Answer {
	a.t.Helper()
	var answer tick.Answer
	a.must(a.invoke(controller, tick.Event{Tick: name}, &answer))
	return answer
}

// ended waits until no execution is running, and returns all of them, newest first.
func (a *account) ended() []sfntypes.ExecutionListItem {
	a.t.Helper()
	for {
		var all []sfntypes.ExecutionListItem
		running := false
		pages := sfn.NewListExecutionsPaginator(a.states, &sfn.ListExecutionsInput{StateMachineArn: &a.machine})
		for pages.HasMorePages() {
			page, err := pages.NextPage(a.t.Context())
			a.must(err)
			all = append(all, page.Executions...)
		}
		for _, e := range all {
			running = running || e.Status == sfntypes.ExecutionStatusRunning
		}
		if !running {
			return all
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// latest describes the execution that started last.
func (a *account) latest() *sfn.DescribeExecutionOutput {
	a.t.Helper()
	all := a.ended()
	newest := all[0]
	for _, e := range all {
		if e.StartDate.After(*newest.StartDate) {
			newest = e
		}
	}
	out, err := a.states.DescribeExecution(a.t.Context(), &sfn.DescribeExecutionInput{ExecutionArn: newest.ExecutionArn})
	a.must(err)
	return out
}

// engine is what sluice run and the operator's commands work with, on a lake and a control table.
func (a *account) engine(lake, table string) *replicate.Engine {
	a.t.Helper()
	settings := replicate.DefaultSettings()
	settings.Settle, settings.FullLoadQuiet = 0, 0
	client := dynamodb.NewFromConfig(a.settings)
	e, err := replicate.New(replicate.Config{
		RawBucket: a.raw, RawPrefix: "dms/", LakeBucket: lake, LakePrefix: a.folder, Schema: "*", Owner: "operator", Settings: settings,
	}, replicate.Stores{
		Objects: func(_ context.Context, bucket string) (replicate.Objects, error) {
			return object.NewS3(a.s3, bucket), nil
		},
		State: statestore.New(statestore.NewDynamoDB(client, table, time.Now)),
	})
	a.must(err)
	return e
}

func (a *account) operator() *replicate.Engine { return a.engine(a.lake, a.table) }

func (a *account) activate(partition string) {
	a.t.Helper()
	_, err := a.operator().Activate(a.t.Context(), "store.product", replicate.Activation{PrimaryKey: aws.String("id"), PartitionKey: &partition})
	a.must(err)
}

// rows is what DuckDB reads in a lake folder, ordered.
func (a *account) rows(bucket, folder, columns string) []string {
	a.t.Helper()
	dir, files := a.t.(*testing.T).TempDir(), 0
	pages := s3.NewListObjectsV2Paginator(a.s3, &s3.ListObjectsV2Input{Bucket: &bucket, Prefix: aws.String(folder + "/")})
	for pages.HasMorePages() {
		page, err := pages.NextPage(a.t.Context())
		a.must(err)
		for _, o := range page.Contents {
			path := filepath.Join(dir, filepath.FromSlash(*o.Key))
			a.must(os.MkdirAll(filepath.Dir(path), 0o755))
			a.must(os.WriteFile(path, a.get(bucket, *o.Key), 0o600))
			files++
		}
	}
	if files == 0 {
		return nil
	}
	var rows []string
	sql := fmt.Sprintf("select %s from read_parquet(?, hive_partitioning=true, union_by_name=true) order by all", columns)
	for _, row := range rig.DuckDB(a.t).Query(sql, filepath.Join(dir, folder, "**", "*.parquet")) {
		texts := make([]string, len(row))
		for i, v := range row {
			texts[i] = rig.Text(v)
		}
		rows = append(rows, strings.Join(texts, " "))
	}
	return rows
}

func (a *account) get(bucket, key string) []byte {
	a.t.Helper()
	out, err := a.s3.GetObject(a.t.Context(), &s3.GetObjectInput{Bucket: &bucket, Key: &key})
	a.must(err)
	defer func() { _ = out.Body.Close() }()
	body, err := io.ReadAll(out.Body)
	a.must(err)
	return body
}

// heard returns the messages that the topic sent since the last call.
func (a *account) heard() []string {
	a.t.Helper()
	var messages []string
	for {
		out, err := a.sqs.ReceiveMessage(a.t.Context(), &sqs.ReceiveMessageInput{QueueUrl: &a.queue, MaxNumberOfMessages: 10})
		a.must(err)
		if len(out.Messages) == 0 {
			return messages
		}
		for _, m := range out.Messages {
			var envelope struct{ Subject, Message string }
			a.must(json.Unmarshal([]byte(*m.Body), &envelope))
			messages = append(messages, envelope.Subject+"\n"+envelope.Message)
			_, err := a.sqs.DeleteMessage(a.t.Context(), &sqs.DeleteMessageInput{QueueUrl: &a.queue, ReceiptHandle: m.ReceiptHandle})
			a.must(err)
		}
	}
}

// unzip returns the one file of a zip that upload made.
func unzip(t testing.TB, body []byte) []byte {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(body), int64(len(body)))
	if err != nil {
		t.Fatal(err)
	}
	f, err := z.File[0].Open()
	if err != nil {
		t.Fatal(err)
	}
	content, err := io.ReadAll(f)
	if err != nil {
		t.Fatal(err)
	}
	return content
}
