package functions_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// docs/OPERATIONS.md has a section for whatever an operator is called for.

// sections are its headings of the third order.
func sections(t *testing.T) map[string]bool {
	t.Helper()
	text, err := os.ReadFile("../docs/OPERATIONS.md")
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^### (.*)$`).FindAllStringSubmatch(string(text), -1) {
		found[m[1]] = true
	}
	return found
}

func TestEveryAlarmHasASection(t *testing.T) {
	text, err := os.ReadFile("../infra/observability.yaml")
	if err != nil {
		t.Fatal(err)
	}
	named := regexp.MustCompile(`AlarmName: !Sub \$\{AWS::StackName\}-([a-z-]+)`).FindAllStringSubmatch(string(text), -1)
	if all := strings.Count(string(text), "AWS::CloudWatch::Alarm\n"); len(named) == 0 || len(named) != all {
		t.Fatalf("%d of %d alarms have a name of the form that this test reads", len(named), all)
	}
	known := sections(t)
	for _, m := range named {
		if !known[m[1]] {
			t.Errorf("docs/OPERATIONS.md has no section %q", m[1])
		}
	}
}

func TestEveryReasonOfAHaltHasASection(t *testing.T) {
	files, err := filepath.Glob("../internal/replicate/*.go")
	if err != nil {
		t.Fatal(err)
	}
	codes := map[string]bool{}
	collect := func(text, pattern string) {
		for _, m := range regexp.MustCompile(pattern).FindAllStringSubmatch(text, -1) {
			codes[m[1]] = true
		}
	}
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		collect(string(text), `(?:haltf\(|Code: )"([a-z]+)`)
		if _, rest, is := strings.Cut(string(text), "func dataFault("); is {
			body, _, _ := strings.Cut(rest, "\n}\n")
			collect(body, `return "([a-z]+)"`)
		}
	}
	delete(codes, "pending") // verify's alone: no table halts for it
	if len(codes) < 12 {
		t.Errorf("only %d codes were found: %v", len(codes), codes)
	}
	known := sections(t)
	for code := range codes {
		if !known[code] {
			t.Errorf("docs/OPERATIONS.md has no section for halts %q", code)
		}
	}
}
