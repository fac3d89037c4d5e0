package object_test

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	gocmp "github.com/google/go-cmp/cmp"

	"sluice/internal/object"
)

// recorder answers like S3 and writes down what it was asked: a line of method, path, query and the headers that
// matter.
type recorder struct {
	status int    // answered to everything, when not 0
	code   string // error code that goes with it

	mu   sync.Mutex
	sent []string
}

func (r *recorder) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	_, _ = io.Copy(io.Discard, q.Body)
	line := q.Method + " " + q.URL.RequestURI()
	var headers []string
	for name, values := range q.Header {
		name = strings.ToLower(name)
		matters := name == "range" || strings.HasPrefix(name, "if-") || strings.HasPrefix(name, "x-amz-meta-") ||
			strings.HasPrefix(name, "x-amz-copy-") || strings.Contains(name, "checksum") || name == "x-amz-trailer"
		if matters {
			headers = append(headers, name+": "+values[0])
		}
	}
	slices.SortFunc(headers, func(a, b string) int { // by name: the colon is not part of it
		return strings.Compare(before(a), before(b))
	})
	r.mu.Lock()
	r.sent = append(r.sent, strings.Join(append([]string{line}, headers...), " | "))
	r.mu.Unlock()
	r.answer(w, q)
}

// before returns a header's name.
func before(header string) string {
	name, _, _ := strings.Cut(header, ":")
	return name
}

func (r *recorder) answer(w http.ResponseWriter, q *http.Request) {
	query := q.URL.Query()
	w.Header().Set("ETag", `"e"`)
	switch {
	case r.status != 0:
		w.WriteHeader(r.status)
		if q.Method != http.MethodHead {
			fmt.Fprintf(w, "<Error><Code>%s</Code></Error>", r.code)
		}
	case query.Has("uploads"):
		fmt.Fprint(w, "<InitiateMultipartUploadResult><UploadId>U</UploadId></InitiateMultipartUploadResult>")
	case q.Method == http.MethodPost:
		fmt.Fprint(w, `<CompleteMultipartUploadResult><ETag>"done"</ETag></CompleteMultipartUploadResult>`)
	case q.Header.Get("x-amz-copy-source") != "":
		fmt.Fprint(w, `<CopyPartResult><ETag>"part"</ETag></CopyPartResult>`)
	case query.Get("list-type") == "2":
		fmt.Fprint(w, `<ListBucketResult><EncodingType>url</EncodingType><Contents><Key>p/%01+x%2Bb</Key><ETag>e</ETag>`+
			`<Size>3</Size></Contents><CommonPrefixes><Prefix>p/%00/</Prefix></CommonPrefixes></ListBucketResult>`)
	case q.Header.Get("Range") != "":
		w.Header().Set("Content-Range", "bytes 3-6/10")
		w.WriteHeader(http.StatusPartialContent)
		fmt.Fprint(w, "3456")
	}
}

// recorded returns a store whose requests go to the recorder, each once.
func recorded(t *testing.T, r *recorder) *object.S3 {
	t.Helper()
	server := httptest.NewServer(r)
	t.Cleanup(server.Close)
	return object.NewS3(s3.New(s3.Options{
		BaseEndpoint: &server.URL, UsePathStyle: true, Region: "eu-west-1", Retryer: aws.NopRetryer{},
		Credentials: credentials.NewStaticCredentialsProvider("k", "s", ""),
	}), "lake")
}

