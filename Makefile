# make demo: from a fresh clone to a listened recording.   make test: the tests.   make check: all that CI runs.
PYTHON ?= $(shell for p in python3 python3.11 python3.12 python3.13 python3.14; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && command -v $$p && break; done)
BIN := .venv/bin

.PHONY: setup weights demo test stock reference check

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

# Other people's clients of our protocols, in an environment of their own; where they cannot be had their tests say so.
STOCK := .venv-stock/bin/python
stock:
	@test -x $(STOCK) || { $(PYTHON) -m venv .venv-stock && .venv-stock/bin/pip install -qq \
	  'pipecat-ai[openai]>=1.14,<2' 'livekit-agents>=1.8,<2' 'livekit-plugins-openai>=1.8,<2'; } \
	  || { echo "pipecat or livekit could not be installed: their tests will be skipped"; rm -rf .venv-stock; }

# Official scorers, whose dependencies cannot be beside ours, in an environment of their own; as above.
REFERENCE := .venv-reference/bin/python
reference:
	@test -x $(REFERENCE) || { $(PYTHON) -m venv .venv-reference && .venv-reference/bin/pip install -qq \
	  'setuptools<81' wheel Cython numpy scipy 'pandas<3' einops lazy_dataset 'sed_eval==0.2.1' sacrebleu textgrid tqdm pyyaml && \
	  .venv-reference/bin/pip install -qq --no-deps --no-build-isolation 'sed_scores_eval==0.0.4' 'simuleval==1.1.4'; } \
	  || { echo "the official scorers could not be installed: their tests will be skipped"; rm -rf .venv-reference; }

check: weights stock reference
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest -m "not slow"
	STOCK_PYTHON=$$(test -x $(STOCK) && echo $(CURDIR)/$(STOCK)) \
	REFERENCE_PYTHON=$$(test -x $(REFERENCE) && echo $(CURDIR)/$(REFERENCE)) $(BIN)/pytest -m slow
