package replicate_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"sluice/internal/object"
	"sluice/internal/replicate"
	"sluice/statestore"
)

// tally is what the result lines of several runs say together.
type tally struct {
	Inputs, Created, Rewritten, Emptied int64
	Counts                              replicate.Counts
}

func (c *tally) add(r replicate.Result) {
	c.Inputs += r.Inputs
	c.Created += r.FilesCreated
	c.Rewritten += r.FilesRewritten
	c.Emptied += r.FilesEmptied
	c.Counts.Changes += r.Changes
	c.Counts.Inserts += r.Inserts
	c.Counts.Updates += r.Updates
	c.Counts.Deletes += r.Deletes
	c.Counts.Noops += r.Noops
	c.Counts.Stale += r.Stale
	c.Counts.Duplicates += r.Duplicates
	c.Counts.Anomalies += r.Anomalies
	c.Counts.Superseded += r.Superseded
	c.Counts.Quarantined += r.Quarantined
}

// exceeds says whether a figure is above want's.
func (c tally) exceeds(want tally) bool {
	above := func(got, want reflect.Value) bool {
		for i := range got.NumField() {
			if got.Field(i).CanInt() && got.Field(i).Int() > want.Field(i).Int() {
				return true
			}
		}
		return false
	}
	return above(reflect.ValueOf(c), reflect.ValueOf(want)) || above(reflect.ValueOf(c.Counts), reflect.ValueOf(want.Counts))
}

// recorded are the attributes that say what is in the lake.
func recorded() []string {
	return []string{
		statestore.LastFullLoadDate, statestore.LastIncrementalFile, statestore.Generation,
		statestore.LoadFingerprint, statestore.InputsDigest, statestore.Seq,
	}
}

// differs compares the item and what the runs told with the ending without
// faults. A commit whose last answer nobody heard is in the lake and in no result line.
func (b *bench) differs(want ending, unheard bool) error {
	item := b.item()
	for _, name := range recorded() {
		got, want := item[name], want.item[name]
		if name == statestore.InputsDigest { // its anchor tells when the run was
			_, got, _ = strings.Cut(got, "|")
			_, want, _ = strings.Cut(want, "|")
		}
		if got != want {
			return fmt.Errorf("%s is %q, without faults %q", name, got, want)
		}
	}
	if b.told.exceeds(want.told) || !unheard && b.told != want.told {
		return fmt.Errorf("the result lines tell %+v, without faults %+v", b.told, want.told)
	}
	return nil
}

// wrong compares lake, control item and bookkeeping with the oracle and with what lies there.
func (b *bench) wrong() error {
	got, want := b.rows(), b.wanted()
	for _, key := range slices.Sorted(maps.Keys(want)) {
		if !slices.Equal(slices.Sorted(slices.Values(got[key])), slices.Sorted(slices.Values(want[key]))) {
			return fmt.Errorf("key %s: got %v, want %v", key, got[key], want[key])
		}
		delete(got, key)
	}
	if len(got) > 0 {
		return fmt.Errorf("surplus rows %v", got)
	}
	item := b.item()
	if b.watermark != "" && item[statestore.LastIncrementalFile] != b.watermark {
		return fmt.Errorf("watermark %s, want %s", item[statestore.LastIncrementalFile], b.watermark)
	}
	if item.Halted() || item.Pending() || item[statestore.CommitPlan] != "" || item[statestore.Accept] != "" {
		return fmt.Errorf("item in the end: %v", item)
	}
	return errors.Join(b.wrongIndex(item), b.wrongLedger(item), b.wrongQuarantine(item))
}

// bookkept reads the bookkeeping object that the item names.
func (b *bench) bookkept(key string, into any) error {
	body, _, err := b.lake.Get(b.t.Context(), key, object.GetInput{})
	if err != nil {
		return fmt.Errorf("the item names %q: %w", key, err)
	}
	defer func() { _ = body.Close() }()
	if err := json.NewDecoder(body).Decode(into); err != nil {
		return fmt.Errorf("%s: %w", key, err)
	}
	return nil
}

// wrongIndex holds the index against the lake: every lake file is in it, with its ETag, its size and its rows.
func (b *bench) wrongIndex(item statestore.Item) error {
	var index struct {
		Files []struct {
			Key, ETag  string
			Size, Rows int64
		}
	}
	key := item[statestore.Index]
	if key == "" {
		return nil // nothing but a record so far: an adopted lake
	}
	if err := b.bookkept(key, &index); err != nil {
		return err
	}
	known := map[string]string{}
	for _, f := range index.Files {
		known[f.Key] = fmt.Sprintf("%s %d bytes %d rows", f.ETag, f.Size, f.Rows)
	}
	for entry, err := range b.lake.List(b.t.Context(), object.ListInput{Prefix: "product/"}) {
		if err != nil {
			return err
		}
		file := strings.TrimPrefix(entry.Key, "product/")
		if want := fmt.Sprintf("%s %d bytes %d rows", entry.ETag, entry.Size, len(b.decode(entry.Info).Rows)); known[file] != want {
			return fmt.Errorf("index %s: %s is %q, the file is %s", key, file, known[file], want)
		}
		delete(known, file)
	}
	for file, is := range known {
		if !strings.HasSuffix(is, " 0 rows") { // an emptied one goes with the janitor
			return fmt.Errorf("index %s: %s is %s, and is not there", key, file, is)
		}
	}
	return nil
}

// wrongLedger holds the ledger against raw: it knows every change file within the
// horizon once, and the LOAD set, with their ETags.
func (b *bench) wrongLedger(item statestore.Item) error {
	var ledger struct{ Inputs, Load []struct{ Key, ETag string } }
	key := item[statestore.Ledger]
	if err := b.bookkept(key, &ledger); err != nil {
		return err
	}
	known := map[string]string{}
	for _, in := range slices.Concat(ledger.Inputs, ledger.Load) {
		if known[in.Key] != "" {
			return fmt.Errorf("ledger %s has %s twice", key, in.Key)
		}
		known[in.Key] = in.ETag
	}
	for entry, err := range b.raw.List(b.t.Context(), object.ListInput{}) {
		if err != nil {
			return err
		}
		forgotten := known[entry.Key] == "" && entry.LastModified.Before(b.now().Add(-b.config.Horizon))
		if known[entry.Key] != entry.ETag && !forgotten {
			return fmt.Errorf("ledger %s: %s is %q, the object %s", key, entry.Key, known[entry.Key], entry.ETag)
		}
		delete(known, entry.Key)
	}
	if len(known) > 0 {
		return fmt.Errorf("ledger %s has inputs that are not there: %v", key, known)
	}
	return nil
}
