# `make test` runs every test that this machine can run. SETUP=docker sets Docker up
# first, on a Debian machine where you are root, and makes its absence a failure.
PYTHON ?= python3
VENV ?= .venv
SETUP ?=
PLATFORMS := $(VENV)/platforms.env

.PHONY: test lint clean

test: $(VENV)/installed $(PLATFORMS)
	set -a && . ./$(PLATFORMS) && MLCUBE_CONFORMANCE_REQUIRED="$${MLCUBE_CONFORMANCE_REQUIRED-$(SETUP)}" && set +a && \
	    PYTHONSAFEPATH=1 $(VENV)/bin/pytest -n 2 $(PYTEST)

lint: $(VENV)/installed
	PATH="$(CURDIR)/$(VENV)/bin:$$PATH" tox -q run -e lint

$(VENV)/bin/pip:
	$(PYTHON) -m venv $(VENV)

$(VENV)/installed: $(VENV)/bin/pip pyproject.toml $(shell git ls-files '*.py' '*.yaml')
	$(VENV)/bin/pip install --quiet --force-reinstall --no-deps .
	$(VENV)/bin/pip install --quiet '.[test]' tox
	touch $@

.PHONY: $(PLATFORMS)
$(PLATFORMS): $(VENV)/bin/pip
	: > $@
	for platform in $(SETUP); do \
	    $(PYTHON) scripts/set_up_platforms.py "$$platform" --env-file $@ || exit; \
	done

clean:
	rm -rf $(VENV) .tox .mlcube-conformance
