package functions_test

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/google/go-cmp/cmp"

	sfntypes "github.com/aws/aws-sdk-go-v2/service/sfn/types"

	"sluice/internal/replicate"
	"sluice/scripts/dmsgen"
)

func product() dmsgen.Table {
	return dmsgen.Table{
		Schema: "store", Name: "product", Key: []string{"id"},
		Columns: []dmsgen.Column{{Name: "id", Type: "int"}, {Name: "name", Type: "text"}, {Name: "dept", Type: "text"}},
	}
}

func insert(row ...any) dmsgen.Change { return dmsgen.Change{Op: dmsgen.Insert, Row: row} }
func update(row ...any) dmsgen.Change { return dmsgen.Change{Op: dmsgen.Update, Row: row} }
func remove(row ...any) dmsgen.Change { return dmsgen.Change{Op: dmsgen.Delete, Row: row} }

// load writes a full load.
func (a *account) load(t dmsgen.Table, rows ...[]any) {
	a.t.Helper()
	_, err := a.out.WriteLoad(a.t.Context(), t, time.Now(), rows...)
	a.must(err)
}

// change writes one CDC file.
func (a *account) change(t dmsgen.Table, changes ...dmsgen.Change) {
	a.t.Helper()
	_, err := a.out.WriteBatches(a.t.Context(), t, time.Now(), changes)
	a.must(err)
}

// sameAsRun says that a single process makes the same of the inputs.
func (a *account) sameAsRun(partition string) {
	a.t.Helper()
	const columns = "id, name, dept"
	key := "id"
	e := a.engine(a.lake+"-run", a.table+"-run")
	a.bucket(a.lake + "-run")
	a.must(e.Run(a.t.Context(), func(replicate.Result) {}))
	_, err := e.Activate(a.t.Context(), "store.product", replicate.Activation{PrimaryKey: &key, PartitionKey: &partition})
	a.must(err)
	a.must(e.Run(a.t.Context(), func(r replicate.Result) {
		if r.Action == replicate.Failed || r.Action == replicate.Halted {
			a.t.Errorf("run: %s %s", r.Action, r.Reason)
		}
	}))
	if diff := cmp.Diff(a.rows(a.lake+"-run", a.folder+"product", columns), a.rows(a.lake, a.folder+"product", columns)); diff != "" {
		a.t.Errorf("lake (-sluice run +functions):\n%s", diff)
	}
}

func TestTableRunLoadsMergesAndRests(t *testing.T) {
	t.Parallel()
	a := deploy(t, nil)
	a.load(product(), []any{int64(1), "a", "x"}, []any{int64(2), "b", "y"}, []any{int64(3), "c", "x"})
	if got := a.tick(); got.Registered != 1 || got.Started != 0 {
		t.Errorf("first tick: %+v", got)
	}
	a.activate("dept")
	if got := a.tick(); got.Started != 1 {
		t.Errorf("second tick: %+v", got)
	}
	if got := a.latest(); got.Status != sfntypes.ExecutionStatusSucceeded {
		t.Fatalf("first load: %s %v %v", got.Status, *got.Error, *got.Cause)
	}
	a.change(product(), update(int64(1), "A", "y"), remove(int64(2), "b", "y"), insert(int64(4), "d", "z"))
	if got := a.tick(); got.Started != 1 {
		t.Errorf("tick with changes: %+v", got)
	}
	want := []string{"1 A y", "3 c x", "4 d z"}
	if diff := cmp.Diff(want, a.rows(a.lake, "product", "id, name, dept")); diff != "" {
		t.Errorf("lake (-want +got):\n%s", diff)
	}
	before := len(a.ended())
	if got := a.tick(); got.Idle != 1 || len(a.ended()) != before {
		t.Errorf("idle tick: %+v, %d executions more", got, len(a.ended())-before)
	}
	a.sameAsRun("dept")
}

// manyParts loads a table into so many partitions, one row each, and writes changes to all of them, some of which move.
func (a *account) manyParts(parts int) {
	a.t.Helper()
	var rows [][]any
	for i := range parts {
		rows = append(rows, []any{int64(i), "old", fmt.Sprintf("d%03d", i)})
	}
	a.load(product(), rows...)
	a.tick()
	a.activate("dept")
	a.tick()
	var changes []dmsgen.Change
	for i := range parts {
		at := i
		if i%50 == 7 {
			at = i + 1
		}
		changes = append(changes, update(int64(i), "new", fmt.Sprintf("d%03d", at)))
	}
	a.change(product(), changes...)
}

