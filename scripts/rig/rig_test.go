package rig_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"sluice/scripts/rig"
)

// skips is a test that remembers why it was skipped instead of ending.
type skips struct{ testing.TB }

type skipped string

func (skips) Helper() {}

func (skips) Skipf(format string, args ...any) { panic(skipped(fmt.Sprintf(format, args...))) }

func TestOutsideTheRigTestsAreSkipped(t *testing.T) {
	for name, c := range map[string]struct {
		ask  func(testing.TB)
		hint string
	}{
		rig.EnvS3Endpoint:       {func(t testing.TB) { t.Helper(); rig.S3(t) }, "make test"},
		rig.EnvS3Data:           {func(t testing.TB) { t.Helper(); rig.S3(t) }, "make test"},
		rig.EnvDynamoDBEndpoint: {func(t testing.TB) { t.Helper(); rig.DynamoDB(t) }, "make test"},
		rig.EnvDuckDB:           {func(t testing.TB) { t.Helper(); rig.DuckDB(t) }, "make test"},
		rig.EnvSoak:             {func(t testing.TB) { t.Helper(); rig.Soak(t, 1) }, "make soak"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv(rig.EnvS3Endpoint, "http://127.0.0.1:1")
			t.Setenv(name, "")
			defer func() {
				why, ok := recover().(skipped)
				if !ok || !strings.Contains(string(why), name) || !strings.Contains(string(why), c.hint) {
					t.Errorf("got %q, want a skip that names %s and %s", why, name, c.hint)
				}
			}()
			c.ask(skips{t})
		})
	}
}

func TestSoak(t *testing.T) {
	t.Setenv(rig.EnvSoak, "90s")
	if got := rig.Soak(t, 0.5); got != 45*time.Second {
		t.Errorf("half of 1m30s: got %s", got)
	}
}
