# Everything a developer does, in one place. `make` alone lists it.
# A machine needs Python 3.11 or newer and make; the rest is installed into .venv.

PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip --disable-pip-version-check

# The SDK's tests want other versions than ours do, so they have an environment of their own.
SUITE_PIP := $(VENV)/sdk-suite/bin/python -m pip --disable-pip-version-check
# Vendors' packages bring much along: they have one, too.
VENDORS_PIP := $(VENV)/vendors/bin/python -m pip --disable-pip-version-check

# Writes what is installed into a file of constraints, below the comment that it begins with.
define pin
	sed -n '/^#/p' $(2) > $(VENV)/constraints.txt
	$(1) -m pip --disable-pip-version-check freeze >> $(VENV)/constraints.txt
	mv $(VENV)/constraints.txt $(2)
endef

# The examples of one document build on each other and must run on one worker: hence loadfile.
PYTEST_ARGS ?= -n auto --dist loadfile

# What these packages warn of is not ours: W&B's client does when Python ends, too.
PLATFORMS_ARGS ?= -n 0 -W default

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help test lint format run bench bench-server parity sdk-suite vendors platforms constraints clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile

test: lint ## Run every gate: style, types, architecture, tests, docs, lengths
	$(BIN)/pytest $(PYTEST_ARGS) --cov --cov-report=term
	$(BIN)/python tools/lengths.py

lint: $(VENV)/.dev ## Check style, types and architecture, changing nothing
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/pyright --pythonpath $(BIN)/python
	$(BIN)/lint-imports --no-logo

format: $(VENV)/.dev ## Put the code in its one format and mend what ruff can
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

run: $(VENV)/.dev ## Run the server, and an agent that sends its traces there (ARGS=--keep leaves it up)
	$(BIN)/python -m examples.docs_agent $(ARGS)

bench: $(VENV)/.dev ## Measure, with the rival beside it in the same run
	$(BIN)/python -m benchmarks

bench-server: $(VENV)/.dev ## Measure the server: what it takes in, and what it answers
	$(BIN)/python -m benchmarks.ingest
	$(BIN)/python -m benchmarks.query

parity: $(VENV)/.parity ## Run langchain-core's own tests, without and with Callboard in place
	$(BIN)/python -m tests.parity

vendors: $(VENV)/.vendors ## Run vendors' own handlers, in an environment of theirs, on both sides
	$(VENV)/vendors/bin/pytest tests/vendors -m slow

platforms: export DO_NOT_TRACK = true
platforms: export WANDB_ERROR_REPORTING = false
platforms: export WANDB_MODE = offline
platforms: export WANDB_DIR = $(VENV)/platforms/told
platforms: $(VENV)/platforms/.made ## Run what needs big packages: MLflow, W&B, ClearML, Comet, Streamlit, Gradio (1 GB)
	@rm -rf $(WANDB_DIR)
	@mkdir $(WANDB_DIR)
	$(VENV)/platforms/bin/python -m pytest $(PLATFORMS_ARGS) -m slow tests/platforms tests/contract/integrations
	$(VENV)/platforms/bin/python -m pytest $(PLATFORMS_ARGS) docs/integrations.md

sdk-suite: $(VENV)/.dev $(VENV)/sdk-suite/.made ## Run the langsmith SDK's own tests against the server
	$(BIN)/python -m tests.sdk_suite --python $(VENV)/sdk-suite/bin/python

constraints: ## Pin the newest versions within the bounds anew
	@rm -rf $(VENV)
	@$(MAKE) --no-print-directory $(VENV)/bin/python
	$(PIP) install --quiet -r requirements/dev.txt -r requirements/parity.txt
	$(call pin,$(BIN)/python,requirements/constraints.txt)
	$(BIN)/python -m venv $(VENV)/sdk-suite
	$(SUITE_PIP) install --quiet -r requirements/sdk-suite.txt
	$(call pin,$(VENV)/sdk-suite/bin/python,requirements/sdk-suite-constraints.txt)
	$(BIN)/python -m venv $(VENV)/vendors
	$(VENDORS_PIP) install --quiet -c requirements/constraints.txt -r requirements/vendors.txt
	$(call pin,$(VENV)/vendors/bin/python,requirements/vendors-constraints.txt)

clean: ## Remove what the other commands made
	rm -rf $(VENV) .callboard build dist .coverage .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The environment is made once, and brought up to date when what it is made from has changed;
# otherwise nothing is installed and no network is needed.

$(VENV)/bin/python:
	@command -v $(PYTHON) >/dev/null || { \
	  echo "Callboard needs Python 3.11 or newer, and there is no $(PYTHON) here: install one, or name one with 'make PYTHON=...'." >&2; exit 1; }
	@$(PYTHON) -c 'import sys; v = ".".join(map(str, sys.version_info[:3])); sys.exit(sys.version_info < (3, 11) and "Callboard needs Python 3.11 or newer, and $(PYTHON) is " + v + ": name a newer one with \"make PYTHON=...\".")'
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	  echo "Callboard needs Python's venv and ensurepip modules, and $(PYTHON) has none: install them (Debian's package is python3-venv)." >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

# The build backend is among the pinned requirements, so the editable install needs no isolation.
$(VENV)/.dev: pyproject.toml requirements/dev.txt requirements/constraints.txt | $(VENV)/bin/python
	$(PIP) install --quiet -c requirements/constraints.txt -r requirements/dev.txt
	$(PIP) install --quiet --no-deps --no-build-isolation -e .
	@touch $@

# Apart from the rest, so that the tests that take seconds don't import what takes minutes.
$(VENV)/platforms/.made: pyproject.toml requirements/dev.txt requirements/platforms.txt \
  requirements/constraints.txt | $(VENV)/bin/python
	$(BIN)/python -m venv $(VENV)/platforms
	$(VENV)/platforms/bin/python -m pip --disable-pip-version-check install --quiet \
	  -c requirements/constraints.txt -r requirements/dev.txt -r requirements/platforms.txt
	$(VENV)/platforms/bin/python -m pip --disable-pip-version-check install --quiet --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.parity: $(VENV)/.dev requirements/parity.txt
	$(PIP) install --quiet -c requirements/constraints.txt -r requirements/parity.txt
	@touch $@

$(VENV)/sdk-suite/.made: requirements/sdk-suite.txt requirements/sdk-suite-constraints.txt | $(VENV)/bin/python
	$(BIN)/python -m venv $(VENV)/sdk-suite
	$(SUITE_PIP) install --quiet -c requirements/sdk-suite-constraints.txt -r requirements/sdk-suite.txt
	@touch $@

$(VENV)/.vendors: pyproject.toml requirements/vendors.txt requirements/vendors-constraints.txt | $(VENV)/bin/python
	$(BIN)/python -m venv $(VENV)/vendors
	$(VENDORS_PIP) install --quiet -c requirements/vendors-constraints.txt -r requirements/vendors.txt
	$(VENDORS_PIP) install --quiet --no-deps --no-build-isolation -e .
	@touch $@
