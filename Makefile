# `make` alone says what there is.

PYTHON ?= python3
PORT ?= 8000
ARGS ?=
WORKERS ?= 2
ROUNDS ?= 2
UPGRADE ?=
SERVERS ?=
export SERVERS

BIN := .venv/bin
UV := .venv/bin/uv
INSTALL := $(UV) --no-progress --quiet pip
COMPILE := $(UV) --quiet pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --no-header $(UPGRADE)

.DEFAULT_GOAL := help
.NOTPARALLEL:
.DELETE_ON_ERROR:
.PHONY: help demo test lint format types contracts unit test-timing near-cache messages docs bench bench-large test-pythons test-lowest pins servers clean

help:  ## say what there is
	@sed -n 's/^\([a-z-]*\):.*## */  make \1\t/p' $(firstword $(MAKEFILE_LIST)) | expand -t 22
	@echo
	@echo "  PORT=8000 and ARGS=\"--fresh\" are for demo; ARGS=\"-k name\" also for unit."
	@echo "  SERVERS=none make test leaves out what needs PostgreSQL, MariaDB, Valkey, Redis, Chromium or Node."

demo: .venv/.demo  ## run the demo application
	@.venv/bin/powauth demo --port $(PORT) $(ARGS)

test: .venv/.dev servers lint types contracts  ## everything that must hold before a change lands
	@$(BIN)/pytest -n $(WORKERS) --dist worksteal --cov=powauth

lint: .venv/.dev  ## style
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check

format: .venv/.dev  ## mend what style can mend by itself
	@$(BIN)/ruff check --fix-only --quiet
	@$(BIN)/ruff format

types: .venv/.dev  ## types, by two checkers
	@$(BIN)/mypy
	@$(BIN)/basedpyright --project pyproject.toml --warnings

contracts: .venv/.dev  ## which module may import which
	@$(BIN)/lint-imports --no-logo

unit: .venv/.dev servers  ## the tests alone, without coverage
	@$(BIN)/pytest -n $(WORKERS) $(ARGS)

test-timing: .venv/.dev  ## whether known and unknown take the same time, on a quiet machine
	@TIMING=1 $(BIN)/pytest -s -k same_time tests/withstand/test_same_work.py

near-cache: .venv/.dev servers  ## near caches under load for minutes, while servers die; ROUNDS=2 for each kind
	@NEAR_CACHE=$(ROUNDS) $(BIN)/pytest -s -k longer tests/stores/test_near_cache.py tests/stores/test_near_notices.py

messages: .venv/.dev  ## bring the catalogues up to date with the codes, and compile them
	@$(BIN)/python -m tests.catalogues

docs: .venv/.dev  ## the examples in docstrings and pages
	@$(BIN)/pytest --doctest-glob="*.md" src $(wildcard README.md docs)

bench: .venv/.dev  ## the ratios of speed that are promised
	@$(BIN)/python -m benchmarks $(ARGS)

bench-large: .venv/.dev  ## the same with ten million sessions in each store: at most 40 minutes
	@$(BIN)/python -m benchmarks --large $(ARGS)

test-pythons: .venv/.dev-3.12 .venv/.dev-3.13 servers  ## the tests on Python 3.12 and 3.13
	@.venv-3.12/bin/pytest -n $(WORKERS) $(ARGS)
	@.venv-3.13/bin/pytest -n $(WORKERS) $(ARGS)

test-lowest: .venv/.dev-lowest servers  ## the tests with the lowest versions that pyproject.toml allows
	@.venv-lowest/bin/pytest -n $(WORKERS) $(ARGS)

pins: .venv/.uv  ## write requirements/ anew; UPGRADE=--upgrade takes newer versions
	@$(UV) --quiet pip compile --group pyproject.toml:bootstrap --universal --python-version 3.11 --generate-hashes \
		--no-header $(UPGRADE) --output-file requirements/uv.txt
	@$(COMPILE) --all-extras --group dev --output-file requirements/dev.txt
	@$(COMPILE) --extra demo --group build --constraints requirements/dev.txt --output-file requirements/demo.txt
	@$(COMPILE) --all-extras --group dev --resolution lowest-direct --output-file requirements/lowest.txt

clean:  ## remove what was made here, but not what was fetched
	@rm -rf .venv .venv-* .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis .coverage* build dist
	@find . -name __pycache__ -type d -not -path "./.cache/*" -prune -exec rm -rf {} +

# ---- set-up; each step leaves a mark and is done once ----

.venv/.uv: requirements/uv.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Powauth needs Python 3.11 or newer as $(PYTHON); name another with: make PYTHON=python3.12 …"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
		{ echo "Python's venv module is missing: install it (Debian: apt-get install python3-venv) and try again."; exit 1; }
	@$(PYTHON) -m venv .venv
	@.venv/bin/pip --quiet --disable-pip-version-check install --require-hashes -r requirements/uv.txt
	@touch $@

.venv/.demo: .venv/.uv requirements/demo.txt pyproject.toml
	@$(INSTALL) install --python .venv --require-hashes -r requirements/demo.txt
	@$(INSTALL) install --python .venv --no-deps --no-build-isolation --editable .
	@touch $@

.venv/.dev: .venv/.uv requirements/dev.txt pyproject.toml
	@$(INSTALL) sync --python .venv --require-hashes requirements/dev.txt
	@$(INSTALL) install --python .venv --no-deps --no-build-isolation --editable .
	@touch .venv/.demo $@

.venv/.dev-3.%: .venv/.uv requirements/dev.txt pyproject.toml
	@PYENV_VERSION=$$(pyenv versions --bare 2>/dev/null | grep '^3\.$*\.' | tail -1) \
		$(UV) --quiet venv --no-python-downloads --clear --python 3.$* .venv-3.$*
	@$(INSTALL) sync --python .venv-3.$* --require-hashes requirements/dev.txt
	@$(INSTALL) install --python .venv-3.$* --no-deps --no-build-isolation --editable .
	@touch $@

.venv/.dev-lowest: .venv/.uv requirements/lowest.txt pyproject.toml
	@$(UV) --quiet venv --no-python-downloads --clear --python .venv .venv-lowest
	@$(INSTALL) sync --python .venv-lowest --require-hashes requirements/lowest.txt
	@$(INSTALL) install --python .venv-lowest --no-deps --no-build-isolation --editable .
	@touch $@

servers: $(if $(filter none,$(SERVERS)),,.cache/.servers)  ## fetch MariaDB, Redis, Chromium and providers for the tests, where the system has none

.cache/.servers: tests/servers.py tests/node/package-lock.json .venv/.dev
	@mkdir -p .cache
	@.venv/bin/python tests/servers.py fetch
	@touch $@
