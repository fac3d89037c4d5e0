package parquetedit_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/parquet-go/parquet-go"

	"sluice/internal/parquetedit"
)

// foreign gives the files that other programs wrote, by name.
func foreign(tb testing.TB) map[string][]byte {
	tb.Helper()
	names, err := filepath.Glob("testdata/*.parquet")
	if err != nil || len(names) < 10 {
		tb.Fatal(names, err)
	}
	files := map[string][]byte{}
	for _, name := range names {
		b, err := os.ReadFile(name)
		if err != nil {
			tb.Fatal(err)
		}
		files[filepath.Base(name)] = b
	}
	return files
}

// canonical prints a value as testdata/make.py does.
func canonical(v parquet.Value) string {
	switch v.Kind() {
	case parquet.Boolean, parquet.Int32, parquet.Int64:
		return show(v)
	case parquet.Float:
		return fmt.Sprintf("%08x", math.Float32bits(v.Float()))
	case parquet.Double:
		return fmt.Sprintf("%016x", math.Float64bits(v.Double()))
	case parquet.Int96:
		var b []byte
		for _, u := range v.Int96() {
			b = binary.LittleEndian.AppendUint32(b, u)
		}
		return base64.StdEncoding.EncodeToString(b)
	case parquet.ByteArray, parquet.FixedLenByteArray:
		return base64.StdEncoding.EncodeToString(v.ByteArray())
	}
	return "NULL"
}

func digest(tb testing.TB, f *parquetedit.File, c int) (string, []string) {
	tb.Helper()
	var lines []string
	for rg := range f.RowGroups() {
		err := f.ReadColumn(tb.Context(), rg, c, func(_ int64, vs []parquet.Value) error {
			for _, v := range vs {
				lines = append(lines, canonical(v))
			}
			return nil
		})
		if err != nil {
			tb.Fatal(err)
		}
	}
	sum := sha256.Sum256([]byte(strings.Join(lines, "\n")))
	return hex.EncodeToString(sum[:]), lines
}

// TestForeignFiles: every value of every column is what pyarrow reads.
func TestForeignFiles(t *testing.T) {
	b, err := os.ReadFile("testdata/want.json")
	if err != nil {
		t.Fatal(err)
	}
	var want map[string]map[string]string
	if err := json.Unmarshal(b, &want); err != nil {
		t.Fatal(err)
	}
	files := foreign(t)
	for name, columns := range want {
		t.Run(name, func(t *testing.T) {
			f := open(t, files[name])
			if len(f.Columns()) != len(columns) {
				t.Errorf("%d columns, want %d", len(f.Columns()), len(columns))
			}
			for c, column := range f.Columns() {
				if got, lines := digest(t, f, c); got != columns[column.Name] {
					t.Errorf("column %s (%+v): other values: %v …", column.Name, column.Type, lines[:min(5, len(lines))])
				}
			}
		})
	}
}

// TestForeignRewrite: a foreign file keeps its columns and its other rows when every row group is edited,
// and an empty script gives the same column chunks.
func TestForeignRewrite(t *testing.T) {
	for name, b := range foreign(t) {
		t.Run(name, func(t *testing.T) {
			f := open(t, b)
			old := read(t, f)
			s := parquetedit.Script{Add: []parquetedit.Column{{
				Name: "added", Type: parquetedit.Type{Physical: parquet.Int64, Logical: parquetedit.Integer, Bits: 64, Signed: true},
			}}}
			if n := int(f.NumRows()); n > 0 {
				s.Deletes = []int64{0, int64(n - 1)}
				s.Replaces = []int64{int64(n / 2)}
				if n < 4 {
					s.Deletes = s.Deletes[:1]
				}
				s.Replace = rowsOf(t, f, 1)
				s.Append = rowsOf(t, f, 3)
			}
			for _, x := range []parquetedit.Script{{}, s} {
				got, _ := rewrite(t, b, x)
				g := open(t, got)
				if d := firstDiff(apply(old, x), read(t, g)); d != "" {
					t.Error(d)
				}
				if !slices.Equal(g.Columns()[:len(f.Columns())], f.Columns()) {
					t.Error("the columns changed")
				}
				if g.CreatedBy() != f.CreatedBy() {
					t.Errorf("created by %q, was %q", g.CreatedBy(), f.CreatedBy())
				}
				if dir := os.Getenv("PARQUETEDIT_OUT"); dir != "" { // for a look with other readers
					if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%d_%s", len(x.Add), name)), got, 0o644); err != nil {
						t.Fatal(err)
					}
				}
			}
		})
	}
}

// rowsOf copies the first rows of a file, with a value for an added column behind.
func rowsOf(tb testing.TB, f *parquetedit.File, n int) [][]parquet.Value {
	tb.Helper()
	vs := make([][]parquet.Value, len(f.Columns())+1)
	for c := range f.Columns() {
		err := f.ReadColumn(tb.Context(), 0, c, func(_ int64, batch []parquet.Value) error {
			for _, v := range batch {
				if len(vs[c]) < n {
					vs[c] = append(vs[c], v.Clone())
				}
			}
			return nil
		})
		if err != nil {
			tb.Fatal(err)
		}
	}
	for i := range n {
		vs[len(vs)-1] = append(vs[len(vs)-1], parquet.Int64Value(int64(i)))
	}
	return vs
}
