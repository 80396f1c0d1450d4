# Everything from a bare clone with Python (3.11 or newer), pip and make.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt

.PHONY: run test lint types contracts tests coverage slow-tests bench docs pictures checkpoints wheel format clean

run: $(VENV)/.installed  ## open the app
	$(BIN)/charrnn-tui

test: lint types contracts tests  ## every check

lint: $(VENV)/.installed-dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: $(VENV)/.installed-dev
	$(BIN)/mypy

contracts: $(VENV)/.installed-dev
	$(BIN)/lint-imports

tests: $(VENV)/.installed-dev
	$(BIN)/python -m pytest -n 4 --dist worksteal

coverage: $(VENV)/.installed-dev  ## which lines the tests reach; half as long again
	$(BIN)/python -m pytest -n 4 --dist worksteal --cov --cov-report=term:skip-covered

slow-tests: $(VENV)/.installed-dev  ## 50 trainings killed and resumed, and what else takes minutes
	$(BIN)/python -m pytest -m slow

bench: $(VENV)/.installed  ## ours beside the notebook, into benchmarks/results; ONLY=sampling,startup for some of it
	$(BIN)/python -m benchmarks $(if $(ONLY),--only $(ONLY))

docs: $(VENV)/.installed  ## the key tables of the guide, the page of commands and the schema of config.toml, as the app declares them
	$(BIN)/python docs/key_tables.py
	$(BIN)/python docs/cli_pages.py
	$(BIN)/python docs/config_schema.py

pictures: $(VENV)/.installed  ## all pictures of README and guide, from the app; a small model is trained for them
	$(BIN)/python -m docs.pictures

checkpoints: $(VENV)/.installed  ## train the shipped models again, for an hour and more; ANNA is the notebook's text
	@test -f "$(ANNA)" || { echo "name the notebook's text: make checkpoints ANNA=path/to/anna.txt"; exit 1; }
	$(INSTALL) --editable '.[checkpoints]'
	$(BIN)/python checkpoints/make.py names
	$(BIN)/python checkpoints/make.py python
	$(BIN)/python checkpoints/make.py anna "$(ANNA)"

wheel: $(VENV)/.installed-dev  ## dist/charrnn_tui-….whl, with the shipped models
	$(BIN)/python -m pip --disable-pip-version-check wheel --quiet --no-deps --no-build-isolation --wheel-dir dist .

format: $(VENV)/.installed-dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

clean:
	rm -rf $(VENV) build dist .coverage .mypy_cache .pytest_cache .ruff_cache .hypothesis

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "charrnn-tui needs Python 3.11 or newer; name one: make PYTHON=python3.12"; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: pyproject.toml constraints.txt | $(BIN)/python
	@echo "installing what charrnn-tui needs into $(VENV); torch takes a while"
	$(INSTALL) --editable .
	@$(BIN)/python -m compileall -q charrnn_tui
	@touch $@

$(VENV)/.installed-dev: pyproject.toml constraints.txt | $(BIN)/python
	@echo "installing charrnn-tui and its tools into $(VENV); torch takes a while"
	$(INSTALL) --editable '.[dev]'
	@$(BIN)/python -m compileall -q charrnn_tui
	@touch $@ $(VENV)/.installed
