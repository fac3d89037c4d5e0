package object_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"sluice/internal/object"
	"sluice/scripts/rig"
	"sluice/scripts/rig/proxy"
)

// quick is a patience that a test has time for.
func quick(p *object.Patience) {
	p.Pause, p.SlowDown, p.MaxPause = 2*time.Millisecond, 4*time.Millisecond, 20*time.Millisecond
}

// hasty does not wait long either. On a busy machine it may give up what is merely slow.
func hasty(p *object.Patience) { p.Silence = 250 * time.Millisecond }

// isSilent says whether only a client that is hasty notices such a fault.
func isSilent(kind proxy.Kind) bool {
	return kind == proxy.NoAnswer || kind == proxy.LateAnswer || kind == proxy.Frozen
}

// troubled is a bucket that is reached through a proxy, and directly.
type troubled struct {
	*object.S3
	direct *object.S3
	proxy  *proxy.Proxy
	bucket string
}

func newTroubled(t *testing.T, options ...func(*object.Patience)) troubled {
	t.Helper()
	client := newClient(t)
	bucket := newBucket(t, client)
	p := proxy.New(t, os.Getenv(rig.EnvS3Endpoint))
	return troubled{object.NewS3(clientOf(t, p.URL, append([]func(*object.Patience){quick}, options...)...), bucket), object.NewS3(client, bucket), p, bucket}
}

// whole reads the object "there" to its end.
func whole(ctx context.Context, store *object.S3, in object.GetInput) ([]byte, error) {
	body, _, err := store.Get(ctx, "there", in)
	if err != nil {
		return nil, err
	}
	got, err := io.ReadAll(body)
	return got, errors.Join(err, body.Close())
}

func keysOf(ctx context.Context, store *object.S3) ([]string, error) {
	var keys []string
	for e, err := range store.List(ctx, object.ListInput{}) {
		if err != nil {
			return keys, err
		}
		keys = append(keys, e.Key)
	}
	return keys, nil
}

func content(n int) []byte {
	source, body := rand.NewChaCha8([32]byte{1}), make([]byte, n)
	_, _ = source.Read(body) // never fails
	return body
}

// operations are what a store is asked for, each with the S3 operation behind it. Every one works on what put made.
func operations(body []byte) map[string]func(ctx context.Context, s troubled) error {
	same := func(got []byte, err error) error {
		if err == nil && !bytes.Equal(got, body) {
			err = fmt.Errorf("got %d other bytes", len(got))
		}
		return err
	}
	return map[string]func(ctx context.Context, s troubled) error{
		"GetObject": func(ctx context.Context, s troubled) error {
			return same(whole(ctx, s.S3, object.GetInput{}))
		},
		"HeadObject": func(ctx context.Context, s troubled) error {
			info, err := s.Head(ctx, "there")
			if err == nil && info.Size != int64(len(body)) {
				err = fmt.Errorf("size %d", info.Size)
			}
			return err
		},
		"PutObject": func(ctx context.Context, s troubled) error {
			if _, err := s.Put(ctx, "there", body, object.PutInput{}); err != nil {
				return err
			}
			return same(whole(ctx, s.direct, object.GetInput{}))
		},
		"ListObjectsV2": func(ctx context.Context, s troubled) error {
			keys, err := keysOf(ctx, s.S3)
			if err == nil && !slices.Equal(keys, []string{"there", "too"}) {
				err = fmt.Errorf("listed %q", keys)
			}
			return err
		},
	}
}

// TestS3_OneFaultOfEachKindIsSurvived: the request is sent once more and no more than that, after a bounded pause.
func TestS3_OneFaultOfEachKindIsSurvived(t *testing.T) {
	body := content(300_000)
	kinds := append(proxy.S3Kinds(), proxy.NoAnswer, proxy.Frozen)
	s := newTroubled(t)
	quickly := s
	quickly.S3 = object.NewS3(clientOf(t, s.proxy.URL, quick, hasty), s.bucket)
	for _, key := range []string{"there", "too"} {
		if _, err := s.direct.Put(t.Context(), key, body, object.PutInput{}); err != nil {
			t.Fatal(err)
		}
	}
	faults := 0
	for operation, do := range operations(body) {
		for _, kind := range kinds {
			if kind == proxy.Unlisted {
				continue // nothing in an answer tells
			}
			t.Run(operation+" "+string(kind), func(t *testing.T) {
				s.proxy.Program(proxy.Rule{Kind: kind, Operation: operation, Times: 1, Delay: time.Second})
				before, met := len(s.proxy.Requests(operation)), s.proxy.Counts()[kind]
				began := time.Now()
				on := s
				if isSilent(kind) {
					on = quickly
				}
				if err := do(t.Context(), on); err != nil {
					t.Fatal(err)
				}
				met = s.proxy.Counts()[kind] - met
				faults += met
				sent := len(s.proxy.Requests(operation)) - before
				want := 1 + met
				if kind == proxy.RepeatedPage || kind == proxy.Endless || kind == proxy.Skewed {
					want += met // for a page that does not go on, and for a clock that is believed and then corrected
				}
				if sent != want && (!isSilent(kind) || sent < want) {
					t.Errorf("%d requests, want %d", sent, want)
				}
				if took := time.Since(began); took > 5*time.Second {
					t.Errorf("took %s", took)
				}
			})
		}
	}
	rig.Figure(t, "store trouble", "%d single faults of S3 survived by one more request", faults)
}

