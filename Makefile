# make demo    see it work: a real Kafka, real shop data, recommendations in a table
# make shop    the same, then a shop in your browser to join in by hand
# make test    every check and test, the ones against a real Kafka too
# make lint    the checks alone
# make venv    only set up .venv; the targets above do it themselves
# make browser find a Chromium for the tests of the pages, or install one; make test does it itself
# make lock    resolve pyproject.toml and the requirements*.in to exact versions again
# make clean   remove what the targets above have made
#
# PYTHON=python3.12   the Python for .venv, 3.11 or newer
# CHROMIUM=/path      the Chromium to test pages with, where it is not found by itself
# TORCH=cpu           torch without CUDA, from the index that uv knows for it

PYTHON ?= python3
TORCH ?=

VENV := .venv
BIN := $(VENV)/bin
UV_HOME := .headrace/uv
# Written last, so an interrupted installation starts afresh.
RUNTIME := $(VENV)/.runtime-installed
TOOLS := $(VENV)/.tools-installed
# What the benches compare with wants other libraries than we do: an environment each.
RIVALS := .headrace/quix/.installed .headrace/river/.installed

uv = @VIRTUAL_ENV=$(VENV) $(PYTHON) deploy/uv.py $(UV_HOME)
torch = $(if $(TORCH),--torch-backend=$(TORCH))

# CUDA's packages follow from torch's own metadata: a build for CPUs must not bring them.
CUDA := cuda-bindings cuda-pathfinder cuda-toolkit triton nvidia-cublas nvidia-cuda-cccl \
	nvidia-cuda-cupti nvidia-cuda-nvrtc nvidia-cuda-runtime nvidia-cudnn-cu13 nvidia-cufft \
	nvidia-cufile nvidia-cusolver nvidia-cusparse nvidia-cusparselt-cu13 nvidia-nccl-cu13 \
	nvidia-nvjitlink nvidia-nvshmem-cu13 nvidia-nvtx
compile = pip compile --quiet --universal --python-version 3.11 --custom-compile-command "make lock"

.DELETE_ON_ERROR:
.PHONY: demo shop test lint venv browser lock clean

demo: $(RUNTIME)
	$(BIN)/headrace demo

shop: $(RUNTIME)
	$(BIN)/headrace demo --serve

test: lint $(RIVALS) browser
	$(BIN)/python -m pytest -n logical --maxprocesses 4 --dist loadfile

lint: $(TOOLS)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

venv: $(TOOLS) $(RIVALS)

browser: $(TOOLS)
	@$(BIN)/python -m tests.browser.chromium

$(RUNTIME): requirements.txt pyproject.toml deploy/uv.py
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Headrace needs Python 3.11 or newer; name one: make PYTHON=python3.11" >&2; exit 1; }
	@echo "Setting up $(VENV) (once; torch is most of it)"
	$(uv) venv --quiet --clear --no-python-downloads --python "$(PYTHON)" $(VENV)
	$(uv) pip install --quiet --compile-bytecode $(torch) -r requirements.txt
	$(uv) pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

$(TOOLS): $(RUNTIME) requirements-dev.txt
	@echo "Adding the tools of make lint and make test to $(VENV)"
	$(uv) pip install --quiet --compile-bytecode -r requirements-dev.txt
	@touch $@

$(RIVALS): .headrace/%/.installed: bench/requirements-%.txt $(RUNTIME)
	@echo "Setting up $(@D) for the benches (once)"
	$(uv) venv --quiet --clear --no-python-downloads --python "$(PYTHON)" $(@D)
	$(uv) pip install --quiet --python $(@D) --compile-bytecode -r bench/requirements-$*.txt
	@touch $@

lock:
	$(uv) $(compile) $(addprefix --no-emit-package ,$(CUDA)) pyproject.toml -o requirements.txt
	$(uv) $(compile) requirements-dev.in -o requirements-dev.txt
	$(uv) $(compile) bench/requirements-quix.in -o bench/requirements-quix.txt
	$(uv) $(compile) bench/requirements-river.in -o bench/requirements-river.txt

clean:
	-[ ! -x $(BIN)/headrace ] || $(BIN)/headrace broker stop
	rm -rf $(VENV) .headrace build dist *.egg-info .hypothesis .*_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
