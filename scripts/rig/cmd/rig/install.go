package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// tools are the programs of the rig, as paths.
type tools struct {
	versitygw string
	python    string
}

// install builds and installs what is missing; where nothing is, it takes milliseconds.
func install(ctx context.Context) (tools, error) {
	root, err := moduleRoot()
	if err != nil {
		return tools{}, err
	}
	gateway, err := pathFrom(ctx, filepath.Join(root, "tools", "build"), "versitygw")
	if err != nil {
		return tools{}, err
	}
	python, err := pathFrom(ctx, filepath.Join(root, "scripts", "rig", "setup"))
	return tools{versitygw: gateway, python: python}, err
}

// pathFrom runs a script that prints a path.
func pathFrom(ctx context.Context, script string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, script, args...)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("%s: %w", script, err)
	}
	return string(bytes.TrimSpace(out)), nil
}

// moduleRoot returns the nearest directory above the working directory that holds the rig's scripts.
func moduleRoot() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for ; ; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "scripts", "rig", "setup")); err == nil {
			return dir, nil
		}
		if strings.HasSuffix(dir, string(filepath.Separator)) {
			return "", errors.New("run it inside the repository")
		}
	}
}
