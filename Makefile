# The course in three lanes: read (book), do (release), grade. `make help` lists the commands.
PYTHON ?= python3
VENV   := .venv
PY     := $(VENV)/bin/python
export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)
export PYTHONPATH := $(CURDIR)

.DEFAULT_GOAL := all
.PHONY: all setup notebooks book serve release grade publish new-assignment test lint clean help

all: notebooks release book grade  ## all three lanes on the bundled sample class, and where to look
	@echo
	@echo "read : _build/html/index.html      (make serve opens it at http://localhost:8000)"
	@echo "do   : release/                    (what students get)"
	@echo "grade: _build/sample/feedback/     (the sample class; make grade prints its table again)"

setup: $(VENV)/.ready  ## the virtual environment, from requirements.txt
$(VENV)/.ready: requirements.txt pyproject.toml tools/setup.py
	@$(PYTHON) tools/setup.py

notebooks: setup  ## chapters/**/NAME.md -> NAME.ipynb, what Colab opens
	@$(PY) -m tools.notebooks

book: setup  ## chapters/ -> _build/html
	@$(PY) -m tools.book

serve: book  ## the built book at http://localhost:8000
	@$(PY) -m http.server --bind 127.0.0.1 --directory _build/html 8000

release: setup  ## source/ -> release/, after every answer bank has proved its tests
	@$(PY) -m tools.release

grade: release  ## grade the bundled sample class; expected against given scores
	@$(PY) -m autograders sample

publish: notebooks release book  ## the public tree (no solutions) in public/
	@$(PY) -m tools.publish

new-assignment: setup  ## make new-assignment NAME=my_assignment: a template with its answer bank
	@$(PY) -m tools.new_assignment "$(NAME)"

test: setup  ## all tests
	@$(PY) -m pytest -n auto --dist loadfile

lint: setup  ## style of the code
	@$(VENV)/bin/ruff check . && $(VENV)/bin/ruff format --check .

clean:  ## remove what was built (never submissions or the gradebook)
	rm -rf _build public .pytest_cache .ruff_cache

help:  ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## */\1|/' | awk -F'|' '{printf "make %-15s %s\n", $$1, $$2}'
