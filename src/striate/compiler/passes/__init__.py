"""Passes: pure functions from Graph to Graph, one a file, each named by what it does."""
