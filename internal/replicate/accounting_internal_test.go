package replicate

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sluice/internal/dms"
)

const rawFolder = "store/product/"

// someDay is when these tests' inputs were written.
func someDay() time.Time { return time.Date(2026, 3, 14, 12, 0, 0, 0, time.UTC) }

// file returns a listed object; its date is that of a change file's name, or some day.
func file(name, etag string) input {
	in := input{name: dms.ParseKey(rawFolder, rawFolder+name), key: rawFolder + name, etag: etag, size: 10, modified: someDay()}
	if in.name.Kind == dms.Change {
		in.time = in.name.Time(time.UTC)
		in.modified = in.time
	}
	return in
}

// dated returns the object with another date.
func (in input) dated(at time.Time) input {
	in.modified = at
	return in
}

// keysOf returns the keys below the table's folder, without extension.
func keysOf(inputs []input) string {
	var list []string
	for _, in := range inputs {
		list = append(list, strings.TrimSuffix(in.key[len(rawFolder):], ".parquet"))
	}
	return strings.Join(list, " ")
}

// loads returns LOAD objects from texts such as "1a 2b": counter, and a letter that stands for ETag and content;
// a capital has the same content as its small letter under another ETag.
func loads(t *testing.T, text string) []input {
	t.Helper()
	var list []input
	for word := range strings.FieldsSeq(text) {
		list = append(list, file("LOAD0000000"+word[:1]+".parquet", word[1:2]).dated(someDay()))
		if strings.HasSuffix(word, "+") {
			list[len(list)-1].modified = someDay().Add(time.Hour)
		}
	}
	return list
}

func TestLoadVerdict(t *testing.T) {
	cases := []struct {
		name             string
		recorded, listed string // see loads; "+" = written again an hour later
		old              bool   // the recorded objects are older than the horizon
		want             loadVerdict
	}{
		{name: "nothing", want: loadSame},
		{name: "same", recorded: "1a 2b", listed: "1a 2b", want: loadSame},
		{name: "first set", listed: "1a", want: loadChanged},
		{name: "grown", recorded: "1a", listed: "1a 2b", want: loadChanged},
		{name: "grown and touched", recorded: "1a", listed: "1A 2b", want: loadChanged},
		{name: "one touched", recorded: "1a 2b", listed: "1A 2b", want: loadTouched},
		{name: "one dated anew under its ETag", recorded: "1a 2b", listed: "1a+ 2b", want: loadTouched},
		{name: "all touched", recorded: "1a 2b", listed: "1A 2B", want: loadTouched},
		{name: "all replaced", recorded: "1a 2b", listed: "1x 2y", want: loadChanged},
		{name: "one replaced, one stayed", recorded: "1a 2b", listed: "1x 2b", want: loadMixed},
		{name: "one replaced, one written again under its ETag", recorded: "1a 2b", listed: "1x+ 2b+", want: loadChanged},
		{name: "one replaced, one written again under another ETag", recorded: "1a 2b", listed: "1x 2B", want: loadChanged},
		{name: "replaced, touched, stayed", recorded: "1a 2b 3c", listed: "1x 2B 3c", want: loadMixed},
		{name: "replaced and gone", recorded: "1a 2b", listed: "1x", want: loadChanged},
		{name: "replaced, gone, stayed", recorded: "1a 2b 3c", listed: "1x 3c", want: loadMixed},
		{name: "gone and added", recorded: "1a", listed: "2b", want: loadChanged},
		{name: "gone, added, stayed", recorded: "1a 2b", listed: "2b 3c", want: loadMixed},
		{name: "gone, added, touched", recorded: "1a 2b", listed: "2B 3c", want: loadChanged},
		{name: "one gone", recorded: "1a 2b", listed: "1a", want: loadVanished},
		{name: "one gone, one touched", recorded: "1a 2b", listed: "1A", want: loadVanished},
		{name: "all gone", recorded: "1a 2b", want: loadVanished},
		{name: "one expired", recorded: "1a 2b", listed: "1a", old: true, want: loadTouched},
		{name: "all expired", recorded: "1a 2b", old: true, want: loadTouched},
		{name: "expired, and a new set", recorded: "1a 2b", listed: "1x", old: true, want: loadChanged},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			var recorded []loadObject
			digests := map[string]string{}
			for _, in := range loads(t, c.recorded) {
				recorded = append(recorded, loadObject{Key: in.key, ETag: in.etag, Size: in.size, Modified: in.modified, Digest: in.etag})
			}
			listed := loads(t, c.listed)
			for _, in := range listed {
				digests[in.key] = strings.ToLower(in.etag)
			}
			horizon := someDay().Add(-time.Hour)
			if c.old {
				horizon = someDay().Add(time.Hour)
			}
			if got := diffLoads(recorded, listed, digests, horizon).verdict(); got != c.want {
				t.Errorf("got verdict %d, want %d", got, c.want)
			}
		})
	}
}

