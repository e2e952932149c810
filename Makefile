# Each target makes the virtual environment that it needs. PYTHON=python3.12 make test takes another Python.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PEERS := .venv-peers
# Satisfies aevents[torch], and CI's pip finds a CPU build of it (0.9 GB with what it needs). Left to itself,
# pip takes the newest of the registry, which brings gigabytes of CUDA.
TORCH ?= torch==2.13.0
RECORDING ?= demo/disk.raw
# What is run a second time, on the NumPy twins of the kernels.
WITHOUT_C := tests/codecs tests/operators tests/laws/test_recordings.py tests/laws/test_snippets.py \
	--deselect tests/codecs/test_es_pixels.py::test_idle_bytes_take_no_memory
NATIVE := $(wildcard aevents/_native/*.c aevents/_native/*.h)

# make fuzz FORMATS="evt3 dat" MUTANTS=5000
MUTANTS := 100000
FORMATS :=

.PHONY: demo test check tests types docs bench fuzz format clean

demo: $(VENV)/.demo
	@mkdir -p demo
	@test -n "$(filter-out demo/disk.raw,$(RECORDING))" || $(BIN)/aevents convert --force "synthetic:disk?rate=2e6&duration_us=3000000" demo/disk.raw
	$(BIN)/aevents info $(RECORDING)
	$(BIN)/aevents run $(RECORDING) --window-us 33000 --frames polarity --to demo/demo.mp4
	$(BIN)/aevents run $(RECORDING) --window-us 33000 --frames polarity --take 1 --to demo/demo.png

test: check types tests docs bench-smoke

check: $(VENV)/.dev
	$(BIN)/ruff format --check --quiet .
	$(BIN)/ruff check --quiet .
	$(BIN)/flake8 --anyio --select=ASYNC101,ASYNC102,ASYNC119,ASYNC120,ASYNC900 aevents
	$(BIN)/lint-imports

types: $(VENV)/.dev
	$(BIN)/mypy
	PATH="$(CURDIR)/$(BIN):$$PATH" PYTHONPATH="$(CURDIR)" basedpyright --verifytypes aevents --ignoreexternal

tests: $(VENV)/.dev $(PEERS)/.installed
	$(BIN)/pytest -n 2
	AEVENTS_NATIVE=0 $(BIN)/pytest -n 2 --quiet $(WITHOUT_C)

docs: $(VENV)/.dev
	$(BIN)/mkdocs build --strict --quiet

bench: $(VENV)/.dev $(PEERS)/.installed
	$(BIN)/python -m benchmarks

bench-smoke: $(VENV)/.dev $(PEERS)/.installed
	$(BIN)/python -m benchmarks --smoke

# Mutants of small files, decoded under AddressSanitizer and UndefinedBehaviorSanitizer: see tests/fuzz.py.
fuzz: $(VENV)/.dev
	AEVENTS_SANITIZE=1 $(BIN)/python setup.py -q build --build-base build/fuzz --build-lib build/fuzz/lib
	LD_PRELOAD=$$(cc -print-file-name=libasan.so) PYTHONMALLOC=malloc PYTHONPATH=build/fuzz/lib:. \
		ASAN_OPTIONS=detect_leaks=0:allocator_may_return_null=1:max_allocation_size_mb=1024:quarantine_size_mb=16 UBSAN_OPTIONS=print_stacktrace=1 \
		$(BIN)/python -P -m tests.fuzz $(FORMATS) --mutants $(MUTANTS)

format: $(VENV)/.dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

$(VENV)/bin/pip:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.demo: $(VENV)/bin/pip pyproject.toml setup.py $(NATIVE)
	$(BIN)/pip install --quiet --editable ".[video]"
	touch $@

$(VENV)/.dev: $(VENV)/bin/pip pyproject.toml setup.py $(NATIVE)
	$(BIN)/pip install --quiet "$(TORCH)"
	$(BIN)/pip install --quiet --editable ".[all,dev]"
	touch $@ $(VENV)/.demo

# Other software of this field, to read what we write and to be measured against; never imported by aevents.
$(PEERS)/.installed: benchmarks/peers.txt
	$(PYTHON) -m venv $(PEERS)
	$(PEERS)/bin/pip install --quiet --requirement benchmarks/peers.txt
	touch $@

clean:
	rm -rf $(VENV) $(PEERS) build demo site aevents.egg-info aevents/_native/*.so
