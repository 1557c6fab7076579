# `make test` runs every test that this machine can run. SETUP=docker sets Docker up
# first, on a Debian machine where you are root, and makes its absence a failure;
# SETUP="docker singularity ssh mlcube" does so for Apptainer, for an sshd on loopback,
# for the official command line `mlcube` in an environment of its own, and, with
# `browser`, for Chromium.
# `make demo` runs the MNIST cube on data that need no download.
PYTHON ?= python3
VENV ?= .venv
SETUP ?=
# Tests wait for containers, deadlines and other programs: three share two cores well.
WORKERS ?= 3
IS_NEW_ENOUGH = import sys; v = sys.version_info; sys.exit(v < (3, 11) and "make: needs Python 3.11 or newer; this is %d.%d: make $(MAKECMDGOALS) PYTHON=python3.12" % v[:2])
PLATFORMS := $(VENV)/platforms.env
SOURCES := $(shell git ls-files '*.py' '*.yaml')

.PHONY: test demo walk lint clean

test: $(VENV)/installed $(PLATFORMS)
	@echo "test: step 2 of 2: running the tests; on two cores about 5 minutes without Docker, 20 with every platform"
	@set -a && . ./$(PLATFORMS) && MLCUBE_CONFORMANCE_REQUIRED="$${MLCUBE_CONFORMANCE_REQUIRED-$(SETUP)}" && set +a && \
	    PYTHONSAFEPATH=1 PYTHONDONTWRITEBYTECODE= $(VENV)/bin/pytest -n $(WORKERS) --dist worksteal $(PYTEST)

demo: $(VENV)/installed-demo
	@PYTHONSAFEPATH=1 $(VENV)/bin/python scripts/demo.py

# What the first page of the docs says, by the wheel alone, as its readers have it;
# WITH=docker follows what needs Docker, too.
walk:
	@$(PYTHON) -c '$(IS_NEW_ENOUGH)'
	@$(PYTHON) -m venv --clear $(VENV)/walk
	@$(VENV)/walk/bin/pip wheel --quiet --disable-pip-version-check --no-deps --wheel-dir $(VENV)/wheel .
	@$(VENV)/walk/bin/pip install --quiet --disable-pip-version-check $(VENV)/wheel/*.whl
	@$(VENV)/walk/bin/python scripts/follow_docs.py $(addprefix --with ,$(WITH)) docs/first-cube.md

lint: $(VENV)/installed
	PATH="$(CURDIR)/$(VENV)/bin:$$PATH" tox -q run -e lint

$(VENV)/bin/pip:
	@$(PYTHON) -c '$(IS_NEW_ENOUGH)'
	@$(PYTHON) -m venv $(VENV)

$(VENV)/installed: $(VENV)/bin/pip pyproject.toml $(SOURCES)
	@echo "test: step 1 of 2: installing the project and what its tests need into $(VENV): 125 MB of packages, about a minute"
	@$(VENV)/bin/pip install --quiet --no-compile --disable-pip-version-check '.[test]' tox
	@$(VENV)/bin/pip install --quiet --disable-pip-version-check --force-reinstall --no-deps .
	@touch $@

$(VENV)/installed-demo: $(VENV)/bin/pip pyproject.toml $(SOURCES)
	@echo "demo: step 1 of 3: installing the project, and scikit-learn for its digits, into $(VENV): 70 MB of packages, half a minute"
	@$(VENV)/bin/pip install --quiet --no-compile --disable-pip-version-check '.[demo]'
	@touch $@

.PHONY: $(PLATFORMS)
$(PLATFORMS): $(VENV)/bin/pip
	@: > $@
	@for platform in $(SETUP); do \
	    $(PYTHON) scripts/set_up_platforms "$$platform" --env-file $@ || exit; \
	done

clean:
	rm -rf $(VENV) .tox .mlcube-conformance demo-results
