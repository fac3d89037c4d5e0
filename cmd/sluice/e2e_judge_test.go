//go:build linux

package main_test

import (
	"fmt"
	"strings"
)

// verdict is what was found in what somebody read.
type verdict struct {
	keys    int      // keys that had to be there, or not
	faults  []string // rows missing, doubled or wrong
	missing int
	wrong   int
	doubled int
	slipped int // keys that a reader of a changing listing missed, and may miss
}

// judge holds rows against the states between which the lake was while they were read. still says that the lake's files
// were the same from before the first was opened until behind the last: then it was read as it was at one instant.
//
// What holds of every reader, also of one that lists the files and then opens one after the other:
//   - each row is one that the source had in one of the states;
//   - a row that is there in all of them, and in one partition, and that no full load or compaction came over, is seen exactly once:
//     its file is listed, and has it whenever it is opened.
//
// What holds only of one who saw one instant:
//   - a row that is there in all of the states is seen, wherever it is on its way, and not more than twice; a full load that
//     overtakes another adds one.
//
// For a row goes from a file to a new one: who listed before the new one was there and opened the old one when the row
// had left it sees it in neither. No writer of plain files can help that reader; it is counted as slipped.
func (h *history) judge(rows map[string][]string, from, to int, still bool) verdict {
	h.mu.Lock()
	defer h.mu.Unlock()
	var v verdict
	fault := func(count *int, format string, args ...any) {
		*count++
		v.faults = append(v.faults, fmt.Sprintf(format, args...))
	}
	loads := 0
	for _, state := range h.reloads {
		if state > from && state <= to {
			loads++
		}
	}
	for key, versions := range h.keys {
		e := expect(versions, from, to)
		e.stays = e.stays && loads == 0 && !h.compacted
		seen := rows[key]
		v.keys++
		for _, row := range seen {
			if !e.rows[row] {
				fault(&v.wrong, "%s is neither old nor new, want one of %s", row, e)
			}
		}
		switch {
		case e.always && len(seen) == 0 && (still || e.stays):
			fault(&v.missing, "key %s is missing, want one of %s", key, e)
		case e.always && len(seen) == 0:
			v.slipped++
		case e.always && e.stays && len(seen) > 1, still && len(seen) > max(2, 1+loads):
			fault(&v.doubled, "key %s is there %d times: %s", key, len(seen), strings.Join(seen, ", "))
		}
	}
	for key, seen := range rows {
		if h.keys[key] == nil {
			fault(&v.wrong, "%s never was at the source", strings.Join(seen, ", "))
		}
	}
	return v
}

// expected is what a row was in some states.
type expected struct {
	rows   map[string]bool // as it may be seen
	always bool            // it is there in all of them
	stays  bool            // in one partition
}

func (e expected) String() string {
	var texts []string
	for row := range e.rows {
		texts = append(texts, row)
	}
	return fmt.Sprintf("%q", texts)
}

func expect(versions []version, from, to int) expected {
	e := expected{rows: map[string]bool{}, always: true, stays: true}
	dir := ""
	for i, v := range versions {
		if v.since > to || i+1 < len(versions) && versions[i+1].since <= from {
			continue
		}
		e.always = e.always && v.row != "" && (i > 0 || v.since <= from)
		if len(e.rows) > 0 && v.dir != dir {
			e.stays = false
		}
		if dir = v.dir; v.row != "" {
			e.rows[v.row] = true
		}
	}
	e.always = e.always && len(e.rows) > 0
	return e
}
