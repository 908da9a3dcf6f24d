# Only calls tools/dev.py, which runs without make too: python3 tools/dev.py TARGET
PYTHON ?= python3
TARGETS := setup build demo test lint format keras-env test-keras test-keras-own torch-env test-torch sanitize arm64 check-full bench-env bench bench-full wheel check-wheel clean

.PHONY: help $(TARGETS)
help:
	@$(PYTHON) tools/dev.py --help
$(TARGETS):
	@$(PYTHON) tools/dev.py $@
