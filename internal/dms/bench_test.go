package dms_test

import (
	"bytes"
	"testing"

	"sluice/internal/dms"
	"sluice/internal/parquetedit"
)

func BenchmarkInput_Batches(b *testing.B) {
	const rows = 100_000
	file := numbered(8192)
	addGroup(file, rows)
	var body bytes.Buffer
	w, err := parquetedit.NewWriter(&body, file.columns, parquetedit.WriterOptions{})
	if err != nil {
		b.Fatal(err)
	}
	if err := w.Write(file.groups[0]); err != nil {
		b.Fatal(err)
	}
	if err := w.Close(); err != nil {
		b.Fatal(err)
	}
	open, err := parquetedit.Open(b.Context(), parquetedit.ReaderAt{ReaderAt: bytes.NewReader(body.Bytes()), N: int64(body.Len())})
	if err != nil {
		b.Fatal(err)
	}
	in, err := dms.Open(open, dms.Options{})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		for _, err := range in.Batches(b.Context(), nil) {
			if err != nil {
				b.Fatal(err)
			}
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/(3*rows), "ns/value")
}

func BenchmarkParseKey(b *testing.B) {
	for name, key := range map[string]string{
		"direct": folder + "20211123-013830913.parquet",
		"folder": folder + "2021/11/23/20211123-013830913.parquet",
		"load":   folder + "LOAD00000001.parquet",
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				dms.ParseKey(folder, key)
			}
		})
	}
}
