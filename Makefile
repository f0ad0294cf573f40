# Every target sets up what it needs. `make help` lists them.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed

# Tests run side by side; those on a local cluster share one of two, each in one worker.
WORKERS ?= 2

.DEFAULT_GOAL := help

.PHONY: help demo test test-unit lint types format cluster prepare charts bundle docs bench-platform bench-day bench-fleet bench-resilience bench-secrets bench-surge bench-wiring clean

help: ## List these targets
	@sed -n 's/^\([a-z-]*\):.*## /\1	/p' $(MAKEFILE_LIST) | expand -t 18

demo: $(INSTALLED) ## The main job on a local cluster: two instances, load, a lost zone (KEEP=1 leaves it running)
	@$(BIN)/python -m platformchart fetch --try
	$(BIN)/python -m demo

test: $(INSTALLED) lint types prepare ## All tests
	$(BIN)/python -m pytest -n $(WORKERS)

test-unit: $(INSTALLED) ## The tests that take seconds
	$(BIN)/python -m pytest -m "not render and not services and not chart and not cluster"

lint: $(INSTALLED) ## Style and common mistakes
	$(BIN)/ruff check
	$(BIN)/ruff format --check

types: $(INSTALLED) ## Static types
	$(BIN)/mypy

format: $(INSTALLED) ## Format the code
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

cluster: $(INSTALLED) ## A local cluster to play with, until Ctrl-C
	$(BIN)/python -m localcluster

prepare: $(INSTALLED) ## Fetch and build what the local cluster needs (minutes, once; then cached)
	@$(BIN)/python -m localservices $(if $(CI),--all)
	@$(BIN)/python -m platformchart fetch --try

charts: $(INSTALLED) ## Fetch the charts that charts/platform depends on, into charts/platform/charts
	@$(BIN)/python -m platformchart fetch

bundle: $(INSTALLED) ## Pack charts/platform into dist/, and list its images (VALUES=file: those of a cluster)
	@$(BIN)/python -m platformchart fetch --try
	@$(BIN)/python -m platformchart bundle $(if $(VALUES),--values $(VALUES)) $(if $(KUBERNETES),--kubernetes $(KUBERNETES))

docs: $(INSTALLED) ## Write the generated parts of docs/reference anew
	$(BIN)/python -m tests.render.wiring
	$(BIN)/python -m tests.tutorautoscale.reference
	$(BIN)/python -m platformchart docs

bench-day: $(INSTALLED) ## A day's node-hours beside those of a fleet of fixed size; writes docs/day* (2 minutes)
	$(BIN)/python -m bench.day

bench-fleet: $(INSTALLED) ## Nodes and monthly cost of 50 idle instances; writes docs/fleet.csv (20 seconds)
	$(BIN)/python -m bench.fleet

bench-platform: $(INSTALLED) ## What an installation of charts/platform takes: seconds, bytes, objects (2 minutes)
	$(BIN)/python -m platformchart measure

bench-resilience: $(INSTALLED) ## The same faults for Tutor alone, two other plugins and ours; writes docs/resilience.* (40 minutes)
	$(BIN)/python -m bench.resilience

bench-secrets: $(INSTALLED) ## What the secrets plugin costs: time of config save and of a deployment (2 minutes)
	$(BIN)/python -m bench.secrets

bench-surge: $(INSTALLED) ## Four times the load, with and without room for it; writes docs/surge.csv (30 minutes)
	$(BIN)/python -m bench.surge

bench-wiring: $(INSTALLED) ## What the three plugins cost: processor time of config save (1 minute)
	$(BIN)/python -m bench.wiring

clean: ## Remove the virtual environment and what tools left (programs stay cached outside the tree)
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .hypothesis demo-output

$(INSTALLED): setup.cfg pyproject.toml
	@echo "setting up $(VENV): about a minute, once"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || \
		{ echo "$(PYTHON): no Python 3.10 or newer; run make PYTHON=/path/to/one"; exit 1; }
	@$(PYTHON) -m venv $(VENV) || \
		{ echo "$(PYTHON) -m venv: failed; on Debian run apt-get install python3-venv"; exit 1; }
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@
