# make run     installs everything on first use, then opens the window; without a display it writes a report instead
# make test    the tests, with the linters and the import contracts; installs what they need
# make journeys   the window used from one end to the other, twenty times; RUNS=3 for three
# make check   the linters and the contracts only
# make bench   measures judging and scanning on this machine, beside others; writes docs/BENCHMARKS.md; an hour
# make clean   removes what the others made, the environment included

PYTHON ?= python3
RUNS ?= 20
VENV = .venv
BIN = $(VENV)/bin
READY = $(VENV)/.ready

.PHONY: help venv run test journeys check bench constraints clean

help:
	@sed -n 's/^# \(make .*\)/\1/p' Makefile

venv: $(READY)

$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 10) else "Python 3.10 or newer is needed: make PYTHON=python3.12 ...")'
	@$(BIN)/python -c '' 2>/dev/null || $(PYTHON) -m venv --clear $(VENV) || \
		{ rm -rf $(VENV); echo "On Debian or Ubuntu: sudo apt-get install python3-venv" >&2; exit 1; }
	@echo "Installing into $(VENV); the first time this takes some minutes and about 6 GB with CUDA."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[all,dev]'
	@touch $(READY)

run: venv
	@if [ -n "$${DISPLAY:-}$${WAYLAND_DISPLAY:-}" ] || [ "$$(uname)" = Darwin ]; then \
		$(BIN)/python .ci/system_packages.py --tell; exec $(BIN)/forensics gui; \
	else \
		exec $(BIN)/forensics demo --out report; \
	fi

test: venv
	@$(BIN)/python .ci/system_packages.py
	@$(MAKE) --no-print-directory check
	@OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n auto --dist loadfile

journeys: venv
	@for number in $$(seq $(RUNS)); do echo "run $$number of $(RUNS)"; \
		OMP_NUM_THREADS=1 $(BIN)/python -m pytest -q -n auto --dist loadfile -m journey tests/gui || exit 1; done

check: venv
	@$(BIN)/ruff check --quiet --output-format concise .
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/mypy --no-error-summary
	@$(BIN)/mypy --no-error-summary benchmarks .ci
	@$(BIN)/lint-imports

bench: venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[bench]'
	@$(BIN)/python benchmarks/judging.py --write
	@$(BIN)/python benchmarks/scanning.py --write

constraints: venv
	@$(BIN)/python .ci/freeze.py

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache build dist report
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
