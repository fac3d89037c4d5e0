package statestoretest

import (
	"fmt"
	"strings"
	"testing"

	"sluice/statestore"
)

func runItems(t *testing.T, open Open) {
	t.Helper()
	t.Run("read what is not there", func(t *testing.T) {
		_, err := open(t).Read(t.Context(), tablePath)
		wantErr(t, err, statestore.ErrNotFound)
	})
	t.Run("create twice", func(t *testing.T) {
		b := open(t)
		create(t, b, base(t))
		wantErr(t, b.Create(t.Context(), statestore.Item{statestore.Path: tablePath}), statestore.ErrExists)
		wantItem(t, b, base(t))
	})
	t.Run("create without a path", func(t *testing.T) {
		wantErr(t, open(t).Create(t.Context(), statestore.Item{statestore.Folder: "t/"}), statestore.ErrInvalid)
	})
	t.Run("create keeps a copy", func(t *testing.T) {
		b, item := open(t), base(t)
		create(t, b, item)
		item[statestore.ActiveFlag] = "changed after"
		wantItem(t, b, base(t))
	})
	t.Run("update what is not there", func(t *testing.T) {
		b := open(t)
		_, err := b.Update(t.Context(), statestore.Update{Path: tablePath, Set: map[string]string{"a": "1"}})
		wantErr(t, err, statestore.ErrNotFound)
		_, err = b.Read(t.Context(), tablePath)
		wantErr(t, err, statestore.ErrNotFound)
	})
	t.Run("update returns the item after", func(t *testing.T) {
		b := open(t)
		create(t, b, base(t))
		got, err := b.Update(t.Context(), statestore.Update{
			Path: tablePath, Set: map[string]string{"New": "1"}, Remove: []string{"Steward", "Never"},
		})
		wantErr(t, err, nil)
		want := changed(base(t), statestore.Item{"New": "1", "Steward": ""})
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("got %v, want %v", got, want)
		}
		wantItem(t, b, want)
	})
	t.Run("invalid updates", func(t *testing.T) { runInvalid(t, open) })
	t.Run("ensure twice", func(t *testing.T) {
		b := open(t)
		create(t, b, base(t))
		wantErr(t, b.EnsureTable(t.Context()), nil)
		wantItem(t, b, base(t))
	})
}

func runInvalid(t *testing.T, open Open) {
	t.Helper()
	b := open(t)
	create(t, b, base(t))
	for name, u := range map[string]statestore.Update{
		"no path":        {Set: map[string]string{"a": "1"}},
		"nothing":        {Path: tablePath},
		"sets key":       {Path: tablePath, Set: map[string]string{statestore.Path: "x"}},
		"removes key":    {Path: tablePath, Remove: []string{statestore.Path}},
		"sets, removes":  {Path: tablePath, Set: map[string]string{"a": "1"}, Remove: []string{"a"}},
		"removes, twice": {Path: tablePath, Remove: []string{"a", "a"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := b.Update(t.Context(), u)
			wantErr(t, err, statestore.ErrInvalid)
			wantItem(t, b, base(t))
		})
	}
}

// runTests asks each Test of an attribute that is absent, empty, below, equal and above.
func runTests(t *testing.T, open Open) {
	t.Helper()
	b := open(t)
	tests := map[statestore.Test]string{
		statestore.Equal: "equal", statestore.Absent: "absent", statestore.Exists: "exists",
		statestore.Less: "less", statestore.Differs: "differs", statestore.Blank: "blank",
	}
	holds := map[string]string{ // attribute → the tests against "m" that it passes
		"none":  "absent differs blank",
		"empty": "exists less differs blank",
		"below": "exists less differs",
		"equal": "equal exists",
		"above": "exists differs",
	}
	create(t, b, statestore.Item{statestore.Path: tablePath, "empty": "", "below": "M", "equal": "m", "above": "é", "last": "0"})
	for attr, passing := range holds {
		for test, name := range tests {
			t.Run(attr+" "+name, func(t *testing.T) {
				var want error
				if !strings.Contains(" "+passing+" ", " "+name+" ") {
					want = statestore.ErrConflict
				}
				c := statestore.Condition{Attr: attr, Test: test, Value: "m"}
				never := statestore.Condition{Attr: "last", Test: statestore.Absent}
				u := statestore.Update{Path: tablePath, Set: map[string]string{"last": name}, If: []statestore.Condition{c}}
				_, err := b.Update(t.Context(), u)
				wantErr(t, err, want)
				u.If, u.IfAny = nil, []statestore.Condition{never, c}
				_, err = b.Update(t.Context(), u)
				wantErr(t, err, want)
				u.If = []statestore.Condition{never}
				_, err = b.Update(t.Context(), u)
				wantErr(t, err, statestore.ErrConflict)
			})
		}
	}
}

func runRegister(t *testing.T, open Open) {
	t.Helper()
	t.Run("defaults", func(t *testing.T) {
		s := statestore.New(open(t))
		item, created, err := s.Register(t.Context(), statestore.Item{"path": tablePath, "out_path": outPath})
		if err != nil || !created {
			t.Fatalf("created %v, error %v", created, err)
		}
		want := statestore.Item{ // spelled out: these names and values are a contract with the sample's users
			"path": "raw/dms/store/product/", "bucket": "raw", "prefix": "dms/store/", "folder": "product/",
			"PrimaryKey": "null", "PartitionKey": "null", "LastFullLoadDate": "1900-01-01 00:00:00",
			"LastIncrementalFile": "raw/dms/store/product/0.parquet", "ActiveFlag": "false", "out_path": "lake/dms/",
		}
		if fmt.Sprint(item) != fmt.Sprint(want) {
			t.Errorf("got %v, want %v", item, want)
		}
		wantItem(t, s, want)
	})
	t.Run("keeps what is there", func(t *testing.T) {
		s := statestore.New(open(t))
		create(t, s, base(t))
		item, created, err := s.Register(t.Context(), statestore.Item{"path": tablePath, "out_path": "other/"})
		if err != nil || created || fmt.Sprint(item) != fmt.Sprint(base(t)) {
			t.Errorf("got %v, created %v, error %v", item, created, err)
		}
		wantItem(t, s, base(t))
	})
	for _, path := range []string{"", "raw", "raw/", "raw/product/", "raw/store/product", "/store/product/", "raw//product/", "raw/store//"} {
		t.Run(fmt.Sprintf("path %q", path), func(t *testing.T) {
			_, _, err := statestore.New(open(t)).Register(t.Context(), statestore.Item{statestore.Path: path})
			wantErr(t, err, statestore.ErrInvalid)
		})
	}
}
