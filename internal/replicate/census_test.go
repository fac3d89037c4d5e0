package replicate_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
)

// census counts what happened in many lives.
type census struct {
	mu     sync.Mutex
	lives  int // that went well
	counts map[string]int
}

func newCensus() *census { return &census{counts: map[string]int{}} }

// count adds one to each of the names; nobody counts in the nil census.
func (c *census) count(names ...string) {
	if c == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, name := range names {
		c.counts[name]++
	}
}

func (c *census) String() string {
	var words []string
	for _, name := range slices.Sorted(maps.Keys(c.counts)) {
		words = append(words, fmt.Sprintf("%d × %s", c.counts[name], name))
	}
	return strings.Join(words, ", ")
}

// lived counts a life that went well.
func (c *census) lived() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.lives++
}
