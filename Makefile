# Every check has one definition here; .ci/run and the hooks call these targets.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
UV_VERSION := 0.13.8
ARGS ?=
DATA ?= ../shared/data

.DEFAULT_GOAL := help
.PHONY: help install install-dev native collector collector-check up test check lint types generate bench bench-peers evaluate fuzz torture clean
NATIVE_SOURCES := $(wildcard ingest/native/*.toml ingest/native/src/*.rs ingest/native/src/*/*.rs)
COLLECTOR := build/collector/otelcol-actorscope
COLLECTOR_SOURCES := $(shell find collector -type f)

help: ## show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-15s %s\n", $$1, $$2}'

$(BIN)/uv:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "actorscope needs Python 3.11 or newer; make PYTHON=/path/to/python3"; exit 2; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)

$(VENV)/.installed: $(BIN)/uv pyproject.toml constraints.txt
	$(BIN)/uv pip install --quiet --python $(BIN)/python --constraint constraints.txt --editable '.[server]'
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.installed
	$(BIN)/uv pip install --quiet --python $(BIN)/python --constraint constraints.txt --editable '.[dev]'
	@touch $@

install: $(VENV)/.installed ## make .venv with what running needs

install-dev: $(VENV)/.installed-dev ## make .venv with what tests need too

$(VENV)/.native: $(VENV)/.installed $(NATIVE_SOURCES)
	@if ! command -v cargo >/dev/null 2>&1; then echo "native decoder: skipped, no Rust toolchain; the Python decoder is used"; \
	elif $(BIN)/uv pip install --quiet --python $(BIN)/python --reinstall-package actorscope-native ./ingest/native; \
	then touch $@; else echo "native decoder: could not be built; the Python decoder is used"; fi

native: $(VENV)/.native ## build the native decoder where cargo is there

$(COLLECTOR): $(filter-out %_test.go,$(COLLECTOR_SOURCES))
	@sh collector/build.sh || [ $$? = 3 ]

collector: ## build the OpenTelemetry Collector with our components where Go is there
	@if command -v go >/dev/null 2>&1; then $(MAKE) --no-print-directory $(COLLECTOR); \
	else echo "collector: skipped: no Go toolchain"; fi

$(VENV)/.collector-check: $(COLLECTOR_SOURCES)
	@if command -v go >/dev/null 2>&1; then { sh collector/check.sh && mkdir -p $(@D) && touch $@; } || [ $$? = 3 ]; \
	else echo "collector: not checked: no Go toolchain"; fi

collector-check: $(VENV)/.collector-check ## format, vet, staticcheck, race, fuzz and drift of what is written in Go

up: $(VENV)/.native ## start everything on this machine (ARGS="--demo" plays a fleet into it)
	@exec $(BIN)/actorscope up $(ARGS)

test: $(VENV)/.installed-dev $(VENV)/.native collector $(VENV)/.collector-check lint types ## run the whole suite
	$(BIN)/python -m pytest $(ARGS)

check: test ## what CI runs

$(VENV)/.native-lint: $(VENV)/.installed $(NATIVE_SOURCES)
	@if ! command -v cargo >/dev/null 2>&1; then echo "native decoder: not checked, no Rust toolchain"; \
	elif ! cargo clippy --version >/dev/null 2>&1; then echo "native decoder: not checked, no clippy"; \
	else cd ingest/native && export PYO3_PYTHON=$(CURDIR)/$(BIN)/python && cargo clippy --quiet --all-targets -- -D warnings \
	&& cargo test --quiet && touch $(CURDIR)/$@; fi

lint: $(VENV)/.installed-dev $(VENV)/.native-lint ## style and import floors
	$(BIN)/ruff check --quiet .
	$(BIN)/lint-imports --no-cache | tail -n 3

types: $(VENV)/.installed-dev ## mypy, strict
	$(BIN)/mypy

generate: $(VENV)/.installed-dev ## write generated names and documents
	$(BIN)/actorscope semconv generate
	$(BIN)/python -m actorscope.docs

bench: $(VENV)/.installed-dev $(VENV)/.native ## measure intake, storage and detection (numbers go to docs/benchmarks.md)
	$(BIN)/python -m tests.bench $(ARGS)

bench-peers: $(VENV)/.installed-dev $(VENV)/.native ## the same load into other backends, minutes long (ARGS="--only mlflow")
	$(BIN)/python -m tests.bench.peers $(ARGS)

evaluate: $(VENV)/.installed-dev $(VENV)/.native ## labelled runs through the real program, numbers go to docs/detection-quality.md (DATA=DIR ARGS="--only tau")
	$(BIN)/python -m tests.evaluate --data $(DATA) --document $(ARGS)

fuzz: $(VENV)/.installed-dev $(VENV)/.native ## a million changed inputs through every parser (ARGS="--target json --inputs 50000")
	$(BIN)/python -m tests.fuzz $(ARGS)

torture: $(VENV)/.installed-dev $(VENV)/.native ## 200 rounds of kills, full disks and broken stores under load (ARGS="--rounds 20")
	$(BIN)/python -m tests.torture $(ARGS)

clean: ## remove the environment and caches
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis test-artifacts
