package parquetedit_test

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"testing"

	"github.com/parquet-go/parquet-go"

	"sluice/internal/parquetedit"
	"sluice/scripts/rig"
)

// TestForeignRewriteAsDuckDBReadsIt: DuckDB reads from a rewritten file the rows that it reads from the old one, but for
// the edits, in every column.
func TestForeignRewriteAsDuckDBReadsIt(t *testing.T) {
	// DuckDB reads BYTE_STREAM_SPLIT only of floating-point numbers.
	except := map[string]string{
		"arrow_delta.parquet": ", ms, fix", "pages_arrow_v1_none_delta.parquet": ", wide", "pages_arrow_v2_gzip_delta.parquet": ", wide",
	}
	files, _ := subjects(t)
	maps.Copy(files, duckDB(t))
	for name, b := range files {
		f := open(t, b)
		n := f.NumRows()
		if n < 8 {
			continue // too short for the script
		}
		t.Run(name, func(t *testing.T) {
			s := parquetedit.Script{
				Deletes:  []int64{0, n/2 + 1, n - 1},
				Replaces: []int64{1, n / 2, n - 2}, Replace: rowsOf(t, f, 3), Append: rowsOf(t, f, 2),
				Add:             []parquetedit.Column{column("added", parquetedit.Type{Physical: parquet.Int64})},
				MaxRowGroupRows: 250,
			}
			got, _ := rewrite(t, b, s)
			paths := []any{filepath.Join(t.TempDir(), "old.parquet"), filepath.Join(t.TempDir(), "new.parquet")}
			for i, body := range [][]byte{b, got} {
				if err := os.WriteFile(paths[i].(string), body, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			// rowsOf gives the first rows, with their numbers in the added column.
			rows := rig.DuckDB(t).Query(fmt.Sprintf(`WITH old AS (FROM read_parquet(?, file_row_number = true)), want AS (
				SELECT * EXCLUDE (file_row_number%[1]s), NULL::BIGINT AS added FROM old WHERE file_row_number NOT IN (0, 1, %[2]d, %[2]d + 1, %[3]d - 2, %[3]d - 1)
				UNION ALL SELECT * EXCLUDE (file_row_number%[1]s), file_row_number FROM old WHERE file_row_number < 3
				UNION ALL SELECT * EXCLUDE (file_row_number%[1]s), file_row_number FROM old WHERE file_row_number < 2
				), got AS (SELECT * EXCLUDE (file_row_number%[1]s) FROM read_parquet(?, file_row_number = true))
				SELECT (SELECT count(*) FROM got), (SELECT count(*) FROM (FROM want EXCEPT ALL FROM got)),
					(SELECT count(*) FROM (FROM got EXCEPT ALL FROM want))`, except[name], n/2, n), paths...)
			if rows[0][0] != n-1 || rows[0][1] != int64(0) || rows[0][2] != int64(0) {
				t.Errorf("%v rows, %v missing, %v too many; want %d", rows[0][0], rows[0][1], rows[0][2], n-1)
			}
		})
	}
}
