package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"sluice/internal/catalog"
	"sluice/internal/object"
	"sluice/internal/replicate"
	"sluice/statestore"
)

// openEngine builds the engine over the real stores.
func openEngine(ctx context.Context, o *options, w watcher) (engine, error) {
	where, cfg, err := o.configure()
	if err != nil {
		return nil, err
	}
	if o.makeLake && where.lake.dir != "" {
		if err := os.MkdirAll(where.lake.dir, 0o755); err != nil {
			return nil, fmt.Errorf("lake directory: %w", err)
		}
	}
	if o.limited {
		if err := o.limitMemory(processLimits(os.LookupEnv), w.log); err != nil {
			return nil, err
		}
		cfg.MemoryBytes = o.settings.MemoryBytes
		collectLate(os.LookupEnv)
	}
	state, err := o.openState(ctx, where.lake, w)
	if err != nil {
		return nil, err
	}
	stores := replicate.Stores{
		Objects: newBuckets(where).open, State: state,
		Log: w.log, Now: w.now, Progress: w.progress,
	}
	if o.catalog != "" {
		if stores.Catalog, err = o.openCatalog(ctx, where.lake); err != nil {
			return nil, err
		}
	}
	return replicate.New(cfg, stores)
}

// configure reads the flags that say where things are.
func (o *options) configure() (places, replicate.Config, error) {
	where, err := o.locate()
	if err != nil {
		return places{}, replicate.Config{}, err
	}
	if err := where.raw.mustExist(); err != nil {
		return places{}, replicate.Config{}, err
	}
	return where, replicate.Config{
		RawBucket: where.raw.bucket, RawPrefix: where.raw.prefix,
		LakeBucket: where.lake.bucket, LakePrefix: where.lake.prefix,
		Schema: o.schema, Owner: owner(), Settings: o.settings,
	}, nil
}

// mustExist says so when the directory is not there.
func (l location) mustExist() error {
	if l.dir == "" {
		return nil
	}
	info, err := os.Stat(l.dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("directory %s does not exist: check --raw", l.dir)
	case err != nil:
		return fmt.Errorf("raw directory: %w", err)
	case !info.IsDir():
		return fmt.Errorf("%s is not a directory: check --raw", l.dir)
	}
	return nil
}

// openState opens the control table; it touches nothing yet.
func (o *options) openState(ctx context.Context, lake location, w watcher) (statestore.Store, error) {
	table, file, err := o.control(lake)
	if err != nil {
		return statestore.Store{}, err
	}
	if table == "" {
		backend, err := statestore.OpenFile(file)
		if err != nil {
			return statestore.Store{}, fmt.Errorf("open control table %s: %w", file, err)
		}
		return statestore.New(backend), nil
	}
	client, err := statestore.NewDynamoDBClient(ctx)
	if err != nil {
		return statestore.Store{}, err
	}
	return statestore.New(statestore.NewDynamoDB(client, table, w.now)), nil
}

// openCatalog opens the data catalog that --catalog names; it touches nothing yet.
func (o *options) openCatalog(ctx context.Context, lake location) (*catalog.Catalog, error) {
	database, ok := strings.CutPrefix(o.catalog, "glue:")
	switch {
	case !ok || database == "":
		return nil, usagef("--catalog %q is not glue:DATABASE", o.catalog)
	case database != strings.ToLower(database):
		return nil, usagef("--catalog %q: the names of databases are in lower case", o.catalog)
	case lake.dir != "":
		return nil, usagef("--catalog needs a lake in S3: a query finds nothing in the directory %s", lake.dir)
	}
	client, err := catalog.NewGlueClient(ctx)
	if err != nil {
		return nil, err
	}
	return catalog.New(catalog.NewGlue(client, database)), nil
}

// buckets opens stores by the names of buckets: the two directories under
// theirs, everything else in S3, unless all is on this machine.
type buckets struct {
	places
	client func(ctx context.Context) (*s3.Client, error)
}

func newBuckets(where places) *buckets {
	var (
		once   sync.Once
		client *s3.Client
		failed error
	)
	return &buckets{places: where, client: func(ctx context.Context) (*s3.Client, error) {
		once.Do(func() { client, failed = object.NewS3Client(ctx) })
		return client, failed
	}}
}

// store is a bucket for workers and for the janitor.
type store interface {
	replicate.Objects
	replicate.Cleaner
}

func (b *buckets) open(ctx context.Context, bucket string) (replicate.Objects, error) {
	return b.store(ctx, bucket)
}

func (b *buckets) store(ctx context.Context, bucket string) (store, error) {
	for _, l := range []location{b.raw, b.lake} {
		if l.dir != "" && l.bucket == bucket {
			return object.NewDirectory(l.dir), nil
		}
	}
	if b.raw.dir != "" && b.lake.dir != "" {
		return nil, fmt.Errorf("bucket %q is neither directory %s nor %s: correct out_path with sluice activate --out-path", bucket, b.raw.dir, b.lake.dir)
	}
	client, err := b.client(ctx)
	if err != nil {
		return nil, fmt.Errorf("AWS settings: %w", err)
	}
	if _, err := client.Options().Credentials.Retrieve(ctx); err != nil {
		return nil, fmt.Errorf("no AWS credentials: set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or log in: %w", err)
	}
	return object.NewS3(client, bucket), nil
}

// owner names this run as the holder of leases.
func owner() string {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	return fmt.Sprintf("%s-%d-%s", host, os.Getpid(), rand.Text()[:8])
}
