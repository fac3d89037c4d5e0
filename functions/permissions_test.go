package functions_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	dynamodbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	gluetypes "github.com/aws/aws-sdk-go-v2/service/glue/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"sluice/scripts/rig"
)

// caller makes calls with the credentials of one role. None of them changes anything that counts.
type caller struct {
	s3       *s3.Client
	dynamodb *dynamodb.Client
	states   *sfn.Client
	lambda   *lambda.Client
	glue     *glue.Client
	sns      *sns.Client
	sqs      *sqs.Client
}

// call is one line of the table: an IAM action, and on what, in the words of testdata/calls.txt.
type call struct {
	name string
	make func(ctx context.Context, c *caller) error
}

// role is what a role of the stack may, and what not.
type role struct {
	logical     string
	may, mayNot []call
}

// assume returns a caller that has the role at the endpoint. Roles are for services only: the test lets itself in.
func (e *enforced) assume(logical, endpoint string) *caller {
	e.t.Helper()
	name := e.Resources[logical]
	_, err := e.iam.UpdateAssumeRolePolicy(e.t.Context(), &iam.UpdateAssumeRolePolicyInput{RoleName: &name, PolicyDocument: aws.String(
		`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::000000000000:root"},"Action":"sts:AssumeRole"}]}`)})
	e.must(err)
	out, err := sts.NewFromConfig(e.settings).AssumeRole(e.t.Context(), &sts.AssumeRoleInput{
		RoleArn: aws.String("arn:aws:iam::000000000000:role/" + name), RoleSessionName: aws.String("table"),
	})
	e.must(err)
	config := e.settings.Copy()
	config.BaseEndpoint = &endpoint
	config.Credentials = credentials.NewStaticCredentialsProvider(*out.Credentials.AccessKeyId, *out.Credentials.SecretAccessKey, *out.Credentials.SessionToken)
	return &caller{
		s3: s3.NewFromConfig(config, func(o *s3.Options) { o.UsePathStyle = true }), dynamodb: dynamodb.NewFromConfig(config),
		states: sfn.NewFromConfig(config), lambda: lambda.NewFromConfig(config), glue: glue.NewFromConfig(config),
		sns: sns.NewFromConfig(config), sqs: sqs.NewFromConfig(config),
	}
}

// isDenied says whether IAM refused the call. Any other answer, of an object that is not there too, means that it was let pass.
func isDenied(err error) bool {
	var api smithy.APIError
	var response *smithyhttp.ResponseError
	switch {
	case errors.As(err, &api) && (api.ErrorCode() == "AccessDenied" || api.ErrorCode() == "AccessDeniedException" || api.ErrorCode() == "AuthorizationError"):
		return true
	case errors.As(err, &response): // a HEAD has no code
		return response.HTTPStatusCode() == http.StatusForbidden
	}
	return false
}

func list(place, bucket, prefix string) call {
	return call{fmt.Sprintf("s3:ListBucket %s %q", place, prefix), func(ctx context.Context, c *caller) error {
		_, err := c.s3.ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: &bucket, Prefix: aws.String(prefix)})
		return err
	}}
}

// listAll lists as nobody does who names a prefix.
func listAll(place, bucket string) call {
	return call{"s3:ListBucket " + place + " without a prefix", func(ctx context.Context, c *caller) error {
		_, err := c.s3.ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: &bucket})
		return err
	}}
}

func get(place, bucket, key string) call {
	return call{"s3:GetObject " + place + " " + key, func(ctx context.Context, c *caller) error {
		_, err := c.s3.GetObject(ctx, &s3.GetObjectInput{Bucket: &bucket, Key: &key})
		return err
	}}
}

func put(place, bucket, key string) call {
	return call{"s3:PutObject " + place + " " + key, func(ctx context.Context, c *caller) error {
		_, err := c.s3.PutObject(ctx, &s3.PutObjectInput{Bucket: &bucket, Key: &key, Body: strings.NewReader("line")})
		return err
	}}
}

func del(place, bucket, key string) call {
	return call{"s3:DeleteObject " + place + " " + key, func(ctx context.Context, c *caller) error {
		_, err := c.s3.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: &bucket, Key: &key})
		return err
	}}
}

func uploads(place, bucket, prefix string) call {
	return call{"s3:ListBucketMultipartUploads " + place + " " + prefix, func(ctx context.Context, c *caller) error {
		_, err := c.s3.ListMultipartUploads(ctx, &s3.ListMultipartUploadsInput{Bucket: &bucket, Prefix: &prefix})
		return err
	}}
}

func abort(place, bucket, key string) call {
	return call{"s3:AbortMultipartUpload " + place + " " + key, func(ctx context.Context, c *caller) error {
		_, err := c.s3.AbortMultipartUpload(ctx, &s3.AbortMultipartUploadInput{Bucket: &bucket, Key: &key, UploadId: aws.String("none")})
		return err
	}}
}

// unless is the condition of a write that is let pass and changes nothing: no item has such an attribute.
var unless = aws.String("attribute_exists(never)")

// items makes the calls of an action on items of a table, by the actions' names.
func items(place, table string, actions ...string) []call {
	key := map[string]dynamodbtypes.AttributeValue{"path": &dynamodbtypes.AttributeValueMemberS{Value: "line"}}
	do := map[string]func(ctx context.Context, c *caller) error{
		"DescribeTable": func(ctx context.Context, c *caller) error {
			_, err := c.dynamodb.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: &table})
			return err
		},
		"Scan": func(ctx context.Context, c *caller) error {
			_, err := c.dynamodb.Scan(ctx, &dynamodb.ScanInput{TableName: &table})
			return err
		},
		"GetItem": func(ctx context.Context, c *caller) error {
			_, err := c.dynamodb.GetItem(ctx, &dynamodb.GetItemInput{TableName: &table, Key: key})
			return err
		},
		"PutItem": func(ctx context.Context, c *caller) error {
			_, err := c.dynamodb.PutItem(ctx, &dynamodb.PutItemInput{TableName: &table, Item: key, ConditionExpression: unless})
			return err
		},
		"UpdateItem": func(ctx context.Context, c *caller) error {
			_, err := c.dynamodb.UpdateItem(ctx, &dynamodb.UpdateItemInput{TableName: &table, Key: key, ConditionExpression: unless})
			return err
		},
		"DeleteItem": func(ctx context.Context, c *caller) error {
			_, err := c.dynamodb.DeleteItem(ctx, &dynamodb.DeleteItemInput{TableName: &table, Key: key, ConditionExpression: unless})
			return err
		},
		"DeleteTable": func(ctx context.Context, c *caller) error {
			_, err := c.dynamodb.DeleteTable(ctx, &dynamodb.DeleteTableInput{TableName: &table})
			return err
		},
	}
	var calls []call
	for _, action := range actions {
		calls = append(calls, call{"dynamodb:" + action + " " + place, do[action]})
	}
	return calls
}

// start asks for an execution under a name that cannot be.
func start(place, machine string) call {
	return call{"states:StartExecution " + place, func(ctx context.Context, c *caller) error {
		_, err := c.states.StartExecution(ctx, &sfn.StartExecutionInput{StateMachineArn: &machine, Name: aws.String("<line>")})
		return err
	}}
}

func execution(place, arn string) []call {
	return []call{
		{"states:DescribeExecution " + place, func(ctx context.Context, c *caller) error {
			_, err := c.states.DescribeExecution(ctx, &sfn.DescribeExecutionInput{ExecutionArn: &arn})
			return err
		}},
		{"states:StopExecution " + place, func(ctx context.Context, c *caller) error {
			_, err := c.states.StopExecution(ctx, &sfn.StopExecutionInput{ExecutionArn: &arn})
			return err
		}},
		{"states:RedriveExecution " + place, func(ctx context.Context, c *caller) error {
			_, err := c.states.RedriveExecution(ctx, &sfn.RedriveExecutionInput{ExecutionArn: &arn})
			return err
		}},
	}
}

// invoke asks only whether the caller might.
func invoke(function string) call {
	return call{"lambda:InvokeFunction " + function, func(ctx context.Context, c *caller) error {
		_, err := c.lambda.Invoke(ctx, &lambda.InvokeInput{FunctionName: &function, InvocationType: lambdatypes.InvocationTypeDryRun})
		return err
	}}
}

// catalog makes the catalog's calls on a database.
func catalog(place, database string) []call {
	table, values := aws.String("line"), []gluetypes.PartitionValueList{{Values: []string{"x"}}}
	return []call{
		{"glue:GetTable " + place, func(ctx context.Context, c *caller) error {
			_, err := c.glue.GetTable(ctx, &glue.GetTableInput{DatabaseName: &database, Name: table})
			return err
		}},
		{"glue:UpdateTable " + place, func(ctx context.Context, c *caller) error {
			_, err := c.glue.UpdateTable(ctx, &glue.UpdateTableInput{DatabaseName: &database, TableInput: &gluetypes.TableInput{Name: table}})
			return err
		}},
		{"glue:CreateTable " + place, func(ctx context.Context, c *caller) error {
			_, err := c.glue.CreateTable(ctx, &glue.CreateTableInput{DatabaseName: &database, TableInput: &gluetypes.TableInput{Name: table}})
			return err
		}},
		{"glue:BatchGetPartition " + place, func(ctx context.Context, c *caller) error {
			_, err := c.glue.BatchGetPartition(ctx, &glue.BatchGetPartitionInput{DatabaseName: &database, TableName: table, PartitionsToGet: values})
			return err
		}},
		{"glue:BatchCreatePartition " + place, func(ctx context.Context, c *caller) error {
			_, err := c.glue.BatchCreatePartition(ctx, &glue.BatchCreatePartitionInput{DatabaseName: &database, TableName: table, PartitionInputList: []gluetypes.PartitionInput{{Values: []string{"x"}}}})
			return err
		}},
		{"glue:BatchUpdatePartition " + place, func(ctx context.Context, c *caller) error {
			_, err := c.glue.BatchUpdatePartition(ctx, &glue.BatchUpdatePartitionInput{DatabaseName: &database, TableName: table, Entries: []gluetypes.BatchUpdatePartitionRequestEntry{{PartitionValueList: []string{"x"}, PartitionInput: &gluetypes.PartitionInput{Values: []string{"x"}}}}})
			return err
		}},
	}
}

func deleteTable(database string) call {
	return call{"glue:DeleteTable " + database, func(ctx context.Context, c *caller) error {
		_, err := c.glue.DeleteTable(ctx, &glue.DeleteTableInput{DatabaseName: &database, Name: aws.String("none")})
		return err
	}}
}

func publish(topic string) call {
	return call{"sns:Publish " + topic, func(ctx context.Context, c *caller) error {
		_, err := c.sns.Publish(ctx, &sns.PublishInput{TopicArn: &topic, Message: aws.String("line")})
		return err
	}}
}

func send(queue string) call {
	return call{"sqs:SendMessage " + queue, func(ctx context.Context, c *caller) error {
		_, err := c.sqs.SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: &queue, MessageBody: aws.String("line")})
		return err
	}}
}

func together(lists ...[]call) []call {
	var all []call
	for _, l := range lists {
		all = append(all, l...)
	}
	return all
}

