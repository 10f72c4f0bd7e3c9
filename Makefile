# `make demo` makes a picture, `make test` runs every test; both install what they need on Debian.

# One configuration everywhere, so that nothing is built twice. The import check holds each target
# to the table in Package.swift.
SWIFT_FLAGS := -c release -Xswiftc -enable-testing \
    --explicit-target-dependency-import-check error
TURBINE := .build/release/turbine
SOURCES := Package.swift Sources Tests Benchmarks

LIBRARIES := libzmq3-dev libopenblas-dev libpng-dev libprotobuf-c-dev libsqlite3-dev
TEST_PACKAGES := python3 python3-venv unicode-cldr-core unicode-data fonts-noto-color-emoji \
    chromium systemd iproute2 protobuf-compiler protobuf-c-compiler
# The browser that looks at the status page.
CHROMIUM := chromium
DATASET_PACKAGES := fonts-noto-color-emoji unicode-cldr-core unicode-data python3-venv
CLIENT_FILES := Clients/python/pyproject.toml $(wildcard Clients/python/src/turbine_client/*)
# Set to 1 where the libraries come from elsewhere than Debian's packages.
SYSTEM_READY :=

.PHONY: demo build test lint format parity bench dataset model clean swift libraries test-packages dataset-packages
.DEFAULT_GOAL := build

demo: build
	scripts/demo

build: swift libraries
	swift build $(SWIFT_FLAGS)

test: swift libraries test-packages .venv/test/ready
	swift build $(SWIFT_FLAGS) --build-tests
	TURBINE_TEST_PYTHON=$(CURDIR)/.venv/test/bin/python \
	    TURBINE_TEST_CHROMIUM=$$(command -v $(CHROMIUM)) \
	    swift test $(SWIFT_FLAGS) --skip-build --no-parallel

lint: swift
	swift format lint --strict --recursive $(SOURCES)

format: swift
	swift format --in-place --recursive $(SOURCES)

# N random checkpoints through our command line and through diffusers; images must be equal.
N := 10
parity: build test-packages .venv/parity/ready
	.venv/parity/bin/python scripts/parity.py --turbine $(TURBINE) --count $(N)

# BENCHMARK: of the engine products, pruning, seams, memory or latency; of the service submissions,
# overhead, backlog, soak, restart, detection, cancel or frames.
BENCHMARK := latency
ENGINE_BENCHMARKS := products pruning seams memory latency
BENCHMARK_PROGRAM = turbine$(if $(filter $(firstword $(BENCHMARK)),$(ENGINE_BENCHMARKS)),,-service)-benchmarks
bench: build
	.build/release/$(BENCHMARK_PROGRAM) $(BENCHMARK)

# The model in the box's images and captions; see Models/emoji/dataset/README.md.
DATASET := .build/emoji-dataset
DATASET_OPTIONS := --without skin-tones,flags
dataset: dataset-packages .venv/dataset/ready
	.venv/dataset/bin/python Models/emoji/dataset/build.py $(DATASET) $(DATASET_OPTIONS)

# The model in the box, from its data: hours on two cores; it can be stopped and called again.
model: build dataset
	scripts/make-model .build/emoji-model $(DATASET)

clean:
	rm -rf .build .venv demo.png

swift:
	@command -v swift >/dev/null || { echo "Swift 6.1 or later is missing:" \
	    "install a toolchain from swift.org and put its bin folder on PATH." >&2; exit 1; }

libraries:
	@[ -n "$(SYSTEM_READY)" ] || scripts/install-packages $(LIBRARIES)

test-packages:
	@[ -n "$(SYSTEM_READY)" ] || scripts/install-packages $(TEST_PACKAGES)

dataset-packages:
	@[ -n "$(SYSTEM_READY)" ] || scripts/install-packages $(DATASET_PACKAGES)

# The client for Python is installed as its users have it, anew whenever it changes.
.venv/test/ready: scripts/requirements-test.txt $(CLIENT_FILES)
	python3 -m venv --clear .venv/test
	.venv/test/bin/pip install --quiet --no-deps --requirement $<
	rm -rf Clients/python/build
	.venv/test/bin/pip install --quiet --no-deps --no-build-isolation ./Clients/python
	touch $@

.venv/parity/ready: scripts/requirements-parity.txt
	python3 -m venv --clear .venv/parity
	.venv/parity/bin/pip install --quiet --requirement $<
	touch $@

.venv/dataset/ready: Models/emoji/dataset/requirements.txt
	python3 -m venv --clear .venv/dataset
	.venv/dataset/bin/pip install --quiet --requirement $<
	touch $@
