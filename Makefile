# dragtor: everything a fresh machine needs. `make` alone lists the targets.
# Plain enough for GNU make 3.81 (macOS) and BSD tools.

SUITS  = import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 15))
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do $$p -c '$(SUITS)' 2>/dev/null && { echo $$p; break; }; done)
POETRY ?= poetry
VENV   := .venv
BIN    := $(VENV)/bin
TRAIN  := .venv-train
ARGS   ?=
BUILD  ?=
ONLY   ?=
FULL   ?=
RECORD ?=

DEMO_FOLDER := data/demo
DEMO_MODEL  := qwen2.5-coder-1.5b
SPEECH      := whisper-base.en silero-vad pyannote-segmentation-3.0
SPOKEN      := What does Tom Keller say about rest on the campus board?
QUESTION    := When may I climb again after an A2 pulley strain?
DEMO        := DRAGTOR_CONFIG=config/params.yml DRAGTOR_LLM_MODEL=$(DEMO_MODEL) $(BIN)/dragtor --library $(DEMO_FOLDER)
SAY         := printf '\n$$ %s\n'
PACKAGES    := import sysconfig; print(sysconfig.get_path("purelib"))
EXPORT       = $(POETRY) export --without-urls --format requirements.txt

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help setup engine demo test test-train check bench bench-full lock clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' Makefile

setup: $(VENV)/.setup ## make .venv from the locked requirements (no compiler needed)

# --no-compile: bytecode is made at the first import. Most modules never are imported; compiling
# them takes half of the time and 140 MB.
$(VENV)/.setup: requirements/base.txt pyproject.toml
	@python='$(PYTHON)'; python=$${python:-python3}; \
	$$python -c '$(SUITS)' 2>/dev/null || { \
	  echo "dragtor needs Python 3.11 to 3.14; $$python is: $$($$python --version 2>&1 | head -n 1). Name one: make PYTHON=python3.12 setup" >&2; exit 1; }; \
	test -x $(BIN)/pip || $$python -m venv $(VENV)
	@echo "Installing $$(grep -c '^[a-z].*==' requirements/base.txt) locked packages into $(VENV): half a minute or so."
	@$(BIN)/python -m pip --disable-pip-version-check install -q --no-compile --require-hashes -r requirements/base.txt
	@$(BIN)/python -m pip --disable-pip-version-check install -q --no-deps -e .
	@touch $@

engine: setup ## the language model engine: llama.cpp built here, or prebuilt without a compiler
	@$(BIN)/python scripts/setup_engine.py $(if $(BUILD),--build)

demo: setup ## from nothing to a cited answer, on the sample library
	@$(SAY) 'dragtor models pull gte-small'
	@$(DEMO) models pull gte-small
	@$(SAY) 'dragtor add assets/sample_library'
	@$(DEMO) add assets/sample_library
	@$(SAY) 'dragtor ask --quotes "$(QUESTION)"'
	@$(DEMO) ask --quotes "$(QUESTION)"
	@$(SAY) 'make engine'
	@$(MAKE) --no-print-directory engine
	@$(SAY) 'dragtor models pull $(DEMO_MODEL)'
	@$(DEMO) models pull $(DEMO_MODEL)
	@$(SAY) 'dragtor ask "$(QUESTION)"'
	@$(DEMO) ask "$(QUESTION)"
	@$(SAY) 'dragtor models pull $(SPEECH)'
	@$(DEMO) models pull $(SPEECH)
	@$(SAY) 'dragtor add assets/sample_episode'
	@$(DEMO) add assets/sample_episode
	@$(SAY) 'dragtor ask "$(SPOKEN)"'
	@$(DEMO) ask "$(SPOKEN)"
	@echo; echo "Now yours: $(BIN)/dragtor add URL-or-file, then $(BIN)/dragtor ask \"...\""

$(VENV)/.dev: requirements/dev.txt $(VENV)/.setup
	@$(BIN)/python scripts/setup_engine.py --requirements requirements/dev.txt
	@touch $@

# The page's tests run in Debian's Chromium: root gets it, others are told what is skipped.
test: $(VENV)/.dev ## set up and run the tests; ARGS="-k name" picks some
	@command -v chromium >/dev/null || { test "$$(id -u)" = 0 && command -v apt-get >/dev/null && \
	  { apt-get update -q && apt-get install -qy --no-install-recommends chromium; } >/dev/null; } || \
	  echo "Chromium is not installed: the tests of the page are skipped"
	@$(BIN)/dragtor models pull gte-small all-minilm-l6-v2 tags smollm2-135m whisper-tiny $(SPEECH)
	@$(BIN)/python -m pytest $(ARGS)

# Training has an environment of its own, which sees the packages of $(VENV).
$(TRAIN)/.ok: requirements/train.txt $(VENV)/.dev
	@$(BIN)/python -m venv $(TRAIN)
	@base=$$($(BIN)/python -c '$(PACKAGES)'); \
	echo "import site; site.addsitedir('$$base')" > "$$($(TRAIN)/bin/python -c '$(PACKAGES)')/base.pth"
	@$(TRAIN)/bin/python -m pip --disable-pip-version-check install -q -r requirements/train.txt
	@touch $@

test-train: $(TRAIN)/.ok ## the tests of the training code, with torch
	@$(BIN)/dragtor models pull smollm2-135m all-minilm-l6-v2 all-minilm-l6-v2-torch
	@$(TRAIN)/bin/python -m pytest tests/test_train*.py "tests/test_notebooks.py::test_a_notebook_runs[encoder]" $(ARGS)

check: $(VENV)/.dev ## format, lint, types
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/mypy scripts/setup_engine.py

bench: $(VENV)/.dev ## measure what the bars are about: samples, 10 minutes; ONLY=name FULL=1 RECORD=1
	@$(BIN)/python benchmarks/run.py $(if $(ONLY),--only $(ONLY)) $(if $(FULL),--full) $(if $(RECORD),--record)

bench-full: $(VENV)/.dev ## all of it, for hours; goes on where it was stopped
	@$(BIN)/python benchmarks/run.py --full $(if $(RECORD),--record)

lock: ## poetry.lock and requirements/ from pyproject.toml (Poetry 2 with its export plugin)
	@$(POETRY) lock
	@$(EXPORT) --output requirements/base.txt
	@$(EXPORT) --extras llama --output requirements/llama.txt
	@$(EXPORT) --extras prebuilt --output requirements/prebuilt.txt
	@$(EXPORT) --with dev --output requirements/dev.txt

clean: ## remove .venv and caches; models/ and data/ stay
	@rm -rf $(VENV) $(TRAIN) .pytest_cache .mypy_cache .ruff_cache .hypothesis build dist
	@find dragtor tests scripts benchmarks -name __pycache__ -prune -exec rm -rf {} +
