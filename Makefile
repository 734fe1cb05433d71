# Every target creates .venv when it is missing; PYTHON chooses the interpreter, TORCH_PIP adds pip options for torch
# (for a CPU or CUDA build; see README).
PYTHON ?= python3
TORCH_PIP ?=
CORES ?= 2
SIZE ?= full
BIN := .venv/bin

.PHONY: install demo test test-slow lint bench validate docs clean

.venv/installed: pyproject.toml constraints.txt
	$(PYTHON) -c "import sys; sys.exit('phiscale needs Python >= 3.11; choose one with: make PYTHON=python3.12 ...' if sys.version_info < (3, 11) else 0)"
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt $(TORCH_PIP) torch
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[test]'
	$(BIN)/python -c "import pipeline.workflow.preload"  # has what is compiled compiled, so that nobody waits for it later
	touch $@

install: .venv/installed

demo: .venv/installed
	$(BIN)/phiscale demo --cores $(CORES)

test: .venv/installed
	$(BIN)/python -m pytest

test-slow: .venv/installed
	$(BIN)/python -m pytest -m slow

lint: .venv/installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: .venv/installed
	$(BIN)/python -m benchmarks

validate: .venv/installed
	OMP_NUM_THREADS=1 NUMBA_NUM_THREADS=1 $(BIN)/python -m pipeline.validation.coverage --$(SIZE) --jobs $(CORES)
	$(BIN)/python -m pipeline.validation.page results/validation/$(SIZE)

docs: .venv/docs
	$(BIN)/sphinx-build -W --keep-going -q -j auto -b html docs build/docs
	@echo "docs: build/docs/index.html"

.venv/docs: .venv/installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[docs]'
	touch $@

clean:
	rm -rf build dist docs/api/generated *.egg-info .pytest_cache .hypothesis .mypy_cache .ruff_cache
