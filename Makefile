# Two commands do everything on a Debian machine with Go and Python:
#   make demo    a folder of applications, served
#   make test    all tests
GO     ?= go
PYTHON ?= python3
LISTEN ?= 127.0.0.1:8000
MANAGER ?= 127.0.0.1:8001
# How long each fuzz target runs in "make fuzz"; "make test" gives it 5,000 inputs.
FUZZTIME ?= 30s
# The interpreter of all that "make bench" compares: Debian's, whose headers are a package.
BENCH_PYTHON ?= /usr/bin/python3

export GO PYTHON
.NOTPARALLEL:

VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
GATEHOUSE := bin/gatehouse
VENVS := build/venv

.PHONY: help
help: ## say what there is
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  \1\t\2/p' Makefile | expand -t 14

.PHONY: build
build: ## the static binary, bin/gatehouse
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags '-s -w -X main.version=$(VERSION)' -o $(GATEHOUSE) ./cmd/gatehouse

.PHONY: demo
demo: build ## serve a folder of applications; LISTEN=addr and MANAGER=addr choose where
	@scripts/venv $(VENVS)/django examples/django/requirements.txt
	@scripts/venv $(VENVS)/flask examples/flask/requirements.txt
	@scripts/demo $(GATEHOUSE) $(VENVS) build/demo '$(LISTEN)' '$(MANAGER)'

.PHONY: test
test: needs check test-go test-python fuzz-short ## install what the tests need, run them all
	@echo "==> all tests passed"

.PHONY: needs
needs:
	@scripts/need $(PYTHON) git gcc headers=libc6-dev chromium pypy3 venv=python3-venv
	@scripts/venv $(VENVS)/django examples/django/requirements.txt
	@scripts/venv $(VENVS)/flask examples/flask/requirements.txt
	@scripts/cpython build/python

.PHONY: test-go
test-go: build needs
	@echo "==> go test, the Python side on $$(scripts/pythons --names)"
	GATEHOUSE_TEST_PYTHONS=$$(scripts/pythons) CGO_ENABLED=1 $(GO) test -race -shuffle=on ./...

.PHONY: soak
soak: build needs ## the hard tests at length: chaos and churn for a minute each, ten thousand stacks, a hundred reloads
	GATEHOUSE_SOAK=1 CGO_ENABLED=1 $(GO) test -race -v -count=1 -timeout 30m -run 'Chaos|Churn|ThousandsOfStacks|ReloadUnderLoad|NothingSurvives' \
		./pyapp ./webapps ./e2e ./cmd/gatehouse

.PHONY: guest
guest: ## the tests of resource limits in a virtual machine whose kernel has every controller (installs qemu)
	@scripts/need $(PYTHON) qemu-system-x86_64=qemu-system-x86 busybox=busybox-static cpio
	@GO=$(GO) scripts/guest

.PHONY: test-python
test-python: needs
	@scripts/test-python $(VENVS)

.PHONY: check
check: ## the static checks alone
	@scripts/check

.PHONY: fuzz fuzz-short
fuzz: ## every fuzz target for FUZZTIME
	@scripts/fuzz $(FUZZTIME)
fuzz-short:
	@scripts/fuzz 5000x

.PHONY: bench
bench: build ## compare with nginx, uWSGI, gunicorn, lighttpd and others; BENCH holds more flags
	@scripts/need nginx apache2=apache2-bin lighttpd wrk taskset=util-linux gcc headers=libc6-dev apxs=apache2-dev python3-config=python3-dev
	@PYTHON=$(BENCH_PYTHON) scripts/venv $(VENVS)/bench bench/requirements.txt
	$(GO) run ./bench -gatehouse $(GATEHOUSE) -venv $(VENVS)/bench $(BENCH)

.PHONY: pgo
pgo: build ## take the profile anew by which the compiler optimises
	@scripts/need wrk taskset=util-linux
	@scripts/pgo $(GATEHOUSE)

.PHONY: clean
clean: ## remove what was built, the demo's data included
	rm -rf bin build
