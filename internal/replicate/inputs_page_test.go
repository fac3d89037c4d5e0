package replicate_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// pageOfInputs is docs/INPUTS.md, as far as it says something that a test can hold it to.
type pageOfInputs struct {
	text    string
	verdict map[string]string   // by setting of the endpoint
	shownBy map[string][]string // cases and tests
}

func readPageOfInputs(t *testing.T) pageOfInputs {
	t.Helper()
	body, err := os.ReadFile("../../docs/INPUTS.md")
	if err != nil {
		t.Fatal(err)
	}
	p := pageOfInputs{text: string(body), verdict: map[string]string{}, shownBy: map[string][]string{}}
	_, table, _ := strings.Cut(p.text, "| setting | verdict | what it does to sluice, and why | shown by |")
	table, _, _ = strings.Cut(table, "\n\n")
	for line := range strings.Lines(table) {
		cells := strings.Split(line, "|")
		name := strings.Trim(strings.TrimSpace(cells[min(1, len(cells)-1)]), "`")
		if len(cells) != 6 || strings.HasPrefix(name, "-") {
			continue
		}
		p.verdict[name] = strings.TrimSpace(cells[2])
		for _, quoted := range regexp.MustCompile("`[^`]+`").FindAllString(cells[4], -1) {
			p.shownBy[name] = append(p.shownBy[name], strings.Trim(quoted, "`"))
		}
	}
	return p
}

// settingsOfTheSDK are the fields of S3Settings.
func settingsOfTheSDK(t *testing.T) []string {
	t.Helper()
	body, err := os.ReadFile("testdata/s3settings.txt")
	if err != nil {
		t.Fatal(err)
	}
	return slices.DeleteFunc(strings.Fields(regexp.MustCompile(`(?m)^#.*`).ReplaceAllString(string(body), "")), func(s string) bool { return s == "" })
}

// TestInputsPage_namesEverySetting: docs/INPUTS.md says of every setting of the endpoint what sluice makes of it.
func TestInputsPage_namesEverySetting(t *testing.T) {
	p, settings := readPageOfInputs(t), settingsOfTheSDK(t)
	if len(settings) != 41 {
		t.Errorf("%d settings", len(settings))
	}
	for _, name := range settings {
		if !slices.Contains([]string{"supported", "ignored", "refused"}, p.verdict[name]) {
			t.Errorf("%s: the verdict is %q", name, p.verdict[name])
		}
		if p.verdict[name] != "ignored" && len(p.shownBy[name]) == 0 {
			t.Errorf("%s is %s, and nothing shows it", name, p.verdict[name])
		}
	}
	for name := range p.verdict {
		if !slices.Contains(settings, name) {
			t.Errorf("%s is no setting of the endpoint", name)
		}
	}
}

// TestInputsPage_isShown: the cases and tests that it names are there.
func TestInputsPage_isShown(t *testing.T) {
	known := map[string]bool{}
	for _, c := range caseSettings() {
		known[c.name] = true
	}
	for _, e := range caseEvents() {
		known[e.name] = true
	}
	function := regexp.MustCompile(`(?m)^func (Test\w+)\(`)
	for _, pattern := range []string{"*_test.go", "../../cmd/sluice/*_test.go", "../dms/*_test.go", "../lake/*_test.go"} {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			t.Fatal(pattern, err)
		}
		for _, file := range files {
			body, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range function.FindAllStringSubmatch(string(body), -1) {
				known[m[1]] = true
			}
		}
	}
	for setting, names := range readPageOfInputs(t).shownBy {
		for _, name := range names {
			if !known[name] {
				t.Errorf("%s: there is no test or case %q", setting, name)
			}
		}
	}
}

// TestInputsPage_settingsToCopy are settings that there are, none of them refused, none set to what is refused.
func TestInputsPage_settingsToCopy(t *testing.T) {
	p := readPageOfInputs(t)
	_, block, _ := strings.Cut(p.text, "```json\n")
	block, _, _ = strings.Cut(block, "```")
	var settings map[string]any
	if err := json.Unmarshal([]byte(block), &settings); err != nil {
		t.Fatal(err)
	}
	for name, value := range settings {
		if p.verdict[name] != "supported" && value != false {
			t.Errorf("%s=%v is %s", name, value, p.verdict[name])
		}
	}
	if settings["IncludeOpForFullLoad"] != true || settings["DataFormat"] != "parquet" {
		t.Errorf("%v", settings)
	}
}

// TestInputsPage_linksToPages that are there.
func TestInputsPage_linksToPages(t *testing.T) {
	for _, m := range regexp.MustCompile(`\]\(([A-Z]+\.md)\)`).FindAllStringSubmatch(readPageOfInputs(t).text, -1) {
		if _, err := os.Stat(filepath.Join("../../docs", m[1])); err != nil {
			t.Error(err)
		}
	}
}
