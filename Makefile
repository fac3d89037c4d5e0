# Targets with a ## comment are what make help shows.
SHELL       := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS   += --no-print-directory

FUZZTIME ?= 1m
SOAK     ?= 30m
BENCH    ?= .
PKG      ?= ./...
TIMEFORMAT := %1R s
export TIMEFORMAT

# The tools of the checks and of the tests, built once into .tools. The rig is built, not run by "go run", which would
# leave it behind on SIGTERM.
rig = mkdir -p .tools/bin && go build -o .tools/bin/rig ./scripts/rig/cmd/rig && .tools/bin/rig --

.PHONY: help
help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: demo
demo: build ## a sample database as DMS files, merged into a lake here and now: Go only, no account
	@echo "demo:"; time bin/sluice demo

.PHONY: build
build: ## bin/sluice, one static binary
	@mkdir -p bin
	CGO_ENABLED=0 go build -trimpath -o bin/sluice ./cmd/sluice

.PHONY: test
test: ## every test, on real servers started for it (PKG=./… for some packages)
	@mkdir -p .tools/bin && go build -o .tools/bin/report ./scripts/rig/cmd/report
	@$(rig) go test -json -vet=off $(RACE) -timeout 20m $(PKG) | .tools/bin/report

.PHONY: race
race: RACE := -race
race: test ## the same under the race detector, which takes some nine minutes

.PHONY: check
check: fmt-check lint vet tidy-check vuln templates package ## formatting, lint, vet, go.mod, known vulnerabilities, templates
	@echo "check: all well"

.PHONY: fmt
fmt: ## format the code
	@"$$(tools/build golangci)" fmt

.PHONY: fmt-check lint vet tidy-check vuln
fmt-check:
	@linter=$$(tools/build golangci); echo "check: formatting"; "$$linter" fmt --diff

lint:
	@linter=$$(tools/build golangci); echo "check: lint"; time "$$linter" run

vet:
	@echo "check: vet"; go vet ./...

tidy-check:
	@echo "check: go.mod"; go mod tidy -diff

vuln:
	@tools/vuln

.PHONY: templates
templates:
	@echo "check: templates"; time tools/templates/check

.PHONY: package
package: ## the functions as sam build makes them, and as zips in bin/functions; fails above 15 MB
	@echo "check: package"; time tools/sam/package

.PHONY: posture
posture: ## what a scanner says about the templates, less what docs/adr answers
	@tools/checkov/posture

.PHONY: faults
faults: ## breaks the templates on purpose, fault by fault, and says who of make check finds it
	@PYTHONDONTWRITEBYTECODE=1 "$$(scripts/rig/setup templates tools/templates/requirements.lock)" tools/templates/faults.py .

.PHONY: bench
bench: build ## whole runs beside DuckDB, 10 M rows (BENCH_FLAGS='--rows 1000000 --only load,tail'): docs/PERFORMANCE.md
	@$(rig) go run ./scripts/bench $(BENCH_FLAGS)

.PHONY: bench-peers
bench-peers: build ## the same, also beside Polars and delta-rs; SPARK=1: and Spark, which needs a Java 17
	@peers=$$(scripts/rig/setup peers scripts/bench/peers.lock); \
	spark=$${SPARK:+$$(scripts/rig/setup spark scripts/bench/spark.lock pyspark)}; \
	$(rig) go run ./scripts/bench --peers "$$peers" --spark "$${spark:-}" $(BENCH_FLAGS)

.PHONY: bench-guard
bench-guard: build ## 1 M rows, three times: fails when sluice's part of DuckDB's CPU time is above scripts/bench/guard.txt
	@$(rig) go run ./scripts/bench --rows 1000000 --only load,adopted-tail,adopted-random,columns --repeat 3 --guard scripts/bench/guard.txt

.PHONY: gobench
gobench: ## Go benchmarks, without tests (BENCH=regexp, PKG=./…)
	go test -run '^$$' -bench '$(BENCH)' -benchmem $(PKG)

.PHONY: fuzz
fuzz: ## every fuzz target for FUZZTIME=1m, then what each of them came to (PKG=./… for some packages)
	@tools/fuzz '$(FUZZTIME)' $(PKG)

.PHONY: soak
soak: ## the long tests (TestSoak…) for SOAK=30m in all, on real servers; ends with the figures, by kind
	@mkdir -p .tools/bin && go build -o .tools/bin/report ./scripts/rig/cmd/report
	@export SLUICE_SOAK='$(SOAK)'; $(rig) go test -json -tags soak -run Soak -count 1 -timeout 0 -p 1 $(PKG) | .tools/bin/report

.PHONY: clean
clean: ## delete what was built, the installed tools too
	rm -rf bin .tools .aws-sam
