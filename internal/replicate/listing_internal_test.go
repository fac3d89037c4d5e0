package replicate

import (
	"strings"
	"testing"
	"time"

	"sluice/internal/dms"
)

func TestNextAnchor(t *testing.T) {
	horizon := time.Date(2026, 3, 7, 12, 0, 0, 0, time.UTC)
	cases := []struct {
		name, watermark string
		others          string // other keys in the folder
		zone            string
		want            string
	}{
		{name: "nothing consumed"},
		{name: "the horizon, and a day and an hour for lag", watermark: "20260314-120000000", want: "20260306-110000"},
		{name: "a watermark older than the horizon", watermark: "20260201-120000000", want: "20260131-110000"},
		{name: "folders", watermark: "2026/03/14/20260314-120000000", want: "2026/03/06/20260306-110000"},
		{name: "folders of hours", watermark: "2026-03-14-12/20260314-120000000", want: "2026-03-06-11/20260306-110000"},
		{name: "folders of months", watermark: "202603/20260314-120000000", want: "202603/20260306-110000"},
		{name: "both, the lower", watermark: "20260314-120000000", others: "2026-03-14/20260314-110000000", want: "2026-03-06/20260306-110000"},
		{name: "folders that do not sort by time", watermark: "14032026/20260314-120000000"},
		{name: "one of these among others", watermark: "20260314-120000000", others: "03/2026/14/20260314-110000000"},
		{name: "names in local time", watermark: "20260314-120000000", zone: "Asia/Tokyo", want: "20260306-200000"},
		{name: "load behind the digits", watermark: "20260314-120000000", others: "LOAD00000001 p1/LOAD00000001", want: "20260306-110000"},
		{name: "segment before the anchor", watermark: "20260314-120000000", others: "1995/LOAD00000001 p1/LOAD00000001"},
		{name: "segment behind the anchor", watermark: "20260314-120000000", others: "2027/LOAD00000001", want: "20260306-110000"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			zone := time.UTC
			if c.zone != "" {
				var err error
				if zone, err = time.LoadLocation(c.zone); err != nil {
					t.Fatal(err)
				}
			}
			table, l := &table{raw: rawFolder, zone: zone}, &listing{}
			for name := range strings.FieldsSeq(c.others) {
				in := file(name+".parquet", "")
				if in.name.Kind == dms.Load {
					l.loads = append(l.loads, in)
				} else {
					l.changes = append(l.changes, in)
				}
			}
			var watermark input
			if c.watermark != "" {
				watermark = file(c.watermark+".parquet", "")
				watermark.time = watermark.name.Time(zone)
			}
			want := c.want
			if want != "" {
				want = rawFolder + want
			}
			if got := l.nextAnchor(table, watermark, horizon); got != want {
				t.Errorf("got %q, want %q", got, want)
			}
		})
	}
}
