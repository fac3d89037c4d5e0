package replicate_test

import (
	"testing"

	"sluice/internal/object"
	"sluice/internal/replicate"
)

// TestForecast_SaysWhatARunWouldHaltOver: plan names the halt, with the words of the run that comes, and halts nothing itself.
func TestForecast_SaysWhatARunWouldHaltOver(t *testing.T) {
	t.Parallel()
	b := partitioned(t)
	b.change(update(1, "A", "x"))
	key := b.watermark[len("raw/"):]
	_, err := b.raw.Put(t.Context(), key, []byte("no Parquet file, but as long as one may be"), object.PutInput{})
	b.must(err)
	before := b.item()
	var said replicate.Forecast
	b.must(b.engineOn(b.lake, b.state).Forecast(t.Context(), func(f replicate.Forecast) { said = f }))
	if b.item().Halted() || before.Halted() {
		t.Error("the forecast halted the table")
	}
	got := b.tickOn(b.lake, b.state)
	if got.Action != replicate.Halted || said.Action != replicate.Halted || said.Reason != got.Reason || said.Err == nil {
		t.Errorf("forecast %s %q, run %s %q", said.Action, said.Reason, got.Action, got.Reason)
	}
}
