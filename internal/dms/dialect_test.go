package dms_test

import (
	"testing"

	"github.com/parquet-go/parquet-go"

	"sluice/internal/dms"
	"sluice/internal/parquetedit"
)

func TestOpen_dialects(t *testing.T) {
	text := func(name string) parquetedit.Column { return column(name, parquet.ByteArray) }
	for name, c := range map[string]struct {
		columns []parquetedit.Column
		options dms.Options
		says    dms.Dialect
		data    int
		hasOp   bool
	}{
		"none":                         {[]parquetedit.Column{text("a")}, dms.Options{}, "", 1, false},
		"Op":                           {[]parquetedit.Column{text("Op"), text("a")}, dms.Options{}, dms.DMS, 1, true},
		"op of Debezium's":             {[]parquetedit.Column{text("a"), text("__op")}, dms.Options{}, dms.Debezium, 1, true},
		"deleted, text":                {[]parquetedit.Column{text("a"), text("__deleted")}, dms.Options{}, dms.Debezium, 1, true},
		"deleted, boolean":             {[]parquetedit.Column{text("a"), column("__deleted", parquet.Boolean)}, dms.Options{}, dms.Debezium, 1, true},
		"deleted, a number":            {[]parquetedit.Column{text("a"), column("__deleted", parquet.Int32)}, dms.Options{}, "", 2, false},
		"source time is data":          {[]parquetedit.Column{text("a"), text("__op"), column("__source_ts_ms", parquet.Int64)}, dms.Options{}, dms.Debezium, 2, true},
		"Op beside Debezium's":         {[]parquetedit.Column{text("Op"), text("a"), text("__op")}, dms.Options{}, dms.DMS, 2, true},
		"Debezium's, as told, is data": {[]parquetedit.Column{text("a"), text("__op")}, dms.Options{Dialect: dms.DMS}, dms.Debezium, 2, false},
		"a lake file":                  {[]parquetedit.Column{text("a"), text("__deleted")}, dms.Options{Lake: true}, dms.Debezium, 2, false},
		"an image of __op is data":     {[]parquetedit.Column{text("a"), text("__op"), text("BI___op"), text("BI_a")}, dms.Options{}, dms.Debezium, 2, true},
	} {
		t.Run(name, func(t *testing.T) {
			in, err := dms.Open(&table{page: 1, columns: c.columns}, c.options)
			if err != nil {
				t.Fatal(err)
			}
			if in.Says() != c.says || len(in.Columns()) != c.data || in.HasOp() != c.hasOp {
				t.Errorf("says %q, data %v, op %v; want %q, %d, %v", in.Says(), in.Columns(), in.HasOp(), c.says, c.data, c.hasOp)
			}
		})
	}
	for name, columns := range map[string][]parquetedit.Column{
		"Op, told Debezium":          {text("Op"), text("a"), text("__op")},
		"op that is no text":         {column("__op", parquet.Int32), text("__deleted")},
		"deleted that is no boolean": {text("__op"), column("__deleted", parquet.Int64)},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := dms.Open(&table{page: 1, columns: columns}, dms.Options{Dialect: dms.Debezium}); err == nil {
				t.Error("opened")
			}
		})
	}
}

func TestWithDeleted(t *testing.T) {
	text := func(s string) parquet.Value { return parquet.ByteArrayValue([]byte(s)) }
	null := parquet.Value{}
	for name, c := range map[string]struct {
		op, deleted parquet.Value
		want        dms.Op // 0 = an error
	}{
		"create":               {text("c"), text("false"), dms.Insert},
		"read":                 {text("r"), null, dms.Insert},
		"update":               {text("u"), parquet.BooleanValue(false), dms.Update},
		"delete":               {text("d"), text("true"), dms.Delete},
		"delete, op alone":     {text("d"), null, dms.Delete},
		"deleted alone":        {null, parquet.BooleanValue(true), dms.Delete},
		"not deleted alone":    {text(""), text("false"), dms.Insert},
		"nothing":              {null, null, 0},
		"delete, not deleted":  {text("d"), text("false"), 0},
		"update, deleted":      {text("u"), text("true"), 0},
		"truncate":             {text("t"), null, 0},
		"message":              {text("m"), null, 0},
		"capital":              {text("D"), text("true"), 0},
		"deleted is a number":  {text("c"), text("0"), 0},
		"deleted is of Python": {text("d"), text("True"), 0},
	} {
		op, err := dms.ParseDebeziumOp(c.op)
		if err == nil {
			op, err = dms.WithDeleted(op, c.deleted)
		}
		if op != c.want || (err != nil) != (c.want == 0) {
			t.Errorf("%s: got %v, %v; want %v", name, op, err, c.want)
		}
	}
}
