# What there is to do. `make` lists it.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

# Real servers for the suites that run on them; the user may create databases.
CREDITGRAPH_TEST_POSTGRES ?= postgres://root@127.0.0.1:5432/postgres?sslmode=disable
CREDITGRAPH_TEST_REDIS ?= redis://127.0.0.1:6379

# How often the program is killed at each step of each action.
CREDITGRAPH_CRASH_ROUNDS ?= 20

# The packages whose tests run on PostgreSQL or Redis where those variables name one.
ON_SERVERS := ./internal/store/... ./internal/provider/cached/... ./internal/quota/... ./internal/health/... ./cmd/...

FUZZTIME ?= 10s

# Files written by people; gqlgen formats its own.
HANDWRITTEN = find . -name '*.go' -not -name '*.generated.go' -not -path './graph/unbound/*' -not -path '*/node_modules/*'

.PHONY: help
help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-20s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: run
run: ## Start the service with the embedded sandbox on 127.0.0.1:8080
	go run ./cmd/creditgraph

.PHONY: static
static: ## Build ./creditgraph as one static file that names its revision
	CGO_ENABLED=0 go build -trimpath -buildvcs=auto -ldflags '-s -w' -o creditgraph ./cmd/creditgraph
	./creditgraph version

.PHONY: sandbox
sandbox: ## Start the five stand-in providers alone
	go run ./cmd/creditgraph sandbox

.PHONY: test
test: ## Run all tests; needs nothing but Go
	go test ./...

.PHONY: race
race: ## Run all tests under the race detector (some minutes the first time)
	go test -race ./...

.PHONY: test-postgres-redis
test-postgres-redis: export CREDITGRAPH_TEST_POSTGRES := $(CREDITGRAPH_TEST_POSTGRES)
test-postgres-redis: export CREDITGRAPH_TEST_REDIS := $(CREDITGRAPH_TEST_REDIS)
test-postgres-redis: ## Run the suites on a real PostgreSQL and Redis
	go test -count=1 $(ON_SERVERS)

.PHONY: crash
crash: export CREDITGRAPH_TEST_POSTGRES := $(CREDITGRAPH_TEST_POSTGRES)
crash: export CREDITGRAPH_CRASH_ROUNDS := $(CREDITGRAPH_CRASH_ROUNDS)
crash: ## Kill the program at each step of each action, CREDITGRAPH_CRASH_ROUNDS (20) times
	go test -count=1 -timeout 2h -run '^TestCrashes$$' ./cmd/creditgraph

.PHONY: soak
soak: export CREDITGRAPH_SOAK ?= 10m
soak: ## Keep the program under load while providers misbehave, for CREDITGRAPH_SOAK (10m)
	go test -count=1 -v -timeout 2h -run '^TestSoak$$' ./cmd/creditgraph

.PHONY: bench-events
bench-events: export CREDITGRAPH_TEST_POSTGRES := $(CREDITGRAPH_TEST_POSTGRES)
bench-events: ## Measure what subscribers and webhooks cost
	go test -run '^$$' -bench '^Benchmark(IdleSubscribers|EventsDelivered|WebhooksAcknowledged)$$' -benchtime 1x ./cmd/creditgraph

.PHONY: bench
bench: ## Measure the graph against a plain handler with the same calls (some minutes)
	go run ./bench

.PHONY: clients
clients: ## Follow events with the npm clients while the program is killed; needs node and npm
	npm --prefix examples/events ci
	CREDITGRAPH_TEST_NODE=1 go test -count=1 -run '^TestNodeClients$$' ./cmd/creditgraph

.PHONY: examples
examples: ## Test the TypeScript, Go and curl clients against the program; needs node, npm, bash and curl
	npm --prefix examples/typescript ci --no-audit --no-fund
	cd examples/go && go vet ./... && go test ./...
	$(MAKE) --no-print-directory examples-check
	CREDITGRAPH_TEST_NODE=1 go test -count=1 -run '^TestExamples$$' ./cmd/creditgraph

.PHONY: examples-check
examples-check: ## Fail when generating the Go client changes anything, or its modules are not tidy
	@sums() { find examples/go/graph -type f -exec sha256sum {} + | sort -k 2; }; \
	before=$$(sums); \
	(cd examples/go && go generate ./... && go mod tidy -diff && go mod verify); \
	diff <(echo "$$before") <(sums) || { echo 'the Go client is not current: run go generate in examples/go'; exit 1; }

