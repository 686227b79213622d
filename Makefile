# The commands for developers and operators. `make` without a target lists them.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

PYTHON ?= python3
TOOLS := crates/local-stack/emulator
MODEL := models/revenue-forecast
VENVS := target/python
TEMPLATES := template.yaml $(wildcard infra/stacks/*.yaml)
# Findings only, without contacting the vendor's site.
CHECKOV = $(VENVS)/checkov/bin/checkov --framework cloudformation --compact --quiet --skip-download
# Architectures of the static programs: x86_64, arm64. Images need the one in JobArchitecture.
PROCESSORS ?= x86_64
STATIC := target/static

# Fuzzing needs a nightly compiler: this one, or any other installed nightly if it is missing.
NIGHTLY ?= $(or $(shell rustup toolchain list 2>/dev/null | grep -om1 '^nightly-2026-05-20'),nightly)
CFN_GUARD := target/tools/bin/cfn-guard
CFN_GUARD_VERSION := 3.2.1
CARGO_FUZZ := target/tools/bin/cargo-fuzz
CARGO_FUZZ_VERSION := 0.13.2
CARGO_ABOUT := target/tools/bin/cargo-about
CARGO_ABOUT_VERSION := 0.9.3
CARGO_SBOM := target/tools/bin/cargo-sbom
CARGO_SBOM_VERSION := 0.10.0
CARGO_DENY := target/tools/bin/cargo-deny
CARGO_DENY_VERSION := 0.20.2
CARGO_MACHETE := target/tools/bin/cargo-machete
CARGO_MACHETE_VERSION := 0.9.2
FUZZ_TARGETS := json csv xlsx xls
FUZZ_SECONDS ?= 15
# The targets bound the readers' memory themselves; this bounds the fuzzer, and how long one input may take.
FUZZ_LIMITS := -max_len=65536 -detect_leaks=0 -timeout=20 -rss_limit_mb=3072 -print_final_stats=1
SUITE := target/json-schema-test-suite
# The benchmarks compare the release build of the functions with a build for size.
BENCH_FUNCTIONS := $(addprefix --bin ,$(notdir $(wildcard functions/*)) empty-function)
# The files name every package, so pip has nothing to resolve.
PIP := bin/pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r

help: ## List these commands
	@sed -nE 's/^([a-z-]+):.*## (.*)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 24

setup: .venv/ready ## Create the Python environment of the local stack, pinned and verified by hash

build: ## Build Dropcast's programs for this machine
	cargo build --locked --bins

# Without `dropcast doctor`, which needs more dependencies.
demo: setup ## Run the example model from an uploaded file to the links in the mail, and stop
	cargo build --locked --bins --no-default-features
	target/debug/dropcast demo

local: setup build ## Run the stack on this machine until Ctrl-C
	target/debug/dropcast local up

test: lint test-rust test-models ## Run all checks and tests except test-images and lint-guard

test-rust: setup $(VENVS)/revenue-forecast/ready $(SUITE)/ready ## Test the Rust crates, the whole stack with the real programs, and the build scripts
	cargo build --locked --workspace --all-targets
	cargo test --locked --workspace
	cargo test --locked --workspace --lib table::tests::suite -- --ignored
	BINARIES=$${CARGO_TARGET_DIR:-target}/debug tests/scripts/test.sh

test-models: $(VENVS)/revenue-forecast/ready ## Test the models, each in its own Python environment
	cd $(MODEL) && $(CURDIR)/$(VENVS)/revenue-forecast/bin/python -m pytest

test-images: static-x86_64 ## Build, test and push models' images with Docker, as CodeBuild does (ENGINE=podman)
	BINARIES=$(STATIC)/x86_64 tests/images/test.sh

lint: lint-repository lint-template ## Check formatting, Rust, the repository and the templates
	cargo fmt --all --check
	cargo fmt --manifest-path fuzz/Cargo.toml --check
	tests/scripts/features.sh
	cargo clippy --locked --workspace --all-targets -- -D warnings

codegen: ## Write what follows from the types: schemas/, and the tables of docs/ERRORS.md
	cargo xtask codegen

docs: ## Build the crates' documentation; warnings are errors
	RUSTDOCFLAGS='-D warnings' cargo doc --locked --workspace --no-deps

lint-repository: $(VENVS)/repository/ready ## Check layers, file lengths and lists (cargo xtask tidy), spelling and workflows
	cargo xtask tidy
	cargo xtask codegen --check
	$(VENVS)/repository/bin/typos
	$(VENVS)/repository/bin/zizmor --offline --no-progress --quiet .github
	$(VENVS)/repository/bin/check-jsonschema --builtin-schema vendor.github-workflows .github/workflows/*.yml
	$(VENVS)/repository/bin/check-jsonschema --builtin-schema vendor.renovate .github/renovate.json

lint-dependencies: $(CARGO_DENY) $(CARGO_MACHETE) ## Check the crates' advisories, licenses and sources, and find unused ones
	$(CARGO_DENY) --locked check
	$(CARGO_DENY) --locked --manifest-path fuzz/Cargo.toml --config deny.toml check
	$(CARGO_MACHETE)

lint-template: $(VENVS)/lint/ready $(VENVS)/checkov/ready .venv/ready ## Check the templates with cfn-lint, SAM and checkov, their roles, and the scripts in infra/
	$(VENVS)/lint/bin/cfn-lint $(TEMPLATES)
	for template in $(TEMPLATES); do \
	  SAM_CLI_TELEMETRY=0 AWS_DEFAULT_REGION=eu-west-1 $(VENVS)/lint/bin/sam validate --lint --template $$template; \
	done
	$(CHECKOV) --file $(TEMPLATES)
	$(VENVS)/lint/bin/python infra/lint/transform.py target/templates $(TEMPLATES)
	$(CHECKOV) --directory target/templates
	$(VENVS)/lint/bin/python infra/lint/build_calls.py infra/stacks/builds.yaml infra
	.venv/bin/python infra/lint/role_matrix.py target/templates
	.venv/bin/python infra/lint/job_boundary.py target/templates docs/OPERATIONS.md
	$(VENVS)/lint/bin/shellcheck .github/*.sh infra/*.sh tests/scripts/*.sh tests/scripts/bin/* \
	  tests/images/test.sh tests/images/podman/*

lint-guard: $(CFN_GUARD) $(VENVS)/lint/ready ## Check the templates against the project's own rules with CloudFormation Guard
	$(VENVS)/lint/bin/python infra/lint/transform.py target/templates $(TEMPLATES)
	$(CFN_GUARD) validate --rules infra/lint/templates.guard --data target/templates --show-summary fail

bench: setup $(VENVS)/bench/ready ## Measure latency, bursts, cold starts, the index and tables, in release builds (BENCH="--only init")
	cargo build --locked --release --workspace --exclude dropcast-cli --bin bench --bin dropcast-job $(BENCH_FUNCTIONS)
	cargo build --locked --profile release-size --workspace --exclude dropcast-cli $(BENCH_FUNCTIONS)
	target/release/bench $(BENCH)

simulate: ## Simulate the pipeline under seeds that crash functions and lose events (SIMULATE="--seeds 100000", or "--seed 896" to replay one)
	cargo run --locked --release --package dropcast-simulation -- $(SIMULATE)

fuzz-build: $(CARGO_FUZZ) ## Compile the fuzz targets
	PATH="$(abspath $(dir $(CARGO_FUZZ))):$$PATH" cargo +$(NIGHTLY) fuzz build

fuzz: $(CARGO_FUZZ) ## Fuzz the input readers, 15 seconds per format (FUZZ_SECONDS=600)
	for target in $(FUZZ_TARGETS); do \
	  mkdir -p fuzz/corpus/$$target; \
	  PATH="$(abspath $(dir $(CARGO_FUZZ))):$$PATH" cargo +$(NIGHTLY) fuzz run $$target \
	    fuzz/corpus/$$target fuzz/seeds/$$target -- $(FUZZ_LIMITS) -max_total_time=$(FUZZ_SECONDS); \
	done

build-lambda: $(VENVS)/deploy/ready ## Build the functions for AWS Lambda (ARCHITECTURE=arm64)
	PATH="$(abspath $(VENVS)/deploy/bin):$$PATH" SAM_CLI_TELEMETRY=0 sam build \
	  --parameter-overrides Architecture=$(or $(ARCHITECTURE),x86_64)

static: $(PROCESSORS:%=static-%) ## Build dropcast and dropcast-job as static programs (PROCESSORS="x86_64 arm64")

static-%: $(VENVS)/deploy/ready
	target=$(if $(filter arm64,$*),aarch64,$*)-unknown-linux-musl; \
	rustup target add $$target; \
	PATH="$(abspath $(VENVS)/deploy/bin):$$PATH" cargo zigbuild --locked --release --target $$target \
	  --bin dropcast --bin dropcast-job; \
	mkdir -p $(STATIC)/$*; \
	cp "$${CARGO_TARGET_DIR:-target}/$$target/release/dropcast"{,-job} $(STATIC)/$*/

release-files: static-x86_64 static-arm64 $(CARGO_ABOUT) $(CARGO_SBOM) ## Create the files of a release in target/release-files (VERSION=1.2.3)
	.github/release-files.sh $(VERSION) x86_64 arm64

deploy: static .venv/ready ## Build and deploy to AWS; prompts for the parameters the first time
	PATH="$(abspath $(VENVS)/deploy/bin):$$PATH" AWS="$(abspath .venv/bin/aws)" PYTHON="$(PYTHON)" STATIC=$(STATIC) \
	  infra/deploy.sh

clean-local: ## Delete the data of the local stack: .dropcast and .venv
	rm -rf .dropcast .venv

$(CFN_GUARD):
	cargo install cfn-guard --locked --version $(CFN_GUARD_VERSION) --root target/tools

$(CARGO_ABOUT):
	cargo install cargo-about --locked --version $(CARGO_ABOUT_VERSION) --root target/tools

$(CARGO_SBOM):
	cargo install cargo-sbom --locked --version $(CARGO_SBOM_VERSION) --root target/tools

$(CARGO_DENY):
	cargo install cargo-deny --locked --version $(CARGO_DENY_VERSION) --root target/tools

$(CARGO_MACHETE):
	cargo install cargo-machete --locked --version $(CARGO_MACHETE_VERSION) --root target/tools

$(CARGO_FUZZ):
	cargo install cargo-fuzz --locked --version $(CARGO_FUZZ_VERSION) --root target/tools

.venv/ready: $(TOOLS)/requirements.txt | python
	rm -rf $(@D)
	$(PYTHON) -m venv $(@D)
	$(@D)/$(PIP) $<
	touch $@

$(VENVS)/lint/ready: $(TOOLS)/requirements-lint.txt
$(VENVS)/repository/ready: .github/requirements.txt
$(VENVS)/checkov/ready: $(TOOLS)/requirements-checkov.txt
$(VENVS)/deploy/ready: $(TOOLS)/requirements-deploy.txt
$(VENVS)/revenue-forecast/ready: $(MODEL)/requirements-dev.txt
$(VENVS)/bench/ready: bench/requirements.txt
$(VENVS)/%/ready: | python
	rm -rf $(@D)
	$(PYTHON) -m venv $(@D)
	$(@D)/$(PIP) $<
	touch $@

# Even to download a source distribution, pip runs the package's build tools, so they are installed first.
$(VENVS)/suite/ready: crates/inputs/suite/requirements.txt
$(SUITE)/ready: crates/inputs/suite/suite.txt $(VENVS)/suite/ready
	rm -rf $(@D)
	$(VENVS)/suite/bin/pip download --quiet --disable-pip-version-check --require-hashes --no-deps \
	  --no-binary :all: --no-build-isolation -d $(@D) -r $<
	tar -xzf $(@D)/jsonschema-*.tar.gz -C $(@D) --strip-components=1
	touch $@

python:
	@$(PYTHON) -c 'import sys, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || \
	  { echo 'Dropcast needs Python 3.11 or newer with its venv module (Debian: apt-get install python3-venv), as $$PYTHON or python3.' >&2; exit 1; }

.PHONY: help codegen docs setup build demo local test test-rust test-models test-images lint lint-repository lint-dependencies lint-template lint-guard bench simulate fuzz-build fuzz build-lambda static release-files deploy clean-local python
