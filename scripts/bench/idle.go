package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"sluice/scripts/dmsgen"
	"sluice/scripts/rig"
)

// idleDirectory measures a run over many tables in which nothing is new.
func (b *bench) idleDirectory() error {
	inputs, err := b.streamInputs()
	if err != nil {
		return err
	}
	if err := copyTree(inputs, b.work+"/many/raw", nil); err != nil {
		return err
	}
	return b.idle("idle", b.lakeEnv("many"), func() string { return "" })
}

// idle fills the lakes, then measures the run that finds nothing to do.
func (b *bench) idle(name string, env []string, requests func() string) error {
	if _, err := b.tick(env); err != nil {
		return err
	}
	if err := b.activateAll(env); err != nil {
		return err
	}
	filled, err := b.tick(env)
	if err != nil {
		return err
	}
	requests()
	idle, err := b.tick(env)
	if err != nil {
		return err
	}
	note := fmt.Sprintf("%d tables; the run that filled them: %.1f s%s", b.tables, filled.wall, requests())
	r := result{name: name, note: note}
	r.add("sluice", idle)
	b.record(r)
	return nil
}

// activateAll sets the keys of every table in one import.
func (b *bench) activateAll(env []string) error {
	_, out, err := b.process(env, b.sluice, "control", "export")
	if err != nil {
		return err
	}
	keys := map[string]string{}
	for seed := range uint64(b.tables) {
		t := dmsgen.RandomTable(seed + 1)
		keys[t.Schema+"."+t.Name] = strings.Join(t.Key, ",")
	}
	var changed bytes.Buffer
	for line := range bytes.Lines(out) {
		var item map[string]string
		if err := json.Unmarshal(line, &item); err != nil {
			return err
		}
		parts := strings.Split(strings.TrimSuffix(item["path"], "/"), "/")
		item["PrimaryKey"], item["ActiveFlag"] = keys[strings.Join(parts[len(parts)-2:], ".")], "true"
		if err := json.NewEncoder(&changed).Encode(item); err != nil {
			return err
		}
	}
	file := b.work + "/control.jsonl"
	if err := os.WriteFile(file, changed.Bytes(), 0o666); err != nil {
		return err
	}
	_, _, err = b.process(env, b.sluice, "control", "import", file)
	return err
}

// idleS3 is idle on the rig's S3 server, with every request counted on its way.
func (b *bench) idleS3() error {
	endpoint, err := url.Parse(os.Getenv(rig.EnvS3Endpoint))
	if err != nil || endpoint.Host == "" {
		return fmt.Errorf("%s: %q is no address of a server", rig.EnvS3Endpoint, os.Getenv(rig.EnvS3Endpoint))
	}
	inputs, err := b.streamInputs()
	if err != nil {
		return err
	}
	raw, lake := filepath.Base(b.work)+"-raw", filepath.Base(b.work)+"-lake"
	if err := upload(b.ctx, endpoint.String(), inputs, raw, lake); err != nil {
		return err
	}
	var lists, others atomic.Int64
	forward := httputil.NewSingleHostReverseProxy(endpoint)
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Has("list-type") {
			lists.Add(1)
		} else {
			others.Add(1)
		}
		forward.ServeHTTP(w, r)
	}))
	defer proxy.Close()
	env := []string{
		"AWS_ENDPOINT_URL_S3=" + proxy.URL, "SLUICE_RAW=s3://" + raw, "SLUICE_LAKE=s3://" + lake,
		"SLUICE_STATE=" + b.work + "/s3.db",
	}
	return b.idle("idle-s3", env, func() string {
		n, o := lists.Swap(0), others.Swap(0)
		return fmt.Sprintf("; %d LIST (%.3f a table), %d other requests", n, float64(n)/float64(b.tables), o)
	})
}

// upload makes the buckets and puts the files into the first.
func upload(ctx context.Context, endpoint, from, raw, lake string) error {
	client := s3.New(s3.Options{
		BaseEndpoint: &endpoint, Region: rig.Region, UsePathStyle: true,
		Credentials: credentials.NewStaticCredentialsProvider(os.Getenv("AWS_ACCESS_KEY_ID"), os.Getenv("AWS_SECRET_ACCESS_KEY"), ""),
	})
	for _, bucket := range []string{raw, lake} {
		if _, err := client.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: &bucket}); err != nil {
			return err
		}
	}
	return filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		body, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		key, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		_, err = client.PutObject(ctx, &s3.PutObjectInput{Bucket: &raw, Key: aws.String(filepath.ToSlash(key)), Body: bytes.NewReader(body)})
		return err
	})
}
