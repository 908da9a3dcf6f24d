"""The attribute classes of products, convolutions and pools. Field order is the engine's encoding (`ir/attrs.py`)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from striate.ir.attrs import Attrs

Padding = Literal["valid", "same", "explicit"]

#: Activations that a product can apply as it stores; `gelu_tanh` is gelu with approximate=True.
Epilogue = Literal[
    "none",
    "relu",
    "relu6",
    "tanh",
    "sigmoid",
    "elu",
    "leaky_relu",
    "gelu",
    "gelu_tanh",
    "silu",
    "hard_sigmoid",
    "hard_silu",
]


@dataclass(frozen=True)
class MatmulAttrs(Attrs):
    transpose_a: bool = False
    transpose_b: bool = False


@dataclass(frozen=True)
class DenseAttrs(Attrs):
    epilogue: Epilogue = "none"
    alpha: float = 0.0


@dataclass(frozen=True)
class ConvAttrs(Attrs):
    """strides, pads (top, bottom, left, right; for "explicit" only) and dilation in pixels."""

    strides: tuple[int, int] = (1, 1)
    padding: Padding = "valid"
    pads: tuple[int, int, int, int] = (0, 0, 0, 0)
    dilation: tuple[int, int] = (1, 1)
    groups: int = 1
    epilogue: Epilogue = "none"
    alpha: float = 0.0

    def producing(self, shape: tuple[int, ...]) -> ConvGradAttrs:
        """For the gradient of what has this shape: the same windows, no epilogue."""
        return ConvGradAttrs(self.strides, self.padding, self.pads, self.dilation, self.groups, shape=shape)

    def plain(self) -> ConvAttrs:
        """The same windows, no epilogue, no shape."""
        return ConvAttrs(self.strides, self.padding, self.pads, self.dilation, self.groups)


@dataclass(frozen=True)
class ConvGradAttrs(ConvAttrs):
    """ConvAttrs and the shape of what the gradient is of: x (N, H, W, C) or w (KH, KW, C/groups, K)."""

    shape: tuple[int, ...] = ()


@dataclass(frozen=True)
class WinogradFilterAttrs(Attrs):
    """winograd_filters: columns of a panel, what kernels of an instruction set read at a time; groups of filters;
    whether they are transformed, or only laid out."""

    panel: int
    groups: int = 1
    transformed: bool = True


@dataclass(frozen=True)
class WinogradConvAttrs(ConvAttrs):
    """winograd_conv2d: ConvAttrs, the number of filters, the columns of a panel, the rows and columns of a filter, and
    whether filters come transformed."""

    filters: int = 0
    panel: int = 0
    window: int = 3
    transformed: bool = True


@dataclass(frozen=True)
class BottleneckAttrs(ConvAttrs):
    """bottleneck_conv2d: ConvAttrs of the depthwise convolution; whether there is a 1x1 one before it, with what
    activation, and after it."""

    expand: bool = False
    expand_epilogue: Epilogue = "none"
    project: bool = False
    project_epilogue: Epilogue = "none"
    expand_alpha: float = 0.0
    project_alpha: float = 0.0


@dataclass(frozen=True)
class PoolAttrs(Attrs):
    pool: tuple[int, int]
    strides: tuple[int, int]
    padding: Literal["valid", "same"] = "valid"

    def producing(self, shape: tuple[int, ...]) -> PoolGradAttrs:
        """For the gradient of what has this shape."""
        return PoolGradAttrs(self.pool, self.strides, self.padding, shape)

    def plain(self) -> PoolAttrs:
        return PoolAttrs(self.pool, self.strides, self.padding)


@dataclass(frozen=True)
class PoolGradAttrs(PoolAttrs):
    shape: tuple[int, ...] = ()


@dataclass(frozen=True)
class PackAttrs(Attrs):
    """pack_panels: a (k, n) matrix into [ceil(n/panel)][k][panel]."""

    k: int
    n: int
    panel: int
