# make demo     a simulated night through the whole broker, on servers that it starts itself
# make test     the linters and all tests
# make install  .venv/bin/ampeld, and nothing else
#
# PYTHON=/path/to/python3.12 chooses the interpreter that .venv is made with.

PYTHON ?= python3
VENV := .venv
UV := $(VENV)/bin/uv
# --inexact: uv and pip, which are in the environment as well, stay
SYNC := env -u VIRTUAL_ENV UV_PROJECT_ENVIRONMENT=$(VENV) UV_PYTHON_DOWNLOADS=never \
	$(UV) sync --frozen --quiet --inexact --extra demo --extra catalogs
LOCKED := pyproject.toml uv.lock
KERNEL := setup.py $(wildcard src/ampeld/*/*.pyx src/ampeld/*/*.pxd)

.DEFAULT_GOAL := help
.PHONY: help install demo test lint unit clean

help:
	@sed -n 's/^# \{0,1\}//p' Makefile | head -5

install: $(VENV)/.installed

# the package runs from src/: its bytecode goes to the environment, and the demo leaves nothing beside it
demo: export PYTHONPYCACHEPREFIX := $(CURDIR)/$(VENV)/pycache
demo: $(VENV)/.installed
	$(VENV)/bin/ampeld demo

test: lint unit

lint: $(VENV)/.tested
	$(VENV)/bin/ruff check
	$(VENV)/bin/ruff format --check
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports

# dozens of processes start: what they import is compiled once, whatever the caller's shell says of bytecode
unit: export PYTHONPYCACHEPREFIX := $(CURDIR)/$(VENV)/pycache
unit: export PYTHONDONTWRITEBYTECODE :=
unit: $(VENV)/.tested
	# in the order of the directories: by default the long tests, few to a file, come last, on one worker
	$(VENV)/bin/pytest -n 3 --dist loadfile --no-loadscope-reorder

$(UV): deploy/preflight.sh
	@sh deploy/preflight.sh $(PYTHON)
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check uv==0.13.9
	@touch $@

$(VENV)/.installed: $(UV) $(LOCKED) $(KERNEL)
	$(SYNC) --no-default-groups
	@touch $@

$(VENV)/.tested: $(VENV)/.installed
	$(SYNC) --extra onnx --extra sncosmo
	@touch $@

clean:
	rm -rf $(VENV) build src/ampeld/*/*.so var .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache
