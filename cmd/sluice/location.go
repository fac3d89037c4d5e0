package main

import (
	"path/filepath"
	"strings"
)

// location is where objects are: a bucket and a prefix that is empty or ends
// in "/". A directory stands for a bucket named after its last element.
type location struct {
	bucket, prefix string
	dir            string // absolute path of a directory; empty for S3
}

// parseLocation reads the value of --raw or --lake.
func parseLocation(flag, value string) (location, error) {
	if value == "" {
		return location{}, usagef("--%s (or SLUICE_%s) is missing: s3://bucket[/prefix] or a directory", flag, strings.ToUpper(flag))
	}
	if scheme, rest, ok := strings.Cut(value, "://"); ok {
		bucket, prefix, _ := strings.Cut(rest, "/")
		if scheme != "s3" || bucket == "" {
			return location{}, usagef("--%s %q is neither s3://bucket[/prefix] nor a directory", flag, value)
		}
		if prefix = strings.Trim(prefix, "/"); prefix != "" {
			prefix += "/"
		}
		return location{bucket: bucket, prefix: prefix}, nil
	}
	dir, err := filepath.Abs(value)
	if err != nil {
		return location{}, usagef("--%s %q: %w", flag, value, err)
	}
	if filepath.Dir(dir) == dir {
		return location{}, usagef("--%s %q is the root of a file system, which has no name: use a directory below it", flag, value)
	}
	return location{bucket: filepath.Base(dir), dir: dir}, nil
}

// places are the two locations of one command.
type places struct{ raw, lake location }

// locate reads --raw and --lake and refuses pairs that cannot be told apart.
func (o *options) locate() (places, error) {
	raw, err := parseLocation("raw", o.raw)
	if err != nil {
		return places{}, err
	}
	lake, err := parseLocation("lake", o.lake)
	if err != nil {
		return places{}, err
	}
	p := places{raw: raw, lake: lake}
	return p, p.check()
}

func (p places) check() error {
	bothS3 := p.raw.dir == "" && p.lake.dir == ""
	switch {
	case p.raw.bucket == p.lake.bucket && !bothS3:
		return usagef("--raw and --lake would both be bucket %q, after their last elements: rename one of the directories", p.raw.bucket)
	case bothS3 && p.raw.bucket == p.lake.bucket && strings.HasPrefix(p.lake.prefix, p.raw.prefix):
		return usagef("--lake lies in --raw, where its tables would be taken for inputs: use another bucket or another prefix")
	case p.raw.dir != "" && p.lake.dir != "" && below(resolve(p.lake.dir), resolve(p.raw.dir)):
		return usagef("--lake lies in --raw, where its tables would be taken for inputs: use a directory beside it")
	}
	return nil
}

func below(dir, root string) bool {
	return dir == root || strings.HasPrefix(dir, root+string(filepath.Separator))
}

// resolve follows symbolic links as far as the path exists.
func resolve(dir string) string {
	if target, err := filepath.EvalSymlinks(dir); err == nil {
		return target
	}
	parent := filepath.Dir(dir)
	if parent == dir {
		return dir
	}
	return filepath.Join(resolve(parent), filepath.Base(dir))
}

// control returns the control table: the name of a DynamoDB table, or a file.
func (o *options) control(lake location) (table, file string, err error) {
	const scheme = "dynamodb://"
	switch name, dynamo := strings.CutPrefix(o.state, scheme); {
	case dynamo && name == "":
		return "", "", usagef("--state %q names no table: dynamodb://TABLE", o.state)
	case dynamo:
		return name, "", nil
	case strings.Contains(o.state, "://"):
		return "", "", usagef("--state %q is neither dynamodb://TABLE nor a file", o.state)
	case o.state != "":
		return "", o.state, nil
	case lake.dir == "":
		return "DMSCDC_Controller", "", nil
	default:
		return "", filepath.Join(lake.dir, "_sluice", "control.db"), nil
	}
}
