# Liuke: `make demo` to look around, `make test` before you push.
.DEFAULT_GOAL := help
.PHONY: help setup dev demo serve test test-spark lint bench docs css messages lock clean
MAKEFLAGS += --no-print-directory
BIN := .venv/bin
# The linters load the settings, which make keys on first use: not in a real home.
QUIET_HOME = LIUKE_HOME=$(CURDIR)/var/lint DJANGO_SETTINGS_MODULE=liuke.project.settings

help: ## Show this
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: ## Make .venv with what Liuke needs (quick when up to date)
	@tools/setup

dev:
	@tools/setup dev

demo: setup ## A site with a simulated year, on http://127.0.0.1:8000
	@$(BIN)/liuke demo

serve: setup ## Run the site on http://127.0.0.1:8000
	@$(BIN)/liuke serve

test: dev ## Lint, types, layers, migrations, then all tests
	@tools/test

test-spark: dev ## Show that Spark counts what DuckDB counts (installs pyspark apart; needs Java 17)
	@UV_PROJECT_ENVIRONMENT=.venv-spark $(BIN)/uv sync --frozen --quiet --extra spark
	@.venv-spark/bin/python -m pytest -q -n 0 -m spark tests/spark

lint: dev ## Format and check, without the tests
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .
	@$(QUIET_HOME) $(BIN)/mypy
	@$(BIN)/lint-imports

bench: dev ## Measure this machine against yardsticks
	@$(BIN)/liuke bench

docs: dev ## Check that the documentation names what exists
	@$(BIN)/pytest -q tests/test_docs.py

css: ## Build the style sheets again (needs Node)
	@cd frontend && npm install --no-package-lock --no-audit --no-fund && npm run build

messages: dev ## Collect the strings to translate (needs gettext) and compile them
	@cd src/liuke && $(QUIET_HOME) ../../$(BIN)/django-admin makemessages --all --no-wrap --add-location file
	@$(QUIET_HOME) $(BIN)/django-admin compilemessages --ignore .venv

lock: dev ## Resolve the dependencies anew
	@$(BIN)/uv lock
	@$(BIN)/uv export --quiet --no-dev --no-emit-project --format requirements-txt --output-file requirements.lock

clean: ## Remove what can be made again
	@rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache build dist var
	@find src tests -name __pycache__ -type d -prune -exec rm -rf {} +
