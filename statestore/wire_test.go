package statestore_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"sluice/statestore"
)

const product = "raw/store/product/"

// wire answers requests with canned answers, in order, and keeps what was sent as one line each.
type wire struct {
	answers []answer
	sent    []string
}

type answer struct {
	status int // 0: the connection breaks
	body   string
}

const refused = `{"__type":"com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException","Item":{"path":{"S":"raw/store/product/"}}}`

var errBroken = errors.New("connection broken")

func (w *wire) Do(r *http.Request) (*http.Response, error) {
	var in request
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		return nil, err
	}
	_, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	w.sent = append(w.sent, in.line(operation))
	a := answer{status: http.StatusOK, body: `{"Attributes":{"path":{"S":"raw/store/product/"}}}`}
	if len(w.answers) > 0 {
		a, w.answers = w.answers[0], w.answers[1:]
	}
	if a.status == 0 {
		return nil, errBroken
	}
	return &http.Response{StatusCode: a.status, Body: io.NopCloser(strings.NewReader(a.body)), Header: http.Header{}}, nil
}

func (w *wire) table() *statestore.DynamoDB {
	client := dynamodb.New(dynamodb.Options{
		Region: "eu-west-1", HTTPClient: w, Credentials: credentials.NewStaticCredentialsProvider("id", "secret", ""),
		RetryMaxAttempts: 2,
	})
	return statestore.NewDynamoDB(client, "control", func() time.Time { return time.Unix(1_800_000_000, 0) })
}

// request is what matters of a request's body.
type request struct {
	Key, Item                             map[string]map[string]string
	UpdateExpression, ConditionExpression string
	ExpressionAttributeNames              map[string]string
	ExpressionAttributeValues             map[string]map[string]string
	ConsistentRead                        bool
}

// line writes the request with names and values in the place of their placeholders.
func (r request) line(operation string) string {
	line := fmt.Sprintf("%s %s%s", operation, r.Key["path"]["S"], r.Item["path"]["S"])
	if r.UpdateExpression != "" {
		line += " " + r.UpdateExpression
	}
	if r.ConditionExpression != "" {
		line += " IF " + r.ConditionExpression
	}
	if r.ConsistentRead {
		line += " consistent"
	}
	return regexp.MustCompile(`[#:][nv]\d+`).ReplaceAllStringFunc(line, func(p string) string {
		if p[0] == '#' {
			return r.ExpressionAttributeNames[p]
		}
		return "'" + r.ExpressionAttributeValues[p]["S"] + "'"
	})
}
