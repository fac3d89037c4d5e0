package proxy

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"time"
)

// Kind is one way in which a request goes wrong.
type Kind string

// The faults. "Took place" says that the server did what it was asked for.
const (
	Refused500   Kind = "500"                          // nothing took place
	Lost500      Kind = "500 after it took place"      // it took place
	SlowDown     Kind = "503 SlowDown"                 // nothing took place
	Throttled    Kind = "throttled"                    // DynamoDB's two refusals in turn; nothing took place
	Skewed       Kind = "RequestTimeTooSkewed"         // nothing took place; the Date is half an hour ahead of the signature
	NoAnswer     Kind = "no answer"                    // nothing took place; held until the client gives up
	LateAnswer   Kind = "late answer"                  // it took place; answered after Delay
	Dropped      Kind = "connection dropped"           // before anything took place
	LostAnswer   Kind = "connection dropped after"     // it took place
	CutRequest   Kind = "request cut"                  // the server got the half of it
	CutAnswer    Kind = "answer cut"                   // by a reset in the middle of the body
	ShortAnswer  Kind = "short answer"                 // fewer bytes than Content-Length, then an orderly end of the connection
	CleanEnd     Kind = "short answer without length"  // fewer bytes, and an end as if that were all
	Unlisted     Kind = "object missing from a LIST"   // one, by chance
	RepeatedPage Kind = "page of a LIST sent twice"    // the second time in the place of what follows
	Frozen       Kind = "answer stops in the middle"   // and the connection stays
	Endless      Kind = "LIST that does not get ahead" // an empty page whose next one is itself
)

// rewrites says whether the answer has to be read before it is sent.
func (k Kind) rewrites() bool {
	switch k {
	case CutAnswer, ShortAnswer, CleanEnd, Unlisted, RepeatedPage, Frozen, Endless:
		return true
	case Refused500, Lost500, SlowDown, Throttled, Skewed, NoAnswer, LateAnswer, Dropped, LostAnswer, CutRequest:
	}
	return false
}

// Rule says which requests meet which fault: those of the operation (any when it is ""), whose key Match says yes to
// (any when it is nil). Of these every one does, the Nth one (from 1) only, or one with the Probability, at most Times.
type Rule struct {
	Kind        Kind
	Operation   string
	Match       func(r *http.Request) bool
	Nth, Times  int
	Probability float64
	Delay       time.Duration // of LateAnswer
	Rand        *rand.Rand    // draws Probability; the proxy's lock guards it

	matched, met int
}

func (r *Rule) meets(q Request, request *http.Request) bool {
	if r.Operation != "" && r.Operation != q.Operation || r.Match != nil && !r.Match(request) || !r.fits(q, request) {
		return false
	}
	r.matched++
	switch {
	case r.Nth > 0 && r.matched != r.Nth, r.Times > 0 && r.met >= r.Times:
		return false
	case r.Probability > 0 && r.Rand.Float64() >= r.Probability:
		return false
	}
	r.met++
	return true
}

// fits says whether such a request can meet such a fault.
func (r *Rule) fits(q Request, request *http.Request) bool {
	switch r.Kind {
	case Unlisted, RepeatedPage, Endless:
		return q.Operation == "ListObjectsV2"
	case CutRequest:
		return request.ContentLength > 1
	case CutAnswer, ShortAnswer, CleanEnd, Frozen: // there has to be a body
		switch q.Operation {
		case "HeadObject", "DeleteObject", "AbortMultipartUpload", "UploadPart", "PutObject":
			return false
		}
	case Refused500, Lost500, SlowDown, Throttled, Skewed, NoAnswer, LateAnswer, Dropped, LostAnswer:
	}
	return true
}

