# Bare `make` prints the targets. Everything that is generated is below .venv and .batchstream.
.DEFAULT_GOAL := help
.PHONY: help setup run ui test test-nightly test-compose lint bench bench-full up down clean mutants psql backup restore lock-jars env certificates compose-up compose-down

BATCHSTREAM := .venv/bin/batchstream
DATASET := housing
COMPOSE_TESTS := tests/compose

help: ## print this help
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 20

setup: ## install what is missing: Java, the locked virtual environment, the jars
	@scripts/bootstrap

run: setup ## reload a dataset once and show what happened (DATASET=housing; ALLOW_CHANGES=1)
	@$(BATCHSTREAM) run $(DATASET) $(if $(ALLOW_CHANGES),--allow-changes)

ui: setup ## start Airflow's scheduler and web interface until Ctrl-C
	@$(BATCHSTREAM) ui

test: setup ## run every test, two files at a time, with services of their own
	@.venv/bin/pytest -n 2 --dist loadfile

test-nightly: setup ## run the tests that make test leaves out for their time
	@.venv/bin/pytest -m nightly

mutants: setup ## break what decides over records, ledger and publish in one place at a time, in hours; list what no test notices
	@for part in $(or $(PART),pure postgres sql); do scripts/mutate $$part $(MUTANTS) || exit; done

test-compose: setup ## boot docker-compose.yaml and its overlays on a Docker engine, and break them
	@.venv/bin/pytest -m compose $(COMPOSE_TESTS)

lint: setup ## what a commit must pass: ruff, mypy, import-linter, hadolint, docker compose config, workflows
	@.venv/bin/ruff check .
	@.venv/bin/ruff format --check .
	@.venv/bin/mypy
	@.venv/bin/lint-imports
	@.venv/bin/hadolint Dockerfile
	@scripts/lint_compose.sh
	@.venv/bin/check-jsonschema --quiet --builtin-schema vendor.github-workflows .github/workflows/*.yml plugins/batchstream/project/.github/workflows/*.yml
	@.venv/bin/check-jsonschema --quiet --builtin-schema vendor.gitlab-ci .gitlab-ci.yml
	@.venv/bin/check-jsonschema --quiet --builtin-schema vendor.dependabot .github/dependabot.yml

bench: setup ## measure side by side with other ways, in some minutes; writes docs/benchmarks.md
	@.venv/bin/python -m benchmarks

bench-full: setup ## the same up to 10 million records, in hours
	@.venv/bin/python -m benchmarks --full

up: setup ## start Kafka and PostgreSQL of this clone
	@$(BATCHSTREAM) up

psql: setup ## open psql as the role that reads (ROLE=owner: as the one that may alter tables)
	@$(BATCHSTREAM) psql $(if $(ROLE),--role $(ROLE))

backup: setup ## write all data sets and the ledger into a new file (FILE=housing.backup)
	@$(BATCHSTREAM) backup "$(or $(FILE),$(error FILE is missing: make backup FILE=housing.backup))"

restore: setup ## bring that file into a clone without data sets (FILE=housing.backup)
	@$(BATCHSTREAM) restore "$(or $(FILE),$(error FILE is missing: make restore FILE=housing.backup))"

down: ## stop what was started
	@if [ -x $(BATCHSTREAM) ]; then $(BATCHSTREAM) down; else echo "nothing is installed here"; fi

clean: ## stop, and remove everything that was generated, data included (YES=1: without asking)
	@if [ -x $(BATCHSTREAM) ]; then $(BATCHSTREAM) clean $(if $(YES),--yes); \
	elif [ -e .batchstream/secrets ] && [ -z "$(YES)" ]; then \
		echo "error: .batchstream has data, and without .venv nothing can stop its services: run make setup first" >&2; exit 1; fi
	@rm -rf .venv .batchstream

env: ## write .env and secrets/ for docker-compose.yaml, with passwords of its own
	@python3 scripts/make_env.py

certificates: env ## write secrets/tls for docker-compose.secure.yaml
	@scripts/make_certificates.sh

compose-up: env ## build the images and start the whole stack in Docker
	@docker compose up --build --wait

compose-down: ## stop that stack; its data stays (docker compose down -v removes it)
	@docker compose --profile all down

lock-jars: setup ## (maintainers) write jars.lock anew
	@.venv/bin/python scripts/lock_jars.py
