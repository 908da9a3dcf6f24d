"""Measurements: `python -m bench.kernels`, `python -m bench.models`, `python -m bench.compare` (each with --help)."""
