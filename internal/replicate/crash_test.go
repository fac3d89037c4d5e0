package replicate_test

import (
	"os"
	"slices"
	"strings"
	"testing"

	"sluice/internal/object/objectfault"
	"sluice/scripts/rig"
)

// pointVariable names the environment variable of TestOnePoint.
const pointVariable = "SLUICE_POINT"

// TestEveryEffectMayFail lets every effect of the next run of every scenario
// fail, in every way. Then healthy runs must end as without the fault.
func TestEveryEffectMayFail(t *testing.T) {
	t.Parallel()
	points := 0
	for _, s := range scenarios() {
		t.Run(s.name, func(t *testing.T) {
			some := ways()
			if s.big {
				some = someWays()
			}
			tried := s.crash(t, s.world(t), some, []moment{atOnce, atTheEnd})
			points += tried
			t.Logf("%d points", tried)
		})
	}
	rig.Figure(t, "crash points", "%d in %d scenarios", points, len(scenarios()))
}

// someWays are those of a process that dies, for scenarios that take long or are many.
func someWays() []way {
	return slices.DeleteFunc(ways(), func(w way) bool { return !w.crash || w.lake == objectfault.Before })
}

// crash plays every point of one fault in b's next run.
func (s scenario) crash(t *testing.T, b *bench, ways []way, moments []moment) int {
	t.Helper()
	want := s.healthy(t, b.fork())
	steps := s.steps(want.effects, ways, moments)
	for _, st := range steps {
		if err := s.play(b.fork(), want, st); err != nil {
			failed(t, point{s.name, []step{st}}, err)
		}
	}
	return len(steps)
}

func failed(t *testing.T, p point, err error) {
	t.Helper()
	t.Errorf("%s: %v\nrepeat with: %s", p, err, p.repeat())
}

// TestOnePoint plays the one point that the environment names, as a failure of the other tests prints it.
func TestOnePoint(t *testing.T) {
	text := os.Getenv(pointVariable)
	if text == "" {
		text = "merge/lake:dead-late#8@end/state:lost#1"
	}
	p, err := parsePoint(text)
	if err != nil {
		t.Fatalf("%s: %v", pointVariable, err)
	}
	s, err := scenarioNamed(t, p.scenario)
	if err != nil {
		t.Fatalf("%s: %v", pointVariable, err)
	}
	world := s.world(t)
	if world == nil {
		t.Fatalf("%s: nothing is pending when the commit dies of that effect", p.scenario)
	}
	var want *ending
	if !s.fresh {
		want = s.healthy(t, world.fork())
		t.Logf("without faults: %d effects of the lake, %d of the control table, %+v", want.effects.lake, want.effects.state, want.told)
	}
	err = s.play(world, want, p.steps...)
	if err == nil && os.Getenv(rig.EnvDuckDB) != "" {
		err = world.wrongToDuckDB(t.TempDir(), rig.DuckDB(t))
	}
	if err != nil {
		t.Errorf("%s: %v", p, err)
	}
}

func TestPointsReadBack(t *testing.T) {
	for _, text := range []string{
		"merge", "merge-foreign~7@3", "merge/lake:before#1", "partition-move/lake:dead-late#12@end", "reload/state:late#3@once/lake:twice#4@7",
	} {
		p, err := parsePoint(text)
		if err != nil || p.String() != text {
			t.Errorf("%s: got %s, %v", text, p, err)
		}
		if !strings.Contains(p.repeat(), "'"+text+"'") {
			t.Errorf("%s is repeated by %s", text, p.repeat())
		}
	}
	for _, text := range []string{
		"merge/lake:sideways#1", "merge/lake:before", "merge/lake:before#0", "merge/lake:before#1@end",
		"merge/lake:late#1", "merge/lake:late#1@-1", "merge/lake:late#1@soon", "merge/lake:late#x@end", "merge/",
	} {
		if p, err := parsePoint(text); err == nil {
			t.Errorf("%s is read as %s", text, p)
		}
	}
}
