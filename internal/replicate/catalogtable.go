package replicate

import (
	"cmp"
	"path"
	"slices"
	"strings"

	"sluice/internal/catalog"
	"sluice/internal/lake"
	"sluice/statestore"
)

// catalogTable is a table as the catalog is to have it, without its partitions.
func (t *table) catalogTable(s *lake.Schema) catalog.Table {
	made := catalog.Table{Name: t.catalogName(), Path: t.path, Location: "s3://" + t.outBucket + "/" + t.lake}
	for _, c := range s.FileColumns() {
		made.Columns = append(made.Columns, catalog.Column{Name: c.Name, Type: lake.HiveType(c.Type)})
	}
	for _, name := range s.Partition {
		column := catalog.Column{Name: name, Type: "string"}
		if at := s.Index(name); at >= 0 {
			column.Type = lake.HivePartitionType(s.Columns[at].Type)
		}
		made.Keys = append(made.Keys, column)
	}
	return made
}

// catalogName is the table's folder, behind the last element of its out_path where that is the schema, or the schema
// and a number: so tables of one name in two schemas, of which the second gets such an out_path (ruling 24), are two in
// the catalog.
func (t *table) catalogName() string {
	folder := strings.TrimSuffix(t.item[statestore.Folder], "/")
	schema := strings.TrimSuffix(t.name(), "."+folder)
	last := path.Base("/" + strings.TrimSuffix(t.books, "_sluice/"))
	if last == schema || strings.HasPrefix(last, schema+"-") {
		return catalog.TableName(last, folder)
	}
	return catalog.TableName(folder)
}

// partitionsOf are the partitions in the given directories, but for those to skip and those of another key. Of
// directories that say the same values in two ways, the catalog gets the one that is written as ours are.
func partitionsOf(t catalog.Table, key []string, dirs, skip map[string]bool) []catalog.Partition {
	if len(key) == 0 {
		return nil
	}
	var list []catalog.Partition
	for dir := range dirs {
		parts, err := lake.ParsePartitionDir(dir)
		if err != nil || skip[dir] {
			continue
		}
		names, values := make([]string, len(parts)), make([]string, len(parts))
		for i, p := range parts {
			names[i], values[i] = p.Name, cmp.Or(p.Value, lake.NullPartition)
		}
		own := lake.PartitionDir(names, values)
		if slices.Equal(names, key) && (dir == own || !dirs[own]) {
			list = append(list, catalog.Partition{Values: values, Location: t.Location + dir})
		}
	}
	return list
}

// liveDirs are the partition directories with rows, or with files that nobody opened.
func liveDirs(files []*lake.File) map[string]bool {
	dirs := map[string]bool{}
	for _, f := range files {
		if f.Live() || f.Columns == nil {
			dirs[f.Dir] = true
		}
	}
	return dirs
}

// liveDirs are the partition directories with rows.
func (x *index) liveDirs() map[string]bool { return liveDirs(x.lakeFiles()) }

// lakeFiles are the files of the index, as far as the catalog goes.
func (x *index) lakeFiles() []*lake.File {
	files := make([]*lake.File, len(x.Files))
	for i, f := range x.Files {
		dir, _ := path.Split(f.Key)
		files[i] = &lake.File{Dir: dir, Rows: f.Rows, Columns: x.Schema.Columns}
	}
	return files
}
