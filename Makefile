# For a newcomer two targets: `make demo` and `make test`; `make help` lists all.
# Everything goes into .venv, build and web/static/dist.
PYTHON ?= python3
FORMAT ?= english
PORT ?= 8000
WORKERS ?= 2
FAULTS ?= 200
RATE ?= 200
TOPOLOGY ?= single
BIN := .venv/bin
UV_VERSION := 0.13.9
# Node comes from its wheel in .venv, so nothing but Python has to be installed.
NPM := PATH="$(CURDIR)/.venv/bin:$$PATH" npm --prefix web
# Without compiled files every start of a process costs seconds.
unexport PYTHONDONTWRITEBYTECODE
PAGES := web/static/dist/.vite/manifest.json

.PHONY: help install production demo test check coverage bench faults lock clean

help: ## list the targets
	@sed -nE 's/^([a-z]+):.*## (.*)/\1 \2/p' $(MAKEFILE_LIST) | while read -r target text; do printf '%-11s %s\n' "$$target" "$$text"; done

install: .venv/.installed $(PAGES) ## environment and built pages

# The lock pins versions and hashes; where packages come from is the machine's own configuration.
.venv/.installed: uv.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed: make PYTHON=python3.11 …" if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	mkdir -p build
	$(BIN)/uv export --quiet --frozen --all-extras --all-groups --no-emit-project --output-file build/requirements.txt
	VIRTUAL_ENV=.venv $(BIN)/uv pip install --quiet --compile-bytecode --require-hashes --requirement build/requirements.txt
	VIRTUAL_ENV=.venv $(BIN)/uv pip install --quiet --no-deps --editable .
	touch $@

# What a server runs on and nothing else, in an environment of its own.
TARGET ?= build/production
production: .venv/.installed ## an environment without development tools in build/production
	$(PYTHON) -m venv $(TARGET)
	$(BIN)/uv export --quiet --frozen --no-dev --no-emit-project --output-file build/production.txt
	VIRTUAL_ENV=$(TARGET) $(BIN)/uv pip install --quiet --compile-bytecode --require-hashes --requirement build/production.txt
	VIRTUAL_ENV=$(TARGET) $(BIN)/uv pip install --quiet --no-deps --editable .

web/node_modules/.installed: web/package-lock.json .venv/.installed
	$(NPM) ci --no-audit --no-fund --loglevel=error
	touch $@

$(PAGES): web/node_modules/.installed web/vite.config.ts $(shell find web/src web/templates -type f 2>/dev/null)
	$(NPM) run --silent build
	touch $@

demo: install ## a running marketplace with an auction
	$(BIN)/marketplace demo --port $(PORT) --format $(FORMAT)

test: install ## all tests on real servers
	$(BIN)/pytest -n $(WORKERS) --dist loadgroup --durations=10

check: install ## lint, types, floors, TypeScript
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(NPM) run --silent check
	$(NPM) run --silent test

coverage: install ## all tests with branch coverage
	$(BIN)/pytest -n $(WORKERS) --dist loadgroup --cov --cov-branch --cov-report=term:skip-covered

bench: install ## speed as a ratio to the raw limit
	$(BIN)/python -m benchmarks

faults: install ## FAULTS=200 on TOPOLOGY=single, sentinel, cluster or standby; nothing may be lost
	$(BIN)/python -m tests.faults --topology $(TOPOLOGY) --faults $(FAULTS) --rate $(RATE)

# Versions and hashes stay, addresses go: whoever installs uses the registry or mirror configured there.
lock: ## update uv.lock
	$(BIN)/uv lock
	sed -i -E 's#registry = "[^"]*"#registry = "https://index.invalid/simple"#; s#url = "https://[^"]*/([^/"]+)"#url = "https://index.invalid/\1"#g' uv.lock

clean: ## remove everything that was built
	rm -rf .venv build var web/node_modules web/static/dist
