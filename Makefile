# Each command does its own set-up: a virtual environment in .venv with pinned packages.
ifeq ($(OS),Windows_NT)
PYTHON ?= python
BIN := .venv/Scripts
else
PYTHON ?= python3
BIN := .venv/bin
endif
# Finds convergekit by the Python that is first in PATH.
PYRIGHT = PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/basedpyright
PIP_INSTALL = $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt

.PHONY: help demo test check nightly test-engines test-recipes test-spark lint notebooks notebooks-check gallery docs \
  audit fuzz mutants versions oldest newest bench wheel release release-files binder clean
.DEFAULT_GOAL := help

help:  ## Show the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {print $$1 "\t" $$2}' Makefile

demo: .venv/installed  ## Stitch a simulated store's exports
	@$(BIN)/convergekit demo

# Left out of the second pass: what does not stitch, or not many events, whatever is set; and what
# runs processes of its own.
NOT_COMPILED = browser cli docs explore figures machines recipes report schemas simulate typing test_import.py test_plug_ins.py test_processors.py test_house.py test_release.py test_ci.py \
  activity experiments/test_error_rates.py experiments/test_against_tea_tasting.py base/test_durable.py base/test_deep_and_wide.py base/test_group_tests.py base/test_survival.py \
  events/test_calendar.py events/test_money.py readers/test_null_markers.py funnels/test_curve_figure.py \
  events/test_query.py events/test_query_bombs.py \
  visits/test_channels.py spend $(addprefix readers/, test_exports.py test_read_events.py test_export_meanings.py \
  test_packed_damage.py) $(addprefix writers/, test_writers.py test_converge_tables.py test_spreadsheets.py) \
  $(addprefix funnels/, test_funnel_figures.py test_funnel_time_figures.py test_stitching_lift_figure.py \
  test_fair_funnels.py) \
  $(addprefix diagnostics/, test_alias_figures.py test_timeline_figure.py test_quality_figures.py) \
  $(patsubst tests/%,%,$(wildcard tests/*/test_*_findings.py)) \
  $(addprefix robustness/, test_bad_exports.py test_errors.py test_hostile_names.py test_discreet.py \
  test_errors_of_ours.py) store/test_store_damage.py privacy/test_mentions.py watching \
  $(addprefix parts/, test_part_damage.py test_beside.py test_part_why.py test_part_next_fix.py)

# In a process of their own: they send signals, and start others.
APART = store/test_store_damage.py parts/test_part_damage.py parts/test_beside.py test_processors.py robustness/test_errors_of_ours.py

# Tests of memory that also ask parts (tests/parts/everywhere.py): of each kind of answer the quickest.
BY_PARTS = $(addprefix funnels/, test_funnel_semantics.py test_funnel_presets.py test_curves.py) \
  identity/test_merge_protection.py

test: lint  ## Run everything on both paths: lint, types, unit, doctest, property, CLI, notebook and browser tests
	CONVERGEKIT_KERNELS=never CONVERGEKIT_TEST_EFFORT=0.15 $(BIN)/python -m pytest -n auto \
	  --ignore=tests/browser --ignore=tests/test_kernels.py $(APART:%=--ignore=tests/%)
	CONVERGEKIT_KERNELS=never CONVERGEKIT_TEST_EFFORT=0.15 $(BIN)/python -m pytest $(APART:%=tests/%)
	CONVERGEKIT_KERNELS=always CONVERGEKIT_TEST_EFFORT=0.1 $(BIN)/python -m pytest -n auto \
	  $(NOT_COMPILED:%=--ignore=tests/%) tests
	CONVERGEKIT_KERNELS=never CONVERGEKIT_TEST_PARTS=2 CONVERGEKIT_TEST_EFFORT=0.02 $(BIN)/python -m pytest \
	  -n auto $(BY_PARTS:%=tests/%)
	$(BIN)/python -m pytest -n auto tests/browser
	$(BIN)/python -m tests.processors --quick  # nbval on the notebooks, here and on another machine

# Left out of the inner loop: what takes long, or starts processes.
SLOW = browser parts/test_engines.py figures/test_gallery.py test_no_loops.py test_kernels.py test_processors.py \
  events/test_query_bombs.py writers/test_writers.py robustness/test_errors_of_ours.py \
  base/test_deep_and_wide.py readers/test_packed_damage.py store/test_store_damage.py parts/test_part_damage.py parts/test_beside.py \
  privacy/test_mentions.py

check: lint  ## Run the checks of the inner loop: lint, types, and the tests of one path, few cases each
	CONVERGEKIT_KERNELS=never CONVERGEKIT_TEST_EFFORT=0.03 $(BIN)/python -m pytest -q -n auto \
	  -m "not spark and not recipes and not slow" $(SLOW:%=--ignore=tests/%) tests

nightly: lint  ## Search a night long: all cases on both paths, other machines, cut operations, kills, fuzzing
	CONVERGEKIT_KERNELS=never CONVERGEKIT_TEST_SEARCH=yes CONVERGEKIT_TEST_EFFORT=1 \
	  $(BIN)/python -m pytest -n auto --ignore=tests/browser
	CONVERGEKIT_KERNELS=always CONVERGEKIT_TEST_SEARCH=yes CONVERGEKIT_TEST_EFFORT=1 \
	  $(BIN)/python -m pytest -n auto --ignore=tests/browser
	CONVERGEKIT_KERNELS=never CONVERGEKIT_TEST_PARTS=2 CONVERGEKIT_TEST_EFFORT=0.15 $(BIN)/python -m pytest \
	  -n auto tests/funnels tests/activity tests/customers tests/identity \
	  $(addprefix tests/explore/, test_explorer.py test_shared.py test_state.py)
	$(BIN)/python -m tests.processors
	$(BIN)/python -m tests.funnels.fair --stores 600 --processes 2
	$(BIN)/python -m tests.change.planted --seeds 10 --nothing 200
	$(BIN)/python -m tests.watching.watched --stores 2
	$(BIN)/python -m tests.store.crash
	$(BIN)/python -m tests.store.kill --kills 500
	$(BIN)/python -m tests.store.search --examples 2000
	$(BIN)/python -m tests.parts.kill --kills 30
	$(BIN)/python -m tests.machines.calls --calls 100000
	$(BIN)/python -m fuzz --minutes 60
	$(BIN)/python release/check_binder.py

test-engines: .venv/engines  ## Run the tests of tables of engines on PostgreSQL and ClickHouse, too
	$(BIN)/python -m pytest tests/parts/test_engines.py

# The pins of these do not agree with one another, or with ours.
RECIPES = airflow dagster dbt

test-recipes: $(RECIPES:%=.venv/recipes/%/installed)  ## Run the recipes in Airflow, Dagster and dbt
	set -e; for name in $(RECIPES); do \
	  .venv/recipes/$$name/bin/python -m pytest -m recipes -W default tests/recipes/test_$$name.py; done
	$(BIN)/python -m pytest -m recipes tests/recipes/test_pre_commit.py

test-spark: .venv/spark  ## Run the tests of stitching in Spark (needs Java 17 or newer)
	$(BIN)/python -m pytest -m spark tests/parts/test_spark.py

lint: .venv/installed  ## Check style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(PYRIGHT)
	@# Prints every public name without a type, and nothing else of interest.
	@$(PYRIGHT) --verifytypes convergekit --ignoreexternal > .venv/types.txt \
	  || { cat .venv/types.txt; exit 1; }

notebooks: .venv/installed  ## Run the notebooks and keep their outputs (needs Chrome or Chromium)
	PLOTLY_RENDERER=plotly_mimetype+png $(BIN)/jupyter nbconvert --to notebook --execute --inplace \
	  --ExecutePreprocessor.store_widget_state=False --ExecutePreprocessor.record_timing=False \
	  notebooks/*.ipynb

notebooks-check: .venv/installed  ## Run the notebooks, and compare what they show with their outputs (nbval)
	PLOTLY_RENDERER=plotly_mimetype $(BIN)/python -m pytest -o addopts= -q -W default --nbval --nbval-current-env \
	  --nbval-cell-timeout=600 --nbval-sanitize-with notebooks/nbval.cfg notebooks

gallery: .venv/installed  ## Draw the pictures of the docs anew (needs Chrome or Chromium)
	$(BIN)/python docs/concept_pictures.py
	$(BIN)/python docs/make_gallery.py
	$(BIN)/python docs/explorer_picture.py
	$(BIN)/python docs/report_picture.py

docs: .venv/docs  ## Build the documentation site into site/, and open each page of it (needs Chrome or Chromium)
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet
	$(BIN)/python docs/check_links.py site
	$(BIN)/python docs/check_pages.py site
	$(BIN)/python docs/check_search.py site
	@echo "site/index.html: serve it with '$(BIN)/mkdocs serve'"

audit: .venv/audit  ## Ask the vulnerability service about the pinned versions (needs the network)
	@$(BIN)/pip-audit --strict --no-deps --disable-pip --progress-spinner off -r constraints.txt || { \
	  echo "make audit found vulnerabilities, which stand above (raise these pins), or checked nothing:"; \
	  echo "a connection error, or 'could not be audited', means that the vulnerability service does"; \
	  echo "not answer here. Run it where it does."; exit 1; }

fuzz: .venv/installed  ## Search for ten minutes for inputs that break reading or stitching
	$(BIN)/python -m fuzz --minutes 10

mutants: .venv/mutants  ## Change the code line by line, and see whether the tests notice (30 minutes)
	$(BIN)/python release/mutants.py --minutes 30

versions: .venv/versions  ## Run the tests on the oldest and newest versions (needs the network)
	$(BIN)/nox

oldest: .venv/versions  ## Run the tests on Python 3.11 with the oldest versions (needs the network)
	$(BIN)/nox -s oldest

newest: .venv/versions  ## Run the tests on each Python that is here with the newest versions (needs the network)
	$(BIN)/nox -s newest

bench: .venv/bench  ## Measure anew what docs/ says of speed and memory, beside other tools (takes hours)
	$(BIN)/python -m benchmarks
	$(BIN)/python -m benchmarks.suspects
	$(BIN)/python -m benchmarks.evaluate
	$(BIN)/python -m benchmarks.check_up
	$(BIN)/python -m benchmarks.read

wheel: .venv/release  ## Build dist/*.whl, and run it in empty environments, by pip and by uv (needs the network)
	rm -rf dist
	$(BIN)/python -m build --no-isolation
	$(BIN)/python release/check_wheel.py dist/*.whl

release: .venv/release  ## Do the checklist of CONTRIBUTING.md, and build a release; publish nothing (takes hours)
	$(BIN)/python release/check_release.py
	$(MAKE) test test-spark test-engines test-recipes notebooks-check audit versions binder
	$(BIN)/python -m tests.processors
	$(MAKE) release-files

release-files: .venv/release  ## Build what a release consists of, and check each (needs the network, and Chrome)
	$(BIN)/python release/check_release.py
	$(MAKE) docs
	$(BIN)/python release/build_release.py

binder: .venv/installed  ## Run the notebooks with what Binder and Colab install (needs the network)
	$(BIN)/python release/check_binder.py

clean:  ## Remove what the commands made
	rm -rf .venv .artefacts dist site .pytest_cache .hypothesis .mypy_cache .ruff_cache .nox

.venv/installed: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "convergekit needs Python 3.11 or newer; name one with PYTHON=python3.x"; exit 1; }
	$(PYTHON) -m venv .venv \
	  || { echo "python venv failed; on Debian and Ubuntu: apt install python3-venv"; exit 1; }
	$(PIP_INSTALL) --upgrade pip  # the pinned one: groups need pip 25.1 or newer
	$(PIP_INSTALL) -e '.[duckdb,excel,fast,mcp,pandera,phone,png,polars,watch]' --group dev --group browser
	@touch .venv/installed

# Dependency groups of pyproject.toml, each on top of the rest.
.venv/docs .venv/audit .venv/mutants .venv/bench .venv/engines .venv/versions .venv/release: .venv/%: .venv/installed
	@$(PIP_INSTALL) --group $*
	@touch $@

.venv/recipes/%/installed: tests/recipes/%.txt .venv/installed
	@$(PYTHON) -m venv .venv/recipes/$*
	@.venv/recipes/$*/bin/python -m pip install --quiet --disable-pip-version-check --upgrade pip
	@.venv/recipes/$*/bin/python -m pip install --quiet --disable-pip-version-check \
	  -c tests/recipes/$*.txt -e '.[duckdb,watch]' --group $*
	@touch $@

.venv/spark: .venv/installed
	@$(PIP_INSTALL) -e '.[spark]'
	@touch $@
