# Hermod. "make" lists the targets; "make run" and "make test" are the two that
# a newcomer needs.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.NOTPARALLEL:

# The stages of "make test", in this order.
STAGES ?= lint unit fuzz-smoke bench-smoke soak-smoke conformance browser interop

# The least number of tests that each stage must run. They only grow.
MIN_UNIT        := 8100
MIN_POISON      := 3300
MIN_32          := 3000
MIN_CHURN       := 9
MIN_SOAK        := 49
MIN_CONFORMANCE := 1080
MIN_RELAYED     := 314
MIN_SIOCLIENT   := 164
MIN_BROWSER     := 27
MIN_INTEROP     := 1490

# What "make run" hands to the server, and "make cluster" to its program, e.g. make run ARGS='-addr :8080'
ARGS ?=
# What "make bench" hands to bench, and "make bench-websocket" to wsload, e.g. make bench BENCHARGS='-quick -only echo'
BENCHARGS ?=
# How long "make fuzz" works on each target.
FUZZTIME ?= 10m
# How many clients "make soak" has, and for how long.
SOAKCLIENTS ?= 2000
SOAKTIME    ?= 10m
# What it is given beside that, e.g. make soak SOAKARGS='-seed 1'
SOAKARGS    ?=
# How often "make soak-churn" runs each churn test.
ROUNDS ?= 20

# What runs a third time, with every request of a session relayed by another node.
RELAYED := $(addsuffix .test.mjs,clients clients_old clients_rooms wire_engine wire_http wire_eio3 wire_jsonp)

GOTEST   := internal/tools/gotest.sh
NODETEST := internal/tools/nodetest.sh
DEPS     := internal/tools/deps.sh

