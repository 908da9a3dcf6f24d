"""The graph: what is computed, said once an op, before anyone decides how."""
