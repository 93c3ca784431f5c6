# make        set up .venv and run the main job: figures and claims of config/config.yaml
# make test   set up the same and pass the tests
# make findings  after make: keep what was found, and write the tables of the pages that tell of it
# make env    only set up;  CUDA=1 for a GPU;  PYTHON=python3.12 for another Python
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# An environment made for CUDA stays one until it is removed.
KIND := $(if $(CUDA)$(wildcard $(VENV)/.done-cuda),cuda,main)
LOCK := requirements/$(KIND).lock
STAMP := $(VENV)/.done-$(KIND)

.PHONY: run env test lint format docs findings lock

run: env
	$(BIN)/snakemake

env: $(STAMP)

# uv installs in a quarter of pip's time, and compiled bytecode saves every later start seconds.
$(STAMP): $(LOCK) requirements/uv.lock pyproject.toml
	@$(PYTHON) -c "import sys; sys.version_info >= (3, 11) or sys.exit('Python 3.11 or newer is needed, this is ' + sys.version.split()[0] + '; name one with make PYTHON=...')"
	$(PYTHON) -m venv --clear $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/uv.lock
	$(BIN)/uv pip sync --quiet --python $(BIN)/python --require-hashes --compile-bytecode $(LOCK)
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	touch $@

test: env lint
	$(BIN)/python -m pytest -n 3 --dist worksteal

lint: env
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/snakefmt --check Snakefile workflow

format: env
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/snakefmt Snakefile workflow

# Pages and the editors' schema that are made of the code.
docs: env
	$(BIN)/python -m spectral_capacity.config docs

# Numbers of finished runs: of config/config.yaml in results/, of decide.yaml and theory.yaml in results-…/
findings: env
	$(BIN)/python -m spectral_capacity.report.findings

# Pins without addresses: any index that holds these files will do.
COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header
lock: env
	$(COMPILE) --extra dev pyproject.toml -o requirements/main.lock
	$(COMPILE) --extra dev --extra cuda -c requirements/main.lock pyproject.toml -o requirements/cuda.lock
	grep '^uv==' requirements/main.lock | cut -d' ' -f1 | $(COMPILE) - -o requirements/uv.lock
