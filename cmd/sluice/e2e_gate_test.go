//go:build linux

package main_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"testing"
)

// gate is the brake of S3 and DynamoDB: a proxy before both that counts the requests that write. Requests keep their
// Host, so signatures stay valid.
type gate struct {
	t        testing.TB
	settings []string

	mu    sync.Mutex
	seen  int
	at    int
	mode  mode
	armed *moment
}

func newGate(s *site) *gate {
	s.t.Helper()
	g := &gate{t: s.t}
	g.settings = append(g.settings, "AWS_ENDPOINT_URL_S3="+g.before(s.s3.Endpoint))
	if s.table != nil {
		g.settings = append(g.settings, "AWS_ENDPOINT_URL_DYNAMODB="+g.before(s.table.Endpoint))
	}
	return g
}

// before opens the gate before a server and returns its address.
func (g *gate) before(endpoint string) string {
	g.t.Helper()
	target, err := url.Parse(endpoint)
	if err != nil {
		g.t.Fatal(err)
	}
	reads := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) { r.Out.URL.Scheme, r.Out.URL.Host = target.Scheme, target.Host },
		// The sender died: nobody hears the answer, and nobody wants to read of it in the log.
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(http.StatusBadGateway) },
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !writes(r) {
			reads.ServeHTTP(w, r)
			return
		}
		g.write(w, r, target) //nolint:contextcheck // a write arrives whatever becomes of its sender
	}))
	g.t.Cleanup(server.Close)
	return server.URL
}

// writes says whether a request changes anything at its server.
func writes(r *http.Request) bool {
	if operation := r.Header.Get("X-Amz-Target"); operation != "" {
		return strings.HasSuffix(operation, ".UpdateItem") || strings.HasSuffix(operation, ".PutItem") || strings.HasSuffix(operation, ".DeleteItem")
	}
	return r.Method == http.MethodPut || r.Method == http.MethodPost || r.Method == http.MethodDelete
}

// write sends a request on as the brake is set.
func (g *gate) write(w http.ResponseWriter, r *http.Request, target *url.URL) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // its sender died while it sent
	}
	send := func() (*http.Response, error) {
		out := r.Clone(context.WithoutCancel(r.Context()))
		out.URL.Scheme, out.URL.Host, out.RequestURI = target.Scheme, target.Host, ""
		out.Body, out.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
		out.Header.Del("Expect")
		return http.DefaultTransport.RoundTrip(out)
	}
	moment, mode := g.pass(r)
	var answer *http.Response
	if moment == nil || mode == done {
		answer, err = send()
	}
	if moment != nil {
		close(moment.reached)
		select {
		case <-moment.deliver:
		case <-g.t.Context().Done():
			return
		case <-until(r, mode != late): // its sender is dead, or has no patience left
			if answer != nil {
				_ = answer.Body.Close() // nobody hears it
			}
			moment.answer <- 0
			return
		}
		if mode == late {
			answer, err = send()
		}
	}
	if err != nil {
		g.t.Errorf("gate: %v", err)
		w.WriteHeader(http.StatusBadGateway)
		return
	}
	defer func() { _ = answer.Body.Close() }() // only read
	if moment != nil {
		moment.answer <- answer.StatusCode
	}
	for name, values := range answer.Header {
		w.Header()[name] = values
	}
	w.WriteHeader(answer.StatusCode)
	_, _ = io.Copy(w, answer.Body) // whether it is still wanted is its sender's affair
}

// until is closed when the sender of a request is gone, if anybody wants to know.
func until(r *http.Request, wanted bool) <-chan struct{} {
	if !wanted {
		return nil
	}
	return r.Context().Done()
}

// pass counts a write; it returns the moment that the brake was set to.
func (g *gate) pass(r *http.Request) (*moment, mode) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.seen++
	if g.armed == nil || g.seen != g.at {
		return nil, 0
	}
	g.armed.what = r.Method + " " + r.URL.Path + " " + r.Header.Get("X-Amz-Target")
	return g.armed, g.mode
}

func (g *gate) env() []string { return g.settings }

func (g *gate) modes() []mode { return []mode{lost, done, late} }

func (g *gate) count() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.seen
}

func (g *gate) arm(n int, m mode) *moment {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.seen, g.at, g.mode, g.armed = 0, n, m, newMoment()
	return g.armed
}
