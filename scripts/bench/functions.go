package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"sluice/scripts/rig"
	"sluice/scripts/rig/invoker"
)

const (
	coldStarts = 15
	warmTicks  = 15
	idleTables = 100
)

// functions measures the functions through Lambda's runtime interface: how long a cold one takes until it asks for its
// first event, and a warm controller for a tick of tables in which nothing is new.
func (b *bench) functions() error {
	bin := filepath.Join(b.work, "functions")
	env := b.functionEnv()
	for _, name := range []string{"controller", "initialload", "merge", "janitor"} {
		path := filepath.Join(bin, name)
		if _, _, err := b.process([]string{"CGO_ENABLED=0"}, "go", "build", "-trimpath", "-tags", "lambda.norpc", "-ldflags", "-s -w", "-o", path, "./functions/"+name); err != nil {
			return err
		}
		var inits []time.Duration
		for range coldStarts {
			f, err := invoker.Start(b.ctx, path, env, 15*time.Minute)
			if err != nil {
				return err
			}
			inits = append(inits, f.Init)
			if err := f.Stop(); err != nil {
				return err
			}
		}
		b.recordTimes("init "+name, inits, "until the first event is asked for; goal 0.1 s")
	}
	return b.warmTicks(filepath.Join(bin, "controller"), env)
}

func (b *bench) functionEnv() []string {
	name := filepath.Base(b.work)
	return []string{
		"AWS_ENDPOINT_URL_S3=" + os.Getenv(rig.EnvS3Endpoint), "AWS_ENDPOINT_URL_DYNAMODB=" + os.Getenv(rig.EnvDynamoDBEndpoint),
		"AWS_LAMBDA_FUNCTION_MEMORY_SIZE=1769",
		"SLUICE_RAW=s3://" + name + "-f-raw", "SLUICE_LAKE=s3://" + name + "-f-lake", "SLUICE_STATE=dynamodb://" + name,
		"SLUICE_STATE_MACHINE=arn:aws:states:eu-west-1:000000000000:stateMachine:TableRun",
	}
}

// warmTicks fills the lakes with the command, then has the controller find nothing to do.
func (b *bench) warmTicks(controller string, env []string) error {
	tables := b.tables
	b.tables = idleTables
	defer func() { b.tables = tables }()
	inputs, err := b.streamInputs()
	if err != nil {
		return err
	}
	name := filepath.Base(b.work)
	if err := upload(b.ctx, os.Getenv(rig.EnvS3Endpoint), inputs, name+"-f-raw", name+"-f-lake"); err != nil {
		return err
	}
	if _, err := b.tick(env); err != nil {
		return err
	}
	if err := b.activateAll(env); err != nil {
		return err
	}
	if _, err := b.tick(env); err != nil {
		return err
	}
	f, err := invoker.Start(b.ctx, controller, env, 15*time.Minute)
	if err != nil {
		return err
	}
	defer func() { _ = f.Stop() }()
	var took []time.Duration
	for n := range warmTicks {
		var answer struct{ Idle, Tables int }
		t, err := f.Invoke(b.ctx, map[string]string{"tick": fmt.Sprint("tick ", n)}, &answer)
		if err != nil {
			return err
		}
		if answer.Idle != idleTables {
			return fmt.Errorf("%d of %d tables were idle", answer.Idle, idleTables)
		}
		took = append(took, t)
	}
	b.recordTimes("idle tick", took[1:], fmt.Sprintf("controller, warm, %d idle tables; goal 1 s", idleTables))
	return nil
}

// recordTimes records the median.
func (b *bench) recordTimes(name string, list []time.Duration, note string) {
	slices.Sort(list)
	r := result{name: name, note: fmt.Sprintf("%s; median of %d, slowest %.3f s", note, len(list), list[len(list)-1].Seconds())}
	r.add("functions", usage{wall: list[len(list)/2].Seconds()})
	b.record(r)
}
