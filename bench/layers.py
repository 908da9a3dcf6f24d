"""The shapes of real layers, from bench/shapes/*.txt; the tests of the kernels read them too.

A line is `op label input sizes... word=value...`, `#` starts a comment, `batch N` is the batch of the lines below it:

    conv2d            conv1  28x28x1 (height, width, channels)  7x7 (kernel)  64 (filters)
                      strides=1 padding=valid|same dilation=1 groups=1; `first`: no gradient with respect to the input
    depthwise_conv2d  dw1    112x112x32  3x3  1 (filters a channel)  strides=1 padding=valid|same
    max_pool2d        pool1  28x28x64    2x2 (window)  strides=the window padding=valid|same; avg_pool2d alike
    dense             fc1    2304 (inputs)  128 (outputs)
    matmul            name   rows terms columns; `ta`, `tb`: the first or second is transposed in memory
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import prod
from pathlib import Path

import striate.ir.ops  # noqa: F401  fills the table of ops
from striate.ir.attrs import Attrs
from striate.ir.opdef import infer_types
from striate.ir.ops.attrs import ConvAttrs, DenseAttrs, MatmulAttrs, PoolAttrs
from striate.ir.types import TensorType

SHAPES = Path(__file__).resolve().parent / "shapes"
Shape = tuple[int, ...]


@dataclass(frozen=True)
class Problem:
    """One step: an op on inputs of these shapes (float32). `flops` counts what is inside the image only."""

    file: str
    label: str
    direction: str
    op: str
    inputs: tuple[Shape, ...]
    attrs: Attrs
    flops: int

    @property
    def results(self) -> tuple[Shape, ...]:
        return tuple(t.dims for t in infer_types(self.op, tuple(TensorType(s) for s in self.inputs), self.attrs))

    @property
    def bytes(self) -> int:
        """Every operand once: what has to be moved at least."""
        return 4 * sum(prod(shape) for shape in (*self.inputs, *self.results))

    @property
    def name(self) -> str:
        return f"{self.file}/{self.label} {self.direction}"


@dataclass(frozen=True)
class Layer:
    """One line of a file."""

    file: str
    op: str
    label: str
    sizes: tuple[str, ...]
    options: dict[str, str]
    batch: int

    def problems(self, batch: int | None = None) -> Iterator[Problem]:
        """Forward, then each gradient that training needs."""
        maker = {"matmul": _matmul, "dense": _dense, "max_pool2d": _pool, "avg_pool2d": _pool}.get(self.op, _conv)
        for direction, op, inputs, attrs, flops in maker(self, self.batch if batch is None else batch):
            yield Problem(self.file, self.label, direction, op, inputs, attrs, flops)


Made = Iterator[tuple[str, str, tuple[Shape, ...], Attrs, int]]


def dims(text: str) -> Shape:
    return tuple(int(part) for part in text.split("x"))


def taps_inside(size: int, out: int, kernel: int, stride: int, dilation: int, pad: int) -> int:
    """Pairs of output and tap, along one axis, whose input index is inside."""
    return sum(0 <= o * stride + t * dilation - pad < size for o in range(out) for t in range(kernel))


def _conv(layer: Layer, batch: int) -> Made:
    (height, width, channels), kernel, filters = dims(layer.sizes[0]), dims(layer.sizes[1]), int(layer.sizes[2])
    stride, dilation = int(layer.options.get("strides", 1)), int(layer.options.get("dilation", 1))
    groups = int(layer.options.get("groups", 1))
    depthwise = layer.op == "depthwise_conv2d"
    w = (*kernel, channels if depthwise else channels // groups, filters)
    x = (batch, height, width, channels)
    padding = layer.options.get("padding", "valid")
    plain = ConvAttrs((stride, stride), padding, (0, 0, 0, 0), (dilation, dilation), groups)  # type: ignore[arg-type]
    fused = ConvAttrs((stride, stride), padding, (0, 0, 0, 0), (dilation, dilation), groups, "relu")  # type: ignore[arg-type]
    y = infer_types(layer.op, (TensorType(x), TensorType(w)), plain)[0].dims
    inside = 1
    for size, out, taps in zip((height, width), y[1:3], kernel):
        span = (taps - 1) * dilation + 1
        pad = max((out - 1) * stride + span - size, 0) // 2 if padding == "same" else 0
        inside *= taps_inside(size, out, taps, stride, dilation, pad)
    flops = 2 * batch * inside * w[2] * (channels * filters if depthwise else filters) // (channels if depthwise else 1)
    yield "forward", layer.op, (x, w, (y[3],)), fused, flops
    if "first" not in layer.options:
        yield "grad_x", layer.op + "_grad_x", (y, w), plain.producing(x), flops
    yield "grad_w", layer.op + "_grad_w", (x, y), plain.producing(w), flops


def _pool(layer: Layer, batch: int) -> Made:
    x = (batch, *dims(layer.sizes[0]))
    window = dims(layer.sizes[1])
    stride = layer.options.get("strides")
    strides = (int(stride), int(stride)) if stride else window
    attrs = PoolAttrs(window, strides, layer.options.get("padding", "valid"))  # type: ignore[arg-type]
    y = infer_types(layer.op, (TensorType(x),), attrs)[0].dims
    yield "forward", layer.op, (x,), attrs, 0
    if layer.op == "max_pool2d":
        yield "grad", "max_pool2d_grad", (y, x, y), attrs, 0
    else:
        yield "grad", "avg_pool2d_grad", (y,), attrs.producing(x), 0


def _dense(layer: Layer, batch: int) -> Made:
    inputs, outputs = (int(size) for size in layer.sizes)
    x, w, y = (batch, inputs), (inputs, outputs), (batch, outputs)
    flops = 2 * batch * inputs * outputs
    yield "forward", "dense", (x, w, (outputs,)), DenseAttrs("relu"), flops
    yield "grad_x", "matmul", (y, w), MatmulAttrs(False, True), flops
    yield "grad_w", "matmul", (x, y), MatmulAttrs(True, False), flops


def _matmul(layer: Layer, batch: int) -> Made:
    rows, terms, columns = (int(size) for size in layer.sizes)
    ta, tb = "ta" in layer.options, "tb" in layer.options
    a, b = (terms, rows) if ta else (rows, terms), (columns, terms) if tb else (terms, columns)
    yield "product", "matmul", (a, b), MatmulAttrs(ta, tb), 2 * rows * terms * columns


SIZES = {"matmul": 3, "dense": 2, "conv2d": 3, "depthwise_conv2d": 3, "max_pool2d": 2, "avg_pool2d": 2}
OPTIONS = {
    "matmul": {"ta", "tb"},
    "dense": set(),
    "conv2d": {"strides", "padding", "dilation", "groups", "first"},
    "depthwise_conv2d": {"strides", "padding", "dilation"},
    "max_pool2d": {"strides", "padding"},
    "avg_pool2d": {"strides", "padding"},
}


def read(file: str) -> list[Layer]:
    """The layers of bench/shapes/<file>.txt.

    Raises:
        ValueError: a line that says something else; the message has its number.
    """
    layers, batch = [], 1
    for number, line in enumerate((SHAPES / f"{file}.txt").read_text(encoding="utf-8").splitlines(), start=1):
        words = line.partition("#")[0].split()
        if not words:
            continue
        if words[0] == "batch" and len(words) == 2:
            batch = int(words[1])
            continue
        op = words[0]
        sizes = words[2 : 2 + SIZES.get(op, 0)]
        options = dict(word.partition("=")[::2] for word in words[2 + len(sizes) :])
        if op not in SIZES or len(sizes) != SIZES[op] or not options.keys() <= OPTIONS[op]:
            raise ValueError(f"{file}.txt, line {number}: {line.strip()!r} is no layer. {__doc__}")
        layers.append(Layer(file, op, words[1], tuple(sizes), options, batch))
    return layers


def files() -> list[str]:
    """Names of all files, gemm first."""
    names = sorted(path.stem for path in SHAPES.glob("*.txt"))
    return sorted(names, key=lambda name: (name != "gemm", name))
