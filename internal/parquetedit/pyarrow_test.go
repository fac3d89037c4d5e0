package parquetedit_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/parquet-go/parquet-go"

	"sluice/internal/parquetedit"
	"sluice/scripts/rig"
)

// duckDB gives files that DuckDB writes here and now: 5,000 rows in three row groups, some columns with a dictionary and a bloom filter.
func duckDB(t *testing.T) map[string][]byte {
	t.Helper()
	duck, files := rig.DuckDB(t), map[string][]byte{}
	for version, codec := range map[string]string{"v1": "snappy", "v2": "gzip"} {
		path := filepath.Join(t.TempDir(), "duck.parquet")
		duck.Query(fmt.Sprintf(`COPY (SELECT i AS id, if(i %% 7 = 3, NULL, i * 7919 %% 1000)::INT AS n, if(i %% 5 = 0, NULL, 'few ' || i %% 9) AS few,
			'text ' || i AS long, (i / 7)::DOUBLE AS d, (i * 1001)::DECIMAL(15, 2) AS dec, (i::HUGEINT * i)::DECIMAL(38, 3) AS wide,
			if(i < 2500, NULL, i %% 3 = 0) AS b, DATE '1969-12-01' + i::INT AS day, TIMESTAMP '2024-02-29 12:00:00' + to_microseconds(i) AS us
			FROM range(5000) t(i)) TO '%s' (FORMAT parquet, PARQUET_VERSION %s, COMPRESSION %s, ROW_GROUP_SIZE 2048)`, path, version, codec))
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		files["duckdb_"+version] = b
	}
	return files
}

// everywhere edits the first, the middle and the last pages: it replaces, deletes and appends.
func everywhere(x subject) parquetedit.Script {
	n := int64(len(x.values[0]))
	s := replaced(x, true, 1, n/2, n-2)
	s.Deletes = []int64{0, n/2 + 1, n - 1}
	s.Append = replaced(x, true, 0, 2).Replace
	return s
}

// TestEditedFilesAsPyarrowReadsThem: pyarrow reads the values of the naive rewrite from the files of all writers, edited in their first,
// middle and last pages and at the end, and not edited at all. It checks the checksums of the pages that have one.
func TestEditedFilesAsPyarrowReadsThem(t *testing.T) {
	files, _ := subjects(t)
	maps.Copy(files, duckDB(t))
	dir, want := t.TempDir(), map[string]map[string]string{}
	for name, b := range files {
		x := newSubject(t, name, b)
		if len(x.values[0]) < 5 {
			continue
		}
		for what, s := range map[string]parquetedit.Script{"edited": everywhere(x), "copied": {Metadata: map[string]string{"a": "b"}}} {
			y := x.edited(t, s, true)
			if hasEmptyPage(y.body) {
				continue // behind two of them pyarrow reads no more rows
			}
			path := filepath.Join(dir, what+"_"+name)
			if err := os.WriteFile(path, y.body, 0o600); err != nil {
				t.Fatal(err)
			}
			want[path] = map[string]string{}
			for c, column := range y.columns {
				want[path][column.Name] = digestOf(y.values[c])
			}
		}
	}
	got := pyarrow(t, slices.Collect(maps.Keys(want)))
	for path, columns := range want {
		if why, broken := got[path]["error"]; broken {
			t.Errorf("%s: %s", filepath.Base(path), why)
			continue
		}
		for name, digest := range columns {
			if got[path][name] != digest {
				t.Errorf("%s: column %s holds other values", filepath.Base(path), name)
			}
		}
	}
}

// pyarrow gives the digests of the columns of files as pyarrow reads them.
func pyarrow(t *testing.T, paths []string) map[string]map[string]string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), rig.Python(t), append([]string{"-E", "-B", "testdata/digest.py"}, paths...)...)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatal("pyarrow:", err)
	}
	var got map[string]map[string]string
	if err := json.Unmarshal(out, &got); err != nil {
		t.Fatal("pyarrow:", err)
	}
	return got
}

// digestOf is a column as testdata/digest.py prints it.
func digestOf(vs []parquet.Value) string {
	lines := make([]string, len(vs))
	for i, v := range vs {
		lines[i] = canonical(v)
	}
	sum := sha256.Sum256([]byte(strings.Join(lines, "\n")))
	return hex.EncodeToString(sum[:])
}
