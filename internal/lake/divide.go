package lake

import (
	"context"
	"slices"
)

const (
	samplesPerPart = 256
	sampleBytes    = 64 // of a key that is kept as a sample
)

// divide returns parts with about as many rows each: by keys sampled over all inputs, or by rows where there is no key.
func (b *Batch) divide(ctx context.Context) ([]part, error) {
	if len(b.Schema.Key) == 0 {
		var parts []part
		rows, each := b.rows(), int64(b.partRows())
		for from := int64(0); from < rows; from += each {
			parts = append(parts, part{from: from, to: min(from+each, rows)})
		}
		return parts, nil
	}
	samples, err := b.sample(ctx)
	if err != nil {
		return nil, err
	}
	slices.Sort(samples)
	parts := []part{{}}
	for i := 1; i < b.Parts && len(samples) > 0; i++ {
		cut := samples[i*len(samples)/b.Parts]
		if last := &parts[len(parts)-1]; cut > last.low {
			last.high = cut
			parts = append(parts, part{low: cut})
		}
	}
	return parts, nil
}

// sample returns beginnings of the keys of some rows, at equal distances.
func (b *Batch) sample(ctx context.Context) ([]string, error) {
	f, err := NewFold(b.Schema, b.Options)
	if err != nil {
		return nil, err
	}
	step := max(b.rows()/int64(samplesPerPart*max(b.Parts, 1)), 1)
	var samples []string
	for _, in := range b.Inputs {
		src, err := f.source(in)
		if err != nil {
			return nil, err
		}
		src.project(f.key)
		for batch, err := range in.Reader.Batches(ctx, src.wanted) {
			if err != nil {
				return nil, src.fault(err)
			}
			columns, err := f.keyColumns(src, batch)
			if err != nil {
				return nil, err
			}
			for i := range batch.Ops {
				key, err := f.encodeKey(src, columns, row{batch: batch, at: i})
				if err != nil {
					return nil, err
				}
				if (src.first+batch.Row(i))%step == 0 {
					samples = append(samples, string(key[:min(len(key), sampleBytes)]))
				}
			}
		}
	}
	return samples, nil
}
