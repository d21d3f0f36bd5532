# Two targets for a newcomer: `make demo` and `make test`. Everything is installed into .venv and build/.
PYTHON ?= python3
BIN := .venv/bin
UV_VERSION := 0.13.9

.PHONY: install demo test check bench faults lock clean

install: .venv/.installed

# The lock pins versions and hashes; where packages come from is the machine's own configuration.
.venv/.installed: uv.lock pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	mkdir -p build
	$(BIN)/uv export --quiet --frozen --all-extras --all-groups --no-emit-project --output-file build/requirements.txt
	VIRTUAL_ENV=.venv $(BIN)/uv pip install --quiet --require-hashes --requirement build/requirements.txt
	VIRTUAL_ENV=.venv $(BIN)/uv pip install --quiet --no-deps --editable .
	touch $@

# Versions and hashes stay, addresses go: whoever installs uses the registry or mirror configured there.
lock:
	$(BIN)/uv lock
	sed -i -E 's#registry = "[^"]*"#registry = "https://index.invalid/simple"#; s#url = "https://[^"]*/([^/"]+)"#url = "https://index.invalid/\1"#g' uv.lock

clean:
	rm -rf .venv build var web/node_modules web/static/dist