// roles is the table: what each role of the stack may, and what not.
func (e *enforced) roles() []role {
	other := e.other()
	machine, runs := e.machine, strings.Replace(e.machine, ":stateMachine:", ":execution:", 1)
	run, child := runs+":r", runs+"/Phase1:r" // an execution, and one that a Distributed Map starts
	otherMachine, otherRun := e.arn("states", "stateMachine:"+other), e.arn("states", "execution:"+other+":r")
	otherTopic := e.arn("sns", other)
	all := []string{"DescribeTable", "Scan", "GetItem", "PutItem", "UpdateItem", "DeleteItem", "DeleteTable"}
	invokeAll := []call{invoke(e.names[controller]), invoke(e.names[initialload]), invoke(e.names[merge]), invoke(e.names[janitor])}
	// nobody has anything to do with these
	elsewhere := together([]call{
		listAll("another bucket", other), list("another bucket", other, "tables/"), get("another bucket", other, "tables/a"), put("another bucket", other, "tables/a"),
		del("another bucket", other, "tables/a"), start("another state machine", otherMachine), publish(otherTopic), deleteTable(e.database),
	}, items("another table", other, all...), execution("of another state machine", otherRun), catalog("another database", "other"))
	noItems := func(allowed ...string) []call {
		var rest []string
		for _, action := range all {
			if !strings.Contains(" "+strings.Join(allowed, " ")+" ", " "+action+" ") {
				rest = append(rest, action)
			}
		}
		return items("control-table", e.table, rest...)
	}
	worker := func(logical string) role {
		return role{logical, together([]call{
			list("raw", e.raw, "dms/store/"), get("raw", e.raw, "dms/store/none"),
			list("lake", e.lake, "tables/product/"), get("lake", e.lake, "tables/none"), put("lake", e.lake, "tables/line"), abort("lake", e.lake, "tables/none"),
			list("bookkeeping", e.lake, "tables/_sluice/"), get("bookkeeping", e.lake, "tables/_sluice/none"), put("bookkeeping", e.lake, "tables/_sluice/line"), abort("bookkeeping", e.lake, "tables/_sluice/none"),
		}, items("control-table", e.table, "GetItem", "UpdateItem"), catalog("catalog", e.database)), together([]call{
			list("raw", e.raw, "elsewhere/"), get("raw", e.raw, "elsewhere/a"), put("raw", e.raw, "dms/store/a"), del("raw", e.raw, "dms/store/a"),
			list("lake", e.lake, "elsewhere/"), list("lake", e.lake, "table"), get("lake", e.lake, "elsewhere/a"), put("lake", e.lake, "elsewhere/a"),
			del("lake", e.lake, "tables/line"), del("bookkeeping", e.lake, "tables/_sluice/line"), uploads("lake", e.lake, "tables/"),
			start("state-machine", machine), publish(e.Outputs["TopicArn"]), send(e.Outputs["DeadLettersUrl"]),
		}, noItems("GetItem", "UpdateItem"), execution("executions", run), invokeAll, elsewhere)}
	}
	return []role{
		{"ControllerRole", together([]call{
			list("raw", e.raw, "dms/"), list("raw", e.raw, "dms/store/product/"), list("bookkeeping", e.lake, "tables/_sluice/product/"),
			start("state-machine", machine), execution("executions", run)[0], send(e.Outputs["DeadLettersUrl"]),
		}, items("control-table", e.table, "DescribeTable", "Scan", "GetItem", "PutItem")), together([]call{
			listAll("raw", e.raw), list("raw", e.raw, ""), list("raw", e.raw, "elsewhere/"), get("raw", e.raw, "dms/store/a"), put("raw", e.raw, "dms/store/a"), del("raw", e.raw, "dms/store/a"),
			listAll("lake", e.lake), list("lake", e.lake, "tables/product/"), get("lake", e.lake, "tables/product/a"), put("lake", e.lake, "tables/a"), del("lake", e.lake, "tables/a"),
			get("bookkeeping", e.lake, "tables/_sluice/a"), put("bookkeeping", e.lake, "tables/_sluice/a"), uploads("lake", e.lake, "tables/"), publish(e.Outputs["TopicArn"]),
		}, noItems("DescribeTable", "Scan", "GetItem", "PutItem"), execution("executions", run)[1:], catalog("catalog", e.database), invokeAll, elsewhere)},
		worker("InitialLoadRole"),
		worker("MergeRole"),
		{"JanitorRole", together([]call{
			list("lake", e.lake, "tables/product/"), get("lake", e.lake, "tables/none"), del("lake", e.lake, "tables/none"), abort("lake", e.lake, "tables/none"), uploads("lake", e.lake, "tables/"),
			list("bookkeeping", e.lake, "tables/_sluice/"), get("bookkeeping", e.lake, "tables/_sluice/none"), del("bookkeeping", e.lake, "tables/_sluice/none"), uploads("bookkeeping", e.lake, "tables/_sluice/"),
			send(e.Outputs["DeadLettersUrl"]),
		}, items("control-table", e.table, "Scan", "GetItem")), together([]call{
			listAll("raw", e.raw), list("raw", e.raw, "dms/"), get("raw", e.raw, "dms/store/a"), put("raw", e.raw, "dms/store/a"), del("raw", e.raw, "dms/store/a"),
			list("lake", e.lake, "elsewhere/"), get("lake", e.lake, "elsewhere/a"), del("lake", e.lake, "elsewhere/a"), put("lake", e.lake, "tables/a"), put("bookkeeping", e.lake, "tables/_sluice/a"),
			start("state-machine", machine), publish(e.Outputs["TopicArn"]),
		}, noItems("Scan", "GetItem"), execution("executions", run), catalog("catalog", e.database), invokeAll, elsewhere)},
		{"TableRunRole", together([]call{
			invokeAll[1], invokeAll[2], start("state-machine", machine), get("bookkeeping", e.lake, "tables/_sluice/product/commits/1.batch-1.json"), publish(e.Outputs["TopicArn"]),
		}, execution("executions", run), execution("children", child)), together([]call{
			invokeAll[0], invokeAll[3], list("lake", e.lake, "tables/"), get("lake", e.lake, "tables/product/a"), get("bookkeeping", e.lake, "tables/_sluice/product/commits/1.json"),
			put("bookkeeping", e.lake, "tables/_sluice/product/commits/1.batch-1.json"), del("bookkeeping", e.lake, "tables/_sluice/product/commits/1.batch-1.json"), get("raw", e.raw, "dms/store/a"),
			send(e.Outputs["DeadLettersUrl"]),
		}, noItems(), catalog("catalog", e.database), elsewhere)},
		{"ScheduleRole", []call{invokeAll[0], invokeAll[3], send(e.Outputs["DeadLettersUrl"])}, together([]call{
			invokeAll[1], invokeAll[2], list("raw", e.raw, "dms/"), list("lake", e.lake, "tables/"), start("state-machine", machine), publish(e.Outputs["TopicArn"]),
		}, noItems(), elsewhere)},
	}
}

