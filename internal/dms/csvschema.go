package dms

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/parquet-go/parquet-go"

	"sluice/internal/parquetedit"
)

// ParseColumns reads a list of columns as Spark, Hive and SQL write it: "id bigint, name string, price decimal(10,2)", with commas or
// line breaks between them and # before comments. A name with blanks or commas stands in backticks or double quotes.
//
// Types are those of the lake in messages, and their names in Hive and in source databases: boolean; tinyint, smallint, int, bigint, also
// unsigned; decimal(p,s), numeric(p,s); float, real; double; string, text, varchar(n), char(n); binary, which is
// hexadecimal in CSV; date; time; timestamp. An error names the column.
func ParseColumns(list string) ([]parquetedit.Column, error) {
	var columns []parquetedit.Column
	rest := strings.TrimSpace(comments().ReplaceAllString(list, ""))
	for rest != "" {
		m := columnPattern().FindStringSubmatch(rest)
		if m == nil {
			return nil, fmt.Errorf("column %d: a name and a type are wanted, as in: id bigint, price decimal(10,2); not %q", len(columns)+1, firstLine(rest))
		}
		name := m[2] + m[3] + m[4]
		t, err := typeOf(strings.ToLower(strings.Join(strings.Fields(m[5]), " ")))
		if err != nil {
			return nil, fmt.Errorf("column %q: %w", name, err)
		}
		columns = append(columns, parquetedit.Column{Name: name, Type: t})
		rest = strings.TrimSpace(rest[len(m[0]):])
	}
	if len(columns) == 0 {
		return nil, errors.New("it names no column")
	}
	return columns, checkNames(columns)
}

func comments() *regexp.Regexp { return regexp.MustCompile(`(?m)(^|[\s,])#.*$`) }

// columnPattern is a name, in quotes or not, a type, and what ends it.
func columnPattern() *regexp.Regexp {
	return regexp.MustCompile("^(?s)(`([^`]+)`|\"([^\"]+)\"|([^\\s,`\"]+))[ \\t]*:?[ \\t]+([A-Za-z0-9]+(?:[ \\t]*\\([ \\t0-9,]*\\))?(?:[ \\t]+[A-Za-z]+)*)[ \\t]*(?:,|[\\r\\n]|$)[\\s,]*")
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(text, "\n")
	if len(line) > 60 {
		return line[:60] + "…"
	}
	return line
}

// typeOf reads a type in lower case.
func typeOf(text string) (parquetedit.Type, error) {
	name, arguments, _ := strings.Cut(strings.ReplaceAll(text, " (", "("), "(")
	arguments, behind, _ := strings.Cut(arguments, ")")
	if behind != "" {
		name += behind
	}
	text64 := parquetedit.Type{Physical: parquet.Int64}
	integer := func(bits int, signed bool) (parquetedit.Type, error) {
		t := parquetedit.Type{Physical: parquet.Int32, Logical: parquetedit.Integer, Bits: bits, Signed: signed}
		if bits == 64 {
			t.Physical = parquet.Int64
		}
		return t, nil
	}
	switch name {
	case "boolean", "bool":
		return parquetedit.Type{Physical: parquet.Boolean}, nil
	case "tinyint", "int1":
		return integer(8, true)
	case "smallint", "int2":
		return integer(16, true)
	case "int", "integer", "int4":
		return parquetedit.Type{Physical: parquet.Int32}, nil
	case "bigint", "long", "int8":
		return text64, nil
	case "tinyint unsigned", "uint1":
		return integer(8, false)
	case "smallint unsigned", "uint2":
		return integer(16, false)
	case "int unsigned", "integer unsigned", "uint4":
		return integer(32, false)
	case "bigint unsigned", "uint8":
		return integer(64, false)
	case "decimal", "numeric":
		return decimalArguments(arguments)
	case "float", "real", "real4":
		return parquetedit.Type{Physical: parquet.Float}, nil
	case "double", "double precision", "real8":
		return parquetedit.Type{Physical: parquet.Double}, nil
	case "string", "text", "varchar", "char", "wstring", "clob", "nclob":
		return textType(), nil
	case "binary", "varbinary", "bytes", "blob", "bytea":
		return parquetedit.Type{Physical: parquet.ByteArray}, nil
	case "date":
		return parquetedit.Type{Physical: parquet.Int32, Logical: parquetedit.Date}, nil
	case "time":
		return parquetedit.Type{Physical: parquet.Int64, Logical: parquetedit.Time, Unit: parquetedit.Micros}, nil
	case "timestamp", "datetime":
		return timestampArguments(arguments)
	}
	return parquetedit.Type{}, fmt.Errorf("type %q is none of boolean, tinyint, smallint, int, bigint (also unsigned), decimal(p,s), float, double, string, binary, date, time, timestamp", text)
}

// timestampArguments reads the unit of a timestamp, microseconds unless it says otherwise: "ms", "us", "ns", or as many digits of the second.
func timestampArguments(arguments string) (parquetedit.Type, error) {
	t := parquetedit.Type{Physical: parquet.Int64, Logical: parquetedit.Timestamp, Unit: parquetedit.Micros}
	switch strings.TrimSpace(arguments) {
	case "", "us", "6":
	case "ms", "3":
		t.Unit = parquetedit.Millis
	case "ns", "9":
		t.Unit = parquetedit.Nanos
	default:
		return t, fmt.Errorf("timestamp(%s): ms, us or ns is wanted", arguments)
	}
	return t, nil
}

func decimalArguments(arguments string) (parquetedit.Type, error) {
	p, s, _ := strings.Cut(arguments, ",")
	precision, err := strconv.Atoi(strings.TrimSpace(p))
	scale := 0
	if s = strings.TrimSpace(s); err == nil && s != "" {
		scale, err = strconv.Atoi(s)
	}
	if err != nil || precision < 1 || precision > 38 || scale < 0 || scale > precision {
		return parquetedit.Type{}, fmt.Errorf("decimal(%s): a precision of 1 to 38 and a scale up to it are wanted", arguments)
	}
	return decimalType(precision, scale), nil
}
