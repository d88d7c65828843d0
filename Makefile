# park-spool: everything is set up in .venv, in this folder, and nowhere else.
# PYTHON=/path/to/python3.12 chooses the Python; ARGS=… goes to `park demo`, PYTEST=… to pytest.

PYTHONS = $(or $(PYTHON),python3 python3.13 python3.12 python3.11 python3.14)
BIN = .venv/bin
INSTALL = $(BIN)/python -m pip install --quiet --no-input --disable-pip-version-check
# Side by side on all CPUs, at most four at a time: many tests start daemons of their own.
TESTS = $(BIN)/python -m pytest --numprocesses logical --maxprocesses 4 --dist worksteal $(PYTEST)
# Removed before an install and made after it: an install that was interrupted leaves none.
STAMP = .venv/installed
BENCH_STAMP = .venv/installed-bench

.PHONY: help demo test prove lint bench screenshots clean

help:
	@echo "make demo    fit a measured curve from 48 starts, on a spool of its own   (ARGS=--keep leaves it running)"
	@echo "make test    lint, types and tests                                        (PYTEST='-k slot' picks some)"
	@echo "make prove   the tests with all slow proofs"
	@echo "make lint    ruff and mypy"
	@echo "make bench   throughput beside other queues"
	@echo "make screenshots  the pictures of docs/web.md anew"
	@echo "make clean   remove .venv and all that was built"

demo: $(STAMP)
	@$(BIN)/park demo $(ARGS)

test: lint
	$(TESTS) -m "not prove"

prove: lint
	$(TESTS)

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy --strict park_spool datacenter web services

bench: $(BENCH_STAMP)
	$(BIN)/python benchmarks/throughput.py $(ARGS)

screenshots: $(STAMP)
	PYTHONPATH=tests $(BIN)/python docs/screenshots.py $(ARGS)

$(STAMP): pyproject.toml setup.py
	@[ -f $@ ] || sh .ci/make-venv .venv $(PYTHONS)
	@rm -f $@
	@echo "Installing park-spool and what it needs into .venv; the first time takes a minute or two …"
	@$(INSTALL) --editable '.[fit,test]'
	@touch $@
	@echo "Installed."

$(BENCH_STAMP): $(STAMP)
	@$(INSTALL) --editable '.[fit,test,bench]'
	@touch $@

clean:
	rm -rf .venv build dist *.egg-info .demo .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
