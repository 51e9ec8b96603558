# `make help` lists the targets. Each one does its own setup.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
SOURCES := components delivery policy sandbox demo benchmarks tests
EXAMPLE := examples/sentiment-classifier
EXAMPLE_STAMP := $(EXAMPLE)/.venv/.installed
FEAST_VENV := .venv-feast
FEAST_STAMP := $(FEAST_VENV)/.installed
SANDBOX := $(BIN)/python -m sandbox
DELIVERY := $(BIN)/python -m delivery
# Each worker of the integration tests has its own sandbox, which takes 1.5 GB of memory.
WORKERS ?= 3
FEATURE_TESTS = tests/integration/feature_store $(wildcard tests/integration/[!f]*/test_*feature*.py)
# Arguments of the delivery targets: make deploy STAGE=staging
STAGE ?=
BASE ?= origin/main
HEAD ?= HEAD
FLAGS ?=
REVIEW = build/review-$(STAGE).md

.PHONY: help
help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | while IFS=$$'\t' read -r name text; do printf '%-14s %s\n' "$$name" "$$text"; done

.PHONY: install
install: $(STAMP) ## Create the Python environment in .venv

# The compiled files halve the start of every pulumi command, even where Python may not write them.
$(STAMP): requirements-dev.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	$(BIN)/python -m compileall -q -j 0 $(VENV)/lib
	touch $@

# The example has its own packages, which the program does not need.
$(EXAMPLE_STAMP): $(EXAMPLE)/requirements-dev.txt
	test -x $(EXAMPLE)/.venv/bin/python || $(PYTHON) -m venv $(EXAMPLE)/.venv
	$(EXAMPLE)/.venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $<
	touch $@

# Feast and its packages take 600 MB, which neither the program nor a deployment needs.
$(FEAST_STAMP): features/requirements.txt
	test -x $(FEAST_VENV)/bin/python || $(PYTHON) -m venv $(FEAST_VENV)
	$(FEAST_VENV)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $<
	touch $@

.PHONY: up
up: install ## Deploy both stages, starting the local sandbox if needed
	$(DELIVERY) check
	$(SANDBOX) deploy

.PHONY: preview
preview: install ## Show what a deployment of both stages would change, starting the local sandbox if needed
	$(SANDBOX) up
	eval "$$($(SANDBOX) env)"; for stage in staging production; do pulumi preview --diff --non-interactive --stack $$stage; done

.PHONY: demo
demo: install $(EXAMPLE_STAMP) ## Run the whole loop with real registries: train, promote, review, deploy, break, roll back
	$(BIN)/python -m demo

.PHONY: stage
stage:
	@test -f "Pulumi.$(STAGE).yaml" || { echo "STAGE=$(STAGE) is not a stage. Fix: make TARGET STAGE=one of: $$(ls Pulumi.*.yaml | cut -d. -f2 | xargs)" >&2; exit 2; }

.PHONY: review
review: stage install ## Write the page of a change: STAGE=..., BASE=origin/main, HEAD=HEAD, FLAGS=; needs pulumi, kubectl and the cluster
	@! git grep --quiet 'ml-deployments:featureStore:' "$(HEAD)" -- "Pulumi.$(STAGE).yaml" || $(MAKE) $(FEAST_STAMP)
	mkdir -p build
	$(DELIVERY) review "$(BASE)..$(HEAD)" --stage "$(STAGE)" --output "$(REVIEW)" $(FLAGS)

# GitHub's merge of the pull request into main. It is refused when the pull request has moved on: then a newer run reviews it.
.PHONY: fetch-pull-request
fetch-pull-request: ## Fetch a pull request's merge as refs/pull-request: PULL_REQUEST=7, REVISION=its head, and TOKEN where it is private
	@test -n "$(PULL_REQUEST)" && test -n "$(REVISION)" || { echo "Give PULL_REQUEST=number and REVISION=commit" >&2; exit 2; }
	@GIT_CONFIG_COUNT=$${TOKEN:+1} GIT_CONFIG_KEY_0=http.extraHeader GIT_CONFIG_VALUE_0="Authorization: Basic $$(printf 'x-access-token:%s' "$${TOKEN:-}" | base64 -w 0)" \
		git fetch --quiet --no-tags origin "+refs/pull/$(PULL_REQUEST)/merge:refs/pull-request"
	@test "$$(git rev-parse refs/pull-request^2)" = "$(REVISION)" || { echo "The pull request is not at $(REVISION), or cannot be merged. Fix: resolve its conflicts; a newer commit has its own review" >&2; exit 1; }

.PHONY: comment
comment: stage install ## Post that page on GitHub: STAGE=..., REPOSITORY=owner/name, PULL_REQUEST=7, and GITHUB_TOKEN
	@test -n "$(REPOSITORY)" && test -n "$(PULL_REQUEST)" || { echo "Give REPOSITORY=owner/name and PULL_REQUEST=number" >&2; exit 2; }
	$(DELIVERY) comment --repository "$(REPOSITORY)" --pull-request "$(PULL_REQUEST)" --stage "$(STAGE)" "$(REVIEW)"

