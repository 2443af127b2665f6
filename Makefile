# `make demo` and `make test` need Python 3.11 or newer, git and make; everything else is installed into .venv.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

# Over the cores, each file of tests on one of them, because what its tests share is made once then; in the order of
# tests/conftest.py, slow files first.
PYTEST := $(BIN)/pytest -n logical --maxprocesses 8 --dist loadfile --no-loadscope-reorder

.PHONY: demo test check torture fuzz bench docs format messages clean

demo: $(READY)
	$(BIN)/koki demo

# A part of the tests is named with T, without ruff and the type checker: make test T=tests/recipes
T ?=
test: $(READY)
ifeq ($(T),)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	@# mypy takes one core for a minute: beside the tests, none is idle meanwhile
	$(BIN)/mypy & types=$$!; $(PYTEST); tests=$$?; wait $$types && exit $$tests
else
	$(PYTEST) $(T)
endif

# The tests marked slow are left out.
check: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(PYTEST) -m 'not slow'

# Kills a run fifty times and restarts it until it is finished: about three minutes on 2 cores.
torture: $(READY)
	KOKI_TORTURE_KILLS=50 $(BIN)/pytest tests/torture -s

# Mutated files and lines against the readers and the parser, with another seed each time: make fuzz SECONDS=60
SECONDS ?= 600
fuzz: $(READY)
	KOKI_FUZZ_SECONDS=$(SECONDS) KOKI_FUZZ_SEED=$$(date +%s) $(BIN)/pytest tests/fuzz -s

# Sides of train_speed.py that need TRL or datasets are skipped unless these are installed into .venv.
bench: $(READY)
	$(BIN)/python benchmarks/train_speed.py --workload mix
	$(BIN)/python benchmarks/train_speed.py --workload recipes
	$(BIN)/python benchmarks/train_speed.py --workload mix --model full
	$(BIN)/python benchmarks/data_speed.py
	$(BIN)/python benchmarks/plan.py
	$(BIN)/python benchmarks/start_up.py
	$(BIN)/python benchmarks/resume.py
	$(BIN)/python benchmarks/answers.py
	$(BIN)/python benchmarks/book.py

# The pages of docs/ as a site, in build/site; a link that leads nowhere is an error.
docs: $(READY)
	$(BIN)/zensical build --clean --strict

format: $(READY)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# After a message in the code was added or changed: its entry in the catalogue of translations, which is compiled.
messages: $(READY)
	$(BIN)/python scripts/messages.py

clean:
	rm -rf $(VENV) build dist src/*.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis

# Installed anew whenever what is to be installed has changed.
$(READY): pyproject.toml requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Koki needs Python 3.11 or newer: make PYTHON=python3.12 ..."; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	@touch $@
