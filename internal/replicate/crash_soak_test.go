package replicate_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"sluice/internal/object"
	"sluice/scripts/rig"
)

// unit is what one core does at a time: some points, whose verdicts it says.
type unit func(say *verdicts)

// shuffled puts units in an order that is always the same, so that those
// played in a short time are of every kind.
func shuffled(list []unit) []unit {
	random := rand.New(rand.NewPCG(1, 0))
	random.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
	return list
}

// verdicts counts points and reports those that went wrong.
type verdicts struct {
	t      *testing.T
	duck   *rig.Reader // reads the lake of some of them, too; nil = of none
	every  int         // of so many
	mu     sync.Mutex
	points int
	read   int
}

// point says what became of a point; b is its world in the end.
func (v *verdicts) point(p point, b *bench, err error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.points++
	if err == nil && v.duck != nil && v.points%v.every == 0 {
		v.read++
		if err = b.wrongToDuckDB(filepath.Join(v.t.TempDir(), strconv.Itoa(v.read)), v.duck); err != nil {
			err = fmt.Errorf("%w\n(DuckDB reads along where .tools/bin/rig -- stands before the command)", err)
		}
	}
	if err != nil {
		failed(v.t, p, err)
	}
}

func (v *verdicts) figure(kind string, done, of int) {
	text := fmt.Sprintf("%d (%d of %d units of work)", v.points, done, of)
	if v.read > 0 {
		text += fmt.Sprintf("; DuckDB read %d of the lakes", v.read)
	}
	rig.Figure(v.t, kind, "%s", text)
}

// soak plays units on all cores until the time is over, and, when the budget of make soak is a usual one, until there
// are enough points.
func (v *verdicts) soak(list []unit, budget time.Duration, enough int) (done int) {
	end := time.Now().Add(budget)
	defer debug.SetGCPercent(debug.SetGCPercent(400)) // a world is small and soon forgotten
	var group errgroup.Group
	group.SetLimit(runtime.GOMAXPROCS(0))
	for _, u := range list {
		v.mu.Lock()
		over := time.Now().After(end) && v.points >= enough
		v.mu.Unlock()
		if over || v.t.Failed() {
			break
		}
		done++
		group.Go(func() error {
			u(v)
			return nil
		})
	}
	_ = group.Wait()
	return done
}

// usual is the time from which on a soak has to reach its counts.
const usual = 30 * time.Minute

// TestSoakCrashPoints plays every point of one fault: every scenario and every
// replaced commit, every effect in every way, a request that waits before every write.
func TestSoakCrashPoints(t *testing.T) {
	const share = 0.10
	budget := rig.Soak(t, share)
	say := &verdicts{t: t, duck: rig.DuckDB(t), every: 500}
	list := shuffled(append(pointUnits(t), replacedUnits(t)...))
	enough := 0
	if budget >= time.Duration(share*float64(usual)) {
		enough = 5_000
	}
	done := say.soak(list, budget, enough)
	say.figure("crash points", done, len(list))
}

// TestSoakCrashPairs plays every pair of faults in two runs in a row.
func TestSoakCrashPairs(t *testing.T) {
	const share = 0.20
	budget := rig.Soak(t, share)
	say := &verdicts{t: t, duck: rig.DuckDB(t), every: 2_000}
	list := pairUnits(t)
	enough := 0
	if budget >= time.Duration(share*float64(usual)) {
		enough = 100_000
	}
	done := say.soak(list, budget, enough)
	say.figure("crash pairs", done, len(list))
}

// pointUnits are the single faults of every scenario, one effect a unit.
func pointUnits(t testing.TB) []unit {
	t.Helper()
	var list []unit
	for _, s := range scenarios() {
		b := s.world(t)
		want := s.healthy(t, b.fork())
		list = append(list, s.units(b, want, want.moments())...)
	}
	return list
}

// replacedUnits are the single faults of every replaced commit, and those with
// the write of the old commit's worker arriving in the end as well.
func replacedUnits(t testing.TB) []unit {
	t.Helper()
	var list []unit
	for _, d := range disturbances() {
		from := d.make(t)
		for i := range d.effects(from) {
			s := d.replaced(from, i+1)
			b := s.world(t)
			if b == nil {
				continue
			}
			want := s.healthy(t, b.fork())
			list = append(list, s.units(b, want, []moment{atOnce, 3, atTheEnd})...)
			for _, m := range []moment{2, 5, 9, 14, 20, atTheEnd} {
				late := d.replaced(from, i+1, m)
				list = append(list, late.units(nil, want, []moment{atOnce})...)
			}
		}
	}
	return list
}

// moments are all that a request may arrive at.
func (e *ending) moments() []moment {
	all := []moment{atOnce, atTheEnd}
	for n := range e.writes {
		all = append(all, moment(n+1))
	}
	return all
}

// units are the points of one fault, an effect of a way to a unit, played in forks of b, or, when it is nil, in worlds made anew.
func (s scenario) units(b *bench, want *ending, moments []moment) []unit {
	var list []unit
	steps := s.steps(want.effects, ways(), moments)
	for steps := range slices.Chunk(steps, 20) {
		list = append(list, func(say *verdicts) {
			for _, st := range steps {
				world, end := b, want
				if world == nil {
					world, end = s.make(say.t), nil
					world.doubles, world.inOrder = true, true
				} else {
					world = world.fork()
				}
				err := s.play(world, end, st)
				say.point(point{s.name, []step{st}}, world, err)
			}
		})
	}
	return list
}

// repartitioned says whether lake files lie in partitions by different keys.
func (b *bench) repartitioned() bool {
	by := map[string]bool{}
	for _, key := range b.keys("product/") {
		column, _, _ := strings.Cut(strings.TrimPrefix(key, "product/"), "=")
		by[column] = true
	}
	return len(by) > 1
}

// wrongToDuckDB compares the lake, as DuckDB reads it, with the oracle. Where the partition key was changed it is read
// after the janitor: partitions by two keys are refused until then (docs/OPERATIONS.md).
func (b *bench) wrongToDuckDB(dir string, duck *rig.Reader) error {
	if b.repartitioned() {
		cleanMuchLater(b)
	}
	files := 0
	for entry, err := range b.lake.List(b.t.Context(), object.ListInput{Prefix: "product/"}) {
		if err != nil {
			return err
		}
		body, _ := readObject(b.t, b.lake, entry.Key)
		path := filepath.Join(dir, entry.Key)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, body, 0o600); err != nil {
			return err
		}
		files++
	}
	if files == 0 {
		return nil
	}
	var names []string
	for _, c := range b.table.Columns {
		names = append(names, fmt.Sprintf("%q", c.Name))
	}
	rows, err := duck.Try(fmt.Sprintf("select %s from read_parquet(?, hive_partitioning=true, hive_types_autocast=false, union_by_name=true)",
		strings.Join(names, ", ")), filepath.Join(dir, "product", "**", "*.parquet"))
	if err != nil {
		return fmt.Errorf("DuckDB: %w", err)
	}
	got, want := map[string]int{}, map[string]int{}
	for _, row := range rows {
		_, text := b.text(func(column string) any { return row[b.table.Index(column)] })
		got[text]++
	}
	for _, rows := range b.wanted() {
		for _, text := range rows {
			want[text]++
		}
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		return fmt.Errorf("DuckDB reads %v, want %v", got, want)
	}
	return nil
}
