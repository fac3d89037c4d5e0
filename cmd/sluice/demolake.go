package main

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"sluice/scripts/dmsgen"
)

// lakeState is what a reader finds in the lake: tables by name.
type lakeState map[string]tableState

// tableState is a table's rows by primary key, and its files with what tells
// one version of a file from the next.
type tableState struct {
	columns []string
	rows    map[string][]string // key → cells as text
	files   map[string]string   // path below the lake → version
}

// readLake reads the tables of the sample as any reader of the lake would:
// every Parquet file below a table's folder, partition columns from the path.
func readLake(dir string, sample *dmsgen.Sample) (lakeState, error) {
	state := lakeState{}
	for _, t := range sample.Tables() {
		found := tableState{rows: map[string][]string{}, files: map[string]string{}}
		for _, c := range t.Columns {
			found.columns = append(found.columns, c.Name)
		}
		root := filepath.Join(dir, t.Name)
		if _, err := os.Stat(root); err == nil {
			err = filepath.WalkDir(root, func(name string, entry fs.DirEntry, err error) error {
				if err != nil || entry.IsDir() || filepath.Ext(name) != ".parquet" {
					return err
				}
				return found.read(dir, name, sample.Oracle(t.Name))
			})
			if err != nil {
				return nil, fmt.Errorf("read the lake: %w", err)
			}
		}
		state[t.Name] = found
	}
	return state, nil
}

// read adds one lake file.
func (s *tableState) read(root, name string, oracle *dmsgen.Oracle) error {
	info, err := os.Stat(name)
	if err != nil {
		return err
	}
	body, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	file, err := dmsgen.Read(body)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	key, err := filepath.Rel(root, name)
	if err != nil {
		return err
	}
	s.files[filepath.ToSlash(key)] = fmt.Sprintf("%d %d", info.ModTime().UnixNano(), info.Size())
	for _, values := range file.Rows {
		row := make([]any, len(s.columns))
		for i, column := range s.columns {
			if at := file.Column(column); at >= 0 {
				row[i] = values[at]
			} else {
				row[i] = partitionValue(key, column)
			}
		}
		if _, twice := s.rows[oracle.Key(row)]; twice {
			return fmt.Errorf("%s: key %s is in the lake twice", name, oracle.Key(row))
		}
		s.rows[oracle.Key(row)] = cellTexts(row)
	}
	return nil
}

// partitionValue takes a column's value from the folders "column=value".
func partitionValue(key, column string) any {
	for _, folder := range strings.Split(filepath.ToSlash(key), "/") {
		if value, ok := strings.CutPrefix(folder, column+"="); ok {
			return value
		}
	}
	return nil
}

func cellTexts(row []any) []string {
	texts := make([]string, len(row))
	for i, cell := range row {
		texts[i] = fmt.Sprint(cell)
	}
	return texts
}

// tableChange is how a table's lake differs from before. Rows are the first few.
type tableChange struct {
	Table     string      `json:"table"`
	Inserted  int         `json:"inserted"`
	Updated   int         `json:"updated"`
	Deleted   int         `json:"deleted"`
	Rows      []rowChange `json:"rows"`
	Created   []string    `json:"files_created"`
	Rewritten []string    `json:"files_rewritten"`
	LeftAlone []string    `json:"files_left_alone"`
}

// rowChange is a row before and after; one of them is nil when it came or went.
type rowChange struct {
	columns       []string
	Before, After []string
}

// MarshalJSON writes the rows as objects, as the lake's columns are named.
func (r rowChange) MarshalJSON() ([]byte, error) {
	object := func(cells []string) map[string]string {
		if cells == nil {
			return nil
		}
		named := map[string]string{}
		for i, cell := range cells {
			named[r.columns[i]] = cell
		}
		return named
	}
	return json.Marshal(map[string]any{"before": object(r.Before), "after": object(r.After)})
}

// String shows a row that came or went whole, and of one that changed the cells that did.
func (r rowChange) String() string {
	switch {
	case r.Before == nil:
		return "+ " + strings.Join(r.After, " | ")
	case r.After == nil:
		return "- " + strings.Join(r.Before, " | ")
	}
	var cells []string
	for i := range r.Before {
		if r.Before[i] != r.After[i] {
			cells = append(cells, fmt.Sprintf("%s: %s → %s", r.columns[i], r.Before[i], r.After[i]))
		}
	}
	return "~ " + r.Before[0] + "  " + strings.Join(cells, ", ")
}

// changesSince compares, table by table; a table that has no files yet is left out.
func (s lakeState) changesSince(before lakeState) []tableChange {
	var changes []tableChange
	for _, name := range slices.Sorted(maps.Keys(s)) {
		if len(s[name].files) > 0 {
			changes = append(changes, s[name].changeSince(name, before[name]))
		}
	}
	return changes
}

func (s tableState) changeSince(name string, before tableState) tableChange {
	c := tableChange{Table: name}
	keys := maps.Clone(s.rows)
	maps.Copy(keys, before.rows)
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		was, now := before.rows[key], s.rows[key]
		switch {
		case was == nil:
			c.Inserted++
		case now == nil:
			c.Deleted++
		case !slices.Equal(was, now):
			c.Updated++
		default:
			continue
		}
		if len(c.Rows) < rowsShown {
			c.Rows = append(c.Rows, rowChange{s.columns, was, now})
		}
	}
	for _, key := range slices.Sorted(maps.Keys(s.files)) {
		switch version, known := before.files[key]; {
		case !known:
			c.Created = append(c.Created, key)
		case version != s.files[key]:
			c.Rewritten = append(c.Rewritten, key)
		default:
			c.LeftAlone = append(c.LeftAlone, key)
		}
	}
	return c
}
