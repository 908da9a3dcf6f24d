"""The peers: which stack, in which form, in which environment; one row each (`python -m bench.compare --list`).

Every form has a row of its own, also where only an environment variable tells it from another: the fastest row counts.
"+thp" rows are offered huge pages, which Striate asks for by itself. Rows that cannot be held to AVX2 have no switch
for it that their documentation names.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

OURS = "striate"
HUGE = {"THP_MEM_ALLOC_ENABLE": "1"}  # torch's allocator asks for huge pages
GLIBC_HUGE = {"GLIBC_TUNABLES": "glibc.malloc.hugetlb=1"}  # so does malloc, for those that use it (glibc 2.35)


@dataclass(frozen=True)
class Row:
    """One contender."""

    name: str
    #: .venv-bench-<environment>; "" is the checkout's own .venv
    environment: str
    #: file in bench/peers
    module: str
    options: Mapping[str, Any] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict)
    trains: bool = False
    #: ways to predict one batch beside `call`
    compiled: bool = False
    #: has a `predict` of its own
    predicts: bool = False
    #: "float32" rows are peers; others are shown and named as what they are
    precision: str = "float32"
    #: counts for "fastest peer"; ncnn, MNN and LiteRT do not until their figures are known
    counts: bool = True
    #: the file it reads: "", "onnx", "ncnn", "mnn", "litert"
    file: str = ""
    #: can be held to AVX2
    avx2: bool = True
    #: what is imported, and what pip is asked for, where import time and size are measured; "" for forms of another row
    imports: str = ""
    installs: str = ""


def _keras(name: str, stack: str, environment: str, **more: Any) -> Row:
    options = {"stack": stack, **more.pop("options", {})}
    return Row(name, environment, "keras_peer", options, trains=True, compiled=True, predicts=True, **more)


def _torch(name: str, huge: bool, **options: Any) -> Row:
    words = {"imports": "torch", "installs": "torch numpy"} if not huge and not options else {}
    return Row(name, "torch", "torch_peer", options, HUGE if huge else {}, trains=True, **words)


ROWS: tuple[Row, ...] = (
    _keras(OURS, OURS, "", imports="striate", installs="."),
    _torch("torch", False),
    _torch("torch+thp", True),
    _torch("torch-last", False, channels_last=True),
    _torch("torch-last+thp", True, channels_last=True),
    _torch("torch-compile", False, channels_last=True, compiled=True),
    _torch("torch-compile+thp", True, channels_last=True, compiled=True),
    _keras("keras-tensorflow", "tensorflow", "tensorflow", imports="keras", installs="keras tensorflow-cpu"),
    _keras("keras-tensorflow-nojit", "tensorflow", "tensorflow", options={"jit": False}),
    _keras("keras-tensorflow-nojit+thp", "tensorflow", "tensorflow", options={"jit": False}, variables=GLIBC_HUGE),
    _keras("keras-jax", "jax", "jax", imports="keras", installs="keras jax"),
    _keras("keras-torch", "torch", "torch", imports="keras", installs="keras torch"),
    Row(
        "onnxruntime", "onnxruntime", "onnxruntime_peer", file="onnx", avx2=False,
        imports="onnxruntime", installs="onnxruntime",
    ),
    Row("onnxruntime+thp", "onnxruntime", "onnxruntime_peer", {}, GLIBC_HUGE, file="onnx", avx2=False),
    Row(
        "openvino", "openvino", "openvino_peer", {"precision": "f32"}, file="onnx", avx2=False,
        imports="openvino", installs="openvino",
    ),
    Row("openvino+thp", "openvino", "openvino_peer", {"precision": "f32"}, GLIBC_HUGE, file="onnx", avx2=False),
    Row("openvino-bf16", "openvino", "openvino_peer", {"precision": ""}, file="onnx", avx2=False, precision="bfloat16"),
    Row("ncnn", "ncnn", "ncnn_peer", file="ncnn", counts=False, avx2=False, imports="ncnn", installs="ncnn"),
    Row("mnn", "mnn", "mnn_peer", file="mnn", counts=False, avx2=False, imports="MNN", installs="MNN"),
    Row(
        "litert", "litert", "litert_peer", file="litert", counts=False, avx2=False,
        imports="ai_edge_litert.interpreter", installs="ai-edge-litert",
    ),
)  # fmt: skip
BY_NAME = {row.name: row for row in ROWS}


def rows(names: list[str] | None = None) -> list[Row]:
    """Rows by name, Striate first; all without names.

    Raises:
        ValueError: no such row; the message lists them.
    """
    unknown = [name for name in names or () if name not in BY_NAME]
    if unknown:
        raise ValueError(f"no peer {unknown[0]!r}; there are {', '.join(BY_NAME)}")
    return [row for row in ROWS if not names or row.name in names or row.name == OURS]
