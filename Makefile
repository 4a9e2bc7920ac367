# Everything here works from a fresh clone. It needs Go, Python 3, git, make
# and a C compiler (for the race detector); what it builds for itself is kept
# in CACHE, outside the tree.

GO       ?= go
CACHE    ?= $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/oc-ostoy-s3
FUZZTIME ?= 1m

# The version is the tag, or what git says about the distance to the last one.
VERSION           ?= $(shell git describe --tags --match 'v[0-9]*' --dirty 2>/dev/null || echo v0.0.0-$$(git rev-parse --short=12 HEAD 2>/dev/null || echo unknown))
SOURCE_DATE_EPOCH ?= $(shell git log -1 --format=%ct 2>/dev/null || echo 0)
# Asked once: a commit in the middle of a build must not make two versions of it.
VERSION           := $(VERSION)
SOURCE_DATE_EPOCH := $(SOURCE_DATE_EPOCH)

# One set of flags for every executable, so that two builds are the same bytes:
# no paths, no build id, no state of the working tree.
GO_BUILD  = CGO_ENABLED=0 $(GO) build -trimpath -buildvcs=false -ldflags '-s -w -buildid= -X main.version=$(VERSION)'
MAIN      = ./cmd/kubectl-ostoy_s3
NAME      = kubectl-ostoy_s3
DIST      = dist
PLATFORMS = linux/amd64 linux/arm64 darwin/amd64 darwin/arm64 windows/amd64 windows/arm64

COMMA := ,
SPACE := $(subst ,, )

SANDBOX = $(GO) -C test run ./cmd/sandbox
TOOLS   = $(CACHE)/lint

# Without what debuggers read, an executable of tests is linked in half of the time.
TEST_LINK = -ldflags '-s -w'
# With the race detector, go leaves linking to the C compiler where it need not: on Linux.
RACE_LINK = -ldflags '-s -w$(if $(filter linux,$(shell $(GO) env GOOS)), -linkmode=internal)'

.PHONY: help build test test-unit test-e2e test-chaos chaos-app chaos-controller chaos-check fuzz lint lint-tools bench demo sandbox sandbox-down release vulncheck-strict dist clean
.DEFAULT_GOAL = help

help: ## say what can be made
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  %-14s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

build: ## build bin/kubectl-ostoy_s3 for this machine
	@echo "==> building bin/$(NAME) $(VERSION)" >&2
	@$(GO_BUILD) -o bin/$(NAME)$$($(GO) env GOEXE) $(MAIN)

test: test-unit test-e2e ## run every test

test-unit: ## run the tests that need no server
	@echo "==> testing the module, with the race detector" >&2
	@$(GO) test -race $(RACE_LINK) -timeout 15m ./...

# Not from the cache of results: these tests run an executable that they build
# themselves, which the cache does not see. Three packages at a time, each with beds of
# its own: they wait more than they work.
test-e2e: ## run the tests on a real API server and an emulated AWS
	@echo "==> testing end to end (the first run builds a control plane: about ten minutes)" >&2
	@$(GO) -C test test -count=1 $(TEST_LINK) -p 3 -timeout 60m ./...

# Two at the same time, because they wait about a third of their time; --output-sync
# keeps the table of each in one piece.
test-chaos: ## interrupt runs at every request, give them failing servers, and make every fault that check knows (over an hour)
	@echo "==> testing interrupted runs, failing servers and faults" >&2
	@$(MAKE) --no-print-directory --output-sync=target -j2 chaos-app chaos-controller chaos-check

# One package each: go test then shows its table as it is printed.
chaos-app:
	@$(GO) -C test/chaos test -count=1 -timeout 180m -everything

chaos-controller:
	@$(GO) -C test/controller test -count=1 -timeout 180m -run '^TestKilled$$' -everything

chaos-check:
	@$(GO) -C test/check test -count=1 -timeout 60m -everything

