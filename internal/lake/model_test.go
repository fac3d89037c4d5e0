package lake_test

import (
	"fmt"
	"slices"
	"strings"

	"github.com/parquet-go/parquet-go"
	"pgregory.net/rapid"

	"sluice/internal/lake"
	"sluice/internal/parquetedit"
)

// null is the number that stands for NULL in the rows of a model. Every other
// number stands for a value of a column's type, the same one in every form of it.
const null = -1

// modelForms are types for columns of a table, and types in which other files hold the same values.
func modelForms() map[parquetedit.Type][]parquetedit.Type {
	dec := decimalIn
	return map[parquetedit.Type][]parquetedit.Type{
		typeInt:    {typeInt, typeBigint, typeShort},
		typeBigint: {typeBigint, typeInt, dec(parquet.FixedLenByteArray, 9, 20, 0)},
		typeString: {typeString, typeBytes},
		typeUs:     {typeUs, typeMs, typeNs, typeInt96},
		typeDate:   {typeDate},
		typeUint32: {typeUint32, typeBigint},
		typeUint64: {typeUint64, dec(parquet.FixedLenByteArray, 9, 20, 0)},
		dec(parquet.FixedLenByteArray, 7, 15, 2): {
			dec(parquet.FixedLenByteArray, 7, 15, 2), dec(parquet.Int64, 0, 15, 2), dec(parquet.Int32, 0, 9, 2), dec(parquet.ByteArray, 0, 20, 4),
		},
		typeDouble: {typeDouble, typeFloat},
	}
}

// modelTypes are the keys of modelForms in an order of their own; the last one is none for keys.
func modelTypes() []parquetedit.Type {
	return []parquetedit.Type{typeInt, typeBigint, typeString, typeUs, typeDate, typeUint32, typeUint64, decimalIn(parquet.FixedLenByteArray, 7, 15, 2), typeDouble}
}

// sample is the value that a number stands for.
func sample(t parquetedit.Type, n int) parquet.Value {
	switch {
	case n == null:
		return parquet.NullValue()
	case t == typeString:
		return text([]string{"", "a", "a b", "x/y=1%", "é", "NULL", "B"}[n%7])
	case t == typeUs:
		return cell(t, (n*37-100)*1000)
	case t == typeInt, t == typeDate:
		return cell(t, n-3)
	case t == typeDouble:
		return parquet.DoubleValue(float64(n) / 2)
	}
	return cell(t, (n-3)*1_000)
}

// in brings a sample to another form of its type.
func in(form, t parquetedit.Type, n int) parquet.Value {
	v := sample(t, n)
	convert, err := lake.Converter(t, form)
	if err == nil && convert != nil {
		v, err = convert(v)
	}
	if err != nil {
		return text(err.Error()) // no writer takes it
	}
	return v
}

// model is a random table: its schema, its lake files, and the rows in them as numbers.
type model struct {
	schema lake.Schema
	order  string
	files  []*modelFile
}

// modelFile is a lake file and what is in it.
type modelFile struct {
	*lakeFile
	rows []modelRow
}

// modelRow is a row of a lake file; op is "" in a file without the column Op.
type modelRow struct {
	cells []int
	op    string
}

func drawModel(t *rapid.T) *model {
	m := &model{schema: lake.Schema{Op: rapid.Bool().Draw(t, "op")}}
	keys := rapid.IntRange(1, 2).Draw(t, "keys")
	n := keys + rapid.IntRange(1, 3).Draw(t, "values")
	for i := range n {
		types := modelTypes()
		if i < keys {
			types = types[:len(types)-1]
		}
		m.schema.Columns = append(m.schema.Columns, col(fmt.Sprint("c", i), rapid.SampledFrom(types).Draw(t, "type")))
	}
	for _, c := range m.schema.Columns[:keys] {
		m.schema.Key = append(m.schema.Key, c.Name)
	}
	if rapid.Bool().Draw(t, "partitioned") {
		if c := m.schema.Columns[rapid.IntRange(0, n-1).Draw(t, "partition")]; c.Type != typeDouble {
			m.schema.Partition = []string{c.Name}
		}
	}
	if last := m.schema.Columns[n-1].Name; rapid.Bool().Draw(t, "ordered") && !slices.Contains(m.schema.Partition, last) {
		m.order = last
	}
	for i := range rapid.IntRange(0, 4).Draw(t, "files") {
		m.files = append(m.files, m.drawFile(t, fmt.Sprint("old-", i)))
	}
	return m
}

func (m *model) isKey(c int) bool { return c < len(m.schema.Key) }

func (m *model) isPartition(c int) bool {
	return slices.Contains(m.schema.Partition, m.schema.Columns[c].Name)
}

// drawCells draws a row; columns that are not here are NULL.
func (m *model) drawCells(t *rapid.T, here func(c int) bool) []int {
	cells := make([]int, len(m.schema.Columns))
	for c := range cells {
		switch {
		case m.isKey(c):
			cells[c] = rapid.IntRange(0, 4).Draw(t, "key")
		case here(c):
			cells[c] = rapid.IntRange(null, 2).Draw(t, "cell")
		default:
			cells[c] = null
		}
	}
	return cells
}

// layout is the columns of a file of another writer: some of the table's, in any order and form, and Op.
type layout struct {
	sheet
	of []int // column of the table by column of the file; -1 = Op
}

