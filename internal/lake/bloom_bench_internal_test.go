package lake

import (
	"fmt"
	"testing"

	"github.com/parquet-go/parquet-go/bloom"
	"github.com/zeebo/xxh3"

	"sluice/internal/parquetedit"
)

// BenchmarkBloom asks what a bloom filter of the key column would save (docs/adr): how often a filter of so many bits a key over a
// row group of 262,144 random UUIDs tells that none of so many changed keys is in it, when none is; what asking
// costs; and beside it what it costs to look the same keys up in the column.
func BenchmarkBloom(b *testing.B) {
	const rows, groups = 262_144, 200
	for _, bits := range []uint{10, 16, 24} {
		filter := make(bloom.SplitBlockFilter, bloom.NumSplitBlocksOf(rows, bits))
		for i := range rows {
			filter.Insert(xxh3.Hash(uuidOf(i).ByteArray()))
		}
		for _, changed := range []int{10, 50, 300, 10_000} {
			b.Run(fmt.Sprintf("%d bits, %d keys", bits, changed), func(b *testing.B) {
				hashes := make([]uint64, groups*changed) // as many sets of keys as there are row groups
				for i := range hashes {
					hashes[i] = mix(uint64(i) + 1<<40)
				}
				spared := 0
				for b.Loop() {
					spared = 0
					for g := range groups {
						none := true
						for _, h := range hashes[g*changed : (g+1)*changed] {
							if filter.Check(h) {
								none = false
								break
							}
						}
						if none {
							spared++
						}
					}
				}
				b.ReportMetric(100*float64(spared)/groups, "%spared")
				b.ReportMetric(b.Elapsed().Seconds()*1e6/float64(b.N*groups), "µs/group")
				b.ReportMetric(float64(len(filter)*32)/1024, "KiB/group")
			})
		}
	}
	schema := Schema{Columns: []parquetedit.Column{col("a", parquetedit.Type{Physical: 6, Logical: parquetedit.String})}, Key: []string{"a"}}
	for _, changed := range []int{10, 300, 10_000} {
		b.Run(fmt.Sprintf("column, %d keys", changed), func(b *testing.B) {
			open := benchFile(b, &schema, rows, func(i int) []value { return []value{uuidOf(i)} })
			changes := benchDeletes(b, &schema, changed, func(i int) []value { return []value{uuidOf(rows + i)} })
			size := int64(0)
			for g := range open.RowGroups() {
				n, _ := open.ChunkBytes(g, 0)
				size += n
			}
			for b.Loop() {
				if hits, err := changes.locate(b.Context(), open, &File{}); err != nil || len(hits) > 0 {
					b.Fatal(len(hits), err)
				}
			}
			b.ReportMetric(b.Elapsed().Seconds()*1e6/float64(b.N), "µs/group")
			b.ReportMetric(float64(size)/1024, "KiB/group")
		})
	}
}
