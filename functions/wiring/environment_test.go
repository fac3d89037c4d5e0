package wiring_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"sluice/functions/wiring"
	"sluice/internal/replicate"
)

// read reads an environment that is right but for what changed says.
func read(changed map[string]string) (wiring.Environment, error) {
	env := map[string]string{"SLUICE_RAW": "s3://raw/dms/", "SLUICE_LAKE": "s3://lake/tables"}
	for name, value := range changed {
		env[name] = value
	}
	return wiring.Read(func(name string) (string, bool) { v, ok := env[name]; return v, ok }, 32)
}

func TestRead(t *testing.T) {
	e, err := read(map[string]string{
		"SLUICE_STATE": "dynamodb://control", "SLUICE_CATALOG": "glue:lake", "SLUICE_STOP_BEFORE": "90s",
		"SLUICE_INLINE_BYTES": "1GiB", "SLUICE_OP_COLUMN": "drop", "SLUICE_HORIZON": "3d", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "3538",
	})
	if err != nil {
		t.Fatal(err)
	}
	c := e.Config
	if c.RawBucket != "raw" || c.RawPrefix != "dms/" || c.LakeBucket != "lake" || c.LakePrefix != "tables/" || e.Table != "control" || e.Database != "lake" {
		t.Errorf("places: %+v", e)
	}
	if e.StopBefore != 90*time.Second || e.InlineBytes != 1<<30 || !c.DropOp || c.Horizon != 72*time.Hour || c.MemoryBytes != 3538<<20 || c.Parallel != 32 {
		t.Errorf("settings: %+v", e)
	}
}

func TestRead_defaults(t *testing.T) {
	e, err := read(map[string]string{"SLUICE_SETTLE": "", "SLUICE_METRICS": ""})
	if err != nil {
		t.Fatal(err)
	}
	if e.Table != "DMSCDC_Controller" || e.Database != "" || e.Namespace != "sluice" || e.OfTables || e.LogLevel != "info" || e.InlineBytes != 512<<20 || e.StopBefore != time.Minute {
		t.Errorf("got %+v", e)
	}
	if e, err = read(map[string]string{"SLUICE_METRICS": "none", "SLUICE_TABLE_METRICS": "true"}); err != nil || e.Namespace != "" || !e.OfTables {
		t.Errorf("no metrics: %+v, %v", e, err)
	}
}

// What is wrong in an environment is said by the name of its variable.
func TestRead_refused(t *testing.T) {
	for variable, values := range map[string][]string{
		"SLUICE_RAW":               {"", "raw", "s3://", "/data/raw"},
		"SLUICE_LAKE":              {"", "file:///lake", "s3:///x", "s3://raw/dms/lake", "s3://raw/dms"},
		"SLUICE_STATE":             {"control", "dynamodb://", "file.db"},
		"SLUICE_CATALOG":           {"lake", "glue:", "glue:Lake"},
		"SLUICE_SETTLE":            {"soon", "60"},
		"SLUICE_FULL_LOAD_QUIET":   {"x"},
		"SLUICE_HORIZON":           {"7 days"},
		"SLUICE_BATCH_BYTES":       {"-1", "1 TB", "much"},
		"SLUICE_TARGET_FILE_BYTES": {"1.5GiB"},
		"SLUICE_INLINE_BYTES":      {"x"},
		"SLUICE_STOP_BEFORE":       {"x"},
		"SLUICE_PARALLEL":          {"many"},
		"SLUICE_COMPACT":           {"maybe"},
		"SLUICE_TABLE_METRICS":     {"some"},
		"SLUICE_OP_COLUMN":         {"hide"},
	} {
		for _, value := range values {
			_, err := read(map[string]string{variable: value})
			if !errors.Is(err, replicate.ErrUsage) || !strings.Contains(err.Error(), variable) {
				t.Errorf("%s=%q: got %v, want a usage error that names it", variable, value, err)
			}
		}
	}
}

// A function whose environment is wrong makes no client and calls nothing.
func TestNew_refused(t *testing.T) {
	t.Setenv("SLUICE_RAW", "s3://raw")
	t.Setenv("SLUICE_LAKE", "s3://lake")
	t.Setenv("SLUICE_LOG_LEVEL", "loud")
	if _, err := wiring.New(t.Context(), 1); !errors.Is(err, replicate.ErrUsage) || !strings.Contains(err.Error(), "SLUICE_LOG_LEVEL") {
		t.Errorf("got %v", err)
	}
}
