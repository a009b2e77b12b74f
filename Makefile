# Every target sets up what it needs from a bare clone and Python 3.13, inside ignored folders of the checkout:
# uv (from PATH, else in .tools), the environment (.venv), caches (.cache). Set-up speaks on stderr only.
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

UV      := $(shell command -v uv 2>/dev/null || echo .tools/bin/uv)
PYTHON  := .venv/bin/python
READY   := .venv/.synced
PEERS   := $(patsubst %,tests/interop/%/node_modules/.package-lock.json,oidc_provider storage_account)
PARSER  := tests/infra/kusto/node_modules/.package-lock.json
LOCKS   := requirements.txt requirements-dev.txt requirements-infra.txt requirements-audit.txt requirements-checkov.txt requirements-uv.txt
LINTERS := .cache/linters
AUDIT   := .cache/audit/bin/python
export BICEPCHECK ?= $(abspath $(wildcard ../shared/tools/bicepcheck.py))

export UV_CACHE_DIR ?= $(CURDIR)/.cache/uv
export UV_TOOL_DIR ?= $(CURDIR)/.cache/uv-tools
export UV_PYTHON_DOWNLOADS ?= never
export npm_config_cache ?= $(CURDIR)/.cache/npm
export HYPOTHESIS_STORAGE_DIRECTORY ?= $(CURDIR)/.cache/hypothesis

unexport VAULT_URL # a real vault is asked for by `make interop` alone, never met by `make test`

.PHONY: help demo serve bench test campaign check infra interop node audit sbom lock lock-check format clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(READY) ## the job over emulators of Azure, in one process (ARGS=--json: nothing but one JSON object)
	@$(PYTHON) -m demo $(ARGS)

serve: $(READY) ## keep the demonstration's world up, to try the HTTP endpoints with curl
	@$(PYTHON) -m demo serve $(ARGS)

bench: $(READY) ## the six figures, beside a plain loop and the bare SDK calls (ARGS=--quick: under a minute; ARGS=readme)
	@$(PYTHON) -m bench $(ARGS)

test: $(READY) ## the tests, Python only, with branch coverage
	@$(PYTHON) -m pytest tests --ignore=tests/interop --ignore=tests/infra --numprocesses=logical --dist=worksteal --cov --cov-report=term $(ARGS)

check: $(READY) lock-check ## format, lint, types, import contracts, lock files
	@$(PYTHON) -m ruff format --check .
	@$(PYTHON) -m ruff check .
	@$(PYTHON) -m mypy
	@.venv/bin/lint-imports --cache-dir .cache/import-linter

infra: node $(READY) $(PARSER) $(LINTERS)/.synced ## what is deployed and how: Bicep, alert queries, package, pipelines, the guides
	@PIP_CACHE_DIR=$(CURDIR)/.cache/pip $(PYTHON) -m pytest tests/infra --numprocesses=logical --dist=loadfile $(ARGS)

ifdef VAULT_URL
interop: $(READY)
	@VAULT_URL='$(VAULT_URL)' $(PYTHON) -m pytest tests/contracts $(ARGS)
else
interop: node $(READY) $(PEERS) .cache/audit/.synced ## third parties' tests and components (VAULT_URL=https://...: our contract tests, on that vault)
	@$(PYTHON) tests/interop/fetch.py >&2
	@$(PYTHON) -m pytest tests/interop $(ARGS)
endif

CHECKOV := .cache/checkov/bin/checkov
.PHONY: checkov
checkov: $(READY) $(CHECKOV) ## checkov over infra/, in an environment of its own; takes a minute
	@CHECKOV=$(CHECKOV) $(PYTHON) -m pytest tests/infra/test_checkov.py $(ARGS)

$(CHECKOV): requirements-checkov.txt .python-version | $(UV)
	@$(UV) venv --quiet --clear --python "$$(cat .python-version)" .cache/checkov >&2
	@$(UV) pip sync --quiet --require-hashes --python .cache/checkov/bin/python requirements-checkov.txt >&2
	@touch $@

campaign: $(READY) ## what fails, who acts and what dies, by the thousand: in this process, over the wire, by SIGKILL
	@$(PYTHON) -m tests.campaign.pairs
	@$(PYTHON) -m tests.campaign $(ARGS)
	@$(PYTHON) -m tests.campaign.wire
	@$(PYTHON) -m tests.campaign.killing

audit: .cache/audit/.synced ## known vulnerabilities in what is pinned (error 1: some, 2: a faulty pin, 3: nobody could be asked)
	@$(AUDIT) -m supply_chain.audit $(LOCKS) $(ARGS)

