package replicate_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"sluice/internal/object"
	"sluice/scripts/dmsgen"
)

// ancestor is the algorithm of the AWS sample "Load ongoing data lake changes
// with AWS DMS and AWS Glue", step by step: what DMSCDC_Controller,
// DMSCDC_ProcessTable, DMSCDC_LoadInitial and DMSCDC_LoadIncremental do to one
// table. It reads the world's raw bucket; its lake is rows in memory. Tests
// hold it beside sluice on the same inputs, and show what goes wrong there.
type ancestor struct {
	w                       *world
	path, folder            string // of the control item: bucket/schema/table/, and the same without the bucket
	primaryKey, partitions  []string
	lastFullLoadDate        time.Time
	lastIncrementalFile     string
	lake                    []sparkFile
	names                   int      // lake files made so far
	scanned                 int      // lake files read to find the touched ones
	log                     []string // all that ever tells of a failure
	mended                  bool     // StartAfter gets the key: for the defects that the first one hides
	reversed                bool     // how Spark delivers rows whose order the job leaves open
	step                    func(name string) error
	lastListed, lastWorking int // CDC files that the controller and the worker listed
}

// sparkFile is one file of the ancestor's lake.
type sparkFile struct {
	name string
	rows []sparkRow
}

// sparkRow is a row with the columns that the job adds.
type sparkRow struct {
	cells    map[string]any
	sortpath string
	rownum   int
}

// onePage is how many entries list_objects and list_objects_v2 return.
const onePage = 1000

func newAncestor(w *world, t dmsgen.Table, partitions ...string) *ancestor {
	path := "raw/" + t.Folder()
	return &ancestor{
		w: w, path: path, folder: t.Folder(), primaryKey: t.Key, partitions: partitions,
		lastFullLoadDate:    time.Date(1900, 1, 1, 0, 0, 0, 0, time.UTC),
		lastIncrementalFile: path + "0.parquet",
		step:                func(string) error { return nil },
	}
}

// listObjects is one page of s3conn.list_objects(Prefix, Delimiter, StartAfter).
func (a *ancestor) listObjects(in object.ListInput) []object.Entry {
	a.w.t.Helper()
	var page []object.Entry
	for entry, err := range a.w.objects["raw"].List(a.w.t.Context(), in) {
		if err != nil {
			a.w.t.Fatal(err)
		}
		if page = append(page, entry); len(page) == onePage {
			break
		}
	}
	return page
}

// run is DMSCDC_ProcessTable. It returns nothing: a job that failed is a line in the log.
func (a *ancestor) run() {
	if initial := a.listObjects(object.ListInput{Prefix: a.folder + "LOAD"}); len(initial) > 0 {
		if date := initial[0].LastModified.Truncate(time.Second); date.After(a.lastFullLoadDate) {
			if a.runGlueJob("DMSCDC_LoadInitial", a.loadInitial) {
				a.lastFullLoadDate = date
			}
		}
	}
	incremental := a.listObjects(a.incremental())
	if a.lastListed = len(incremental); a.lastListed == 0 {
		return
	}
	newIncrementalFile := "raw/" + incremental[len(incremental)-1].Key
	if newIncrementalFile != a.lastIncrementalFile && a.runGlueJob("DMSCDC_LoadIncremental", a.loadIncremental) {
		a.lastIncrementalFile = newIncrementalFile
	}
}

// incremental is what both the controller and the worker list. The sample passes bucket/key where S3 wants the key.
func (a *ancestor) incremental() object.ListInput {
	in := object.ListInput{Prefix: a.folder + "2", StartAfter: a.lastIncrementalFile}
	if a.mended {
		in.StartAfter = strings.TrimPrefix(in.StartAfter, "raw/")
	}
	return in
}

func (a *ancestor) runGlueJob(name string, job func() error) bool {
	if err := job(); err != nil {
		a.log = append(a.log, fmt.Sprintf("%s: %v", name, err))
		return false
	}
	return true
}

// loadInitial is mode('overwrite'): Spark empties the folder, then writes.
func (a *ancestor) loadInitial() error {
	a.lake = nil
	if err := a.step("overwriting"); err != nil {
		return err
	}
	var names []string
	for _, entry := range a.listObjects(object.ListInput{Prefix: a.folder + "LOAD"}) {
		names = append(names, entry.Key)
	}
	rows, _, err := a.read(names)
	for _, row := range rows {
		row.cells["Op"] = "I"
	}
	if err == nil {
		a.append(rows)
	}
	return err
}

