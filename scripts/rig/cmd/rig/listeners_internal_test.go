package main

import (
	"context"
	"net"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestParseAddress(t *testing.T) {
	for text, want := range map[string]string{
		"0100007F:1F90":                         "127.0.0.1:8080",
		"00000000:07E8":                         "0.0.0.0:2024",
		"00000000000000000000000001000000:0050": "[::1]:80",
		"0000000000000000FFFF00000100007F:0050": "[::ffff:127.0.0.1]:80",
	} {
		got, err := parseAddress(text)
		if err != nil || got.String() != want {
			t.Errorf("%s: got %s, %v, want %s", text, got, err, want)
		}
	}
	if _, err := parseAddress("0100:1F90"); err == nil {
		t.Error("no error for an address of two bytes")
	}
}

// A listener handed to a child is the child's too: that is how the test gets a "server" on the address it likes.
func TestCheckListeners(t *testing.T) {
	for address, want := range map[string]string{"127.0.0.1:0": "", "[::1]:0": "", "0.0.0.0:0": "other machines"} {
		t.Run(address, func(t *testing.T) {
			var config net.ListenConfig
			listener, err := config.Listen(t.Context(), "tcp", address)
			if err != nil {
				t.Skipf("this machine has no such address: %v", err)
			}
			defer func() { _ = listener.Close() }()
			file, err := listener.(*net.TCPListener).File()
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = file.Close() }()

			cmd := exec.CommandContext(t.Context(), "sleep", "60")
			cmd.ExtraFiles = append(cmd.ExtraFiles, file)
			own(cmd)
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			defer func() { _ = cmd.Wait() }()
			defer func() { _ = signalGroup(cmd, syscall.SIGKILL) }()

			err = (&server{name: "sleep", cmd: cmd}).checkListeners()
			if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
				t.Errorf("got %v, want %q", err, want)
			}
		})
	}
}

func TestCommandEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	begin := time.Now()
	if err := command(ctx, []string{"sh", "-c", "sleep 60 & wait"}, nil); err == nil {
		t.Error("no error from a command that was stopped")
	}
	if took := time.Since(begin); took > grace {
		t.Errorf("took %s: the command's child was left running", took)
	}
}
