# Sets up what it needs, says what it can do. GNU make 3.81 and later, Linux and macOS.
VENV := .venv
PY := $(VENV)/bin/python
INSTALL := $(PY) -m pip --disable-pip-version-check install --quiet --no-compile --require-hashes -r
LOCK := uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --quiet \
	--no-header --no-annotate --no-emit-index-url --no-emit-find-links
PYTEST := $(PY) -m pytest -p no:cacheprovider
# About half of the tests' work; the others, and whatever is new, run beside them.
HALF := tests/domain tests/ledger tests/store tests/actions tests/bot
# Once more, with every office on PostgreSQL: what a delivery and a plan hang on. `make postgres` runs them all.
POSTGRES := --postgres tests/actions/test_deliveries.py tests/actions/test_replies.py tests/actions/test_texts.py \
	tests/actions/test_replan.py tests/actions/test_order.py tests/flows
# The first of these that is 3.11 or later and can make an environment. `make PYTHON=… demo` chooses another.
PYTHON := python3.13 python3.12 python3.11 python3

# Python compiles what it imports once and keeps it; pip would spend a minute on what nobody imports.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help demo year test check long postgres prove seeded fuzz bench bench-full lock wheel clean
.DELETE_ON_ERROR:

help: ## List this
	@awk -F ': .*## |: ## ' '/^[a-z-]+: .*## |^[a-z-]+: ## / { printf "make %-10s %s\n", $$1, $$2 }' Makefile

demo: $(VENV)/to-run ## Two phones and an office in the browser, without any account (ARGS=--no-open …)
	@PYTHONPATH=. $(PY) -m reminder demo $(ARGS)

year: $(VENV)/to-run ## 400 days of the demo county without a page, checked every week
	@PYTHONPATH=. $(PY) -m reminder demo --headless --days 400 --as-of 2026-11-23 --seed 1 $(ARGS)

test: $(VENV)/to-test ## Set up, then check everything
	@$(MAKE) check

check: $(VENV)/to-test ## Style, types, directions of imports, tests
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy
	$(VENV)/bin/lint-imports
	@echo "pytest in two halves"; \
		{ $(PYTEST) $(HALF); one=$$?; $(PYTEST) $(POSTGRES); exit $$((one + $$?)); } >$(VENV)/half.log 2>&1 & half=$$!; \
		$(PYTEST) $(HALF:%=--ignore=%); one=$$?; \
		wait $$half; two=$$?; cat $(VENV)/half.log; exit $$((one + two))

long: $(VENV)/to-test ## Random histories for hours: 1,000,000 steps of a case, 20,000 of an office
	PROPERTY_STEPS=1000000 OFFICE_STEPS=20000 $(PYTEST) tests/domain/test_invariants.py tests/flows/test_random_office.py

postgres: $(VENV)/to-test ## Every test that runs on a file, with every office on PostgreSQL
	$(PYTEST) --postgres tests/store tests/actions tests/web tests/flows

seeded: $(VENV)/to-test ## Put every seeded bug into a copy and see it caught (ARGS="05 07": only these)
	@PYTHONPATH=. $(PY) -m tests.seeded_bugs $(ARGS)

fuzz: $(VENV)/to-test ## A hundred times the default run's garbage and forgeries (REMINDER_FUZZ_SEED=…)
	REMINDER_FUZZ=100 $(PYTEST) tests/fuzz

prove: $(VENV)/to-test ## Kill it everywhere, 25 times each, and play 5 years (LONG=1: 250, 1,000; ARGS=--postgres); docs/proofs.md
	PYTHONPATH=. $(PY) -m tests.proofs --times $(if $(LONG),250,25) --years $(if $(LONG),1000,5) $(ARGS)

bench: $(VENV)/to-test $(VENV)/bench/to-measure ## Measure against peers and limits, a quarter of an hour (ARGS=fire …)
	@PYTHONPATH=. $(PY) -m bench $(ARGS)

bench-full: $(VENV)/to-test $(VENV)/bench/to-measure ## The same with 100,000 due and ten million waiting, hours
	@PYTHONPATH=. $(PY) -m bench --full $(ARGS)

# What only peers need stands beside the environment, so that no test ever imports it.
$(VENV)/bench/to-measure: bench/requirements.txt | $(PY)
	@mkdir -p $(VENV)/bench
	@$(INSTALL) bench/requirements.txt --target $(VENV)/bench --upgrade && touch $@ \
		|| echo "Some peers are not to be had; measuring without them"

lock: ## Write the lock files anew (ARGS=--upgrade for newer versions); needs uv
	$(LOCK) $(ARGS) --output-file requirements.lock
	$(LOCK) $(ARGS) --group dev --output-file requirements-dev.lock

wheel: $(VENV)/to-test ## Build dist/reminder-….whl
	$(PY) -m build --wheel --no-isolation

clean: ## Remove what the others made
	rm -rf $(VENV) dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The environment knows this folder, so that its `python -m reminder` works from anywhere.
$(PY):
	@for python in $(PYTHON); do \
		if $$python -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
			echo "Setting up $(VENV) with $$($$python -V) (once)"; \
			$$python -m venv $(VENV) && exec $(PY) -c 'import os, sysconfig; \
				open(os.path.join(sysconfig.get_path("purelib"), "reminder.pth"), "w").write(os.getcwd())'; \
			exit 1; \
		fi; \
	done; \
	echo "No Python from 3.11 on with its venv module was found among: $(PYTHON)." >&2; \
	echo "Install one (on Debian: apt-get install python3 python3-venv), or name it: make PYTHON=/path/to/python3" >&2; \
	exit 1

$(VENV)/to-run: requirements.lock | $(PY)
	@$(INSTALL) requirements.lock
	@touch $@

$(VENV)/to-test: requirements-dev.lock | $(PY)
	@$(INSTALL) requirements-dev.lock
	@touch $@ $(VENV)/to-run