# Packages that run on 32-bit systems, and those that borrow buffers.
PACKAGES_32     := $(wildcard ./wscore/ ./wscore/*/ ./wscore/rest/*/ ./engineio/ ./engineio/packet/ ./socketio/parser/ ./internal/wheel/)
PACKAGES_POISON := $(wildcard ./internal/bufpool/ ./wscore/ ./wscore/*/ ./engineio/ ./engineio/eioclient/ ./socketio/ ./socketio/sioclient/)

##@ To begin with

.PHONY: run
run: web ## start the server with its chat page on http://localhost:3000
	go run ./server $(ARGS)

.PHONY: cluster
cluster: deps-redis deps-nginx web ## Redis, three nodes and nginx, as in docker-compose.yml but without Docker, on http://localhost:3000
	go build -o tests/topology/build/ ./server ./tests/topology
	exec tests/topology/build/topology $(ARGS)

.PHONY: test
test: $(STAGES) ## check everything, as continuous integration does

.PHONY: help
help: ## list the targets
	@awk 'BEGIN { FS = ":.*## " } \
		/^##@/ { printf "\n%s\n", substr($$0, 5) } \
		/^[a-z0-9-]+:.*## / { printf "  %-15s %s\n", $$1, $$2 }' Makefile

##@ Stages of the test

.PHONY: lint
lint: ## formatting, vet on three systems, go.mod, go fix, staticcheck
	internal/tools/lint.sh

.PHONY: unit
unit: deps-cc deps-redis ## all Go tests with the race detector; poisoned buffers on the paths without it; 32 bits
	go test -C internal/tools ./...
	$(GOTEST) unit $(MIN_UNIT) -race -tags eager -shuffle=on -timeout 20m ./...
	$(GOTEST) poison $(MIN_POISON) -shuffle=on -tags poison $(PACKAGES_POISON)
	internal/tools/bits32.sh $(MIN_32) $(PACKAGES_32)

.PHONY: conformance
conformance: deps-node deps-python tests/conformance/node_modules/.package-lock.json ## official JavaScript clients and wire tests, against the official server and ours
	$(NODETEST) "conformance, official server" $(MIN_CONFORMANCE) node tests/conformance/run.mjs official
	$(NODETEST) "conformance, hermod" $(MIN_CONFORMANCE) node tests/conformance/run.mjs hermod
	SIO_RELAYS=1 $(NODETEST) "conformance, by way of other nodes" $(MIN_RELAYED) node tests/conformance/run.mjs hermod $(RELAYED)
	$(GOTEST) "the Go client" $(MIN_SIOCLIENT) -count=1 -tags node ./tests/sioclient

.PHONY: browser
browser: deps-node deps-chromium web tests/browser/node_modules/.package-lock.json ## two headless browsers chat through the page
	$(NODETEST) browser $(MIN_BROWSER) node --test tests/browser

.PHONY: interop
interop: deps-node deps-redis deps-nginx tests/cluster/node_modules/.package-lock.json examples/mixed/node_modules/.package-lock.json ## official servers and ours as nodes of one cluster on Redis; official clients through nginx and over TLS
	$(GOTEST) interop $(MIN_INTEROP) -count=1 -parallel 6 -tags node ./tests/cluster/... ./tests/topology ./tests/program ./examples/mixed

.PHONY: soak-smoke
soak-smoke: deps-node tests/conformance/node_modules/.package-lock.json ## the soak with 50 clients for 20 seconds, and with a planted loss
	$(GOTEST) soak-smoke $(MIN_SOAK) -count=1 -tags node ./tests/soak

.PHONY: fuzz-smoke
fuzz-smoke: ## one fuzz target of each package, 20 000 inputs
	internal/tools/fuzz.sh 20000x first

.PHONY: bench-smoke
bench-smoke: deps-redis ## every benchmark once, to see that it runs
	go test -run '^$$' -bench . -benchtime 1x ./...
	@if [ "$$(go env GOOS)" = linux ]; then \
		echo "== the comparison of WebSocket servers, a few messages" && \
		go vet -C tests/load/websocket ./... && go test -C tests/load/websocket ./... && \
		echo "== the comparison of Socket.IO servers, a few messages" && \
		$(MAKE) --no-print-directory bench-programs && tests/load/build/bench -smoke -pin=false && \
		echo "== two nodes over Redis, a few messages" && \
		go run ./tests/load/cluster -smoke; \
	fi

##@ Longer runs

.PHONY: vet-systems
vet-systems: ## vet of all packages for Windows, 32 bits, and for macOS
	GOOS=windows GOARCH=386 go vet -gcflags='all=-N -l' ./...
	GOOS=darwin GOARCH=arm64 go vet -gcflags='all=-N -l' ./...

.PHONY: fuzz
fuzz: ## every fuzz target, FUZZTIME (10m) each
	internal/tools/fuzz.sh $(FUZZTIME)

.PHONY: bench
bench: deps-node bench-programs tests/load/official/node_modules/.package-lock.json ## ours beside the official server and others, on two cores, into docs/benchmarks.md; BENCHARGS='-quick -only echo'
	go build -C tests/load/peers/zishang520 -o ../../build/ .
	go build -C tests/load/peers/karagenc -o ../../build/ .
	tests/load/build/bench $(BENCHARGS)

.PHONY: bench-programs
bench-programs:
	go build -o tests/load/build/ ./tests/load/benchapp ./tests/load/bound ./tests/load/sio/sioload ./tests/load/sio/bench
	go test -c -o tests/load/build/ ./socketio

.PHONY: bench-micro
bench-micro: ## all Go benchmarks, six times, for benchstat
	go test -run '^$$' -bench . -benchmem -count 6 ./...

.PHONY: bench-websocket
bench-websocket: ## the WebSocket floor beside gws and coder/websocket on two cores; BENCHARGS=-quick for a short one
	go build -C tests/load/websocket -o build/ ./server ./wsload
	GOMAXPROCS=1 taskset -c 1 tests/load/websocket/build/wsload -server tests/load/websocket/build/server $(BENCHARGS)

.PHONY: bench-cluster
bench-cluster: tests/cluster/node_modules/.package-lock.json ## two nodes over Redis beside two official ones; BENCHARGS='-rounds 3 -only classic'
	go build -o tests/load/build/ ./tests/load/cluster
	tests/load/build/cluster $(BENCHARGS)

.PHONY: autobahn
autobahn: ## the Autobahn WebSocket suite where there is a wstest, else our own 517 cases in their long form
	tests/autobahn/run.sh

.PHONY: churn
churn: deps-cc ## connections of every kind come and go: the Churn tests alone
	$(GOTEST) churn $(MIN_CHURN) -race -run Churn ./...

.PHONY: cluster-full
cluster-full: deps-node deps-redis tests/cluster/node_modules/.package-lock.json ## nodes restarted and killed under 500 clients that recover
	CLUSTER_CLIENTS=500 CLUSTER_RATE=10 go test -count=1 -timeout 30m -tags node -run 'TestRollingRestart|TestNodeKilledUnderLoad' -parallel 1 ./tests/cluster

.PHONY: soak
soak: deps-node tests/conformance/node_modules/.package-lock.json ## SOAKCLIENTS (2000) clients of all kinds for SOAKTIME (10m), whose connections are cut
	go run ./tests/soak -clients $(SOAKCLIENTS) -duration $(SOAKTIME) $(SOAKARGS)

.PHONY: soak-churn
soak-churn: ## the Churn tests, ROUNDS (20) times, with the leak profile of the runtime
	GOEXPERIMENT=goroutineleakprofile $(GOTEST) soak-churn $(MIN_CHURN) -run Churn -count $(ROUNDS) -timeout 2h ./...

##@ What the others need

.PHONY: web
web: deps-node server/web/node_modules/.package-lock.json ## the official browser client, from npm to server/web/dist
	npm run --silent --prefix server/web build

.PHONY: deps
deps: deps-cc deps-redis deps-nginx deps-node deps-chromium deps-python ## install what is missing (as root on Debian; elsewhere it says what to do)

.PHONY: deps-cc
deps-cc:
	@$(DEPS) cc

.PHONY: deps-redis
deps-redis:
	@$(DEPS) redis-server

.PHONY: deps-nginx
deps-nginx:
	@$(DEPS) nginx

.PHONY: deps-node
deps-node:
	@$(DEPS) node npm

.PHONY: deps-python
deps-python:
	@$(DEPS) python-socketio

.PHONY: deps-chromium
deps-chromium:
	@$(DEPS) chromium

# npm writes this file last.
%/node_modules/.package-lock.json: %/package.json %/package-lock.json
	npm ci --prefix $* --no-audit --no-fund --loglevel=error
	@touch $@
