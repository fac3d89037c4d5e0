package proxy_test

import (
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"sluice/scripts/rig"
	"sluice/scripts/rig/proxy"
)

const page = `<?xml version="1.0"?><ListBucketResult><IsTruncated>false</IsTruncated>` +
	`<Contents><Key>a%2Fb</Key><LastModified>2026-03-14T12:00:00.000Z</LastModified></Contents>` +
	`<Contents><Key>c</Key><LastModified>2026-03-14T12:00:00.000Z</LastModified></Contents></ListBucketResult>`

// server counts the requests that get to it and answers all of them with a listing.
func server(t *testing.T) (endpoint string, came *int) {
	t.Helper()
	came = new(int)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if body, err := io.ReadAll(r.Body); err != nil || int64(len(body)) != r.ContentLength {
			return // a request that was cut
		}
		*came++
		w.Header().Set("Last-Modified", time.Date(2026, 3, 14, 12, 0, 0, 0, time.UTC).Format(http.TimeFormat))
		_, _ = io.WriteString(w, page)
	}))
	t.Cleanup(s.Close)
	return s.URL, came
}

// send sends one GET with a body and returns status, header, body and error.
func send(t *testing.T, p *proxy.Proxy, query string) (int, http.Header, string, error) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, p.URL+"/bucket"+query, strings.NewReader("a body"))
	if err != nil {
		t.Fatal(err)
	}
	client := http.Client{Timeout: time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	answer, err := client.Do(request)
	if err != nil {
		return 0, nil, "", err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	return answer.StatusCode, answer.Header, string(body), err
}

func TestEachFaultDoesWhatItSays(t *testing.T) {
	for kind, want := range map[proxy.Kind]struct {
		came   int
		status int
		broken bool
	}{
		"":                 {1, 200, false},
		proxy.Refused500:   {0, 500, false},
		proxy.Lost500:      {1, 500, false},
		proxy.SlowDown:     {0, 503, false},
		proxy.Throttled:    {0, 400, false},
		proxy.Skewed:       {0, 403, false},
		proxy.NoAnswer:     {0, 0, true},
		proxy.LateAnswer:   {1, 0, true},
		proxy.Dropped:      {0, 0, true},
		proxy.LostAnswer:   {1, 0, true},
		proxy.CutRequest:   {0, 0, true},
		proxy.CutAnswer:    {1, 200, true},
		proxy.ShortAnswer:  {1, 200, true},
		proxy.Frozen:       {1, 200, true},
		proxy.CleanEnd:     {1, 200, false},
		proxy.Unlisted:     {1, 200, false},
		proxy.RepeatedPage: {1, 200, false},
		proxy.Endless:      {1, 200, false},
	} {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			endpoint, came := server(t)
			p := proxy.New(t, endpoint)
			if kind != "" {
				p.Program(proxy.Rule{Kind: kind, Delay: 3 * time.Second, Times: 1})
			}
			status, _, body, err := send(t, p, "?list-type=2")
			if *came != want.came || status != want.status || (err != nil) != want.broken {
				t.Errorf("%d requests came, status %d, error %v; want %+v", *came, status, err, want)
			}
			if (body == page) != (kind == "") {
				t.Errorf("body %q", body)
			}
			if got := p.Counts()[kind]; kind != "" && got != 1 {
				t.Errorf("counted %d times", got)
			}
			if status, _, body, err := send(t, p, "?list-type=2"); err != nil || status != 200 || body != page {
				t.Errorf("the next one: %d %v %q", status, err, body)
			}
		})
	}
}

func TestHiddenKeysAndAShiftedClock(t *testing.T) {
	endpoint, _ := server(t)
	p := proxy.New(t, endpoint)
	p.Hide(func(key string) bool { return key == "a/b" })
	p.Shift(-10 * time.Minute)
	_, header, body, err := send(t, p, "?list-type=2&encoding-type=url")
	if err != nil || strings.Contains(body, "a%2Fb") || !strings.Contains(body, "2026-03-14T11:50:00.000Z") || header.Get("Last-Modified") != "Sat, 14 Mar 2026 11:50:00 GMT" {
		t.Errorf("%v %v %s", err, header, body)
	}
	p.Heal()
	if _, _, body, _ := send(t, p, "?list-type=2&encoding-type=url"); body != page {
		t.Errorf("healed: %s", body)
	}
}

func TestTheNthRequestOfAnOperation(t *testing.T) {
	endpoint, _ := server(t)
	p := proxy.New(t, endpoint)
	p.Program(proxy.Rule{Kind: proxy.Refused500, Operation: "ListObjectsV2", Nth: 2})
	var got []int
	for _, query := range []string{"?list-type=2", "/key", "?list-type=2", "?list-type=2"} {
		status, _, _, _ := send(t, p, query)
		got = append(got, status)
	}
	if want := [...]int{200, 200, 500, 200}; [4]int(got) != want {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestASeedIsAProgram(t *testing.T) {
	endpoint, _ := server(t)
	var met [2]string
	for i := range met {
		p := proxy.New(t, endpoint)
		p.Program(proxy.Random(rand.New(rand.NewPCG(7, 7)), []proxy.Kind{proxy.Refused500, proxy.SlowDown}, 0.5)...)
		for range 50 {
			_, _, _, _ = send(t, p, "/key")
		}
		for _, r := range p.Requests("GetObject") {
			met[i] += string(r.Fault) + ","
		}
	}
	if met[0] != met[1] || strings.Count(met[0], "50") == 0 {
		t.Errorf("\n%s\n%s", met[0], met[1])
	}
}

// TestSignaturesHold: the S3 server of the rig checks them, Host included.
func TestSignaturesHold(t *testing.T) {
	buckets := rig.S3(t)
	p := proxy.New(t, buckets.Endpoint)
	options := buckets.Client.Options()
	options.BaseEndpoint = &p.URL
	client := s3.New(options)
	key := "a b/c=%2F+ü"
	if _, err := client.PutObject(t.Context(), &s3.PutObjectInput{Bucket: &buckets.Raw, Key: &key, Body: strings.NewReader("x")}); err != nil {
		t.Fatal(err)
	}
	list, err := client.ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: &buckets.Raw})
	if err != nil || len(list.Contents) != 1 || aws.ToString(list.Contents[0].Key) != key {
		t.Errorf("%v %v", list, err)
	}
	if got := p.Requests("PutObject"); len(got) != 1 || got[0].Key != key {
		t.Errorf("requests: %+v", got)
	}
}

func TestRefused(t *testing.T) {
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, proxy.Refused(t), nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := http.DefaultClient.Do(request)
	if err == nil {
		answer.Body.Close()
	}
	if err == nil || errors.Is(err, io.EOF) {
		t.Errorf("got %v", err)
	}
}
