# Everything lives in .venv; the first run of a target sets it up. `make help` lists the targets.
SHELL := /bin/bash
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
RUN := $(BIN)/avatar-scheduler
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export UV_SYSTEM_CERTS := 1

help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

$(VENV)/.ready: requirements.lock pyproject.toml tools/setup.py
	@$(PYTHON) tools/setup.py env $(VENV)
	@touch $@

$(VENV)/.test-ready: $(VENV)/.ready tests/peers/package-lock.json
	@$(BIN)/python tools/setup.py peers
	@touch $@

demo: $(VENV)/.ready ## Run the main job: script, marked video, your approval, published with proof
	@$(RUN) demo

test: $(VENV)/.test-ready ## Lint, types, layers, schema, and the tests on SQLite and PostgreSQL
	@$(BIN)/python tools/check.py

test-all: $(VENV)/.test-ready ## The same, with the slow fault runs
	@$(BIN)/python tools/check.py --slow

faults: $(VENV)/.test-ready ## Kill every process at every named crash point
	@$(BIN)/pytest -n 2 --dist loadgroup tests/acceptance/test_crashes.py tests/acceptance/test_faults.py

bench: $(VENV)/.ready ## Measure the figures of the README
	@$(BIN)/python -m benchmarks

up: $(VENV)/.ready ## Start pages, clock and workers on your own data
	@$(RUN) up

fix: $(VENV)/.ready ## Format, and fix what the linter can
	@$(BIN)/ruff format . && $(BIN)/ruff check --fix .

docs: $(VENV)/.ready ## Check that the README names every setting, command and target
	@$(BIN)/pytest -q tests/test_docs.py

wheel: $(VENV)/.ready ## Build the wheel into dist/
	@$(BIN)/uv build --wheel --no-build-isolation --out-dir dist

.PHONY: help demo test test-all faults bench up fix docs wheel