.PHONY: web
web: ## Build the explorer's page into web/dist, which is committed; needs node and npm
	npm --prefix web ci
	npm --prefix web run build

.PHONY: web-check
web-check: ## Check the explorer's sources, and that web/dist is what they build; needs node and npm
	npm --prefix web ci
	npm --prefix web run typecheck
	npm --prefix web test
	@built=$$(mktemp -d); trap 'rm -rf "$$built"' EXIT; \
	(cd web && npx vite build --logLevel warn --outDir "$$built/build" && node build-tools/pack.mjs "$$built/build" "$$built/dist"); \
	diff web/dist/manifest.json "$$built/dist/manifest.json" || { echo 'web/dist is not what its sources build: run make web'; exit 1; }
	go test -count=1 ./web

.PHONY: explorer-test
explorer-test: ## Try the explorer in Chromium against the program itself; needs node, npm and /usr/bin/chromium or EXPLORER_CHROMIUM
	npm --prefix web ci
	npm --prefix web run e2e

.PHONY: fuzz
fuzz: ## Run each fuzz target for FUZZTIME (10s)
	@grep -rl --include='*_test.go' '^func Fuzz' . | xargs -n1 dirname | sort -u | while read -r dir; do \
		grep -ho '^func Fuzz[A-Za-z0-9_]*' "$$dir"/*_test.go | sed 's/^func //' | while read -r target; do \
			echo "$$dir $$target"; \
			go test "$$dir" -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME); \
		done; \
	done

.PHONY: generate
generate: ## Generate graph/ and the resolvers' signatures from schema/
	go tool gqlgen generate

.PHONY: generate-check
generate-check: ## Fail when generating changes anything
	@sums() { find graph resolvers schema -type f -exec sha256sum {} + | sort -k 2; }; \
	before=$$(sums); \
	go tool gqlgen generate; \
	diff <(echo "$$before") <(sums) || { echo 'generated code is not current: run make generate'; exit 1; }

.PHONY: schema-tools
schema-tools:
	npm --prefix tools/schema ci --no-audit --no-fund

.PHONY: schema-lint
schema-lint: schema-tools ## Lint schema/; needs node and npm, and so do the next two
	tools/schema/node_modules/.bin/eslint -c tools/schema/eslint.config.js --max-warnings 0 schema

.PHONY: schema-breaking
schema-breaking: schema-tools ## Fail when the schema breaks clients of the released one and CHANGELOG.md does not say so
	node tools/schema/breaking.js schema/released.graphql schema CHANGELOG.md

.PHONY: schema-test
schema-test: schema-tools ## Test the two checks of the schema
	npm --prefix tools/schema test

.PHONY: schema-release
schema-release: ## Keep the schema as the released one; a part of releasing a version
	go run ./cmd/creditgraph schema > schema/released.graphql

.PHONY: docs
docs: ## Write docs/configuration.md, docs/metrics.md and docs/operations.md from what they describe
	go test ./internal/config -run TestConfigurationPage -update
	go test ./internal/telemetry -run TestEveryMetricIsDescribed -update
	go test ./internal/server -run TestOperationsPage -update

.PHONY: format
format: ## Format the hand-written code
	$(HANDWRITTEN) -exec go tool gofumpt -w {} +

.PHONY: lint
lint: ## gofumpt (and with it gofmt), vet, staticcheck, deadcode; reasons for exceptions are in staticcheck.conf
	@unformatted=$$($(HANDWRITTEN) -exec go tool gofumpt -l {} +); \
	if [ -n "$$unformatted" ]; then echo 'not formatted (run make format):'; echo "$$unformatted"; exit 1; fi
	go vet ./...
	go vet -tags failpoints ./internal/service/... ./cmd/...
	go tool staticcheck ./...
	@# gqlgen wants both halves of a scalar, also where the schema sends a type one way alone.
	@unreachable=$$(go tool deadcode -test ./... | { grep -vE '^graph/scalar/.*: (Unm|M)arshal' || true; }); \
	if [ -n "$$unreachable" ]; then echo "$$unreachable"; exit 1; fi

.PHONY: tidy-check
tidy-check: ## Fail when go.mod is not tidy or a module is not what go.sum says
	go mod tidy -diff
	go mod verify

.PHONY: ci
ci: ## Everything that has to hold before a change is taken over
	.ci/run
