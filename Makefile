# Every command of the course; `make` alone lists them. Works with GNU make 3.81 and newer.
#
#   PYTHON=python3.12    the Python that .venv is made with (3.11 or newer)
#   PIP_ARGS=...         anything more for pip: a mirror, a proxy, or an index that has CPU-only torch
#   ARGS=...             anything more for the minilm command: make demo ARGS="--minutes 1"

PYTHON ?= python3
PIP_ARGS ?=
ARGS ?=

BIN := .venv/bin
INSTALL := $(BIN)/python -m pip install -qq --disable-pip-version-check $(PIP_ARGS) -c constraints.txt
FIRST := notebooks/00_welcome.ipynb

.PHONY: help demo lab grade bundle test test-all lint setup text pretrain clean
.DEFAULT_GOAL := help

help:  ## list these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' Makefile

demo: text  ## install, fetch the text, then pretrain, fine-tune, merge and compare (about five minutes)
	@$(BIN)/minilm demo $(ARGS)

lab: text  ## open JupyterLab on the first notebook
	@if [ -f $(FIRST) ]; then start=$(FIRST); else start=.; fi; $(BIN)/python -m jupyterlab $$start

grade: text  ## grade your exercises
	@$(BIN)/minilm grade $(ARGS)

bundle: setup  ## pack the learners' copy of the course, without solutions, into course.zip
	@$(BIN)/minilm bundle $(ARGS)

ifneq ($(wildcard tests/library),)
test: text .venv/.interop  ## run the tests (all but the few marked slow)
	@MINILM_INTEROP=1 $(BIN)/python -m pytest -q -m "not slow"

test-all: text .venv/.interop  ## run every test, the slow ones too
	@MINILM_INTEROP=1 $(BIN)/python -m pytest -q
else
test test-all: grade  # a learner's copy of the course has the graded tests alone
endif

lint: setup  ## check the style of the code
	@$(BIN)/ruff check .

setup: .venv/.installed  ## make .venv and install (quick when nothing changed)
	@:

text: setup  ## fetch the Shakespeare text, the last step that needs a network
	@$(BIN)/minilm fetch

pretrain: text  ## make the shipped base again, step by step as it was made (at most 30 minutes)
	@$(BIN)/minilm pretrain --out runs/shipped --steps 3000 --seed 0 $(ARGS)
	@cp -R runs/shipped/model/. minilm/pretrained/base/

clean:  ## remove .venv and caches; your exercises, notebooks and runs/ stay
	@rm -rf .venv .pytest_cache .ruff_cache .hypothesis build dist minilm.egg-info
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

# A stamp is touched only after the whole installation went well, so an interrupted one starts again.
.venv/.installed: pyproject.toml constraints.txt
	@command -v "$(PYTHON)" >/dev/null || { echo "minilm needs Python 3.11 or newer, but there is no $(PYTHON) here:" \
		"install it, or name yours with make PYTHON=..." >&2; exit 2; }
	@"$(PYTHON)" -c 'import sys; sys.exit("minilm needs Python 3.11 or newer, but $(PYTHON) is %d.%d: name a newer" \
		" one with make PYTHON=python3.12" % sys.version_info[:2] if sys.version_info < (3, 11) else 0)'
	@echo "Installing minilm and what it needs into .venv (some minutes the first time) ..."
	@"$(PYTHON)" -m venv .venv
	@$(INSTALL) -e '.[dev]'
	@touch $@

# The libraries that ours is compared with: only the tests need them.
.venv/.interop: .venv/.installed
	@echo "Installing the libraries that minilm is tested against ..."
	@$(INSTALL) -e '.[dev,interop]'
	@touch $@