// before does what happens to a request that never gets to the server, and says whether it was such a one.
func (p *Proxy) before(fault Rule, w http.ResponseWriter, r *http.Request) bool {
	switch fault.Kind {
	case Refused500:
		refuse(w, r, http.StatusInternalServerError, "InternalError")
	case SlowDown:
		refuse(w, r, http.StatusServiceUnavailable, "SlowDown")
	case Throttled:
		code := []string{"ProvisionedThroughputExceededException", "ThrottlingException"}[fault.met%2]
		refuse(w, r, http.StatusBadRequest, code)
	case Skewed:
		w.Header().Set("Date", signed(r).Add(30*time.Minute).UTC().Format(http.TimeFormat))
		refuse(w, r, http.StatusForbidden, "RequestTimeTooSkewed")
	case NoAnswer:
		p.hold(r)
		reset(w)
	case Dropped:
		reset(w)
	case CutRequest:
		p.cutRequest(r)
		reset(w)
	case "", Lost500, LateAnswer, LostAnswer, CutAnswer, ShortAnswer, CleanEnd, Unlisted, RepeatedPage, Frozen, Endless:
		return false
	}
	return true
}

// after does what happens to an answer.
func (p *Proxy) after(fault Rule, w http.ResponseWriter, r *http.Request, a *reply) {
	switch fault.Kind {
	case Lost500:
		_, _ = io.Copy(io.Discard, a.Body)
		refuse(w, r, http.StatusInternalServerError, "InternalError")
	case LostAnswer:
		_, _ = io.Copy(io.Discard, a.Body)
		reset(w)
	case LateAnswer:
		select {
		case <-r.Context().Done():
		case <-time.After(fault.Delay):
		}
		a.send(w)
	case CutAnswer:
		a.sendHalf(w)
		reset(w)
	case ShortAnswer:
		a.sendHalf(w)
		panic(http.ErrAbortHandler)
	case Frozen:
		a.sendHalf(w)
		p.hold(r)
		reset(w)
	case CleanEnd:
		a.Header.Del("Content-Length")
		a.sendHalf(w)
	case Unlisted:
		a.drop(fault.met)
		a.send(w)
	case RepeatedPage:
		p.remember(a.twice())
		a.send(w)
	case Endless:
		p.remember(a.endless())
		a.send(w)
	case "", Refused500, SlowDown, Throttled, Skewed, NoAnswer, Dropped, CutRequest:
		a.send(w)
	}
}

// signed returns when the request says that it was signed.
func signed(r *http.Request) time.Time {
	at, err := time.Parse("20060102T150405Z", r.Header.Get("X-Amz-Date"))
	if err != nil {
		return time.Now()
	}
	return at
}

// refuse answers with an error as S3 or DynamoDB writes it.
func refuse(w http.ResponseWriter, r *http.Request, status int, code string) {
	_, _ = io.Copy(io.Discard, r.Body)
	if r.Header.Get("X-Amz-Target") != "" {
		w.Header().Set("Content-Type", "application/x-amz-json-1.0")
		w.WriteHeader(status)
		fmt.Fprintf(w, `{"__type":"com.amazonaws.dynamodb.v20120810#%s","message":"injected"}`, code)
		return
	}
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		fmt.Fprintf(w, `<?xml version="1.0" encoding="UTF-8"?><Error><Code>%s</Code><Message>injected</Message></Error>`, code)
	}
}

// reset ends the client's connection with a reset.
func reset(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0) // a reset instead of an orderly end
	}
	_ = conn.Close()
}

// cutRequest sends the half of a request to the server and ends that connection.
func (p *Proxy) cutRequest(r *http.Request) {
	half, err := io.ReadAll(io.LimitReader(r.Body, r.ContentLength/2))
	if err != nil {
		return
	}
	dialer := net.Dialer{Timeout: time.Second}
	conn, err := dialer.DialContext(r.Context(), "tcp", p.target.Host)
	if err != nil {
		return
	}
	defer func() { _ = conn.Close() }()
	fmt.Fprintf(conn, "%s %s HTTP/1.1\r\nHost: %s\r\nContent-Length: %d\r\n", r.Method, r.URL.RequestURI(), r.Host, r.ContentLength)
	_ = r.Header.WriteSubset(conn, map[string]bool{"Expect": true, "Content-Length": true})
	_, _ = conn.Write(append([]byte("\r\n"), half...))
}
