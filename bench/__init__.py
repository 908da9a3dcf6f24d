"""Measurements: `python -m bench.kernels` and `python -m bench.compare` (each with --help)."""