fuzz: ## run every fuzz target for FUZZTIME (1m each)
	@set -e; for file in $$(grep -rl --include='*_test.go' '^func Fuzz' cmd plugin render krew charts); do \
		for target in $$(sed -n 's/^func \(Fuzz[A-Za-z0-9_]*\)(.*/\1/p' $$file); do \
			echo "==> fuzzing $$target in $$(dirname $$file) for $(FUZZTIME)" >&2; \
			$(GO) test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 5x ./$$(dirname $$file); \
		done; \
	done

lint: lint-tools build ## check format, vet, staticcheck in both modules, known vulnerabilities, and the manifests with trivy
	@echo "==> gofumpt" >&2
	@files=$$($(TOOLS)/gofumpt -l .); test -z "$$files" || { echo "not formatted (gofumpt -w .):" >&2; echo "$$files" >&2; exit 1; }
	@echo "==> go vet, both modules" >&2
	@$(GO) vet ./...
	@$(GO) -C test vet ./...
	@echo "==> staticcheck, both modules" >&2
	@$(TOOLS)/staticcheck ./...
	@cd test && $(TOOLS)/staticcheck ./...
	@echo "==> govulncheck, of what is released" >&2
	@$(GO) -C test run ./cmd/vulncheck -govulncheck $(TOOLS)/govulncheck "$(CURDIR)"
	@echo "==> trivy, of what render prints (the first run downloads and builds it: two to three minutes)" >&2
	@$(GO) -C test run ./cmd/manifestscan -plugin "$(CURDIR)/bin/$(NAME)$$($(GO) env GOEXE)" \
		-schema "$(CURDIR)/charts/ostoy-s3/values.schema.json" -module trivy -tools $(TOOLS)

# The versions are those of test/go.mod.
lint-tools:
	@echo "==> building the lint tools" >&2
	@mkdir -p $(TOOLS)
	@$(GO) -C test build -o $(TOOLS)/ honnef.co/go/tools/cmd/staticcheck mvdan.cc/gofumpt golang.org/x/vuln/cmd/govulncheck

bench: build ## measure, against helm where there is something to compare
	@echo "==> benchmarks of render" >&2
	@$(GO) test -run '^$$' -bench . -benchmem ./render
	@echo "==> the executable against helm, and the number of requests" >&2
	@$(GO) -C test run ./cmd/bench

demo: build ## see it work: a cluster, an emulated AWS, install, look, clean up
	@echo "==> starting a sandbox for the demo (the first time builds it: about ten minutes)" >&2
	@PATH="$(CURDIR)/bin:$$PATH" $(SANDBOX) run --no-controller -- "$(CURDIR)/test/demo/demo.sh"

sandbox: build ## start a cluster and an emulated AWS, and leave them running
	@echo "==> starting the sandbox (the first time builds it: about ten minutes)" >&2
	@$(SANDBOX) up

sandbox-down: ## stop what `make sandbox` started
	@$(SANDBOX) down

# dist is not a prerequisite: with -j, it would be built although the scan fails.
release: vulncheck-strict ## scan for vulnerabilities on every platform, then make dist
	@$(MAKE) --no-print-directory dist

vulncheck-strict: lint-tools
	@echo "==> govulncheck, of what is released, on every platform: the database must answer" >&2
	@$(GO) -C test run ./cmd/vulncheck -strict -platforms $(subst $(SPACE),$(COMMA),$(PLATFORMS)) -govulncheck $(TOOLS)/govulncheck "$(CURDIR)"

dist: ## build the archives, checksums and krew manifest in dist/, without a network
	@set -e; for platform in $(PLATFORMS); do \
		os=$${platform%/*} arch=$${platform#*/} exe=; \
		[ $$os != windows ] || exe=.exe; \
		echo "==> building $$platform $(VERSION)" >&2; \
		GOOS=$$os GOARCH=$$arch $(GO_BUILD) -o $(DIST)/build/$${os}_$$arch/$(NAME)$$exe $(MAIN); \
	done
	@echo "==> packing" >&2
	@$(GO) run ./krew/cmd/pack -version $(VERSION) -time $(SOURCE_DATE_EPOCH) -binaries $(DIST)/build -out $(DIST)

clean: ## remove what was built in the tree (the cache stays)
	@echo "==> removing bin and dist" >&2
	@rm -rf bin $(DIST)
