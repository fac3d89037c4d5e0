package lake

import (
	"math"
	"testing"

	"github.com/parquet-go/parquet-go"

	"sluice/internal/parquetedit"
)

func TestWithin(t *testing.T) {
	text := parquetedit.Type{Physical: parquet.ByteArray, Logical: parquetedit.String}
	integer := parquetedit.Type{Physical: parquet.Int32}
	part := func(s string) []byte { return AppendKey(nil, text, parquet.ByteArrayValue([]byte(s))) }
	key := func(s string, n int32) []byte { return AppendKey(part(s), integer, parquet.Int32Value(n)) }
	for name, c := range map[string]struct {
		key, low, high []byte
		want           bool
	}{
		"no bounds":                          {key("m", 1), nil, nil, true},
		"between":                            {key("m", 1), part("a"), part("z"), true},
		"below":                              {key("a", 1), part("b"), part("z"), false},
		"above":                              {key("zz", 1), part("b"), part("z"), false},
		"at the low first column":            {key("b", math.MinInt32), part("b"), part("z"), true},
		"at the high first column":           {key("z", math.MaxInt32), part("b"), part("z"), true},
		"a first column that begins as high": {key("z\x00", 0), part("b"), part("z"), false},
		"a first column that begins as low":  {key("b\x00", 0), part("b"), part("b"), false},
		"empty text":                         {key("", 0), part(""), part(""), true},
		"below a whole key":                  {key("b", 1), key("b", 2), part("z"), false},
		"above a whole key":                  {key("z", 3), part("b"), key("z", 2), false},
		"at a whole key":                     {key("z", 2), key("z", 2), key("z", 2), true},
		"only a low bound":                   {key("z", 2), part("z"), nil, true},
		"only a high bound":                  {key("z", 2), nil, part("y"), false},
	} {
		if got := within(string(c.key), c.low, c.high); got != c.want {
			t.Errorf("%s: got %v", name, got)
		}
	}
}

func TestChanges_any(t *testing.T) {
	integer := parquetedit.Type{Physical: parquet.Int32}
	of := func(n int32) []byte { return AppendKey(nil, integer, parquet.Int32Value(n)) }
	c := &Changes{entries: []entry{{key: string(of(10))}, {key: string(of(20))}, {key: string(of(30))}}}
	for name, at := range map[string]struct {
		low, high []byte
		want      bool
	}{
		"unknown":            {nil, nil, true},
		"around one":         {of(15), of(25), true},
		"between two":        {of(11), of(19), false},
		"exactly one":        {of(20), of(20), true},
		"below all":          {of(-5), of(9), false},
		"above all":          {of(31), of(99), false},
		"all":                {of(10), of(30), true},
		"only a low bound":   {of(31), nil, false},
		"only a high bound":  {nil, of(10), true},
		"a high bound below": {nil, of(9), false},
	} {
		if got := c.any(at.low, at.high); got != at.want {
			t.Errorf("%s: got %v", name, got)
		}
	}
	if (&Changes{}).any(nil, nil) {
		t.Error("no change: got true")
	}
}
