package wiring

import (
	"cmp"
	"context"
	"log/slog"
	"os"
	"runtime/debug"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"sluice/functions/metrics"
	"sluice/internal/catalog"
	"sluice/internal/object"
	"sluice/internal/replicate"
	"sluice/statestore"
)

// Function is what every function works with.
type Function struct {
	Environment
	Log     *slog.Logger
	Metrics *metrics.Log
	state   statestore.Store
	s3      *s3.Client
	catalog replicate.Catalog
}

// heapShare is how much of Lambda's memory the Go runtime gets.
const heapShare = 0.85

// New reads the environment and makes the clients. It calls no service: what it takes is paid at every cold start.
func New(ctx context.Context, parallel int) (*Function, error) {
	e, err := Read(os.LookupEnv, parallel)
	if err != nil {
		return nil, err
	}
	f := &Function{Environment: e, Metrics: metrics.New(os.Stdout, e.Namespace, e.OfTables, time.Now)}
	level := slog.LevelInfo
	if err := level.UnmarshalText([]byte(e.LogLevel)); err != nil {
		return nil, cmp.Or(usage("log-level", e.LogLevel, "debug, info, warn or error"), err)
	}
	f.Log = slog.New(slog.NewJSONHandler(os.Stderr, &slog.HandlerOptions{Level: level}))
	if e.Config.MemoryBytes > 0 {
		debug.SetMemoryLimit(int64(float64(e.Config.MemoryBytes) * heapShare))
	}
	control, err := statestore.NewDynamoDBClient(ctx)
	if err != nil {
		return nil, err
	}
	f.state = statestore.New(statestore.NewDynamoDB(control, e.Table, time.Now))
	if f.s3, err = object.NewS3Client(ctx); err != nil {
		return nil, err
	}
	if e.Database != "" {
		client, err := catalog.NewGlueClient(ctx)
		if err != nil {
			return nil, err
		}
		f.catalog = catalog.New(catalog.NewGlue(client, e.Database))
	}
	return f, nil
}

// Engine returns an engine whose leases are owner's.
func (f *Function) Engine(owner string, log *slog.Logger) (*replicate.Engine, error) {
	config := f.Config
	config.Owner = owner
	return replicate.New(config, replicate.Stores{
		Objects: func(_ context.Context, bucket string) (replicate.Objects, error) {
			return object.NewS3(f.s3, bucket), nil
		},
		State: f.state, Catalog: f.catalog, Log: log,
	})
}

// Janitor returns a janitor.
func (f *Function) Janitor(log *slog.Logger) (*replicate.Janitor, error) {
	return replicate.NewJanitor(f.Config, replicate.JanitorStores{
		Objects: func(_ context.Context, bucket string) (replicate.Cleaner, error) {
			return object.NewS3(f.s3, bucket), nil
		},
		State: f.state, Log: log,
	})
}

// Refuse ends a function that cannot be: its settings are wrong. Lambda reports what it says with every invocation.
func Refuse(err error) {
	lambda.Start(func(context.Context) error { return &SettingsError{err.Error()} })
}

// SettingsError is returned by every invocation of a function whose environment is wrong.
type SettingsError struct{ text string }

// Error names the environment variable, and what it has to be.
func (e *SettingsError) Error() string { return e.text }
