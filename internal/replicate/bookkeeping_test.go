package replicate_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"sluice/internal/object"
	"sluice/internal/object/objectfault"
	"sluice/internal/replicate"
)

// pendingMerge is a merge that was committed and not applied, and the keys of its bookkeeping.
func pendingMerge(t testing.TB) (*bench, []string) {
	t.Helper()
	b := partitioned(t)
	b.change(insert(6, "f", "new"), update(1, "A", "x"), remove(3, "c", "y"))
	for i := 1; !b.item().Pending(); i++ {
		b.tickOn(objectfault.New(b.lake, objectfault.Fault{At: i, How: objectfault.Before, Crash: true}), b.state)
	}
	var keys []string
	item := b.item()
	for entry, err := range b.lake.List(t.Context(), object.ListInput{Prefix: "_sluice/"}) {
		b.must(err)
		for _, named := range []string{item["CommitId"], item["Index"], item["Ledger"]} {
			if strings.Contains(entry.Key, named) {
				keys = append(keys, entry.Key)
			}
		}
	}
	return b, keys
}

// TestBrokenBookkeepingHalts breaks every bookkeeping object that a pending
// merge and its next plan read, in every way a file may break.
func TestBrokenBookkeepingHalts(t *testing.T) {
	from, keys := pendingMerge(t)
	broken := map[string]func(body []byte) []byte{
		"empty":     func([]byte) []byte { return nil },
		"cut":       func(body []byte) []byte { return body[:len(body)/2] },
		"not ours":  func([]byte) []byte { return []byte("hello\n") },
		"other":     func([]byte) []byte { return []byte(`{"kind":"dance","id":"x","phase":7}`) },
		"of others": func([]byte) []byte { return []byte(`[{"ops":[{"n":1,"kind":"dance"}]}]`) },
		"null":      func([]byte) []byte { return []byte("null") },
		"nothing":   func([]byte) []byte { return []byte("{}\n") },
		"gone":      nil,
	}
	for _, key := range keys {
		var gone replicate.Action
		for _, name := range slices.Sorted(maps.Keys(broken)) {
			t.Run(fmt.Sprintf("%s %s", key[strings.LastIndexByte(key, '/')+1:], name), func(t *testing.T) {
				b := from.fork()
				b.t = t
				body, info := readObject(t, b.lake, key)
				b.must(b.lake.Delete(t.Context(), key, ""))
				if broken[name] != nil {
					_, err := b.lake.Put(t.Context(), key, broken[name](body), object.PutInput{})
					b.must(err)
				}
				got := b.tickOn(b.lake, b.state)
				if got.Action == replicate.Halted && !strings.HasPrefix(got.Reason, "bookkeeping: ") {
					t.Errorf("halted: %s", got.Reason)
				}
				if got.Action == replicate.Failed {
					t.Errorf("failed: %s", got.Reason)
				}
				if name == "gone" {
					gone = got.Action
				}
				if (name == "null" || name == "nothing") && got.Action != gone { // in the order of names
					t.Errorf("%s, and %s when it is gone: an object that says nothing was taken for an empty one", got.Action, gone)
				}
				if err := b.wrong(); got.Action != replicate.Halted && err != nil {
					t.Errorf("%s, and %v", got.Action, err)
				}
				if got.Action != replicate.Halted {
					return
				}
				_, err := b.lake.Put(context.Background(), key, body, object.PutInput{Metadata: info.Metadata})
				b.must(err)
				b.acknowledge("")
				if err := b.settle(); err != nil {
					t.Errorf("restored: %v", err)
				}
				b.must(b.wrong())
			})
		}
	}
}

// TestBookkeepingOpsThatCannotBe changes single fields of a pending merge's ops.
func TestBookkeepingOpsThatCannotBe(t *testing.T) {
	from, keys := pendingMerge(t)
	for name, change := range map[string]func(op map[string]any){
		"no files":          func(op map[string]any) { op["files"] = []any{} },
		"no slice":          func(op map[string]any) { delete(op, "changes") },
		"slice backwards":   func(op map[string]any) { op["changes"] = map[string]any{"from": 5, "to": 2} },
		"slice behind end":  func(op map[string]any) { op["changes"] = map[string]any{"from": 1, "to": 999} },
		"source":            func(op map[string]any) { op["parts"] = []any{map[string]any{"file": 3, "groups": []int{0}}} },
		"unknown kind":      func(op map[string]any) { op["kind"] = "dance" },
		"create that keeps": func(op map[string]any) { op["kind"] = "rewrite" },
	} {
		t.Run(name, func(t *testing.T) {
			b := from.fork()
			b.t = t
			key := keys[slices.IndexFunc(keys, func(k string) bool { return strings.Contains(k, "batch-1") })]
			body, _ := readObject(t, b.lake, key)
			var batches []map[string]any
			b.must(json.Unmarshal(body, &batches))
			change(batches[0]["ops"].([]any)[0].(map[string]any))
			body, err := json.Marshal(batches)
			b.must(err)
			_, err = b.lake.Put(t.Context(), key, body, object.PutInput{})
			b.must(err)
			if !b.halts("bookkeeping") {
				t.Errorf("not halted: %v", b.item())
			}
		})
	}
}

// TestBookkeepingRoundTrip reads every plan and batch that the scenarios wrote and writes it again.
func TestBookkeepingRoundTrip(t *testing.T) {
	kinds := map[replicate.Kind]int{}
	for _, s := range scenarios() {
		if s.big || s.between != nil {
			continue
		}
		b := s.world(t)
		b.must(b.settle())
		for entry, err := range b.lake.List(t.Context(), object.ListInput{Prefix: "_sluice/product/commits/"}) {
			b.must(err)
			body, _ := readObject(t, b.lake, entry.Key)
			var plan replicate.Plan
			var batches []replicate.Batch
			var into any = &plan
			switch {
			case strings.HasSuffix(entry.Key, ".parquet"):
				continue
			case strings.Contains(entry.Key, ".batch-"):
				into = &batches
			}
			decoder := json.NewDecoder(bytes.NewReader(body))
			decoder.DisallowUnknownFields()
			if err := decoder.Decode(into); err != nil {
				t.Errorf("%s: %v", entry.Key, err)
			}
			again, err := json.Marshal(into)
			b.must(err)
			if !bytes.Equal(again, body) {
				t.Errorf("%s: got\n%s\nwant\n%s", entry.Key, again, body)
			}
			kinds[plan.Kind]++
		}
	}
	for _, kind := range []replicate.Kind{replicate.KindLoad, replicate.KindMerge, replicate.KindTruncate, replicate.KindRewrite} {
		if kinds[kind] == 0 {
			t.Errorf("no plan of kind %s was written", kind)
		}
	}
}
