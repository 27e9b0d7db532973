# The two that a newcomer needs: `make demo` and `make test`. Each sets up what it needs in .venv.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/pip --disable-pip-version-check --quiet
NATIVE := $(shell find native -name '*.cpp' -o -name '*.hpp' -o -name CMakeLists.txt)
STAMP = date +%s > $@.begun
SINCE = echo "  took $$(( $$(date +%s) - $$(cat $@.begun) )) s"; rm -f $@.begun

# Bytecode is kept whatever the surroundings say: else each of the hundreds of processes that the tests start compiles anew.
unexport PYTHONDONTWRITEBYTECODE

.SECONDARY:
.PHONY: help demo test setup lint fix check check-long bench docs native-test sanitize clean

help:  ## Show this
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 14

demo: $(VENV)/.built-demo  ## Run the main job: three organisations train a joint model
	@echo "== Run"
	@$(BIN)/unseen demo

test: $(VENV)/.built-dev  ## Set up, and run the tests
	@$(BIN)/python -m pytest -m "not long" -n auto --maxprocesses 4 --dist loadfile

setup: $(VENV)/.built-dev  ## Set up everything for development

$(VENV)/bin/python:
	@command -v $(PYTHON) >/dev/null || { echo "Python 3.11 or newer is needed: apt install python3 python3-venv"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed; this is $$($(PYTHON) -V)"; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { echo "Install the venv module: apt install python3-venv"; exit 1; }

$(VENV)/.deps-%: pyproject.toml constraints.txt | $(VENV)/bin/python
	@echo "== Download"
	@$(STAMP)
	@$(BIN)/python .ci/requirements.py $(if $(filter demo,$*),demo,demo dev docs) > $@.txt
	@$(PIP) install -c constraints.txt -r $@.txt
	@$(SINCE)
	@touch $@

$(VENV)/.built-%: $(VENV)/.deps-% $(NATIVE)
	@echo "== Build"
	@command -v c++ >/dev/null || command -v g++ >/dev/null || command -v clang++ >/dev/null || \
	  echo "  There is no C++ compiler: only the slow NumPy kernels will be there. Install one: apt install g++ (macOS: xcode-select --install)"
	@$(STAMP)
	@$(BIN)/python .ci/measured.py $(VENV)/build-took.json $(PIP) install -c constraints.txt --no-build-isolation --no-deps -e .
	@$(BIN)/python .ci/kernels.py
	@$(SINCE)
	@touch $@

lint: $(VENV)/.built-dev  ## Style and types
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache

fix: $(VENV)/.built-dev  ## Mend what can be mended
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

docs: $(VENV)/.built-dev  ## Build the documentation into build/docs
	@$(BIN)/sphinx-build -W -q -b html docs build/docs

check: lint docs  ## Everything that must hold besides the tests

check-long: $(VENV)/.built-dev check native-test  ## The slow tests too
	@$(BIN)/python -m pytest

bench: $(VENV)/.built-dev  ## Reproduce the figures in the docs
	@for file in bench/*/__main__.py; do area=$$(basename $$(dirname $$file)); echo "== $$area"; $(BIN)/python -m bench.$$area || exit 1; done

native-test: $(VENV)/.built-dev  ## The kernels' own tests
	@$(BIN)/cmake -S native -B build/native -DUNSEEN_TESTS=ON > /dev/null
	@$(BIN)/cmake --build build/native --parallel 2 > /dev/null
	@$(BIN)/ctest --test-dir build/native --output-on-failure

sanitize: $(VENV)/.built-dev  ## The kernels' own tests under address and undefined-behaviour sanitizers
	@$(BIN)/cmake -S native -B build/sanitize -DUNSEEN_TESTS=ON -DUNSEEN_SANITIZE=ON -DCMAKE_BUILD_TYPE=RelWithDebInfo > /dev/null
	@$(BIN)/cmake --build build/sanitize --parallel 2 > /dev/null
	@$(BIN)/ctest --test-dir build/sanitize --output-on-failure

clean:  ## Remove what was made
	rm -rf $(VENV) build .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
