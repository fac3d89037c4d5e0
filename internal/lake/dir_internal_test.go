package lake

import (
	"testing"

	"github.com/parquet-go/parquet-go"

	"sluice/internal/parquetedit"
)

func TestDirNamer(t *testing.T) {
	text := parquetedit.Type{Physical: parquet.ByteArray, Logical: parquetedit.String}
	date := parquetedit.Type{Physical: parquet.Int32, Logical: parquetedit.Date}
	s := &Schema{
		Columns:   []parquetedit.Column{{Name: "v", Type: text}, {Name: "day", Type: date}, {Name: "a b", Type: text}},
		Partition: []string{"a b", "day"},
	}
	namer, err := newDirNamer(s)
	if err != nil {
		t.Fatal(err)
	}
	str := func(s string) value { return parquet.ByteArrayValue([]byte(s)) }
	for want, values := range map[string][]value{
		"a b=x/day=1970-01-02/":                                          {str("x"), parquet.Int32Value(1)},
		"a b=x%2Fy%3D/day=1969-12-31/":                                   {str("x/y="), parquet.Int32Value(-1)},
		"a b=__HIVE_DEFAULT_PARTITION__/day=__HIVE_DEFAULT_PARTITION__/": {str(""), {}},
		"a b=x/day=__HIVE_DEFAULT_PARTITION__/":                          {str("x"), {}},
	} {
		for range 2 { // made, then remembered
			if got, err := namer.name(values); got != want || err != nil {
				t.Errorf("got %q, %v; want %q", got, err, want)
			}
		}
	}
	for name, bad := range map[string]*Schema{
		"no such column": {Partition: []string{"x"}},
		"a float":        {Columns: []parquetedit.Column{{Name: "x", Type: parquetedit.Type{Physical: parquet.Double}}}, Partition: []string{"x"}},
	} {
		namer, err := newDirNamer(bad)
		if err == nil {
			_, err = namer.name([]value{parquet.DoubleValue(1)})
		}
		if err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