// eachRoleMayDoItsPart checks the table, line by line. What a function was seen to call has a line in it.
func eachRoleMayDoItsPart(t *testing.T, e *enforced) {
	t.Helper()
	recorded, err := os.ReadFile("testdata/calls.txt")
	e.must(err)
	lines := 0
	for _, role := range e.roles() {
		c := e.assume(role.logical, e.endpoint)
		var names strings.Builder
		for _, call := range role.may {
			if err := call.make(t.Context(), c); isDenied(err) {
				t.Errorf("%s: may not %s: %v", role.logical, call.name, err)
			}
			fmt.Fprintln(&names, call.name+" ")
			lines++
		}
		for _, call := range role.mayNot {
			if err := call.make(t.Context(), c); !isDenied(err) {
				t.Errorf("%s: may %s: %v", role.logical, call.name, err)
			}
			lines++
		}
		for line := range strings.Lines(string(recorded)) {
			function, name, _ := strings.Cut(strings.TrimSpace(line), " ")
			if strings.EqualFold(function+"Role", role.logical) && !strings.Contains(names.String(), name+" ") {
				t.Errorf("%s: no line for %s, which the function calls", role.logical, name)
			}
		}
		without := e.assume(role.logical, e.plain) // TLS
		for _, bucket := range []string{e.raw, e.lake} {
			if err := list("", bucket, "").make(t.Context(), without); !isDenied(err) {
				t.Errorf("%s: comes to %s without TLS: %v", role.logical, bucket, err)
			}
			lines++
		}
	}
	rig.Figure(t, "permissions", "%d calls allowed or denied as the roles are meant", lines)
}
