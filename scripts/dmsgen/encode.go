package dmsgen

import (
	"bytes"
	"cmp"
	"fmt"
	"reflect"
	"slices"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/compress"
)

// field is one column of a file, in the order of the file.
type field struct {
	name       string
	typ        sourceType
	required   bool
	dictionary bool
}

// file is one file of rows being built in memory.
type file interface {
	append(row []any) error // one row of values in the order of the fields
	size() int              // bytes so far, as far as they are known; 0 for Parquet
	finish() ([]byte, error)
}

// newFile begins a file in the format of the settings.
func newFile(s Settings, fields []field) file {
	if s.Format == CSV {
		return newCSVFile(s, fields)
	}
	return newParquetFile(s, fields)
}

// parquetFile is a Parquet file.
type parquetFile struct {
	settings Settings
	fields   []field
	body     bytes.Buffer
	out      *parquet.GenericWriter[any]
	columns  [][]parquet.Value // the row group being filled
	rows     int               // rows in columns
}

func newParquetFile(s Settings, fields []field) *parquetFile {
	e := &parquetFile{settings: s, fields: fields, columns: make([][]parquet.Value, len(fields))}
	root := &orderedGroup{}
	for i, f := range fields {
		root.fields = append(root.fields, &orderedField{Node: f.node(s), name: f.name, index: i})
	}
	version := 1
	if s.PageV2 {
		version = 2
	}
	e.out = parquet.NewGenericWriter[any](&e.body, parquet.NewSchema("schema", root),
		parquet.DataPageVersion(version), parquet.DataPageStatistics(!s.NoStatistics),
		parquet.PageBufferSize(cmp.Or(s.PageBytes, pageBytes)), parquet.DictionaryMaxBytes(int64(cmp.Or(s.DictionaryBytes, pageBytes))),
		parquet.Compression(codecs()[s.Compression]), parquet.CreatedBy("parquet-mr", "1.13.1", "0"))
	return e
}

// pageBytes is the default of DataPageSize and DictPageSizeLimit.
const pageBytes = 1 << 20

// The values of EncodingType.
const (
	plain           = "plain"
	plainDictionary = "plain-dictionary"
	rleDictionary   = "rle-dictionary"
)

func codecs() map[string]compress.Codec {
	return map[string]compress.Codec{
		"none": &parquet.Uncompressed, "gzip": &parquet.Gzip, "snappy": &parquet.Snappy,
	}
}

func (f field) node(s Settings) parquet.Node {
	node := f.typ.node(s.Milliseconds)
	switch {
	case f.typ.name == "boolean" || s.Encoding == plain || s.Encoding == "" && !f.dictionary:
		node = parquet.Encoded(node, &parquet.Plain)
	default:
		node = parquet.Encoded(node, &parquet.RLEDictionary) // see oldDictionaries
	}
	if f.required {
		return node
	}
	return parquet.Optional(node)
}

// missing is what stands for [Missing] in Parquet.
func (s Settings) missing(t sourceType) any {
	if s.Dialect == Debezium && t.holdsUnavailable() {
		return unavailable
	}
	return nil
}

// append adds one row.
func (e *parquetFile) append(row []any) error {
	for i, f := range e.fields {
		level := 1
		if f.required {
			level = 0
		}
		v := row[i]
		if _, missing := v.(Missing); missing {
			v = e.settings.missing(f.typ)
		}
		if v == nil {
			e.columns[i] = append(e.columns[i], parquet.NullValue().Level(0, 0, i))
			continue
		}
		encoded, err := f.typ.value(v, e.settings.Milliseconds)
		if err != nil {
			return fmt.Errorf("column %s: %w", f.name, err)
		}
		e.columns[i] = append(e.columns[i], encoded.Level(0, level, i))
	}
	if e.rows++; e.rows == e.settings.RowsPerRowGroup {
		return e.flush()
	}
	return nil
}

func (e *parquetFile) size() int { return 0 }

// flush ends the row group.
func (e *parquetFile) flush() error {
	if e.rows == 0 {
		return nil
	}
	for i, w := range e.out.ColumnWriters() {
		if _, err := w.WriteRowValues(e.columns[i]); err != nil {
			return fmt.Errorf("column %s: %w", e.fields[i].name, err)
		}
		clear(e.columns[i])
		e.columns[i] = e.columns[i][:0]
	}
	e.rows = 0
	return e.out.Flush()
}

// finish returns the whole file.
func (e *parquetFile) finish() ([]byte, error) {
	if err := e.flush(); err != nil {
		return nil, err
	}
	if err := e.out.Close(); err != nil {
		return nil, err
	}
	if e.settings.Dialect == Debezium {
		return e.body.Bytes(), nil
	}
	return signAsDMS(e.settings, e.body.Bytes())
}

// orderedGroup is a parquet.Group that keeps the order of its fields.
type orderedGroup struct {
	parquet.Group
	fields []parquet.Field
}

func (g *orderedGroup) Fields() []parquet.Field { return slices.Clone(g.fields) }

func (g *orderedGroup) GoType() reflect.Type { return reflect.TypeFor[any]() }

type orderedField struct {
	parquet.Node
	name  string
	index int
}

func (f *orderedField) Name() string { return f.name }

func (f *orderedField) Value(base reflect.Value) reflect.Value { return base.Index(f.index) }
