# make setup installs everything into .venv; make check is what CI runs.
PYTHON ?= python3
VENV ?= .venv
JOBS ?= 2
# Extra words for pip, for example PIP_ARGS="--extra-index-url https://download.pytorch.org/whl/cpu" where the
# default torch wheel would bring CUDA along.
PIP_ARGS ?=
PYTEST_ARGS ?=

BIN := $(VENV)/bin
STAMP := $(VENV)/.stamp
TRAIN_STAMP := $(VENV)/.train
# A computer without an NVIDIA driver needs no CUDA, and torch without it is a tenth of the size.
CPU_INDEX := https://download.pytorch.org/whl/cpu
DEMO := runs/demo
# One thread per worker: with more, the workers wait for each other.
PYTEST := OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n $(JOBS)

.DEFAULT_GOAL := help
.PHONY: help setup demo test test-slow soak check fmt bench wheel clean

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  \1|\2/p' $(MAKEFILE_LIST) | awk -F'|' '{printf "%-13s%s\n", $$1, $$2}'

define CHECK_PYTHON
	@$(PYTHON) -c 'import sys; v = sys.version_info; \
	  (3, 11) <= v < (3, 14) or sys.exit(f"archdsl needs Python 3.11 to 3.13, and $(PYTHON) is {v[0]}.{v[1]}; set PYTHON=")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
endef

# torch comes first, and by itself, so that what is installed after it keeps it.
define INSTALL_TORCH
	@$(BIN)/python -c 'import torch' 2>/dev/null || \
	  { ! command -v nvidia-smi >/dev/null && command -v curl >/dev/null && \
	    curl -sfI -m 5 $(CPU_INDEX)/torch/ >/dev/null && \
	    $(BIN)/python -m pip install -qq --disable-pip-version-check $(PIP_ARGS) -c constraints.txt \
	      --index-url $(CPU_INDEX) torch; } || true
endef

setup: $(STAMP) ## create .venv with all that development needs

$(STAMP): pyproject.toml constraints.txt
	$(CHECK_PYTHON)
	$(INSTALL_TORCH)
	$(BIN)/python -m pip install -qq --disable-pip-version-check $(PIP_ARGS) -c constraints.txt -e '.[dev]'
	@command -v chromium >/dev/null || { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && \
	  { apt-get install -y -qq chromium || { apt-get update -qq && apt-get install -y -qq chromium; }; } >/dev/null 2>&1; } || \
	  echo 'Chromium is missing, so the tests of the HTML page skip: sudo apt-get install chromium' >&2
	@command -v dot >/dev/null || { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && \
	  { apt-get install -y -qq graphviz || { apt-get update -qq && apt-get install -y -qq graphviz; }; } >/dev/null 2>&1; } || \
	  echo 'Graphviz is missing, so the tests of --engine dot skip: sudo apt-get install graphviz' >&2
	@touch $@ $(TRAIN_STAMP)

# All that training needs, without the tools of development.
$(TRAIN_STAMP): pyproject.toml constraints.txt
	$(CHECK_PYTHON)
	$(INSTALL_TORCH)
	$(BIN)/python -m pip install -qq --disable-pip-version-check $(PIP_ARGS) -c constraints.txt -e '.[train]'
	@touch $@

demo: $(TRAIN_STAMP) ## check, summarise, draw, compile and train the spec `digits` into runs/demo
	mkdir -p $(DEMO)
	$(BIN)/archdsl check digits
	$(BIN)/archdsl summary digits
	$(BIN)/archdsl draw digits -o $(DEMO)/digits.svg
	$(BIN)/archdsl compile digits -o $(DEMO)/digits.py
	$(BIN)/archdsl train digits --data digits --out $(DEMO)/run --overwrite

test: $(STAMP) ## run the quick tests
	$(PYTEST) -m "not slow and not soak" --durations=10 $(PYTEST_ARGS)

test-slow: $(STAMP) ## run the slow tests
	$(PYTEST) -m slow --durations=10 $(PYTEST_ARGS)

soak: $(STAMP) ## run the tests of all networks, 50,000 mutilated texts and 100 killed runs, about an hour
	$(PYTEST) -m soak $(PYTEST_ARGS)
	OMP_NUM_THREADS=1 $(BIN)/python -m tests.fuzz.soak --results bench/results/soak.md
	OMP_NUM_THREADS=1 $(BIN)/python -m tests.training.kills --results bench/results/kills.md

check: $(STAMP) ## format, lint, types, then the quick tests
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/python -m archdsl fmt --check specs experiments
	$(BIN)/basedpyright --project pyproject.toml --warnings
	$(MAKE) test

fmt: $(STAMP) ## format code and specs, and mend what lint can mend
	$(BIN)/ruff format .
	$(BIN)/python -m archdsl fmt specs experiments
	$(BIN)/ruff check --fix .

bench: $(STAMP) ## measure speed
	$(BIN)/python -m bench

wheel: $(STAMP) ## build the wheel and the sdist into dist/
	$(BIN)/python -m build --no-isolation

clean: ## remove what make and the tools leave behind
	rm -rf $(VENV) build dist runs .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
