# Everything on a fresh machine (Debian, Python 3.11, git, make):
#   make demo    sets up, then plays the main experiment on the embedded stack
#   make gameday-demo  sets up, then plays a game day by itself, with people in headless browsers (2 minutes)
#   make test    sets up, then runs the tests (at most 8 minutes on two cores)
#   make test-long   the long suite: every command of the documentation as written, and long runs
#   make test-servers  calls and loads two real servers with tiny models (first time: 7 to 15 minutes, 2 GB)
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SETUP := .make/setup
SETUP_DEV := .make/setup-dev
BROWSER := .make/browser
SERVERS := .make/servers
# Python may keep compiled modules: without them each process of a run takes a second longer to start.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo gameday-demo gateways test test-long test-servers lint bench catalogue honesty busy format lock clean help

help:
	@sed -n 's/^#   //p' Makefile

$(SETUP): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "brownout needs Python 3.11 or newer; name one with: make PYTHON=/path/to/python3.11"; exit 2; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "this Python has no venv; on Debian: apt-get install python3-venv"; exit 2; }
	@echo "setting up $(VENV) (once, about a minute)"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable . 2>&1 | grep -v -i warning | grep -E -i 'error' || true
	@$(BIN)/brownout --help >/dev/null
	@mkdir -p .make && touch $@

$(SETUP_DEV): $(SETUP) requirements-dev.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.lock
	@touch $@

# The tests open report.html in Debian's Chromium.
$(BROWSER):
	@command -v chromium >/dev/null || { echo "installing Chromium for the report's tests"; apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium fonts-dejavu-core >/dev/null; }
	@mkdir -p .make && touch $@

# Tests put nginx and HAProxy in front of replicas. They are looked for each time, because the cache folder can be emptied.
gateways: $(SETUP)
	@for name in nginx haproxy; do $(BIN)/brownout targets install $$name || echo "the tests with $$name are skipped"; done

demo: $(SETUP)
	$(BIN)/brownout run lose-tpu-pool

gameday-demo: $(SETUP_DEV) $(BROWSER)
	$(BIN)/python -m bench.gameday_demo

# The files with slow tests: without their names, every test would be collected to choose these.
SLOW = $(shell grep -rl "mark\.slow" tests --include='test_*.py')

test: $(SETUP_DEV) $(BROWSER) gateways
	$(BIN)/python -m pytest -m "not slow and not long and not servers" -n 4
	$(BIN)/python -m pytest -m "slow and not long and not servers" -n 3 --dist loadgroup $(SLOW)

# What does not fit into `make test`.
test-long: $(SETUP_DEV) $(BROWSER) gateways
	$(BIN)/python -m pytest -m long

# Two real servers, each in an environment of its own, with tiny models made on the spot. See CONTRIBUTING.md.
test-servers: $(SETUP_DEV) $(SERVERS)/transformers.ready $(SERVERS)/llama-cpp.ready
	$(BIN)/python -m pytest -m servers --durations=5 tests/servers

# llama.cpp is compiled here: only what the server loads, for any processor, with little optimization, which is faster.
$(SERVERS)/llama-cpp.ready: export CMAKE_ARGS = -DCMAKE_PROJECT_llama.cpp_INCLUDE='$(CURDIR)/tests/servers/llama-cpp.cmake' \
	-DLLAVA_BUILD=OFF -DGGML_NATIVE=OFF -DGGML_LLAMAFILE=OFF -DCMAKE_C_FLAGS_RELEASE=-O1 -DCMAKE_CXX_FLAGS_RELEASE=-O1

$(SERVERS)/%.ready: tests/servers/requirements-%.txt
	@command -v g++ >/dev/null || { echo "make test-servers compiles llama.cpp and needs g++; on Debian: apt-get install g++"; exit 2; }
	@echo "setting up the server $* in $(SERVERS)/$* (once, several minutes)"
	@rm -rf $(SERVERS)/$*
	@mkdir -p $(SERVERS) && $(PYTHON) -m venv $(SERVERS)/$*
	@timeout 1800 $(SERVERS)/$*/bin/python -m pip install --quiet --disable-pip-version-check -r $< || { echo "the server $* cannot be installed, so its tests cannot run: see pip's message above"; exit 1; }
	@touch $@

lint: $(SETUP_DEV)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(SETUP_DEV)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(SETUP_DEV)
	$(BIN)/python -m bench.fidelity
	$(BIN)/python -m bench.lateness
	$(BIN)/python -m bench.loadgen
	$(BIN)/python -m bench.gateway
	$(BIN)/python -m bench.collector
	$(BIN)/python -m bench.gameday
	$(BIN)/python -m bench.readers
	$(BIN)/python -m bench.demo

# Hours of runs. Finished runs are kept, so that it can be stopped and continued.
catalogue: $(SETUP_DEV)
	$(BIN)/python -m bench.catalogue --write

honesty: $(SETUP_DEV)
	$(BIN)/python -m bench.honesty --write

busy: $(SETUP_DEV)
	$(BIN)/python -m bench.busy

lock: $(SETUP)
	bash tools/lock

clean:
	rm -rf $(VENV) .make build *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