func TestTableRunSpreadsABigCommitOverManyWorkers(t *testing.T) {
	t.Parallel()
	const parts = 220
	a := deploy(t, map[string]string{"SLUICE_INLINE_BYTES": "1"})
	a.manyParts(parts)
	a.tick()
	run := a.latest()
	a.succeeded(run)
	if n := a.batchOps(); n < 200 {
		t.Errorf("the commit had %d ops", n)
	}
	if entered := a.entered(run); entered["Phase1"] != 1 || entered["Phase2"] != 1 || entered["Register"] != 1 || entered["Finish"] != 1 {
		t.Errorf("states: %v", entered)
	}
	if got := a.rows(a.lake, "product", "id, name"); len(got) != parts || strings.Contains(strings.Join(got, ";"), "old") {
		t.Errorf("%d rows: %v", len(got), got)
	}
	a.sameAsRun("dept")
}

// TestTableRunMergesBatchAfterBatch: three change files of which each is a commit of its own, as it is above five times the batch's
// bytes, each handed over.
func TestTableRunMergesBatchAfterBatch(t *testing.T) {
	t.Parallel()
	a := deploy(t, map[string]string{"SLUICE_INLINE_BYTES": "1", "SLUICE_BATCH_BYTES": "1MiB"})
	a.load(product(), []any{int64(1), "a", "x"})
	a.tick()
	a.activate("")
	a.tick()
	for n := range 3 {
		var changes []dmsgen.Change
		for i := range 3000 {
			changes = append(changes, insert(int64(10_000*n+i+10), wide(n, i), "x"))
		}
		changes = append(changes, update(int64(1), fmt.Sprint("a", n), "x"))
		a.change(product(), changes...)
		time.Sleep(5 * time.Millisecond) // names are in milliseconds
	}
	a.tick()
	run := a.latest()
	a.succeeded(run)
	if entered := a.entered(run); entered["Finish"] < 3 || entered["Merge"] != entered["Finish"]+1 {
		t.Errorf("states: %v", entered)
	}
	a.sameAsRun("")
}

// wide is a text of 2 KiB that does not compress.
func wide(n, i int) string {
	r := rand.New(rand.NewPCG(uint64(n), uint64(i)))
	b := make([]byte, 1024)
	for at := range b {
		b[at] = byte(r.Uint32())
	}
	return hex.EncodeToString(b)
}

func (a *account) succeeded(run *sfn.DescribeExecutionOutput) {
	a.t.Helper()
	if run.Status != sfntypes.ExecutionStatusSucceeded {
		a.t.Fatalf("execution %s: %s %s %s", *run.Name, run.Status, aws.ToString(run.Error), aws.ToString(run.Cause))
	}
}

// entered counts the states that an execution entered.
func (a *account) entered(run *sfn.DescribeExecutionOutput) map[string]int {
	a.t.Helper()
	counts := map[string]int{}
	for _, e := range a.history(run) {
		if e.StateEnteredEventDetails != nil {
			counts[*e.StateEnteredEventDetails.Name]++
		}
	}
	return counts
}

func (a *account) history(run *sfn.DescribeExecutionOutput) []sfntypes.HistoryEvent {
	a.t.Helper()
	var events []sfntypes.HistoryEvent
	pages := sfn.NewGetExecutionHistoryPaginator(a.states, &sfn.GetExecutionHistoryInput{ExecutionArn: run.ExecutionArn})
	for pages.HasMorePages() {
		page, err := pages.NextPage(a.t.Context())
		a.must(err)
		events = append(events, page.Events...)
	}
	return events
}

// batchOps counts the ops of the newest commit that has any.
func (a *account) batchOps() int {
	a.t.Helper()
	newest, ops := "", 0
	pages := s3.NewListObjectsV2Paginator(a.s3, &s3.ListObjectsV2Input{Bucket: &a.lake, Prefix: aws.String("_sluice/product/commits/")})
	var keys []string
	for pages.HasMorePages() {
		page, err := pages.NextPage(a.t.Context())
		a.must(err)
		for _, o := range page.Contents {
			if strings.Contains(*o.Key, ".batch-") {
				keys = append(keys, *o.Key)
				newest = max(newest, (*o.Key)[:strings.Index(*o.Key, ".batch-")])
			}
		}
	}
	for _, key := range keys {
		if strings.HasPrefix(key, newest) {
			var batches []replicate.Batch
			a.must(json.Unmarshal(a.get(a.lake, key), &batches))
			for _, b := range batches {
				ops += len(b.Ops)
			}
		}
	}
	return ops
}
