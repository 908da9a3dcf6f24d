"""Whether a weight is packed ahead of the run.

A product reads its right side in panels (csrc/kernels/gemm/gemm.h). Where a kernel took them as an operand, they would
be made once a change of the weight, as any derived value (`compiler/derived.py`). None does so far: each packs into
its own scratch at the start of its step, every run, which costs one pass over the weight. The plan says so.
"""

from __future__ import annotations

#: Products, whose second input is a matrix that kernels read in panels.
_PRODUCTS = frozenset({"conv2d", "conv2d_grad_x", "dense", "matmul"})


def packing_of(op: str, kernel: str | None) -> str:
    """What the plan says about packing; nothing where there is nothing to pack."""
    if op not in _PRODUCTS or kernel is None:
        return ""
    return "weight not packed ahead: the kernel packs into its own scratch"
