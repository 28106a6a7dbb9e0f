# make demo: from a fresh clone to a listened recording.   make test: the tests.   make check: all that CI runs.
PYTHON ?= $(shell for p in python3 python3.11 python3.12 python3.13 python3.14; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && command -v $$p && break; done)
BIN := .venv/bin

.PHONY: setup weights demo test check

setup:
	@test -n "$(PYTHON)" || { echo "setup: Python 3.11 or newer is needed (set PYTHON=/path/to/python3)"; exit 1; }
	@$(PYTHON) .ci/setup.py

weights: setup
	@$(BIN)/soundflow models pull nano

demo: weights
	@mkdir -p out
	$(BIN)/soundflow listen demo/house.flac --tools demo/tools.json --pace fast --timeline out/demo.png --voice out/demo.wav
	@echo "picture: out/demo.png   replies: out/demo.wav"

test: setup
	@$(BIN)/soundflow models pull nano || echo "tests that need the weights will be skipped"
	$(BIN)/pytest

check: weights
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest -m "not slow"
	$(BIN)/pytest -m slow
