package dms_test

import (
	"fmt"
	"slices"
	"time"

	"sluice/internal/dms"
)

func ExampleParseKey() {
	var keys []dms.Key
	for _, name := range []string{
		"store/product/2021/11/24/20211124-000000100.parquet",
		"store/product/20211123-1134010000.parquet",
		"store/product/LOAD0000000A.parquet",
		"store/product/_SUCCESS",
	} {
		keys = append(keys, dms.ParseKey("store/product/", name))
	}
	slices.SortFunc(keys, dms.Compare)
	for _, k := range keys {
		switch k.Kind {
		case dms.Load:
			fmt.Println("full load, file", k.Counter)
		case dms.Change:
			fmt.Println("changes", k.Time(time.UTC).Format(time.DateTime))
		case dms.Other:
			fmt.Println("ignored", k.Name)
		}
	}
	// Output:
	// full load, file 10
	// ignored store/product/_SUCCESS
	// changes 2021-11-23 11:34:01
	// changes 2021-11-24 00:00:00
}

func ExampleLayout_Anchor() {
	horizon := time.Date(2021, 11, 23, 1, 38, 30, 0, time.UTC)
	daily := dms.Layout{Sequence: dms.YYYYMMDD, Delimiter: dms.Slash}
	fmt.Println(daily.Anchor("store/product/", horizon))
	dayFirst := dms.Layout{Sequence: dms.DDMMYYYY, Delimiter: dms.Slash}
	fmt.Println(dayFirst.Anchor("store/product/", horizon))
	fmt.Println(dayFirst.Prefixes("store/product/", horizon, horizon.AddDate(0, 0, 1)))
	// Output:
	// store/product/2021/11/23/20211123-013830 true
	//  false
	// [store/product/23/11/2021/ store/product/24/11/2021/]
}
