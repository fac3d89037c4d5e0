package replicate_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"sluice/internal/object"
	"sluice/internal/replicate"
	"sluice/statestore"
)

func TestRuling25_PlainAcknowledgeLooksAgain(t *testing.T) {
	w := newWorld(t)
	w.begin("id", "", rowsOf("id, v", "1, 'a'"))
	key := w.changeOf(rowsOf(`"Op", id, v`, "'X', 1, 'A'"))
	w.wantHalt("input", key)
	w.acknowledge("")
	if got := w.wantHalt("input", key); !got.NewlyHalted {
		t.Error("the same fault after an acknowledge is a new halt, to be notified again")
	}
	w.write("raw", key, rowsOf(`"Op", id, v`, "'U', 1, 'A'"))
	w.wantHalt("input") // mended, but nobody said so
	w.acknowledge("")
	w.run(storyTable, replicate.Merged)
	w.wantRows("id, v", "1 A")
	if status := w.item(storyPath)[statestore.Status]; status != "" {
		t.Errorf("status %q after the halt", status)
	}
}

func TestRuling25_VanishedInputsAreForgottenAndTheLakeStays(t *testing.T) {
	w := newWorld(t)
	w.begin("id", "", rowsOf("id, v", "1, 'a'"))
	first := w.changeOf(rowsOf(`"Op", id, v`, "'U', 1, 'A'"))
	w.changeOf(rowsOf(`"Op", id, v`, "'I', 2, 'b'"))
	w.run(storyTable, replicate.Merged)
	w.drop("raw", first)
	w.wantHalt("vanished", first)
	w.changeOf(rowsOf(`"Op", id, v`, "'I', 3, 'c'"))
	w.wantHalt("vanished")
	w.acknowledge("")
	w.run(storyTable, replicate.Merged)
	w.wantRows("id, v", "1 A", "2 b", "3 c")
	w.run(storyTable, replicate.Idle)
}

func TestRuling25_AcceptTruncateEmptiesTheLakeInOneCommit(t *testing.T) {
	w := newWorld(t)
	w.begin("id", "p", rowsOf("id, p", "1, 'x'", "2, 'y'"))
	key := w.changeOf(rowsOf(`"Op", id, p`, "'I', 3, 'z'"))
	w.run(storyTable, replicate.Merged)
	w.drop("raw", key)
	w.drop("raw", "store/t/LOAD00000001.parquet")
	w.wantHalt("vanished", "--accept truncate")
	w.wantRows("id, p", "1 x", "2 y", "3 z")
	seq := w.seq()
	w.acknowledge("truncate")
	got := w.run(storyTable, replicate.Merged)
	if got.Deletes != 3 || got.FilesEmptied != 3 || w.seq() != seq+1 {
		t.Errorf("truncate: %+v %+v, %d commits", got.Counts, got.Traffic, w.seq()-seq)
	}
	w.wantRows("id, p")
	w.run(storyTable, replicate.Idle)
	w.changeOf(rowsOf(`"Op", id, p`, "'I', 4, 'x'"))
	w.run(storyTable, replicate.Merged)
	w.wantRows("id, p", "4 x")
}

func TestRuling25_AcceptReloadRunsAFencedReload(t *testing.T) {
	w := newWorld(t)
	w.begin("id", "", rowsOf("id, v", "1, 'a'"))
	w.set(storyPath, map[string]string{statestore.ReloadPolicy: "fence"})
	w.pass(time.Hour)
	w.loadOf(1, rowsOf("id, v", "2, 'b'"))
	w.wantHalt("reload", "LOAD00000001.parquet", "--accept reload")
	w.acknowledge("")
	w.wantHalt("reload")
	w.wantRows("id, v", "1 a")
	w.acknowledge("reload")
	w.run(storyTable, replicate.Loaded)
	w.wantRows("id, v", "2 b")
	w.pass(time.Hour)
	w.loadOf(1, rowsOf("id, v", "3, 'c'"))
	w.wantHalt("reload") // it was accepted once, not for ever
}