// TestLoadVerdictWithoutContent takes another ETag for other content while nothing was read, or can be compared.
func TestLoadVerdictWithoutContent(t *testing.T) {
	listed := loads(t, "1A")
	for name, c := range map[string]struct {
		old     loadObject
		digests map[string]string
	}{
		"not read yet":    {loadObject{Key: listed[0].key, ETag: "a", Size: 10, Digest: "a"}, nil},
		"adopted":         {loadObject{Key: listed[0].key, ETag: "a", Size: 10}, map[string]string{listed[0].key: ""}},
		"of another size": {loadObject{Key: listed[0].key, ETag: "a", Size: 11, Digest: "a"}, map[string]string{listed[0].key: "a"}},
	} {
		t.Run(name, func(t *testing.T) {
			d := diffLoads([]loadObject{c.old}, listed, c.digests, someDay())
			if got := d.verdict(); got != loadChanged {
				t.Errorf("got verdict %d, want %d", got, loadChanged)
			}
		})
	}
}

func TestSortOut(t *testing.T) {
	const a, b, c, d = "20260310-120000000.parquet", "20260311-120000000.parquet", "20260312-120000000.parquet", "20260313-120000000.parquet"
	noon := func(day int) time.Time { return time.Date(2026, 3, day, 12, 0, 0, 0, time.UTC) }
	cases := []struct {
		name      string
		before    consumedBefore
		ledger    []input
		watermark string
		anchor    string
		keyless   bool
		horizon   time.Time
		listed    []input
		want      string // fate: names
	}{
		{name: "new table", listed: []input{file(a, "1"), file(b, "1")}, want: "fresh: 20260310-120000000 20260311-120000000"},
		{
			name: "behind the watermark", watermark: b, ledger: []input{file(b, "1")}, listed: []input{file(b, "1"), file(c, "1")},
			want: "fresh: 20260312-120000000\nconsumed: 20260311-120000000",
		},
		{
			name: "late", watermark: c, ledger: []input{file(c, "1")}, listed: []input{file(b, "1"), file(c, "1")},
			want: "late: 20260311-120000000\nconsumed: 20260312-120000000",
		},
		{
			name: "written again", watermark: c, ledger: []input{file(b, "1"), file(c, "1")}, listed: []input{file(b, "2"), file(c, "1")},
			want: "late: 20260311-120000000\nconsumed: 20260312-120000000",
		},
		{
			name: "written again, key-less", keyless: true, watermark: c, ledger: []input{file(b, "1"), file(c, "1")}, listed: []input{file(b, "2"), file(c, "2")},
			want: "consumed: 20260311-120000000 20260312-120000000",
		},
		{
			name: "older than the load", before: consumedBefore{start: noon(12)}, listed: []input{file(b, "1"), file(c, "1")},
			want: "fresh: 20260312-120000000\nsuperseded: 20260311-120000000",
		},
		{
			name: "older than the load, late", before: consumedBefore{start: noon(12)}, watermark: c, ledger: []input{file(c, "1")}, listed: []input{file(b, "1"), file(c, "1")},
			want: "superseded: 20260311-120000000\nconsumed: 20260312-120000000",
		},
		{
			name: "older than the load, written again", before: consumedBefore{start: noon(12)}, watermark: b, ledger: []input{file(b, "1")}, listed: []input{file(b, "2")},
			want: "consumed: 20260311-120000000",
		},
		{
			name: "older than the load and the horizon", before: consumedBefore{start: noon(12)}, watermark: b, horizon: noon(13), listed: []input{file(a, "1"), file(b, "1")},
			want: "consumed: 20260310-120000000 20260311-120000000",
		},
		{
			name: "forgotten by the ledger", watermark: c, horizon: noon(12), ledger: []input{file(c, "1")}, listed: []input{file(b, "1"), file(c, "1")},
			want: "consumed: 20260311-120000000 20260312-120000000",
		},
		{
			name: "below the horizon and new", watermark: c, horizon: noon(12), ledger: []input{file(c, "1")}, listed: []input{file(b, "1").dated(noon(13)), file(c, "1")},
			want: "tooLate: 20260311-120000000\nconsumed: 20260312-120000000",
		},
		{
			name: "below the horizon, above the watermark", watermark: a, horizon: noon(13), listed: []input{file(b, "1")},
			want: "fresh: 20260311-120000000",
		},
		{
			name: "adopted", before: consumedBefore{adopted: true}, watermark: c, listed: []input{file(b, "1"), file(c, "1"), file(d, "1")},
			want: "fresh: 20260313-120000000\nconsumed: 20260311-120000000 20260312-120000000",
		},
		{
			name: "gone", watermark: c, ledger: []input{file(b, "1"), file(c, "1")}, listed: []input{file(c, "1")},
			want: "consumed: 20260312-120000000\nvanished: 20260311-120000000",
		},
		{
			name: "gone, older than the horizon", watermark: c, horizon: noon(12), ledger: []input{file(b, "1"), file(c, "1")}, listed: []input{file(c, "1")},
			want: "consumed: 20260312-120000000",
		},
		{
			name: "hidden by the anchor", anchor: rawFolder + "20260311-23", watermark: c, ledger: []input{file(b, "1"), file(c, "1")}, listed: []input{file(c, "1")},
			want: "consumed: 20260312-120000000",
		},
	}
	for _, tt := range cases {
		t.Run(tt.name, func(t *testing.T) {
			before := tt.before
			before.known = map[string]ledgerInput{}
			for _, in := range tt.ledger {
				before.known[in.key] = ledgerInput{Key: in.key, ETag: in.etag, Modified: in.modified}
			}
			if tt.watermark != "" {
				before.watermark = file(tt.watermark, "")
			}
			f := before.sortOut(&listing{anchor: tt.anchor, changes: tt.listed}, tt.keyless, tt.horizon)
			var vanished []input
			for _, old := range f.vanished {
				vanished = append(vanished, input{key: old.Key})
			}
			var got []string
			for _, fate := range []struct {
				name   string
				inputs []input
			}{{"fresh", f.fresh}, {"late", f.late}, {"superseded", f.superseded}, {"tooLate", f.tooLate}, {"consumed", f.consumed}, {"vanished", vanished}} {
				if len(fate.inputs) > 0 {
					got = append(got, fate.name+": "+keysOf(fate.inputs))
				}
			}
			if diff := cmp.Diff(tt.want, strings.Join(got, "\n")); diff != "" {
				t.Errorf("fates (-want +got):\n%s", diff)
			}
		})
	}
}

