# The whole project by name: `make help` lists what there is. Only Python 3.11 or newer and make are needed.

PYTHON ?= $(shell for p in python3.11 python3 python3.12 python3.13; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$p; break; }; done)
WORKERS ?= 2
BIN := .venv/bin
READY := .venv/.ready
STAGE := @tools/stage

# One thread per process: the circuits are small, and two OpenMP threads on a small machine can stall each other.
export OMP_NUM_THREADS ?= 1
export PIP_DISABLE_PIP_VERSION_CHECK = 1

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help venv book test lint types unit notebooks html format live readme paper verdicts verify bench colab repository lock clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

venv: $(READY) ## create .venv and install the pinned packages (every target does this first)

$(READY): requirements.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "error: no Python 3.11 or newer found; install one or run: make PYTHON=/path/to/python" >&2; exit 2; }
	@test -x $(BIN)/python || { echo "Creating .venv with $(PYTHON)"; $(PYTHON) -m venv .venv; }
	$(STAGE) "install the pinned packages" $(BIN)/python -m pip install --quiet --requirement requirements.lock
	$(STAGE) "install hqnn" $(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@$(BIN)/python -c 'import matplotlib.font_manager' # builds the font cache now, so that no notebook reports it later
	@touch $@

book: html ## build the book's HTML and print where it is
	@echo
	@echo "The book: $(CURDIR)/_build/html/index.html"

test: lint types unit notebooks html ## run every check: style, types, unit tests, notebooks, HTML

lint: $(READY) ## check style, formatting and the floors of the library
	$(STAGE) "style" $(BIN)/ruff check .
	$(STAGE) "formatting" $(BIN)/ruff format --check .
	$(STAGE) "floors" $(BIN)/lint-imports --no-cache

types: $(READY) ## check types
	$(STAGE) "types" $(BIN)/mypy

unit: $(READY) ## run the unit tests and the checks of the repository itself
	$(STAGE) "unit tests" $(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --ignore tests/built \
		--junitxml _build/reports/unit.xml

notebooks: export TQDM_DISABLE = 1
notebooks: $(READY) ## re-run every notebook and compare with its stored outputs
	$(STAGE) "notebooks" $(BIN)/python -m pytest --nbval --nbval-current-env -n $(WORKERS) --dist loadfile \
		--junitxml _build/reports/notebooks.xml book

html: $(READY) ## build the HTML from the stored outputs, warnings as errors, and check the pages
	$(STAGE) "HTML" $(BIN)/jupyter-book build . --all -W -n --keep-going --quiet
	$(STAGE) "built pages" $(BIN)/python -m pytest tests/built

format: $(READY) ## fix style and formatting, in the notebooks' text twins too
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/python -m tools.notebooks pair

live: $(READY) ## execute every notebook in place and write its text twin
	$(STAGE) "notebooks, executed in place" $(BIN)/python -m tools.notebooks live

readme: $(READY) ## rewrite the README's generated parts, and the metadata for archives
	$(BIN)/python -m tools.readme
	$(BIN)/python -m tools.citable

paper: $(READY) ## make every missing or stale paper-scale record, FRESH=1 all of them (hours; resumes)
	$(if $(FRESH),rm -rf data/runs/*/)
	$(STAGE) "paper-scale records" $(BIN)/python -m hqnn run --all --jobs $(WORKERS)

verdicts: $(READY) ## store the verdicts that follow from the records now, in the README and the pages that count them too
	$(BIN)/python -m hqnn claims --update
	$(BIN)/python -m tools.notebooks build book/scoreboard.py book/together.py book/records.py
	$(BIN)/python -m tools.readme
	$(BIN)/python -m tools.citable

verify: $(READY) ## check every committed record against the registry
	$(STAGE) "records" $(BIN)/python -m hqnn verify

bench: $(READY) ## measure the quantum layer beside its peers
	$(BIN)/python -m pip list --format=freeze --exclude-editable > .venv/keep.txt
	$(BIN)/python -m pip install --quiet --editable '.[bench,book]' --constraint .venv/keep.txt
	$(BIN)/python -m pip install --quiet --no-deps qandle qW-Map einops openqasm3 torchquantum-ng || true
	$(STAGE) "benchmarks" $(BIN)/python -m benchmarks

colab: $(READY) ## run every notebook alone at Colab's versions, where that Python is here (half an hour)
	$(STAGE) "notebooks, as in Colab" $(BIN)/python -m tools.colab

repository: $(READY) ## give the book its public address: make repository URL=https://github.com/OWNER/NAME
	$(BIN)/python -m tools.repository "$(URL)"

lock: $(READY) ## pin what the project needs at the versions that .venv holds, with the hashes of their files
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/python -m tools.lock

clean: ## remove builds and caches (.venv, downloaded data and checkpoints stay)
	rm -rf _build build dist lib/*.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis .jupyter_cache
	find . -path ./.venv -prune -o -name __pycache__ -type d -print0 | xargs -0 rm -rf