func (m *model) drawLayout(t *rapid.T, with func(c int) bool) *layout {
	l := &layout{}
	for _, c := range rapid.Permutation(index(m.schema.Columns)).Draw(t, "columns") {
		if !with(c) || !m.isKey(c) && rapid.IntRange(0, 4).Draw(t, "absent") == 0 {
			continue
		}
		column := m.schema.Columns[c]
		column.Type = rapid.SampledFrom(modelForms()[column.Type]).Draw(t, "form")
		l.columns, l.of = append(l.columns, column), append(l.of, c)
	}
	switch at := rapid.IntRange(0, 2).Draw(t, "place of Op"); {
	case at == 0 || len(l.of) == 0:
		l.columns, l.of = append(cols("Op string"), l.columns...), append([]int{-1}, l.of...)
	case at == 1:
		l.columns, l.of = append(l.columns, cols("Op string")...), append(l.of, -1)
	}
	return l
}

func index[T any](list []T) []int {
	all := make([]int, len(list))
	for i := range all {
		all[i] = i
	}
	return all
}

// add appends a row to the file.
func (l *layout) add(m *model, cells []int, op string) {
	row := make([]any, len(l.of))
	for i, c := range l.of {
		if c < 0 {
			row[i] = op
		} else {
			row[i] = in(l.columns[i].Type, m.schema.Columns[c].Type, cells[c])
		}
	}
	l.rows = append(l.rows, row)
}

func (m *model) drawFile(t *rapid.T, name string) *modelFile {
	l := m.drawLayout(t, func(c int) bool { return !m.isPartition(c) })
	f := &modelFile{lakeFile: &lakeFile{}}
	pin := rapid.IntRange(0, 2).Draw(t, "partition")
	for range rapid.IntRange(0, 8).Draw(t, "rows") {
		row := modelRow{cells: m.drawCells(t, func(c int) bool { return slices.Contains(l.of, c) })}
		for c := range row.cells {
			if m.isPartition(c) {
				row.cells[c] = pin
			}
		}
		if slices.Contains(l.of, -1) {
			row.op = rapid.SampledFrom([]string{"I", "U"}).Draw(t, "op")
		}
		f.rows = append(f.rows, row)
		l.add(m, row.cells, row.op)
	}
	l.groups = rapid.SliceOfN(rapid.IntRange(1, 4), 0, 2).Draw(t, "row groups")
	cells := make([]int, len(m.schema.Columns))
	for c := range cells {
		cells[c] = pin
	}
	f.File = lake.File{Key: name, Dir: m.dir(cells)}
	f.body = l.body(t)
	f.Size = int64(len(f.body))
	seen := &lake.Schema{}
	if rapid.Bool().Draw(t, "bounds known") {
		seen = &m.schema
	}
	f.Observe(openBody(t, f.body), seen)
	return f
}

// dir is the partition directory of a row.
func (m *model) dir(cells []int) string {
	var texts []string
	for _, name := range m.schema.Partition {
		c := m.schema.Index(name)
		s, err := lake.FormatPartition(m.schema.Columns[c].Type, sample(m.schema.Columns[c].Type, cells[c]))
		if err != nil {
			s = err.Error()
		}
		texts = append(texts, s)
	}
	return lake.PartitionDir(m.schema.Partition, texts)
}

// line is a row as text: its values in the table's types. Empty text in a partition column is NULL.
func (m *model) line(cells []int) string {
	values := make([]parquet.Value, len(cells))
	for c, n := range cells {
		values[c] = sample(m.schema.Columns[c].Type, n)
	}
	return m.print(values)
}

func (m *model) print(values []parquet.Value) string {
	var b strings.Builder
	for c, v := range values {
		if m.isPartition(c) && v.Kind() == parquet.ByteArray && len(v.ByteArray()) == 0 {
			v = parquet.NullValue()
		}
		fmt.Fprintf(&b, "%x ", lake.AppendKey(nil, m.schema.Columns[c].Type, v))
	}
	return b.String()
}

// key is a row's key as text.
func (m *model) key(cells []int) string { return fmt.Sprint(cells[:len(m.schema.Key)]) }

// contents reads a lake file: its rows as the lines of the model, and their ops.
func (m *model) contents(t *rapid.T, f *lakeFile) (rows, ops []string) {
	open := openBody(t, f.body)
	values := readAll(t, open)
	parts, err := lake.ParsePartitionDir(f.Dir)
	if err != nil {
		t.Fatal(err)
	}
	for r := range int(open.NumRows()) {
		row, op := make([]parquet.Value, len(m.schema.Columns)), ""
		for at, column := range open.Columns() {
			c := m.schema.Index(column.Name)
			if c < 0 {
				op = string(values[at][r].ByteArray())
				continue
			}
			row[c] = values[at][r]
			if convert, err := lake.Converter(column.Type, m.schema.Columns[c].Type); err != nil {
				t.Fatal(err)
			} else if convert != nil {
				if row[c], err = convert(row[c]); err != nil {
					t.Fatal(err)
				}
			}
		}
		for _, p := range parts {
			c := m.schema.Index(p.Name)
			if row[c], err = lake.ParsePartition(m.schema.Columns[c].Type, p.Value); err != nil {
				t.Fatal(err)
			}
		}
		rows, ops = append(rows, m.print(row)), append(ops, op)
	}
	return rows, ops
}
