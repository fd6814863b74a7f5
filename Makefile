# Each target does the set-up it needs. On a fresh Debian 12: Python 3.11, make, git.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PYTEST ?= $(BIN)/pytest

.PHONY: help setup dev test faults check format bench lock clean
.DEFAULT_GOAL := help

help: ## say what there is
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 10

# The stamp is newer than what it was made from: setting up again costs nothing.
$(VENV)/.ready: pyproject.toml requirements.lock
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

setup: $(VENV)/.ready ## install selfedge into .venv, fetch the engine and the models
	$(BIN)/selfedge setup

EXAMPLE := examples/edge-chat
EXAMPLE_PACKAGES := $(EXAMPLE)/node_modules/.package-lock.json

$(EXAMPLE_PACKAGES): $(EXAMPLE)/package-lock.json $(VENV)/.ready
	$(BIN)/python -m selfedge.packages.npm $(EXAMPLE)
	@touch $@

dev: setup $(EXAMPLE_PACKAGES) ## run the example, examples/edge-chat
	$(BIN)/selfedge dev $(EXAMPLE)

test: setup ## all tests but the heavy fault rounds
	$(PYTEST) -n 3 --dist loadfile -m "not faults"

faults: setup ## heavy rounds of SIGKILL and full disks
	$(PYTEST) -m faults

check: $(VENV)/.ready ## style, types, import rules, layout
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(PYTEST) -q tests/layout

format: $(VENV)/.ready ## mend the style
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

bench: setup ## compare with wrangler dev and bare workerd, side by side
	$(BIN)/python benchmarks/run.py

lock: ## write requirements.lock again from pyproject.toml
	uv pip compile --quiet --universal --python-version 3.11 --extra models --extra s3 --extra dev --generate-hashes --no-emit-index-url --no-header --no-annotate --output-file requirements.lock pyproject.toml

clean: ## remove what was made here
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache dist
