# make run    set up .venv and run the whole loop on the bundled data
# make test   set up .venv and run lint, types and every test
# make ui     open the Prefect and MLflow pages on what `make run` recorded
# make lock   write requirements.lock from what is installed in .venv
# make docs   write docs/fields.md from the description of an agent
#
# PYTHON=python3.12            another interpreter (3.11 to 3.13)
# TORCH_INDEX_URL=URL          another build of torch (CPU, CUDA 12, ...)
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: run test lint unit ui lock docs clean

run: $(READY)
	@$(BIN)/quickstudy run

ui: $(READY)
	@$(BIN)/quickstudy ui

test: lint
	$(BIN)/pytest

unit: $(READY)
	$(BIN)/pytest -m "not system"

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

lock: $(READY)
	$(BIN)/python -m deployments.lock

docs: $(READY)
	$(BIN)/python -m deployments.fields

clean:
	rm -rf $(VENV)

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(None if (3, 11) <= v < (3, 14) else f"Python {v[0]}.{v[1]} found; Quickstudy needs 3.11, 3.12 or 3.13. Name one: make run PYTHON=python3.11")'
	@echo "Setting up $(VENV) (once, about three minutes) ..."
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/pip install --quiet --disable-pip-version-check $(if $(TORCH_INDEX_URL),--index-url $(TORCH_INDEX_URL)) "$$(sed -n 's/^\(torch==[^ ;]*\).*/\1/p' requirements.lock)"
	@$(BIN)/pip install --quiet --disable-pip-version-check -r requirements.lock
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@