// TestS3_ABodyThatBreaksIsTakenUpWhereItBroke asks for the rest, with If-Match, and never for what it has.
func TestS3_ABodyThatBreaksIsTakenUpWhereItBroke(t *testing.T) {
	s := newTroubled(t)
	body := content(400_000)
	info, err := s.direct.Put(t.Context(), "there", body, object.PutInput{})
	if err != nil {
		t.Fatal(err)
	}
	for _, kind := range []proxy.Kind{proxy.CutAnswer, proxy.ShortAnswer, proxy.CleanEnd} {
		for name, in := range map[string]object.GetInput{
			"whole": {}, "range": {Offset: 1000, Length: 300_000, IfMatch: info.ETag}, "to the end": {Offset: 7},
		} {
			t.Run(string(kind)+" "+name, func(t *testing.T) {
				s.proxy.Program(proxy.Rule{Kind: kind, Operation: "GetObject", Times: 3})
				before := len(s.proxy.Requests("GetObject"))
				got, err := whole(t.Context(), s.S3, in)
				end := len(body)
				if in.Length > 0 {
					end = int(in.Offset + in.Length)
				}
				if err != nil || !bytes.Equal(got, body[in.Offset:end]) {
					t.Errorf("%d bytes, %v", len(got), err)
				}
				if sent := len(s.proxy.Requests("GetObject")) - before; sent != 4 {
					t.Errorf("%d requests, want 4: each break brings half of the rest", sent)
				}
			})
		}
	}
}

// TestS3_ABodyIsNeverPutTogetherFromTwoObjects: the object is written again between the break and the second request.
func TestS3_ABodyIsNeverPutTogetherFromTwoObjects(t *testing.T) {
	s := newTroubled(t)
	if _, err := s.direct.Put(t.Context(), "there", content(100_000), object.PutInput{}); err != nil {
		t.Fatal(err)
	}
	s.proxy.Program(proxy.Rule{Kind: proxy.CutAnswer, Times: 1})
	body, _, err := s.Get(t.Context(), "there", object.GetInput{})
	if err != nil {
		t.Fatal(err)
	}
	defer body.Close()
	if _, err := s.direct.Put(t.Context(), "there", make([]byte, 100_000), object.PutInput{}); err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(body)
	wantIs(t, err, object.ErrPrecondition)
	if !bytes.Equal(got, content(100_000)[:len(got)]) {
		t.Error("bytes of the second object came")
	}
}

// TestS3_TroubleThatStaysIsGivenUp after the attempts that Patience allows, with an error that says what it is.
func TestS3_TroubleThatStaysIsGivenUp(t *testing.T) {
	for kind, wanted := range map[proxy.Kind]error{
		proxy.Refused500: object.ErrUnavailable, proxy.SlowDown: object.ErrThrottled, proxy.Dropped: object.ErrUnavailable,
		proxy.CutAnswer: object.ErrUnavailable, proxy.ShortAnswer: object.ErrUnavailable, proxy.CleanEnd: object.ErrUnavailable,
		proxy.Endless: object.ErrUnavailable, proxy.Skewed: object.ErrClock,
		proxy.NoAnswer: object.ErrUnavailable,
	} {
		t.Run(string(kind), func(t *testing.T) {
			s := newTroubled(t, func(p *object.Patience) {
				if p.Attempts = 3; isSilent(kind) {
					hasty(p)
				}
			})
			if _, err := s.direct.Put(t.Context(), "there", content(100_000), object.PutInput{}); err != nil {
				t.Fatal(err)
			}
			s.proxy.Program(proxy.Rule{Kind: kind})
			_, err := keysOf(t.Context(), s.S3)
			wantIs(t, err, wanted)
			lists, want := len(s.proxy.Requests("ListObjectsV2")), 3
			if kind == proxy.Endless {
				want = 6 // of two pages each
			}
			if lists != want {
				t.Errorf("%d LIST requests, want %d", lists, want)
			}
			_, err = whole(t.Context(), s.S3, object.GetInput{})
			if gets := len(s.proxy.Requests("GetObject")); kind != proxy.Endless && (!errors.Is(err, wanted) || gets != 3) {
				t.Errorf("%d GET requests, want 3; %v", gets, err)
			}
			s.proxy.Heal()
			if got, err := whole(t.Context(), s.S3, object.GetInput{}); err != nil || len(got) != 100_000 {
				t.Errorf("healed: %d bytes, %v", len(got), err)
			}
		})
	}
}

// TestS3_RequestsShareABudget: a store that is down is not asked six times by everybody.
func TestS3_RequestsShareABudget(t *testing.T) {
	s := newTroubled(t, func(p *object.Patience) { p.Budget = 4 })
	s.proxy.Program(proxy.Rule{Kind: proxy.Refused500})
	const calls = 20
	for range calls {
		_, err := s.Head(t.Context(), "there")
		wantIs(t, err, object.ErrUnavailable)
	}
	if got := len(s.proxy.Requests("HeadObject")); got != calls+4 {
		t.Errorf("%d requests for %d calls, want %d", got, calls, calls+4)
	}
	s.proxy.Heal()
	if _, err := s.Head(t.Context(), "there"); !errors.Is(err, object.ErrNotFound) {
		t.Errorf("healed: %v", err)
	}
}

// TestS3_NobodyThere: an endpoint that refuses connections took 28 s.
func TestS3_NobodyThere(t *testing.T) {
	store := object.NewS3(clientOf(t, proxy.Refused(t), quick), "lake")
	began := time.Now()
	_, err := store.Head(t.Context(), "there")
	wantIs(t, err, object.ErrUnavailable)
	if took := time.Since(began); took > 2*time.Second || !strings.Contains(err.Error(), "connection refused") {
		t.Errorf("after %s: %v", took, err)
	}
}

// TestS3_AWriteWhoseAnswerIsLostMeetsItself: its repetition is refused, and HEAD shows that it took place.
func TestS3_AWriteWhoseAnswerIsLostMeetsItself(t *testing.T) {
	s := newTroubled(t)
	mine := object.PutInput{Condition: object.Condition{IfNoneMatch: true}, Metadata: map[string]string{"sluice-op": "7"}}
	parts := mine
	parts.AsParts = true
	for operation, write := range map[string]func(key string) error{
		"PutObject": func(key string) error { _, err := s.Put(t.Context(), key, []byte("x"), mine); return err },
		"CompleteMultipartUpload": func(key string) error {
			u := s.Create(t.Context(), key, parts)
			_, _ = u.Write([]byte("x")) // Close tells
			_, err := u.Close(t.Context())
			return err
		},
	} {
		for _, kind := range []proxy.Kind{proxy.Lost500, proxy.LostAnswer, proxy.CutAnswer} {
			if operation == "PutObject" && kind == proxy.CutAnswer {
				continue // which has no body
			}
			t.Run(operation+" "+string(kind), func(t *testing.T) {
				key := operation + string(kind)
				s.proxy.Program(proxy.Rule{Kind: kind, Operation: operation, Times: 1})
				err := write(key)
				again := err == nil && operation != "PutObject" // a store may answer a repeated completion like the first
				if !again && !errors.Is(err, object.ErrPrecondition) && !errors.Is(err, object.ErrNotFound) {
					t.Errorf("got %v", err)
				}
				if info, err := s.Head(t.Context(), key); err != nil || info.Metadata["sluice-op"] != "7" {
					t.Errorf("head: %v %v", info, err)
				}
			})
		}
	}
	noUploadsLeft(t, newClient(t), s.bucket)
}

// TestS3_WhoIsToldToStopDoesNotWait for the end of a pause.
func TestS3_WhoIsToldToStopDoesNotWait(t *testing.T) {
	s := newTroubled(t, func(p *object.Patience) { p.Pause, p.MaxPause = time.Hour, time.Hour })
	s.proxy.Program(proxy.Rule{Kind: proxy.CutAnswer, Operation: "GetObject"}, proxy.Rule{Kind: proxy.Refused500, Operation: "HeadObject"})
	if _, err := s.direct.Put(t.Context(), "there", content(1000), object.PutInput{}); err != nil {
		t.Fatal(err)
	}
	for name, do := range map[string]func(context.Context) error{
		"request": func(ctx context.Context) error { _, err := s.Head(ctx, "there"); return err },
		"body":    func(ctx context.Context) error { _, err := whole(ctx, s.S3, object.GetInput{}); return err },
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
		began := time.Now()
		err := do(ctx)
		cancel()
		if took := time.Since(began); err == nil || took > 5*time.Second {
			t.Errorf("%s: %v after %s", name, err, took)
		}
	}
}

// TestS3_AnUploadThatIsSlowIsNotSilent: bytes that are sent count as much as bytes that come. The SDK's own read
// time-out would end an upload that takes longer than it.
func TestS3_AnUploadThatIsSlowIsNotSilent(t *testing.T) {
	var came atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for came.Add(1); ; time.Sleep(15 * time.Millisecond) { // what the kernel has buffered takes less than the silence
			if _, err := io.CopyN(io.Discard, r.Body, 1<<20); err != nil {
				break
			}
		}
		w.Header().Set("ETag", `"e"`)
	}))
	defer server.Close()
	store := object.NewS3(clientOf(t, server.URL, quick, hasty), "lake")
	began := time.Now()
	if _, err := store.Put(t.Context(), "slow", make([]byte, 32<<20), object.PutInput{}); err != nil || came.Load() != 1 {
		t.Errorf("%d requests, %v", came.Load(), err)
	}
	if took := time.Since(began); took < 400*time.Millisecond {
		t.Errorf("took %s, which is not slow", took)
	}
}
