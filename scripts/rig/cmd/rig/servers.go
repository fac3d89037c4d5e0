package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"sluice/scripts/rig"
)

// The credentials of the rig's servers, which nobody else can reach.
const (
	accessKey = "rig"
	secretKey = "rig-secret-of-no-value"
)

// servers are the running servers and the directory where the S3 server keeps objects as files.
type servers struct {
	s3, dynamodb, enforcing *server
	data                    string
}

// start starts the servers in dir and returns when all of them answer. What it returns must be stopped, also when it
// comes with an error.
func start(ctx context.Context, found tools, dir string) (*servers, error) {
	up := &servers{data: filepath.Join(dir, "data")}
	state, enforced := filepath.Join(dir, "ministack"), filepath.Join(dir, "enforcing")
	for _, d := range []string{up.data, state, enforced} {
		if err := os.Mkdir(d, 0o700); err != nil {
			return up, err
		}
	}
	properties, err := propertiesIn(dir, up.data)
	if err != nil {
		return up, err
	}
	if up.s3, err = launch(ctx, dir, program{
		name: "versitygw",
		path: found.versitygw,
		args: func(port int) []string {
			args := []string{"--port", fmt.Sprintf("127.0.0.1:%d", port), "--region", rig.Region, "--quiet", "posix"}
			return append(append(args, properties...), up.data)
		},
		env:   func(int) []string { return []string{"ROOT_ACCESS_KEY=" + accessKey, "ROOT_SECRET_KEY=" + secretKey} },
		ready: "/",
	}); err != nil {
		return up, err
	}
	if up.dynamodb, err = launch(ctx, dir, ministack("ministack", found, state)); err != nil {
		return up, err
	}
	// The same once more, and policies decide. Whoever has the rig's own credentials is the account's root there. Retries of a
	// state machine wait a hundredth as long as on the other: a denial is retried until they are used up.
	if up.enforcing, err = launch(ctx, dir, ministack("enforcing", found, enforced,
		"AUTH=true", "AWS_ACCESS_KEY_ID="+accessKey, "AWS_SECRET_ACCESS_KEY="+secretKey, "SFN_WAIT_SCALE=0.001")); err != nil {
		return up, err
	}
	return up, up.checkListeners()
}

// ministack is the stand-in for AWS, its state in a directory. more is laid over its settings.
func ministack(name string, found tools, state string, more ...string) program {
	return program{
		name:  name,
		path:  found.python,
		args:  func(int) []string { return []string{"-I", "-m", "ministack"} },
		env:   func(port int) []string { return append(ministackEnv(port, state), more...) },
		ready: "/_ministack/health",
	}
}

// propertiesIn says where the gateway keeps the ETag and the metadata of an object. In extended attributes they appear with the
// object, as in S3; in a directory beside it they appear some milliseconds before, which a HEAD in between shows.
func propertiesIn(dir, data string) (args []string, err error) {
	if unix.Setxattr(data, "user.rig", []byte("1"), 0) == nil {
		return nil, nil
	}
	// The gateway takes everything whose path begins like its data directory for an object: this name must begin
	// differently.
	side := filepath.Join(dir, "sidecar")
	return []string{"--sidecar", side}, os.Mkdir(side, 0o700)
}

// ministackEnv returns ministack's settings. It listens on every interface unless BIND_HOST says otherwise; its IoT
// and SFTP listeners do not heed even that and are switched off.
func ministackEnv(port int, state string) []string {
	return []string{
		"BIND_HOST=127.0.0.1",
		"MINISTACK_HOST=127.0.0.1",
		fmt.Sprintf("GATEWAY_PORT=%d", port),
		fmt.Sprintf("AWS_ENDPOINT_URL=http://127.0.0.1:%d", port),
		"IOT_MTLS_ENABLED=0",
		"SFTP_ENABLED=0",
		"SFN_WAIT_SCALE=0.1",
		"STATE_DIR=" + state,
	}
}

// environment returns this process's environment with the rig's variables, and without any AWS setting of the
// developer's own: no test can reach an account.
func (s *servers) environment(found tools) []string {
	return append(withoutAWS(os.Environ()),
		rig.EnvS3Endpoint+"="+s.s3.endpoint,
		rig.EnvS3Data+"="+s.data,
		rig.EnvDynamoDBEndpoint+"="+s.dynamodb.endpoint,
		rig.EnvEnforcingEndpoint+"="+s.enforcing.endpoint,
		rig.EnvDuckDB+"="+found.python,
		"AWS_ACCESS_KEY_ID="+accessKey,
		"AWS_SECRET_ACCESS_KEY="+secretKey,
		"AWS_REGION="+rig.Region,
		"AWS_EC2_METADATA_DISABLED=true",
		"AWS_CONFIG_FILE="+os.DevNull,
		"AWS_SHARED_CREDENTIALS_FILE="+os.DevNull,
	)
}

func withoutAWS(env []string) []string {
	kept := make([]string, 0, len(env)+10)
	for _, entry := range env {
		if !strings.HasPrefix(entry, "AWS_") {
			kept = append(kept, entry)
		}
	}
	return kept
}

// checkListeners fails when a server listens on an address that other machines reach.
func (s *servers) checkListeners() error {
	return errors.Join(s.s3.checkListeners(), s.dynamodb.checkListeners(), s.enforcing.checkListeners())
}

// stop ends the servers that were started.
func (s *servers) stop() error {
	return errors.Join(s.enforcing.stop(), s.dynamodb.stop(), s.s3.stop())
}
