package contract_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/parquet-go/parquet-go"

	"sluice/internal/contract"
	"sluice/internal/parquetedit"
)

// table is the columns that the contracts of the tests are about.
func table() []parquetedit.Column {
	whole := parquetedit.Type{Physical: parquet.Int64}
	text := parquetedit.Type{Physical: parquet.ByteArray, Logical: parquetedit.String}
	return []parquetedit.Column{
		{Name: "id", Type: whole},
		{Name: "name", Type: text},
		{Name: "price", Type: parquetedit.Type{Physical: parquet.Int32, Logical: parquetedit.Decimal, Precision: 6, Scale: 2}},
		{Name: "day", Type: parquetedit.Type{Physical: parquet.Int32, Logical: parquetedit.Date}},
		{Name: "flag", Type: parquetedit.Type{Physical: parquet.Boolean}},
		{Name: "raw", Type: parquetedit.Type{Physical: parquet.ByteArray}},
		{Name: "clock", Type: parquetedit.Type{Physical: parquet.Int64, Logical: parquetedit.Time, Unit: parquetedit.Micros}},
	}
}

func TestContractsThatAreWrongSayWhereAndWhy(t *testing.T) {
	rule := func(text string) string { return "rules:\n  - " + text + "\n" }
	tests := map[string]struct {
		text string
		line int
		want string
	}{
		"nothing":                          {"", 0, "empty"},
		"a comment alone":                  {"# rules:\n", 0, "empty"},
		"no YAML":                          {"rules: [", 0, "did not find"},
		"a tab":                            {"rules:\n\t- a\n", 0, "cannot start any token"},
		"a list":                           {"- column: id\n", 1, "fields are wanted"},
		"text":                             {"rules\n", 1, "fields are wanted"},
		"no rules":                         {"on_violation: halt\n", 1, "no list of rules"},
		"empty rules":                      {"rules: []\n", 1, "no list of rules"},
		"rules that are no list":           {"rules: {column: id}\n", 1, "no list of rules"},
		"two documents":                    {rule("{column: id, not_null: true}") + "---\nrules: []\n", 0, "more than one document"},
		"an unknown field":                 {rule("{column: id, not_nul: true}"), 2, `no field "not_nul"`},
		"an unknown field above":           {"rule: []\n", 1, `no field "rule"`},
		"a field twice":                    {rule("{column: id, min: 1, min: 2}"), 2, `"min" comes twice`},
		"rules twice":                      {rule("{column: id, min: 1}") + "rules: []\n", 3, `"rules" comes twice`},
		"on_violation of another kind":     {"on_violation: warn\n" + rule("{column: id, min: 1}"), 1, "halt or quarantine"},
		"a rule without a column":          {rule("{not_null: true}"), 2, "names no column"},
		"a rule that says nothing":         {rule("{column: id}"), 2, `nothing of column "id"`},
		"a rule that denies":               {rule("{column: id, not_null: false}"), 2, `nothing of column "id"`},
		"a rule that is none":              {rule("id"), 2, "fields are wanted"},
		"unique_key beside others":         {rule("{unique_key: true, column: id}"), 2, "by itself"},
		"a flag that is none":              {rule("{column: id, not_null: 1}"), 2, "true or false"},
		"an unknown type":                  {rule("{column: id, type: varchar}"), 2, `no type "varchar"`},
		"a decimal of 39 digits":           {rule("{column: price, type: 'decimal(39,2)'}"), 2, "1 to 38 digits"},
		"a decimal of more scale":          {rule("{column: price, type: 'decimal(2,3)'}"), 2, "1 to 38 digits"},
		"an unknown column":                {rule("{column: ID, not_null: true}"), 2, `no column "ID"`},
		"a range of text":                  {rule("{column: name, min: 5}"), 2, "numbers, dates and times"},
		"a range of booleans":              {rule("{column: flag, max: true}"), 2, "numbers, dates and times"},
		"a bound that is text":             {rule("{column: id, min: five}"), 2, `"five" is no value of bigint`},
		"a bound with an exponent":         {rule("{column: id, min: 1e9}"), 2, "no value of bigint"},
		"a bound of endless digits":        {rule("{column: id, min: " + strings.Repeat("9", 200) + "}"), 2, "no value of bigint"},
		"a bound that is a date":           {rule("{column: price, min: 2020-01-01}"), 2, "no value of decimal(6,2)"},
		"a date that there is not":         {rule("{column: day, min: 2021-02-29}"), 2, `"2021-02-29" is no value of date`},
		"a date that is a number":          {rule("{column: day, max: 5}"), 2, "no value of date"},
		"a time with a day":                {rule("{column: clock, max: '2020-01-01 10:00:00'}"), 2, "no value of time"},
		"NULL as a bound":                  {rule("{column: id, min: null}"), 2, "wants a value"},
		"a list as a bound":                {rule("{column: id, min: [1]}"), 2, "wants a value"},
		"in without a list":                {rule("{column: id, in: 5}"), 2, "wants a list"},
		"in of nothing":                    {rule("{column: id, in: []}"), 2, "wants a list"},
		"in with NULL":                     {rule("{column: id, in: [1, ~]}"), 2, "wants a value"},
		"in with a fraction":               {rule("{column: id, in: [1, 1.5]}"), 2, `"1.5" is no value of bigint`},
		"in of binary":                     {rule("{column: raw, in: [a]}"), 2, "no values can be listed"},
		"in of booleans":                   {rule("{column: flag, in: [yes]}"), 2, "no value of boolean"},
		"a pattern that is none":           {rule("{column: name, pattern: '('}"), 2, "missing closing"},
		"a pattern that breaks out":        {rule("{column: name, pattern: 'a)|(b'}"), 2, "unexpected )"},
		"a pattern of numbers":             {rule("{column: id, pattern: '[0-9]'}"), 2, "are of text"},
		"a length below zero":              {rule("{column: name, max_length: -1}"), 2, "number of characters"},
		"a range that its own type denies": {rule("{column: name, type: string, min: 5}"), 2, "numbers, dates and times"},
		"an alias":                         {"on_violation: &a halt\n" + rule("{column: id, on_violation: *a}"), 1, "no anchors"},
		"a key that is a list":             {rule("{[a]: b}"), 2, "name of a field"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			c, err := contract.Parse(tt.text)
			if err == nil {
				err = c.Fits(table())
			}
			var wrong *contract.Error
			if !errors.As(err, &wrong) || wrong.Line != tt.line || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want line %d, %q", err, tt.line, tt.want)
			}
		})
	}
}

