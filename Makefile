# driftloop: `make demo` shows the whole loop, `make test` proves it. Both set up what they need.
PYTHON ?= python3
UV_VERSION := 0.13.9
ENVS := .driftloop/envs
UV := .venv/bin/uv
PINS := constraints.txt
# Bytecode now: jobs are short, and one that compiled pandas and scikit-learn again spent 3 s on it.
INSTALL = $(UV) pip install --quiet --compile-bytecode --constraint $(PINS) --python

# uv reads its own variable for a private package index; people set pip's.
ifdef PIP_INDEX_URL
export UV_DEFAULT_INDEX ?= $(PIP_INDEX_URL)
endif

.DEFAULT_GOAL := help
.PHONY: help setup demo test lint bench bench-data bench-models bench-monitor transformer machines \
	constraints clean

help:  ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

.venv/.uv:
	@echo "setting up .venv"
	@$(PYTHON) -c 'import sys; assert sys.version_info >= (3, 11), "driftloop needs Python 3.11 or newer"'
	@$(PYTHON) -m venv .venv
	@.venv/bin/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	@touch $@

.venv/.cli: .venv/.uv pyproject.toml constraints.txt requirements.txt
	@$(INSTALL) .venv/bin/python --group cli --editable .
	@touch $@

# Jobs run on what AWS's image holds, not on the newest.
$(ENVS)/jobs/.ready: PINS := constraints-jobs.txt

# The monitor's peers need other versions than we do.
$(ENVS)/bench-monitor/.ready: PINS := constraints-bench-monitor.txt
$(ENVS)/bench-data/.ready: PINS := constraints-bench-data.txt
$(ENVS)/bench-models/.ready: PINS := constraints-bench-models.txt

$(ENVS)/%/.ready: .venv/.uv pyproject.toml constraints.txt constraints-jobs.txt
	@echo "setting up $(@D)"
	@test -d $(@D) || $(UV) venv --quiet --python .venv/bin/python $(@D)
	@$(INSTALL) $(@D)/bin/python --group $*
	@touch $@

# PyTorch by pip, which takes a build for the CPU where the machine offers one.
$(ENVS)/transformer/.ready: PINS := constraints-transformer.txt
$(ENVS)/transformer/.ready: .venv/.uv pyproject.toml constraints-transformer.txt
	@echo "setting up $(@D)"
	@test -d $(@D) || .venv/bin/python -m venv $(@D)
	@$(@D)/bin/python -m pip install --quiet --disable-pip-version-check --constraint $(PINS) torch
	@$(INSTALL) $(@D)/bin/python --group transformer
	@touch $@

.venv/.test: .venv/.cli
	@echo "setting up what the tests add"
	@$(INSTALL) .venv/bin/python --group test --group lint --requirement requirements.txt
	@touch $@

setup: .venv/.cli $(ENVS)/cloud/.ready $(ENVS)/jobs/.ready  ## set up what the demo needs

transformer: $(ENVS)/transformer/.ready  ## what the transformer model runs on locally: PyTorch and Hugging Face's libraries

demo: setup  ## the whole loop on a fresh local cloud; DATA=file DRIFT=file KEEP=0
	@.venv/bin/driftloop demo $(if $(DATA),--data $(DATA)) $(if $(DRIFT),--drift $(DRIFT)) \
		$(if $(filter 0,$(KEEP)),--no-keep)

# Schemathesis gives its cases one id, of which a file's share would run only one: they go alone.
FUZZED := tests/unit/test_api_fuzzed.py

test: setup transformer .venv/.test  ## set up, then every test
	@$(ENVS)/transformer/bin/python -m pytest tests/transformer
	@.venv/bin/python -m pytest $(FUZZED)
	@.venv/bin/python -m pytest --numprocesses 2 --dist loadfile --ignore $(FUZZED)

lint: .venv/.test  ## ruff and mypy
	@.venv/bin/ruff check .
	@.venv/bin/ruff format --check .
	@.venv/bin/mypy

bench: setup .venv/.test  ## speed, memory and accuracy, against peers in the same run
	@.venv/bin/python -m benchmarks

bench-data: setup .venv/.test $(ENVS)/bench-data/.ready  ## the data: intake, conversion, checks; beside peers
	@.venv/bin/python -m benchmarks data quality

bench-models: setup .venv/.test $(ENVS)/bench-models/.ready  ## the models: serving, accuracy (`make transformer` adds its rows); beside peers
	@.venv/bin/python -m benchmarks models model transformer package

bench-monitor: setup .venv/.test $(ENVS)/bench-monitor/.ready  ## the monitor: speed, false alarms, power
	@.venv/bin/python -m benchmarks monitor

machines: .venv/.test  ## compile the state machines to their ASL
	@.venv/bin/python -m statemachines

constraints: .venv/.uv  ## choose every version anew
	@$(UV) pip compile --quiet --universal --python-version 3.11 --no-annotate --no-emit-index-url \
		--custom-compile-command "make constraints" --output-file constraints.txt --upgrade \
		$(addprefix --group ,cli cloud jobs authoring test lint) requirements.txt

clean:  ## remove what can be made again (the local cloud's state too)
	@test ! -x .venv/bin/driftloop || .venv/bin/driftloop down
	@rm -rf .venv .driftloop *.egg-info
