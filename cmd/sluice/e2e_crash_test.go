package main_test

import (
	"bytes"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"sluice/scripts/dmsgen"
)

// wide is a table whose load is many small files, so that a signal finds it at work.
func wide() dmsgen.Table {
	return dmsgen.Table{Schema: "shop", Name: "visit", Key: []string{"id"}, Columns: []dmsgen.Column{
		{Name: "id", Type: "int"}, {Name: "page", Type: "text"}, {Name: "shelf", Type: "int"},
	}}
}

// shelves is the number of partitions: enough to be met at work.
func (s *site) shelves() int {
	if s.s3 != nil {
		return 36 // each takes several round trips
	}
	return 150
}

// visits registers and activates the table, with a full load of many partitions that is not loaded yet.
func (s *site) visits() *dmsgen.Oracle {
	s.t.Helper()
	truth := dmsgen.NewOracle(wide())
	for id := range 20 * s.shelves() {
		truth.Apply(dmsgen.Change{Op: dmsgen.Insert, Row: []any{id, "entry", id % s.shelves()}})
	}
	s.load(wide(), 0, truth.Rows()...)
	s.tick("registered")
	s.well("activate", "shop.visit", "--primary-key", "id", "--partition-key", "shelf")
	return truth
}

// browse makes changes in every partition, moves between them among these.
func (s *site) browse(truth *dmsgen.Oracle, rng *rand.Rand) {
	s.t.Helper()
	var changes []dmsgen.Change
	for range 3 * s.shelves() {
		id := rng.IntN(25 * s.shelves())
		before, known := truth.Row(truth.Key([]any{id}))
		c := dmsgen.Change{Op: dmsgen.Insert, Row: []any{id, "seen", rng.IntN(s.shelves())}}
		switch {
		case known && rng.IntN(4) == 0:
			c = dmsgen.Change{Op: dmsgen.Delete, Row: before}
		case known:
			c.Op, c.Before = dmsgen.Update, before
		}
		truth.Apply(c)
		changes = append(changes, c)
	}
	s.change(wide(), changes...)
}

// started starts a run and waits until the lake has a file of the table that it had not.
func (s *site) started() (*exec.Cmd, *bytes.Buffer) {
	s.t.Helper()
	cmd, stderr := s.command("run"), &bytes.Buffer{}
	cmd.Stderr = stderr
	commits := filepath.Join(s.lake, "_sluice", "visit", "commits", "*.changes.parquet")
	begun := func() int {
		plans, _ := filepath.Glob(commits)
		parts, _ := filepath.Glob(filepath.Join(s.lake, "visit", "*", "*.parquet"))
		return len(plans) + len(parts)
	}
	before := begun()
	if err := cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	for end := time.Now().Add(10 * time.Second); begun() == before && time.Now().Before(end); {
		time.Sleep(time.Millisecond)
	}
	return cmd, stderr
}

// TestE2E_Interrupted sends SIGINT and SIGTERM to a run that is writing the lake.
func TestE2E_Interrupted(t *testing.T) {
	for name, open := range pairs() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := open(t)
			truth := s.visits()
			for _, signal := range []os.Signal{syscall.SIGINT, syscall.SIGTERM} {
				cmd, stderr := s.started()
				if err := cmd.Process.Signal(signal); err != nil {
					t.Fatal(err)
				}
				_ = cmd.Wait() // its status is looked at
				if got := cmd.ProcessState.ExitCode(); got != 1 || !strings.Contains(stderr.String(), "interrupted; the next run goes on") {
					t.Errorf("%v: exit %d, stderr %q", signal, got, stderr.String())
				}
				s.tick("loaded", "merged") // at once: the lease was given up
				s.equal(wide(), truth)
				s.browse(truth, rand.New(rand.NewPCG(1, 1)))
			}
			s.tick("merged")
			s.equal(wide(), truth)
			s.writesNothing()
		})
	}
}

// forget lets the lease of a killed run run out. Until then a run is busy.
func (s *site) forget() {
	s.t.Helper()
	if s.table == nil {
		return // a lock, which died with its process
	}
	for _, item := range s.items() {
		if item["LeaseUntil"] != "" {
			s.tick("busy", "idle") // idle: the run had finished, and was killed before it gave the lease up
		}
	}
	s.expire()
}

// expire takes every lease in DynamoDB to its end, whoever holds it: what waiting for 90 seconds does to those of the
// dead, and a clock that is minutes ahead to those of the living. Leases of a local control file do not run out.
func (s *site) expire() {
	s.t.Helper()
	if s.table == nil {
		return
	}
	client := s.dynamo()
	found, err := client.Scan(s.t.Context(), &dynamodb.ScanInput{TableName: &s.table.Name, ConsistentRead: aws.Bool(true)})
	if err != nil {
		s.t.Error(err)
		return
	}
	for _, item := range found.Items {
		_, err := client.UpdateItem(s.t.Context(), &dynamodb.UpdateItemInput{
			TableName: &s.table.Name, Key: map[string]types.AttributeValue{"path": item["path"]},
			UpdateExpression:          aws.String("SET LeaseUntil = :past"),
			ExpressionAttributeValues: map[string]types.AttributeValue{":past": &types.AttributeValueMemberS{Value: "2020-01-01T00:00:00.000Z"}},
		})
		if err != nil {
			s.t.Error(err)
		}
	}
}
