// Package invoker runs a Lambda function's bootstrap as Lambda does: it starts the process and answers its calls to the
// runtime interface. It measures, which the stand-in for Lambda cannot: that one looks for answers every 50 ms.
//
// The interface: https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
package invoker

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Function is a running bootstrap. One invocation is made at a time.
type Function struct {
	Init time.Duration // from the start of the process until it asked for its first event

	process *exec.Cmd
	api     *httptest.Server
	output  *bytes.Buffer
	timeout time.Duration
	calls   int
	waits   chan chan call // the process asks for an event
	answers chan answer
	exited  chan error
}

type call struct {
	id    string
	event []byte
}

type answer struct {
	body   []byte
	failed bool
}

// Start starts the bootstrap at path with the environment env beside this process's own, and waits until it asks for an
// event. timeout is the function's, which its deadlines are made of. Whoever starts it calls Stop.
func Start(ctx context.Context, path string, env []string, timeout time.Duration) (*Function, error) {
	f := &Function{output: &bytes.Buffer{}, timeout: timeout, waits: make(chan chan call), answers: make(chan answer), exited: make(chan error, 1)}
	f.api = httptest.NewServer(f)
	f.process = exec.CommandContext(ctx, path)
	f.process.Env = append(append(os.Environ(), env...), "AWS_LAMBDA_RUNTIME_API="+strings.TrimPrefix(f.api.URL, "http://"),
		"AWS_LAMBDA_FUNCTION_NAME=function", "AWS_LAMBDA_FUNCTION_VERSION=$LATEST", "_HANDLER=bootstrap")
	f.process.Stdout, f.process.Stderr = f.output, f.output
	began := time.Now()
	if err := f.process.Start(); err != nil {
		f.api.Close()
		return nil, err
	}
	go func() { f.exited <- f.process.Wait() }()
	select {
	case first := <-f.waits:
		f.Init = time.Since(began)
		go func() { f.waits <- first }() // it waits until Invoke has an event for it
		return f, nil
	case err := <-f.exited:
		f.api.Close()
		return nil, fmt.Errorf("%s ended before it asked for an event: %w\n%s", path, err, f.output)
	}
}

// Invoke sends an event and decodes the answer; it returns how long the function took.
func (f *Function) Invoke(ctx context.Context, event, into any) (time.Duration, error) {
	body, err := json.Marshal(event)
	if err != nil {
		return 0, err
	}
	f.calls++
	var asks chan call
	select {
	case asks = <-f.waits:
	case err := <-f.exited:
		return 0, fmt.Errorf("the function ended: %w\n%s", err, f.output)
	case <-ctx.Done():
		return 0, ctx.Err()
	}
	began := time.Now()
	asks <- call{strconv.Itoa(f.calls), body}
	select {
	case a := <-f.answers:
		took := time.Since(began)
		if a.failed {
			return took, fmt.Errorf("the function failed: %s", a.body)
		}
		return took, json.Unmarshal(a.body, into)
	case err := <-f.exited:
		return 0, fmt.Errorf("the function ended: %w\n%s", err, f.output)
	case <-ctx.Done():
		return 0, ctx.Err()
	}
}

// Output is what the function has written to its log.
func (f *Function) Output() string { return f.output.String() }

// Stop ends the process.
func (f *Function) Stop() error {
	err := f.process.Process.Signal(syscall.SIGKILL)
	f.api.CloseClientConnections()
	f.api.Close()
	if errors.Is(err, os.ErrProcessDone) {
		return nil
	}
	return err
}

// ServeHTTP is the runtime interface.
func (f *Function) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if strings.HasSuffix(r.URL.Path, "/invocation/next") {
		asks := make(chan call)
		select {
		case f.waits <- asks:
		case <-r.Context().Done():
			return
		}
		select {
		case c := <-asks:
			w.Header().Set("Lambda-Runtime-Aws-Request-Id", c.id)
			w.Header().Set("Lambda-Runtime-Deadline-Ms", strconv.FormatInt(time.Now().Add(f.timeout).UnixMilli(), 10))
			w.Header().Set("Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:eu-west-1:000000000000:function:function")
			_, _ = w.Write(c.event)
		case <-r.Context().Done():
		}
		return
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	w.WriteHeader(http.StatusAccepted)
	if flusher, ok := w.(http.Flusher); ok {
		flusher.Flush()
	}
	f.answers <- answer{body, strings.HasSuffix(r.URL.Path, "/error")}
}
