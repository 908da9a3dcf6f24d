"""Tracing, differentiation, passes and planning: from Python code to a Program."""