// loadIncremental lists again, whatever the controller found.
func (a *ancestor) loadIncremental() error {
	if err := a.step("listed"); err != nil {
		return err
	}
	var inputFileList []string
	results := a.listObjects(a.incremental())
	a.lastWorking = len(results)
	for _, result := range results {
		if "raw/"+result.Key != a.lastIncrementalFile {
			inputFileList = append(inputFileList, result.Key)
		}
	}
	input, columns, err := a.read(inputFileList)
	if err != nil {
		return err
	}
	var output []sparkRow
	var filelist []string
	if len(a.primaryKey) == 0 || len(a.lake) == 0 {
		output = slices.DeleteFunc(input, func(r sparkRow) bool { return r.cells["Op"] != "I" })
	} else {
		output, filelist = a.changed(input, columns)
	}
	a.append(output)
	if err := a.step("appended"); err != nil {
		return err
	}
	a.lake = slices.DeleteFunc(a.lake, func(f sparkFile) bool { return slices.Contains(filelist, f.name) })
	return a.step("deleted")
}

// changed joins the input with the whole target, ranks the union of the input and the touched files, and keeps the
// columns that the input has.
func (a *ancestor) changed(input []sparkRow, columns []string) (output []sparkRow, filelist []string) {
	slices.SortStableFunc(input, func(x, y sparkRow) int { return strings.Compare(x.sortpath, y.sortpath) })
	number := map[string]int{}
	for i := range input {
		key := a.key(input[i])
		number[key]++
		input[i].rownum = number[key]
	}
	union := slices.Clone(input)
	for _, f := range a.lake {
		a.scanned++
		if !slices.ContainsFunc(f.rows, func(r sparkRow) bool { return number[a.key(r)] > 0 }) {
			continue
		}
		filelist = append(filelist, f.name)
		for _, row := range f.rows {
			union = append(union, sparkRow{row.cells, "0", 1})
		}
	}
	highest := map[string]sparkRow{}
	for _, row := range union {
		if top, ok := highest[a.key(row)]; !ok || top.before(row) {
			highest[a.key(row)] = row
		}
	}
	for _, row := range union { // rank, not row_number: rows of equal rank all stay
		if top := highest[a.key(row)]; !row.before(top) && row.cells["Op"] != "D" {
			output = append(output, row.selected(columns))
		}
	}
	return output, filelist
}

func (r sparkRow) before(o sparkRow) bool {
	return r.sortpath < o.sortpath || r.sortpath == o.sortpath && r.rownum < o.rownum
}

func (r sparkRow) selected(columns []string) sparkRow {
	cells := map[string]any{}
	for _, name := range columns {
		cells[name] = r.cells[name]
	}
	return sparkRow{cells: cells}
}

func (a *ancestor) key(r sparkRow) string {
	var parts []string
	for _, name := range a.primaryKey {
		parts = append(parts, fmt.Sprint(r.cells[name]))
	}
	return strings.Join(parts, ",")
}

// append writes a file for each partition.
func (a *ancestor) append(rows []sparkRow) {
	parts := map[string][]sparkRow{}
	for _, row := range rows {
		dir := ""
		for _, name := range a.partitions {
			dir += fmt.Sprintf("%s=%v/", name, row.cells[name])
		}
		parts[dir] = append(parts[dir], row)
	}
	for _, dir := range sorted(parts) {
		a.names++
		a.lake = append(a.lake, sparkFile{fmt.Sprintf("%spart-%05d.parquet", dir, a.names), parts[dir]})
	}
}

func sorted[V any](m map[string]V) []string {
	var keys []string
	for key := range m {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}

// read is spark.read.parquet of some raw files, and the columns of all of them.
func (a *ancestor) read(keys []string) (rows []sparkRow, columns []string, err error) {
	for _, key := range keys {
		body, err := os.ReadFile(filepath.Join(a.w.root, "raw", key))
		if err != nil {
			return nil, nil, err
		}
		file, err := dmsgen.Read(body)
		if err != nil {
			return nil, nil, errors.Join(fmt.Errorf("read %s", key), err)
		}
		for _, name := range file.Columns {
			if !slices.Contains(columns, name) {
				columns = append(columns, name)
			}
		}
		if a.reversed {
			slices.Reverse(file.Rows)
		}
		for _, values := range file.Rows {
			cells := map[string]any{}
			for i, name := range file.Columns {
				cells[name] = values[i]
			}
			rows = append(rows, sparkRow{cells: cells, sortpath: key})
		}
	}
	return rows, columns, nil
}

// rows returns what a reader of the lake sees, as world.rows does for sluice's.
func (a *ancestor) rows(columns ...string) []string {
	var rows []string
	for _, f := range a.lake {
		for _, row := range f.rows {
			var texts []string
			for _, name := range columns {
				text := "NULL"
				if v := row.cells[name]; v != nil {
					text = fmt.Sprint(v)
				}
				texts = append(texts, text)
			}
			rows = append(rows, strings.Join(texts, " "))
		}
	}
	slices.Sort(rows)
	return rows
}
