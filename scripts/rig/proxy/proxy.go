// Package proxy is a reverse proxy that makes trouble: it stands between a client and a real server of the rig, speaks
// HTTP, and does to a chosen request what networks and stores do on a bad day.
//
// Words: a fault is what happens to one request. A rule says which requests meet it. A program is the rules that hold
// at a time; a healed proxy has none. A program made from a seed meets the same fault at the same request of a kind
// when the requests come in the same order.
//
// What it promises: a request that no rule meets reaches the server as it was signed, Host and path untouched, and its
// answer comes back as it is. Every fault is counted by its kind. What it does not know: which requests matter.
//
// Why it is ours: docs/adr/0011-a-fault-proxy-that-speaks-http.md.
package proxy

import (
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"
)

// Request is one request that came, in the order in which they did.
type Request struct {
	Operation string // PutObject, GetItem, …
	Key       string // of the object, without the bucket
	Fault     Kind   // what it met, or ""
	At        time.Time
}

// Proxy is one listener on 127.0.0.1 before one server. It is safe for concurrent use.
type Proxy struct {
	URL string

	target    *url.URL
	transport *http.Transport

	mu       sync.Mutex
	rules    []*Rule
	shift    time.Duration
	hide     func(key string) bool
	requests []Request
	counts   map[Kind]int
	pages    map[string]string // listings that are to be sent a second time, by their token
	healed   chan struct{}     // closed to let go of requests that are held
}

// New starts a proxy before the server at endpoint, http://HOST:PORT, for the length of the test.
func New(t testing.TB, endpoint string) *Proxy {
	t.Helper()
	target, err := url.Parse(endpoint)
	if err != nil {
		t.Fatal(err)
	}
	p := &Proxy{
		target: target, transport: &http.Transport{DisableCompression: true, MaxIdleConnsPerHost: 64},
		counts: map[Kind]int{}, pages: map[string]string{}, healed: make(chan struct{}),
	}
	server := httptest.NewServer(p)
	p.URL = server.URL
	t.Cleanup(func() {
		p.Heal()
		server.CloseClientConnections()
		server.Close()
		p.transport.CloseIdleConnections()
	})
	return p
}

// Refused returns the address of a port of this machine on which nobody listens.
func Refused(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // a listener of one moment
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return "http://" + l.Addr().String()
}

// Program puts rules in the place of those before. Of several that meet a request the first counts.
func (p *Proxy) Program(rules ...Rule) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.rules = nil
	for _, r := range rules {
		p.rules = append(p.rules, &r)
	}
}

// Heal ends all trouble: rules, hidden keys, a shifted clock, requests that are held.
func (p *Proxy) Heal() {
	p.Program()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.hide, p.shift, p.pages = nil, 0, map[string]string{}
	close(p.healed)
	p.healed = make(chan struct{})
}

// Hide leaves objects out of listings, as a store does whose listings are late. Everything else shows them.
func (p *Proxy) Hide(key func(key string) bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.hide = key
}

// Shift lets the server's clock go wrong by d: every date in its answers, Last-Modified included.
func (p *Proxy) Shift(d time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.shift = d
}

// Counts returns how many faults were injected, by kind.
func (p *Proxy) Counts() map[Kind]int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return maps.Clone(p.counts)
}

// Requests returns the requests of an operation that came so far, all of them when it is "".
func (p *Proxy) Requests(operation string) []Request {
	p.mu.Lock()
	defer p.mu.Unlock()
	var found []Request
	for _, r := range p.requests {
		if operation == "" || r.Operation == operation {
			found = append(found, r)
		}
	}
	return found
}

// meet writes the request down and returns the fault that it meets.
func (p *Proxy) meet(r *http.Request) (fault Rule, hide func(string) bool, shift time.Duration) {
	q := Request{Operation: Operation(r), Key: objectKey(r), At: time.Now()}
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, rule := range p.rules {
		if rule.meets(q, r) {
			fault = *rule
			p.counts[rule.Kind]++
			break
		}
	}
	q.Fault = fault.Kind
	p.requests = append(p.requests, q)
	return fault, p.hide, p.shift
}

// ServeHTTP implements http.Handler.
func (p *Proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	fault, hide, shift := p.meet(r)
	if p.before(fault, w, r) {
		return
	}
	if page, again := p.page(r); again {
		w.Header().Set("Content-Type", "application/xml")
		_, _ = io.WriteString(w, page)
		return
	}
	out := r.Clone(r.Context())
	out.RequestURI = ""
	out.URL.Scheme, out.URL.Host = p.target.Scheme, p.target.Host // out.Host stays: it is signed
	out.Header.Del("Expect")                                      // answered by our own server
	if r.ContentLength == 0 {
		out.Body = http.NoBody
	}
	answer, err := p.transport.RoundTrip(out)
	if err != nil {
		panic(http.ErrAbortHandler) // as if we were not there
	}
	defer func() { _ = answer.Body.Close() }()
	a := &reply{Response: answer}
	if hide != nil || shift != 0 || fault.Kind.rewrites() {
		a.read()
		a.hide(r, hide)
		a.shift(shift)
	}
	p.after(fault, w, r, a)
}

// page returns the page that a token of ours stands for.
func (p *Proxy) page(r *http.Request) (string, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	page, ok := p.pages[r.URL.Query().Get("continuation-token")]
	return page, ok
}

// remember keeps what the token of a page that we made stands for.
func (p *Proxy) remember(token, page string) {
	if token == "" {
		return // the answer was no listing
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.pages[token] = page
}

// hold waits until the client gives up or the proxy is healed.
func (p *Proxy) hold(r *http.Request) {
	p.mu.Lock()
	healed := p.healed
	p.mu.Unlock()
	select {
	case <-r.Context().Done():
	case <-healed:
	}
}

// Operation names what a request asks for, in the words of the services.
func Operation(r *http.Request) string {
	if _, name, ok := strings.Cut(r.Header.Get("X-Amz-Target"), "."); ok {
		return name
	}
	q, object := r.URL.Query(), objectKey(r) != ""
	switch {
	case q.Has("uploads") && r.Method == http.MethodPost:
		return "CreateMultipartUpload"
	case q.Has("uploads"):
		return "ListMultipartUploads"
	case q.Has("uploadId") && r.Method == http.MethodPost:
		return "CompleteMultipartUpload"
	case q.Has("uploadId") && r.Method == http.MethodDelete:
		return "AbortMultipartUpload"
	case q.Has("uploadId") && r.Header.Get("X-Amz-Copy-Source") != "":
		return "UploadPartCopy"
	case q.Has("uploadId"):
		return "UploadPart"
	case r.Method == http.MethodGet && !object:
		return "ListObjectsV2"
	}
	names := map[string]string{
		http.MethodGet: "GetObject", http.MethodHead: "HeadObject",
		http.MethodPut: "PutObject", http.MethodDelete: "DeleteObject",
	}
	return names[r.Method]
}

func objectKey(r *http.Request) string {
	_, key, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	return key
}