func TestS3Sends(t *testing.T) {
	ifMatch, ifNone := object.Condition{IfMatch: `"e"`}, object.Condition{IfNoneMatch: true}
	metadata := map[string]string{"sluice-op": "7"}
	for _, c := range []struct {
		name string
		do   func(store *object.S3) error
		want []string
	}{
		{"put", func(store *object.S3) error {
			_, err := store.Put(t.Context(), "a b/c=d", []byte("x"), object.PutInput{Metadata: metadata})
			return err
		}, []string{"PUT /lake/a%20b/c%3Dd?x-id=PutObject | x-amz-meta-sluice-op: 7"}},
		{"put if match", func(store *object.S3) error {
			_, err := store.Put(t.Context(), "a", []byte("x"), object.PutInput{Condition: ifMatch})
			return err
		}, []string{`PUT /lake/a?x-id=PutObject | if-match: "e"`}},
		{"put if none match", func(store *object.S3) error {
			_, err := store.Put(t.Context(), "a", []byte("x"), object.PutInput{Condition: ifNone})
			return err
		}, []string{"PUT /lake/a?x-id=PutObject | if-none-match: *"}},
		{"get range", func(store *object.S3) error {
			body, info, err := store.Get(t.Context(), "a", object.GetInput{Offset: 3, Length: 4, IfMatch: `"e"`})
			if err == nil && info.Size != 10 {
				err = fmt.Errorf("size %d", info.Size)
			}
			return errors.Join(err, body.Close())
		}, []string{`GET /lake/a?x-id=GetObject | if-match: "e" | range: bytes=3-6`}},
		{"get from", func(store *object.S3) error {
			body, _, err := store.Get(t.Context(), "a", object.GetInput{Offset: 3})
			return errors.Join(err, body.Close())
		}, []string{"GET /lake/a?x-id=GetObject | range: bytes=3-"}},
		{"delete", func(store *object.S3) error { return store.Delete(t.Context(), "a", `"e"`) }, []string{
			"HEAD /lake/a", `DELETE /lake/a?x-id=DeleteObject | if-match: "e"`,
		}},
		{"small upload", func(store *object.S3) error {
			u := store.Create(t.Context(), "a", object.PutInput{Condition: ifMatch, Metadata: metadata})
			_, err := u.Write([]byte("x"))
			_, closeErr := u.Close(t.Context())
			return errors.Join(err, closeErr)
		}, []string{`PUT /lake/a?x-id=PutObject | if-match: "e" | x-amz-meta-sluice-op: 7`}},
		{"upload with a copy", func(store *object.S3) error {
			u := store.Create(t.Context(), "a", object.PutInput{Condition: ifNone, Metadata: metadata})
			err := u.CopyFrom(t.Context(), object.CopyInput{Key: "b c/d+e=ü%", ETag: `"s"`, Offset: 9, Length: 6 << 20})
			_, closeErr := u.Close(t.Context())
			return errors.Join(err, closeErr)
		}, []string{
			"POST /lake/a?uploads= | x-amz-meta-sluice-op: 7",
			"PUT /lake/a?partNumber=1&uploadId=U&x-id=UploadPartCopy | x-amz-copy-source: lake/b%20c/d%2Be%3D%C3%BC%25" +
				` | x-amz-copy-source-if-match: "s" | x-amz-copy-source-range: bytes=9-6291464`,
			"POST /lake/a?uploadId=U | if-none-match: *",
		}},
		{"huge copy", func(store *object.S3) error {
			u := store.Create(t.Context(), "a", object.PutInput{Condition: ifMatch})
			err := u.CopyFrom(t.Context(), object.CopyInput{Key: "b", ETag: `"s"`, Length: 512<<20 + 1})
			_, closeErr := u.Close(t.Context())
			return errors.Join(err, closeErr)
		}, []string{
			"POST /lake/a?uploads=",
			"PUT /lake/a?partNumber=1&uploadId=U&x-id=UploadPartCopy | x-amz-copy-source: lake/b" +
				` | x-amz-copy-source-if-match: "s" | x-amz-copy-source-range: bytes=0-268435455`,
			"PUT /lake/a?partNumber=2&uploadId=U&x-id=UploadPartCopy | x-amz-copy-source: lake/b" +
				` | x-amz-copy-source-if-match: "s" | x-amz-copy-source-range: bytes=268435456-536870912`,
			`POST /lake/a?uploadId=U | if-match: "e"`,
		}},
		{"abort", func(store *object.S3) error {
			u := store.Create(t.Context(), "a", object.PutInput{})
			_, err := u.Write(make([]byte, 8<<20+1))
			return errors.Join(err, u.Abort(t.Context()))
		}, []string{
			"POST /lake/a?uploads=", "DELETE /lake/a?uploadId=U&x-id=AbortMultipartUpload",
		}},
		{"list", func(store *object.S3) error {
			var got []string
			in := object.ListInput{Prefix: "p/", StartAfter: "p/", Delimiter: "/"}
			for e, err := range store.List(t.Context(), in) {
				if err != nil {
					return err
				}
				got = append(got, e.Key, e.ETag)
			}
			if diff := gocmp.Diff([]string{"p/\x00/", "", "p/\x01 x+b", `"e"`}, got); diff != "" {
				return errors.New(diff)
			}
			return nil
		}, []string{"GET /lake?delimiter=%2F&encoding-type=url&list-type=2&prefix=p%2F&start-after=p%2F"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := &recorder{}
			if err := c.do(recorded(t, r)); err != nil {
				t.Error(err)
			}
			got := slices.DeleteFunc(r.sent, func(line string) bool { return strings.Contains(line, "x-id=UploadPart ") })
			if c.name == "abort" { // whether its part was sent at all is a matter of time
				got = slices.DeleteFunc(got, func(line string) bool { return strings.HasSuffix(line, "x-id=UploadPart") })
			}
			slices.SortStableFunc(got, func(a, b string) int { return cmp.Compare(partNumber(a), partNumber(b)) })
			if diff := gocmp.Diff(c.want, got); diff != "" {
				t.Errorf("requests (-want +got):\n%s", diff)
			}
		})
	}
}

