# The habits of this project. Needs python3 (3.11 or newer, with venv), make and git.
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/ready
OUT := outputs/huli/2020/current

.PHONY: help report test slow pythons lowest bench lint reference catalogue pictures docs lock dist sample clean

help: ## show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-9s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# The environment is made anew when the lock changes, so that it never holds more than the lock
# says. Hashes refuse any other file; what builds our two packages is locked with the rest.
.venv/locked: requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "reportkit needs Python 3.11 or newer")'
	$(PYTHON) -m venv --clear .venv
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements.lock
	@touch $@

$(READY): .venv/locked pyproject.toml fonts/pyproject.toml
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation -e ./fonts -e .
	@touch $@

report: $(READY) ## the report of 湖里区 2020 from its sample ledgers
	@$(BIN)/reportkit run huli 2020
	@ls $(OUT)/report.html $(OUT)/audit.html $(OUT)/report.pdf >/dev/null

test: $(READY) ## the whole test suite, on all processors
	$(BIN)/python -m pytest -n auto --dist worksteal

# Random tests run from a fixed seed in `make test`, here from another one each time.
ifndef SEED
SEED := $(shell date +%s)
endif
slow: $(READY) ## the slow tier: millions of rows, fuzzed cases, random tests from another seed
	@echo "the seed of this run: make slow SEED=$(SEED)"
	$(BIN)/python -m pytest -m "slow or hypothesis" --hypothesis-profile=random \
	    --hypothesis-seed=$(SEED) --randomly-seed=$(SEED) \
	    || { echo "to repeat it: make slow SEED=$(SEED)"; exit 1; }

pythons: ## the unit tests on every Python that is supported and on this machine
	.ci/pythons

lowest: ## the unit tests with the least versions that pyproject.toml allows
	.ci/pythons --lowest

bench: $(READY) ## what a report costs in a batch, four districts; benchmarks/ has the long ones
	$(BIN)/python benchmarks/batch.py --quick --history benchmarks/history/batch.jsonl

lint: $(READY) ## style, types, layers, spelling, clean notebooks, small files
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/codespell
	$(BIN)/python -m pytest -q tests/unit/test_house.py

reference: $(READY) ## the reference pages and the picture of the layers, from the code
	$(BIN)/python tools/reference.py
	$(BIN)/python tools/layers.py

catalogue: $(READY) ## texts in other languages: find new ones, tell which are to be translated, compile
	$(BIN)/python tools/catalogue.py

pictures: report ## the pictures of the README, from that report (needs chromium)
	$(BIN)/python tools/pictures.py

docs: $(READY) ## the documentation, into site/ and, in Chinese, site/zh/
	$(BIN)/zensical build --strict
	$(BIN)/zensical build --strict --config-file mkdocs.zh.yml

# Resolved for every Python and platform at once; it says no index, so that each place uses its own.
lock: ## resolve requirements.lock anew (uv in a throw-away environment)
	$(PYTHON) -m venv .venv-lock && .venv-lock/bin/python -m pip install --quiet uv
	.venv-lock/bin/uv pip compile pyproject.toml --group dev --upgrade --quiet \
	    --universal --python-version 3.11 --fork-strategy fewest --generate-hashes \
	    --no-emit-package reportkit-zwgk-fonts \
	    --no-annotate --custom-compile-command "make lock" --output-file requirements.lock
	rm -r .venv-lock

dist: $(READY) ## wheels and sdists of both packages, into dist/, with their sizes
	$(BIN)/python -m hatchling build -d dist
	cd fonts && ../$(BIN)/python -m hatchling build -d ../dist
	@ls -l dist | awk 'NR > 1 {printf "%10.2f MB  %s\n", $$5 / 1e6, $$NF}'

sample: $(READY) ## make the sample ledgers in data/ anew from published totals
	@for folder in params/reports/*; do \
	    PYTHONPATH=tools $(BIN)/python -m synth $$folder/*.published.json --out data || test $$? -eq 1 || exit; \
	done

clean: ## remove everything that can be made again, but the reports in outputs/
	rm -rf .venv .venv-lock site build dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -not -path './.git/*' -prune -exec rm -rf {} +
