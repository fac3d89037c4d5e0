package cost

import (
	"bytes"
	_ "embed" // the price list
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

//go:embed prices.json
var listed []byte

// List is a price list: prices of regions, in US dollars without tax and free tiers, at a date.
type List struct {
	Date        string            `json:"date"`
	Currency    string            `json:"currency"`
	Sources     map[string]string `json:"sources"`     // where each was found
	Unconfirmed string            `json:"unconfirmed"` // which of them no source was found for
	Regions     map[string]Prices `json:"regions"`
}

// Prices are those of one region, each for one of what its name says.
type Prices struct {
	S3Put         float64 `json:"s3_put"` // PUT, COPY, POST, LIST
	S3Get         float64 `json:"s3_get"` // GET, HEAD
	LambdaRequest float64 `json:"lambda_request"`
	LambdaX86     float64 `json:"lambda_gb_second_x86_64"`
	LambdaARM     float64 `json:"lambda_gb_second_arm64"`
	Transition    float64 `json:"transition"` // of Step Functions Standard
	DynamoDBWrite float64 `json:"dynamodb_write"`
	DynamoDBRead  float64 `json:"dynamodb_read"`
	Schedule      float64 `json:"schedule"` // invocation
	LogGB         float64 `json:"log_gb"`
	Metric        float64 `json:"metric_month"`
	Alarm         float64 `json:"alarm_month"`
	Dashboard     float64 `json:"dashboard_month"`
	Trace         float64 `json:"trace"`
	GlueDPUHour   float64 `json:"glue_dpu_hour"`
}

// Listed returns the price list that comes with the program.
func Listed() (List, error) { return ReadList(listed) }

// ReadList reads a price list. The error names a price that is unknown, missing or not above zero.
func ReadList(text []byte) (List, error) {
	var l List
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&l); err != nil {
		return l, fmt.Errorf("price list: %w", err)
	}
	if l.Date == "" || len(l.Regions) == 0 {
		return l, fmt.Errorf("price list: it needs a date and regions")
	}
	for region, p := range l.Regions {
		text, err := json.Marshal(p)
		if err != nil {
			return l, err
		}
		var prices map[string]float64
		if err := json.Unmarshal(text, &prices); err != nil {
			return l, err
		}
		for name, price := range prices {
			if price <= 0 {
				return l, fmt.Errorf("price list: %s of %s is %g", name, region, price)
			}
		}
	}
	return l, nil
}

// In returns the prices of a region. The error names the regions there are.
func (l List) In(region string) (Prices, error) {
	p, ok := l.Regions[region]
	if !ok {
		var names []string
		for name := range l.Regions {
			names = append(names, name)
		}
		slices.Sort(names)
		return p, fmt.Errorf("no prices of region %q; there are those of %s, and --prices reads another list", region, strings.Join(names, ", "))
	}
	return p, nil
}
