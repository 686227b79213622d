# The few commands a person types. `make` alone lists them.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

PYTHON ?= python3
TOOLS := crates/local-stack/emulator
MODEL := models/revenue-forecast
VENVS := target/python
# The files name every package, so pip has nothing to resolve.
PIP := bin/pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r

help: ## List these commands
	@sed -nE 's/^([a-z-]+):.*## (.*)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 24

setup: .venv/ready ## Make the Python environment of the local stack, pinned and hash-checked

build: ## Build every program for this machine
	cargo build --locked --workspace --bins

demo: setup build ## Send a real input file through every step, open a link from the mail, and end
	target/debug/dropcast demo

local: setup build ## Run the stack on this machine until Ctrl-C
	target/debug/dropcast local up

test: lint test-rust test-models ## Check and test everything

test-rust: setup ## Test the Rust crates, and the whole stack with the real programs
	cargo build --locked --workspace --all-targets
	cargo test --locked --workspace

test-models: $(VENVS)/revenue-forecast/ready ## Test the models, each in its own Python environment
	cd $(MODEL) && $(CURDIR)/$(VENVS)/revenue-forecast/bin/python -m pytest

lint: lint-template ## Check formatting, Rust and the template
	cargo fmt --all --check
	cargo clippy --locked --workspace --all-targets -- -D warnings

lint-template: $(VENVS)/lint/ready ## Check the template with cfn-lint and SAM
	$(VENVS)/lint/bin/cfn-lint template.yaml
	SAM_CLI_TELEMETRY=0 AWS_DEFAULT_REGION=eu-west-1 $(VENVS)/lint/bin/sam validate --lint --template template.yaml

bench: setup ## Measure latency, bursts, cold starts and the index, in a release build (BENCH="--only init")
	cargo build --locked --release --workspace --exclude dropcast-cli --bins
	target/release/bench $(BENCH)

clean-local: ## Forget what the local stack keeps: .dropcast and .venv
	rm -rf .dropcast .venv

.venv/ready: $(TOOLS)/requirements.txt | python
	rm -rf $(@D)
	$(PYTHON) -m venv $(@D)
	$(@D)/$(PIP) $<
	touch $@

$(VENVS)/lint/ready: $(TOOLS)/requirements-lint.txt
$(VENVS)/revenue-forecast/ready: $(MODEL)/requirements-dev.txt
$(VENVS)/%/ready: | python
	rm -rf $(@D)
	$(PYTHON) -m venv $(@D)
	$(@D)/$(PIP) $<
	touch $@

python:
	@$(PYTHON) -c 'import sys, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || \
	  { echo 'Dropcast needs Python 3.11 or newer with its venv module (Debian: apt-get install python3-venv), as $$PYTHON or python3.' >&2; exit 1; }

.PHONY: help setup build demo local test test-rust test-models lint lint-template bench clean-local python