func TestComplete(t *testing.T) {
	const quiet = 30 * time.Minute
	change := func(after time.Duration) input {
		return file("20260314-120000000.parquet", "1").dated(someDay().Add(after))
	}
	cases := []struct {
		name    string
		listing listing
		quiet   time.Duration
		age     time.Duration // of the load's objects
		want    bool
	}{
		{"quiet", listing{loads: loads(t, "1a 2b")}, quiet, quiet, true},
		{"a moment less", listing{loads: loads(t, "1a 2b")}, quiet, quiet - 1, false},
		{"no quiet time wanted", listing{loads: loads(t, "1a")}, 0, 0, true},
		{"gap", listing{loads: loads(t, "1a 3c")}, 0, time.Hour, false},
		{"first missing", listing{loads: loads(t, "2b")}, 0, time.Hour, false},
		{"newer change, ten minutes", listing{loads: loads(t, "1a"), changes: []input{change(1)}}, quiet, 10 * time.Minute, true},
		{"newer change, a moment less", listing{loads: loads(t, "1a"), changes: []input{change(1)}}, quiet, 10*time.Minute - 1, false},
		{"change of the same date", listing{loads: loads(t, "1a"), changes: []input{change(0)}}, quiet, 10 * time.Minute, false},
		{"older change", listing{loads: loads(t, "1a"), changes: []input{change(-1)}}, quiet, 10 * time.Minute, false},
		{"newer change and a gap", listing{loads: loads(t, "1a 3c"), changes: []input{change(1)}}, quiet, time.Hour, false},
		{"newest object counts", listing{loads: loads(t, "1a 2b+")}, quiet, time.Hour + quiet - 1, false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			waiting := complete(&c.listing, c.quiet, someDay().Add(c.age))
			if (waiting == "") != c.want {
				t.Errorf("waits for %q, want complete %t", waiting, c.want)
			}
		})
	}
}

