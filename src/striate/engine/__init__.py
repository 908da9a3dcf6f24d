"""Runs programs: the native engine, its input format, and the interpreter that says what programs mean."""