func TestRuling25_WrongUse(t *testing.T) {
	w := newWorld(t)
	w.begin("id", "", rowsOf("id, v", "1, 5"))
	refused := func(table, accept string) {
		t.Helper()
		if _, err := w.engine().Acknowledge(t.Context(), table, accept); !errors.Is(err, replicate.ErrUsage) {
			t.Errorf("acknowledge %s --accept %q: %v, want ErrUsage", table, accept, err)
		}
	}
	refused(storyTable, "") // it is not halted
	refused(storyTable, "truncate")
	refused(storyTable, "everything")
	refused("store.nothing", "")
	w.changeOf(rowsOf(`"Op", id, v`, "'U', 1, 3000000000"))
	w.wantHalt("schema", "--accept schema")
	for _, accept := range []string{"truncate", "reload", "foreign", "vanished", "late", "SCHEMA"} {
		refused(storyTable, accept) // not what the halt asks for: truncate would empty the lake
	}
	w.wantHalt("schema")
	w.wantRows("id, v", "1 5")
	w.acknowledge("schema")
	w.run(storyTable, replicate.Merged)
	w.wantRows("id, v", "1 3000000000")
}

func TestRuling28_OtherTablesGoOn(t *testing.T) {
	w := newWorld(t)
	w.begin("id", "", rowsOf("id, v", "1, 'a'"))
	w.load(product(), []any{1, "a", "x"})
	w.run("store.product", replicate.Registered)
	w.activate("store.product", "id", "")
	w.run("store.product", replicate.Loaded)
	w.changeOf(rowsOf(`"Op", id, v`, "'X', 1, 'A'"))
	w.change(product(), update(1, "A", "x"))
	results := w.tick()
	if got := results[storyTable]; got.Action != replicate.Halted || !got.NewlyHalted {
		t.Errorf("store.t: %+v", got)
	}
	if got := results["store.product"]; got.Action != replicate.Merged {
		t.Errorf("store.product: %+v", got)
	}
	for range 3 {
		w.pass(time.Hour)
		if got := w.wantHalt("input"); got.NewlyHalted {
			t.Error("notified again")
		}
	}
}

func TestRuling28_ANewFullLoadClearsVanishedInputs(t *testing.T) {
	w := newWorld(t)
	w.begin("id", "", rowsOf("id, v", "1, 'a'"))
	key := w.changeOf(rowsOf(`"Op", id, v`, "'U', 1, 'A'"))
	w.run(storyTable, replicate.Merged)
	w.drop("raw", key)
	w.wantHalt("vanished")
	w.pass(time.Hour)
	w.loadOf(1, rowsOf("id, v", "7, 'new'"))
	w.run(storyTable, replicate.Loaded)
	w.wantRows("id, v", "7 new")
	w.run(storyTable, replicate.Idle)
}

// What an operator had accepted was lost when inputs expired before the next run: that the set of them had changed was
// recorded first, by a commit, which ended it. A truncated table kept its rows and was not halted any more.
func TestRuling25_WhatWasAcceptedHoldsThoughInputsExpire(t *testing.T) {
	for name, make := range map[string]func(testing.TB) *bench{"truncate": truncate, "schema": schemaRewrite} {
		t.Run(name, func(t *testing.T) {
			b := make(t)
			b.doubles = true
			b.pass(10 * day)
			for _, entry := range b.inputs() {
				if entry.LastModified.Before(b.now().Add(-b.config.Horizon)) && strings.Contains(entry.Key, "LOAD") {
					b.must(b.raw.Delete(t.Context(), entry.Key, ""))
				}
			}
			b.must(b.settle())
			b.must(b.wrong())
		})
	}
}

// inputs are the objects in raw.
func (b *bench) inputs() []object.Entry {
	var all []object.Entry
	for entry, err := range b.raw.List(b.t.Context(), object.ListInput{}) {
		b.must(err)
		all = append(all, entry)
	}
	return all
}