func TestDigest(t *testing.T) {
	one, two := file("20260314-120000000.parquet", "1"), file("LOAD00000001.parquet", "1")
	other := two
	other.etag = "2"
	anchor := rawFolder + "2026|0314"
	base := digest(anchor, []input{one, two})
	for name, c := range map[string]struct {
		got  string
		same bool
	}{
		"order of the listing":          {digest(anchor, []input{two, one}), true},
		"date alone":                    {digest(anchor, []input{one.dated(someDay().Add(1)), two}), true},
		"another ETag":                  {digest(anchor, []input{one, other}), false},
		"one less":                      {digest(anchor, []input{one}), false},
		"another anchor":                {digest(rawFolder, []input{one, two}), false},
		"what lies before the anchor":   {digest(anchor, []input{one, two, file("2025/20250101-000000000.parquet", "1")}), true},
		"what lies at the anchor":       {digest(anchor, []input{one, two, {key: anchor}}), true},
		"a key that looks like two":     {digest(anchor, []input{one, {key: two.key + `" "1`, etag: ""}}), false},
		"another object, no ETag of it": {digest(anchor, []input{one, {key: two.key}}), false},
	} {
		t.Run(name, func(t *testing.T) {
			if (c.got == base) != c.same {
				t.Errorf("got %s, base %s, want the same: %t", c.got, base, c.same)
			}
		})
	}
	if got := anchorOf(rawFolder, base); got != anchor {
		t.Errorf("anchorOf: got %q, want %q", got, anchor)
	}
	if got := anchorOf(rawFolder, digest("", nil)); got != "" {
		t.Errorf("anchorOf without anchor: got %q", got)
	}
}

func TestSettled(t *testing.T) {
	at := func(minutes ...int) (list []input) {
		for i, m := range minutes {
			list = append(list, file(fmt.Sprintf("20260314-12000000%d.parquet", i), "").dated(someDay().Add(time.Duration(m)*time.Minute)))
		}
		return list
	}
	for name, c := range map[string]struct {
		inputs []input
		want   int
	}{
		"none":             {nil, 0},
		"all old":          {at(0, 1, 2), 3},
		"one at the limit": {at(5), 1},
		"first too young":  {at(6, 0), 0},
		"ends at a young":  {at(0, 6, 1), 1},
	} {
		t.Run(name, func(t *testing.T) {
			if got := settled(c.inputs, someDay().Add(5*time.Minute)); len(got) != c.want {
				t.Errorf("%d settled, want %d", len(got), c.want)
			}
		})
	}
}

// TestSkewed asks for half of the files: a file that came late is no sign of a copied raw bucket.
func TestSkewed(t *testing.T) {
	const six = 6 * time.Hour
	for name, c := range map[string]struct {
		delays []time.Duration
		want   bool
	}{
		"no files":         {nil, false},
		"in time":          {[]time.Duration{0, time.Minute}, false},
		"six hours sharp":  {[]time.Duration{six, -six}, false},
		"more, one file":   {[]time.Duration{six + 1}, true},
		"dated before":     {[]time.Duration{-six - 1}, true},
		"one of three":     {[]time.Duration{0, 0, 2 * six}, false},
		"half of them":     {[]time.Duration{0, 2 * six}, true},
		"most, either way": {[]time.Duration{0, 2 * six, -2 * six}, true},
	} {
		t.Run(name, func(t *testing.T) {
			var list []input
			for range c.delays {
				in := file("20260314-120000000.parquet", "")
				list = append(list, in.dated(in.time.Add(c.delays[len(list)])))
			}
			if got := skewed(list); got != c.want {
				t.Errorf("got %t, want %t", got, c.want)
			}
		})
	}
}
