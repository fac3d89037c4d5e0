package proxy

import (
	"bytes"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// reply is the server's answer. Once it is read its body can be changed and sent in part.
type reply struct {
	*http.Response
	body  []byte
	whole bool
}

func (a *reply) read() {
	body, err := io.ReadAll(a.Body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	a.set(body)
	a.whole = true
}

func (a *reply) set(body []byte) {
	a.body = body
	if a.Request.Method != http.MethodHead {
		a.Header.Set("Content-Length", strconv.Itoa(len(body)))
	}
}

func (a *reply) head(w http.ResponseWriter) {
	for name, values := range a.Header {
		w.Header()[name] = values
	}
	w.WriteHeader(a.StatusCode)
}

func (a *reply) send(w http.ResponseWriter) {
	a.head(w)
	if a.whole {
		_, _ = w.Write(a.body)
		return
	}
	if _, err := io.Copy(w, a.Body); err != nil {
		panic(http.ErrAbortHandler)
	}
}

// sendHalf sends header and half of the body, at once.
func (a *reply) sendHalf(w http.ResponseWriter) {
	a.head(w)
	_, _ = w.Write(a.body[:len(a.body)/2])
	_ = http.NewResponseController(w).Flush()
}

func (a *reply) listing() bool {
	return a.whole && a.StatusCode == http.StatusOK && bytes.Contains(a.body, []byte("<ListBucketResult"))
}

// element matches an element of a listing, whose text is its first group; a server's XML is regular enough for that.
func element(name string) *regexp.Regexp {
	return regexp.MustCompile("(?s)<" + name + ">(.*?)</" + name + ">")
}

// hide takes objects out of a listing.
func (a *reply) hide(r *http.Request, hidden func(key string) bool) {
	if hidden == nil || !a.listing() {
		return
	}
	encoded := r.URL.Query().Get("encoding-type") == "url"
	name := element("Key")
	a.set(element("Contents").ReplaceAllFunc(a.body, func(entry []byte) []byte {
		key := string(name.FindSubmatch(entry)[1])
		if encoded {
			if plain, err := url.QueryUnescape(key); err == nil {
				key = plain
			}
		}
		if hidden(key) {
			return nil
		}
		return entry
	}))
}

// drop takes one object out of a listing: the n-th, counted round and round.
func (a *reply) drop(n int) {
	found := element("Contents").FindAllIndex(a.body, -1)
	if !a.listing() || len(found) == 0 {
		return
	}
	at := found[n%len(found)]
	a.set(append(bytes.Clone(a.body[:at[0]]), a.body[at[1]:]...))
}

// twice makes a listing a page that is not the last, and returns what the next one is to be: the same again.
func (a *reply) twice() (token, page string) {
	if !a.listing() {
		return "", ""
	}
	token, page = "again-"+strconv.FormatInt(time.Now().UnixNano(), 36), string(a.body)
	a.goesOn(token)
	return token, page
}

// endless makes a listing the first of many pages that do not get ahead.
func (a *reply) endless() (token, page string) {
	if !a.listing() {
		return "", ""
	}
	token = "stays-" + strconv.FormatInt(time.Now().UnixNano(), 36)
	a.goesOn(token)
	return token, string(element("Contents").ReplaceAll(a.body, nil))
}

func (a *reply) goesOn(token string) {
	body := element("NextContinuationToken").ReplaceAll(a.body, nil)
	body = element("IsTruncated").ReplaceAll(body, nil)
	more := "<IsTruncated>true</IsTruncated><NextContinuationToken>" + token + "</NextContinuationToken></ListBucketResult>"
	a.set([]byte(strings.Replace(string(body), "</ListBucketResult>", more, 1)))
}

// shift moves the dates.
func (a *reply) shift(d time.Duration) {
	if d == 0 {
		return
	}
	for _, name := range []string{"Date", "Last-Modified"} {
		if at, err := http.ParseTime(a.Header.Get(name)); err == nil {
			a.Header.Set(name, at.Add(d).UTC().Format(http.TimeFormat))
		}
	}
	if !a.listing() {
		return
	}
	dates := element("LastModified")
	a.set(dates.ReplaceAllFunc(a.body, func(date []byte) []byte {
		at, err := time.Parse(time.RFC3339, string(dates.FindSubmatch(date)[1]))
		if err != nil {
			return date
		}
		return []byte("<LastModified>" + at.Add(d).UTC().Format("2006-01-02T15:04:05.000Z") + "</LastModified>")
	}))
}