// partNumber puts requests that travel at the same time into an order: creation, parts, completion.
func partNumber(line string) string {
	_, number, isPart := strings.Cut(line, "partNumber=")
	switch {
	case isPart:
		return number[:1]
	case strings.Contains(line, "uploadId=U"):
		return "9"
	}
	return ""
}

func TestS3Errors(t *testing.T) {
	all := []error{
		object.ErrNotFound, object.ErrPrecondition, object.ErrNoBucket, object.ErrDenied, object.ErrRange, object.ErrSource,
	}
	for _, c := range []struct {
		status int
		code   string
		want   error
	}{
		{404, "NoSuchKey", object.ErrNotFound},
		{404, "NoSuchUpload", object.ErrNotFound},
		{404, "NoSuchBucket", object.ErrNoBucket},
		{412, "PreconditionFailed", object.ErrPrecondition},
		{409, "ConditionalRequestConflict", object.ErrPrecondition},
		{409, "OperationAborted", nil},
		{401, "Whatever", object.ErrDenied},
		{403, "AccessDenied", object.ErrDenied},
		{403, "SignatureDoesNotMatch", object.ErrDenied},
		{416, "InvalidRange", object.ErrRange},
		{500, "InternalError", nil},
		{503, "SlowDown", nil},
	} {
		t.Run(c.code, func(t *testing.T) {
			store := recorded(t, &recorder{status: c.status, code: c.code})
			_, err := store.Put(t.Context(), "a", nil, object.PutInput{})
			for _, sentinel := range all {
				if got, want := errors.Is(err, sentinel), c.want != nil && errors.Is(c.want, sentinel); got != want {
					t.Errorf("%v is %v: %t, want %t", err, sentinel, got, want)
				}
			}
			if err == nil || !strings.Contains(err.Error(), "put s3://lake/a") {
				t.Errorf("got %v", err)
			}
		})
	}
}

// What was refused is named by the permission that it needs, of a HEAD too, whose answer says nothing. Of a key that nobody knows
// nothing can be granted.
func TestS3NamesThePermissionThatIsMissing(t *testing.T) {
	for code, want := range map[string]string{"AccessDenied": "access denied: grant s3:", "SignatureDoesNotMatch": "access denied: operation error"} {
		store := recorded(t, &recorder{status: 403, code: code})
		_, headed := store.Head(t.Context(), "a")
		_, written := store.Put(t.Context(), "a", nil, object.PutInput{})
		var listed error
		for _, err := range store.List(t.Context(), object.ListInput{Prefix: "a/"}) {
			listed = err
		}
		if headed == nil || !strings.Contains(headed.Error(), "head s3://lake/a: access denied: grant s3:GetObject:") {
			t.Errorf("HEAD: %v", headed)
		}
		for _, err := range []error{written, listed} {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v", code, err)
			}
		}
		if code == "AccessDenied" && !strings.Contains(listed.Error(), "grant s3:ListBucket:") {
			t.Errorf("LIST: %v", listed)
		}
	}
}
