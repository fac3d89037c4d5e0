package statestore_test

import (
	"path/filepath"
	"testing"
	"time"

	"sluice/statestore"
	"sluice/statestore/statestoretest"
)

func TestMemory(t *testing.T) {
	t.Parallel()
	statestoretest.Run(t, func(*testing.T) statestore.Backend { return statestore.NewMemory(time.Now) })
}

func TestMemoryClock(t *testing.T) {
	t.Parallel()
	clock := statestoretest.NewClock()
	statestoretest.RunClock(t, statestore.NewMemory(clock.Now), clock)
}

func TestFile(t *testing.T) {
	t.Parallel()
	statestoretest.Run(t, func(t *testing.T) statestore.Backend {
		t.Helper()
		return openFile(t, filepath.Join(t.TempDir(), "_sluice", "control.db"))
	})
}

func TestDynamoDBClock(t *testing.T) {
	t.Parallel()
	clock := statestoretest.NewClock()
	statestoretest.RunClock(t, rigTable(t, rigClient(t), clock.Now), clock)
}