.PHONY: deploy
deploy: stage install ## Deploy the commit to STAGE and verify it; needs pulumi, kubectl and the cluster
	$(DELIVERY) check
	$(DELIVERY) policy "$(STAGE)"
	$(DELIVERY) deployable "$(STAGE)"
	pulumi up --yes --refresh --skip-preview --non-interactive --stack "$(STAGE)"
	$(MAKE) verify STAGE="$(STAGE)"

.PHONY: verify
verify: stage install ## Verify that STAGE runs what the commit says: nothing left to change, rolled out, no drift
	pulumi preview --expect-no-changes --non-interactive --stack "$(STAGE)"
	namespaces="$$(pulumi stack output namespaces --stack "$(STAGE)" | tr '[]",' ' ')"; for namespace in $$namespaces; do kubectl rollout status deployments --namespace="$$namespace" --selector="ml-deployments/stage=$(STAGE)" --timeout=600s; done
	$(DELIVERY) drift "$(STAGE)"
	git diff --exit-code

.PHONY: drift
drift: stage install ## Compare STAGE's cluster with the commit; delivery's exit code is 3 when they differ, make's is 2
	$(DELIVERY) drift "$(STAGE)"

.PHONY: tag
tag: stage install ## Tag the commit as deployed to STAGE; it does not ask the cluster, so run it after make deploy
	$(DELIVERY) tag "$(STAGE)"

.PHONY: push-tags
push-tags: stage install ## Push STAGE's tags of the commit to origin
	$(DELIVERY) tag "$(STAGE)" --push origin

.PHONY: rendered
rendered: stage install ## Render the commit onto the branch rendered/STAGE and push it to origin, for Argo CD or Flux
	$(DELIVERY) render "$(STAGE)" --commit --push origin

.PHONY: test
test: browser lint unit example integration ## Run lint, types, unit tests, the example's tests, and integration tests on the sandbox

.PHONY: lint
lint: install $(EXAMPLE_STAMP) ## Check style, types, directions of imports, the committed files and the workflows
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-logo --no-cache
	$(BIN)/mypy
	$(BIN)/mypy __main__.py
	cd $(EXAMPLE) && .venv/bin/mypy --strict --config-file ../../pyproject.toml server train.py register.py tests
	$(DELIVERY) check > /dev/null
	$(DELIVERY) policy > /dev/null
	"$$($(SANDBOX) path actionlint)" -shellcheck= -pyflakes=

.PHONY: unit
unit: install ## Run the unit tests, with the coverage of components/ and delivery/
	$(BIN)/python -m pytest tests/unit --cov --cov-report=term -n 2

.PHONY: example
example: $(EXAMPLE_STAMP) ## Run the tests of the example model server
	cd $(EXAMPLE) && .venv/bin/python -m pytest tests

.PHONY: browser
browser: install ## Install the Chromium that tests of a page need: by apt as root, else it says what to install
	$(BIN)/python -m tests.integration.browser

.PHONY: integration
integration: install $(FEAST_STAMP) browser $(EXAMPLE_STAMP) ## Run the integration tests on the sandbox's control plane
	$(SANDBOX) tools --all
	$(BIN)/python -m pytest tests/integration -m "not soak" -n $(WORKERS) --dist loadfile --no-loadscope-reorder

.PHONY: soak
soak: install $(FEAST_STAMP) $(EXAMPLE_STAMP) ## Run the long tests, which prove something by their length
	$(SANDBOX) tools --all
	$(BIN)/python -m pytest tests/integration -m soak

.PHONY: feature-tests
feature-tests: install $(FEAST_STAMP) $(EXAMPLE_STAMP) ## Run the integration tests of features
	$(SANDBOX) tools --all
	$(BIN)/python -m pytest $(FEATURE_TESTS)

.PHONY: features
features: install $(FEAST_STAMP) ## Write features/definitions.yaml, with Feast in .venv-feast
	$(DELIVERY) features

.PHONY: features-plan
features-plan: stage install $(FEAST_STAMP) ## Show what the feature definitions change in the registry of STAGE
	$(DELIVERY) features-plan "$(STAGE)"

.PHONY: bench
bench: install $(FEAST_STAMP) ## Measure rendering, deploying, monitoring, drift, delivery and features against peers in the same run
	$(SANDBOX) tools --all
	$(BIN)/python -m benchmarks

.PHONY: schema
schema: install ## Generate the JSON schemas and docs/settings.md from the settings
	$(DELIVERY) schema --output docs

.PHONY: gitops
gitops: install ## Generate the objects in gitops/ that make a controller in the cluster follow git
	$(DELIVERY) gitops --output gitops

.PHONY: lock
lock: install ## Lock the dependencies with their hashes
	for name in requirements requirements-dev features/requirements; do $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-strip-extras --no-header --no-annotate --output-file $$name.txt $$name.in; done

.PHONY: down
down: ## Stop the sandbox and remove it; the built tools stay in the cache
	if test -f $(STAMP); then $(SANDBOX) down; fi

.PHONY: clean
clean: down ## Remove the sandbox, the Python environment and every generated file
	rm -rf $(VENV) $(FEAST_VENV) $(EXAMPLE)/.venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage .coverage.* build
	find $(SOURCES) examples -name __pycache__ -prune -exec rm -rf {} +