func TestContractsThatAreRight(t *testing.T) {
	text := `# of store.product
on_violation: quarantine
rules:
  - {column: id, required: true, type: bigint, not_null: true, min: -9223372036854775808, in: [1, +2, -0]}
  - {column: name, pattern: "(a|b)+", min_length: 1, max_length: 5, on_violation: halt}
  - {column: price, max: 99.999}
  - {column: day, min: 0001-01-01, max: "9999-12-31"}
  - {column: clock, min: 00:00:00, max: "23:59:59.999999"}
  - {column: gone, required: true}
  - unique_key: true
`
	c, err := contract.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Known(table()); err != nil {
		t.Errorf("a column that is required may be missing until files say so: %v", err)
	}
	if err := c.Fits(table()); err == nil || !strings.Contains(err.Error(), `"gone"`) {
		t.Errorf("fits: %v", err)
	}
	if !c.Unique() {
		t.Error("unique_key is lost")
	}
}

// TestHostileContractsEndSoon reads what is made to take for ever.
func TestHostileContractsEndSoon(t *testing.T) {
	bomb := "a: &a [x,x,x,x,x,x,x,x,x]\n"
	for c := 'b'; c < 'l'; c++ {
		bomb += fmt.Sprintf("%c: &%c [%s]\n", c, c, strings.TrimSuffix(strings.Repeat("*"+string(c-1)+",", 9), ","))
	}
	for name, text := range map[string]string{
		"a bomb of aliases": bomb + "rules: *k\n",
		"deep lists":        "rules: " + strings.Repeat("[", 30_000) + strings.Repeat("]", 30_000),
		"deep fields":       "rules: " + strings.Repeat("{a: ", 12_000) + "1" + strings.Repeat("}", 12_000),
		"too long":          "rules:\n" + strings.Repeat("  - {column: id, min: 1}\n", 4000),
		"a pattern's bomb":  "rules:\n  - {column: name, pattern: '((((a{1,100}){1,100}){1,100}){1,100}'}\n",
		"a long bound":      "rules:\n  - {column: id, min: 0." + strings.Repeat("1", 60_000) + "}\n",
	} {
		began := time.Now()
		c, err := contract.Parse(text)
		if err == nil {
			err = c.Fits(table())
		}
		if err == nil {
			t.Errorf("%s is taken", name)
		}
		if took := time.Since(began); took > 2*time.Second {
			t.Errorf("%s took %s", name, took)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add("on_violation: quarantine\nrules:\n  - {column: id, required: true, type: bigint, min: 1, max: 9.5, in: [1, 2]}\n  - unique_key: true\n")
	f.Add("rules:\n  - {column: name, pattern: '[a-z]+', min_length: 1, on_violation: halt}\n")
	f.Add("rules:\n  - {column: day, min: 2020-01-01}\n  - {column: clock, max: '10:00:00.5'}\n  - {column: price, type: 'decimal(6,2)', in: [0.5]}\n")
	f.Add("rules: &a [*a]\n")
	f.Add("a: 1\n---\nb: 2\n")
	f.Fuzz(func(t *testing.T, text string) {
		c, err := contract.Parse(text)
		if err == nil {
			_ = c.Known(nil)
			err = c.Fits(table())
		}
		var wrong *contract.Error
		if err != nil && !errors.As(err, &wrong) {
			t.Errorf("an error of another kind: %v", err)
		}
	})
}