sbom: .cache/audit/.synced ## the bill of materials of what is deployed (CycloneDX)
	@$(AUDIT) -m supply_chain.sbom requirements.txt .cache/sbom/token-rotation.cdx.json

format: $(READY) ## format the code and apply the linter's safe fixes
	@$(PYTHON) -m ruff check --fix --exit-zero --quiet .
	@$(PYTHON) -m ruff format .

# Versions stay as they are unless pyproject.toml forbids them; `make lock ARGS=--upgrade` takes the newest.
lock: | $(UV) ## compile the lock files from pyproject.toml
	$(call compile,.,$(ARGS))

# Compiles copies, which keep their versions: a release by somebody else never fails this, a forgotten `make lock` does.
lock-check: | $(UV)
	@mkdir -p .cache/lock && cp $(LOCKS) .cache/lock/
	$(call compile,.cache/lock)
	@for lock in $(LOCKS); do \
	  diff -u $$lock .cache/lock/$$lock >&2 || { echo "$$lock does not follow from pyproject.toml: run make lock" >&2; exit 1; }; \
	done

clean: ## remove everything that make created
	@rm -rf .venv .tools .cache .package tests/*/*/node_modules
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

# $(call compile,folder,options): the lock files, each version with its hashes; for every platform, but what is deployed.
define compile
	@$(COMPILE) $(2) --python-platform x86_64-manylinux_2_28 --output-file $(1)/requirements.txt pyproject.toml
	@$(COMPILE) $(2) --universal --output-file $(1)/requirements-dev.txt --extra cli --group dev --constraint requirements.txt pyproject.toml
	@$(COMPILE) $(2) --universal --output-file $(1)/requirements-infra.txt --group infra
	@echo uv | $(COMPILE) $(2) --universal --output-file $(1)/requirements-uv.txt -
	@$(COMPILE) $(2) --universal --output-file $(1)/requirements-audit.txt --group audit
	@$(COMPILE) $(2) --universal --output-file $(1)/requirements-checkov.txt --group checkov
endef
COMPILE := $(UV) pip compile --quiet --generate-hashes --python-version 3.13 --custom-compile-command "make lock"

.tools/bin/uv: requirements-uv.txt
	@python3 -m venv --clear .tools >&2
	@.tools/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements-uv.txt >&2
	@touch $@

.venv/pyvenv.cfg: .python-version | $(UV)
	@$(UV) python find --quiet --system "$$(cat .python-version)" >/dev/null 2>&1 || \
	  { echo "Python $$(cat .python-version) was not found: install it (python.org, pyenv, or: uv python install)" >&2; exit 1; }
	@$(UV) venv --quiet --clear --python "$$(cat .python-version)" .venv >&2

$(READY): .venv/pyvenv.cfg requirements-dev.txt | $(UV)
	@$(UV) pip sync --quiet --require-hashes --python $(PYTHON) requirements-dev.txt >&2
	@touch $@

$(LINTERS)/.synced: .venv/pyvenv.cfg requirements-infra.txt tests/infra/actionlint/go.sum | $(UV)
	@command -v go >/dev/null || { echo "make infra needs Go (https://go.dev/dl): it builds actionlint" >&2; exit 1; }
	@$(UV) venv --quiet --clear --python "$$(cat .python-version)" $(LINTERS) >&2
	@$(UV) pip sync --quiet --require-hashes --python $(LINTERS)/bin/python requirements-infra.txt >&2
	@GOPATH=$(CURDIR)/.cache/go GOCACHE=$(CURDIR)/.cache/go-build GOFLAGS=-modcacherw \
	  go build -C tests/infra/actionlint -o $(CURDIR)/$(LINTERS)/bin/actionlint github.com/rhysd/actionlint/cmd/actionlint >&2
	@touch $@

.cache/audit/.synced: requirements-audit.txt .python-version | $(UV)
	@$(UV) venv --quiet --clear --python "$$(cat .python-version)" .cache/audit >&2
	@$(UV) pip sync --quiet --require-hashes --python $(AUDIT) requirements-audit.txt >&2
	@touch $@

$(PEERS) $(PARSER): %/node_modules/.package-lock.json: %/package-lock.json | node
	@npm ci --no-audit --no-fund --loglevel=error --prefix $* >&2
	@touch $@

node:
	@for tool in node npm; do command -v $$tool >/dev/null || \
	  { echo "this target needs Node 20 or later with npm: $$tool was not found" >&2; exit 1; }; done
	@node -e 'process.exit(Number(process.versions.node.split(".")[0]) < 20 ? 1 : 0)' || \
	  { echo "this target needs Node 20 or later: this is $$(node --version)" >&2; exit 1; }
