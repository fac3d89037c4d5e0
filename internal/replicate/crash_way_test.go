package replicate_test

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"

	"sluice/internal/object"
	"sluice/internal/object/objectfault"
	"sluice/statestore/statestorefault"
)

// way is how one effect of a run goes wrong. A way of the lake has an effect of
// the bucket fail, a way of the state one of the control table.
type way struct {
	name  string
	lake  objectfault.How
	state statestorefault.How
	crash bool
	late  bool // a request waits, to arrive at one moment or another
}

// ways are all of them. After a dead one nothing of the process is heard any more.
func ways() []way {
	return []way{
		{name: "lake:before", lake: objectfault.Before},
		{name: "lake:lost", lake: objectfault.After},
		{name: "lake:late", lake: objectfault.Delayed, late: true},
		{name: "lake:twice", lake: objectfault.Twice, late: true},
		{name: "lake:resent", lake: objectfault.Resent},
		{name: "lake:dead-before", lake: objectfault.Before, crash: true},
		{name: "lake:dead-after", lake: objectfault.After, crash: true},
		{name: "lake:dead-late", lake: objectfault.Delayed, crash: true, late: true},
		{name: "lake:dead-twice", lake: objectfault.Twice, crash: true, late: true},
		{name: "state:before", state: statestorefault.Before},
		{name: "state:lost", state: statestorefault.After},
		{name: "state:late", state: statestorefault.Delayed, late: true},
		{name: "state:twice", state: statestorefault.Twice, late: true},
		{name: "state:dead-before", state: statestorefault.Before, crash: true},
		{name: "state:dead-after", state: statestorefault.After, crash: true},
		{name: "state:dead-late", state: statestorefault.Delayed, crash: true, late: true},
		{name: "state:dead-twice", state: statestorefault.Twice, crash: true, late: true},
	}
}

// unheard says whether the effect may have taken place without its sender's knowing, even when it asks.
func (w way) unheard() bool { return w.state != 0 && (w.crash || w.late) }

// moment says when the request that waits arrives: before the n-th write of the next runs (an upload counts twice, when
// it begins and when it ends), or one of these.
type moment int

const (
	atOnce   moment = 0  // when the run with the fault has ended
	atTheEnd moment = -1 // when the table is idle again
)

func (m moment) String() string {
	switch m {
	case atOnce:
		return "once"
	case atTheEnd:
		return "end"
	}
	return strconv.Itoa(int(m))
}

// step is a run with one fault.
type step struct {
	way    way
	effect int // counted from 1
	moment moment
}

// String is way#effect, and @moment when a request waits.
func (s step) String() string {
	text := fmt.Sprintf("%s#%d", s.way.name, s.effect)
	if s.way.late {
		text += "@" + s.moment.String()
	}
	return text
}

func parseStep(text string) (step, error) {
	text, at, timed := strings.Cut(text, "@")
	name, number, _ := strings.Cut(text, "#")
	n := slices.IndexFunc(ways(), func(w way) bool { return w.name == name })
	if n < 0 {
		return step{}, fmt.Errorf("there is no way %q", name)
	}
	s := step{way: ways()[n]}
	var err error
	if s.effect, err = strconv.Atoi(number); err != nil || s.effect < 1 {
		return step{}, fmt.Errorf("%q is no effect of %s; give way#1 and so on", number, name)
	}
	if timed != s.way.late {
		return step{}, fmt.Errorf("%s: a moment, such as @once, @2 or @end, goes with a way whose request waits, and only with such", s.way.name)
	}
	if timed {
		s.moment, err = parseMoment(at)
	}
	return s, err
}

func parseMoment(text string) (moment, error) {
	switch text {
	case atOnce.String():
		return atOnce, nil
	case atTheEnd.String():
		return atTheEnd, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		return 0, fmt.Errorf("%q is no moment; give once, end, or before which write of the next runs", text)
	}
	return moment(n), nil
}

// point is one way to the end: a scenario whose next runs have one fault each.
type point struct {
	scenario string
	steps    []step
}

// String is what TestOnePoint reads: the scenario and its steps, with slashes between.
func (p point) String() string {
	parts := []string{p.scenario}
	for _, s := range p.steps {
		parts = append(parts, s.String())
	}
	return strings.Join(parts, "/")
}

// repeat is the command that tries this point alone.
func (p point) repeat() string {
	return fmt.Sprintf("%s='%s' go test ./internal/replicate -run TestOnePoint -v", pointVariable, p)
}

func parsePoint(text string) (point, error) {
	parts := strings.Split(text, "/")
	p := point{scenario: parts[0]}
	for _, part := range parts[1:] {
		s, err := parseStep(part)
		if err != nil {
			return p, fmt.Errorf("%q: %w", text, err)
		}
		p.steps = append(p.steps, s)
	}
	return p, nil
}

// request is one that is under way.
type request struct {
	moment moment
	arrive func()
}

// underWay is what has not arrived yet, and how many writes there were.
type underWay struct {
	mu       sync.Mutex
	writes   int
	requests []*request
}

// write lets arrive what is to arrive before the write that begins now.
func (u *underWay) write() {
	u.mu.Lock()
	u.writes++
	var now, left []*request
	for _, r := range u.requests {
		if r.moment > 0 {
			r.moment--
			if r.moment == 0 {
				now = append(now, r)
				continue
			}
		}
		left = append(left, r)
	}
	u.requests = left
	u.mu.Unlock()
	arrive(now)
}

// come lets arrive what waits for this moment.
func (u *underWay) come(m moment) {
	u.mu.Lock()
	var now, left []*request
	for _, r := range u.requests {
		if r.moment == m || m == atTheEnd {
			now = append(now, r)
		} else {
			left = append(left, r)
		}
	}
	u.requests = left
	u.mu.Unlock()
	arrive(now)
}

func arrive(requests []*request) {
	for _, r := range requests {
		r.arrive()
	}
}

// arriving is a lake at which requests that were under way arrive at their moments.
type arriving struct {
	object.Store
	under *underWay
}

func (a arriving) Put(ctx context.Context, key string, body []byte, in object.PutInput) (object.Info, error) {
	a.under.write()
	return a.Store.Put(ctx, key, body, in)
}

func (a arriving) Create(ctx context.Context, key string, in object.PutInput) object.Upload {
	a.under.write()
	return arrivingUpload{a.Store.Create(ctx, key, in), a}
}

type arrivingUpload struct {
	object.Upload
	store arriving
}

func (u arrivingUpload) Close(ctx context.Context) (object.Info, error) {
	u.store.under.write()
	return u.Upload.Close(ctx)
}
