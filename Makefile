# Every target is one or two lines; continuous integration calls the same ones.
VENV ?= .venv
PYTHON ?= python3
BIN := $(VENV)/bin
ENGINE ?= opensearch

.PHONY: demo test fuzz check format bench bench-peers bench-plugin bench-stalled bench-llm eval serve up down lock clean

demo: $(VENV)/.installed ## node, sidecar, corpus, judged queries, figures
	$(BIN)/rankside demo

test: $(VENV)/.installed ## every test, real engines included
	$(BIN)/pytest $(PYTEST_ARGS)

fuzz: $(VENV)/.installed ## 100,000 generated answers through the parser of LLMs' orders
	RANKSIDE_FUZZ=100000 $(BIN)/pytest tests/unit/plugin/ranking/test_permutation_fuzz.py

check: $(VENV)/.installed ## format, lint, types, imports
	$(BIN)/ruff format --check . && $(BIN)/ruff check . && $(BIN)/mypy && $(BIN)/lint-imports

format: $(VENV)/.installed
	$(BIN)/ruff check --fix-only --quiet . ; $(BIN)/ruff format .

bench: $(VENV)/.installed ## speed
	$(BIN)/python -m evaluation.bench

bench-peers: $(VENV)/.installed ## beside sentence-transformers, a cross-encoder and infinity-emb
	$(BIN)/python -m evaluation.bench_peers $(BENCH_ARGS)

bench-plugin: $(VENV)/.installed ## what a plugin adds to a search; 100,000 documents
	$(BIN)/python -m evaluation.bench_plugin $(BENCH_ARGS)

bench-stalled: $(VENV)/.installed ## searches of a node whose sidecar has stalled
	$(BIN)/python -m evaluation.bench_stalled $(BENCH_ARGS)

bench-llm: $(VENV)/.installed ## InsertRank around a stand-in for an LLM: answers kept, time added
	$(BIN)/python -m evaluation.bench_llm $(BENCH_ARGS)

eval: $(VENV)/.installed ## ranking quality: chooses the default model's weights, writes the page's tables
	$(BIN)/python -m evaluation.weights --page docs/reference/quality.md $(EVAL_ARGS)

serve: $(VENV)/.installed
	$(BIN)/rankside serve

up: $(VENV)/.installed
	$(BIN)/rankside engine up --engine $(ENGINE)

down: $(VENV)/.installed
	$(BIN)/rankside engine down --engine $(ENGINE)

lock: $(VENV)/.installed ## resolve the dependencies anew; the lock names no registry
	$(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --no-annotate --no-header --quiet --all-extras --group dev --upgrade pyproject.toml -o requirements.lock

$(VENV)/.installed: requirements.lock pyproject.toml
	./deploy/install.sh $(PYTHON) $(VENV) && touch $@

clean:
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis
