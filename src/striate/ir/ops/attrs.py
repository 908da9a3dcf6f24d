"""The attribute classes that several ops share. Field order is the engine's encoding (see `ir/attrs.py`)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from striate.ir.attrs import NO_ATTRS, Attrs, NoAttrs
from striate.ir.ops._product_attrs import BottleneckAttrs as BottleneckAttrs
from striate.ir.ops._product_attrs import ConvAttrs as ConvAttrs
from striate.ir.ops._product_attrs import ConvGradAttrs as ConvGradAttrs
from striate.ir.ops._product_attrs import DenseAttrs as DenseAttrs
from striate.ir.ops._product_attrs import Epilogue as Epilogue
from striate.ir.ops._product_attrs import MatmulAttrs as MatmulAttrs
from striate.ir.ops._product_attrs import PackAttrs as PackAttrs
from striate.ir.ops._product_attrs import Padding as Padding
from striate.ir.ops._product_attrs import PoolAttrs as PoolAttrs
from striate.ir.ops._product_attrs import PoolGradAttrs as PoolGradAttrs
from striate.ir.ops._product_attrs import WinogradConvAttrs as WinogradConvAttrs
from striate.ir.ops._product_attrs import WinogradFilterAttrs as WinogradFilterAttrs

#: The order is that of `ir.types.DTYPES`.
DTypeName = Literal[
    "float32",
    "int32",
    "int64",
    "uint8",
    "bool",
    "float64",
    "float16",
    "bfloat16",
    "int8",
    "int16",
    "uint16",
    "uint32",
    "uint64",
]


@dataclass(frozen=True)
class AxisAttrs(Attrs):
    """One axis, non-negative: softmax, concat, gather, cumsum, sort."""

    axis: int


@dataclass(frozen=True)
class AxesAttrs(Attrs):
    """Axes to reduce, sorted and non-negative."""

    axes: tuple[int, ...]
    keepdims: bool = False


@dataclass(frozen=True)
class ArgAttrs(Attrs):
    """argmax and argmin."""

    axis: int
    keepdims: bool = False


@dataclass(frozen=True)
class ShapeAttrs(Attrs):
    """A shape to reach: reshape (one entry may be -1), broadcast_to, random fields. An open axis is written as -1 in
    broadcast_to too."""

    shape: tuple[int, ...]


@dataclass(frozen=True)
class PermAttrs(Attrs):
    """transpose: result axis i is input axis perm[i]."""

    perm: tuple[int, ...]


@dataclass(frozen=True)
class SliceAttrs(Attrs):
    """begin, end, step for each axis, as Python's after normalisation; an open axis is whole (0, -1, 1)."""

    begin: tuple[int, ...]
    end: tuple[int, ...]
    step: tuple[int, ...]


@dataclass(frozen=True)
class SliceGradAttrs(SliceAttrs):
    shape: tuple[int, ...] = ()


@dataclass(frozen=True)
class PadAttrs(Attrs):
    """pads: before and after of axis 0, of axis 1, ...; all >= 0."""

    pads: tuple[int, ...]
    value: float = 0.0


@dataclass(frozen=True)
class GatherGradAttrs(Attrs):
    axis: int
    shape: tuple[int, ...]


FillMode = Literal["constant", "nearest", "wrap", "mirror", "reflect"]


@dataclass(frozen=True)
class SampleAttrs(Attrs):
    """sample: linear or nearest, what stands beyond the edges, and the value of "constant"."""

    linear: bool
    fill: FillMode
    value: float


@dataclass(frozen=True)
class DepthAttrs(Attrs):
    depth: int


@dataclass(frozen=True)
class TopKAttrs(Attrs):
    k: int


@dataclass(frozen=True)
class CastAttrs(Attrs):
    dtype: DTypeName


@dataclass(frozen=True)
class AlphaAttrs(Attrs):
    """elu's alpha, leaky_relu's negative_slope."""

    alpha: float


@dataclass(frozen=True)
class GeluAttrs(Attrs):
    approximate: bool = False


@dataclass(frozen=True)
class NormAttrs(Attrs):
    """Batch normalisation: added to the variance, and the activation of the result: none, relu or relu6."""

    epsilon: float
    epilogue: Epilogue = "none"


@dataclass(frozen=True)
class DropoutAttrs(Attrs):
    rate: float


@dataclass(frozen=True)
class NormedConvAttrs(ConvAttrs):
    """ConvAttrs, and epsilon and activation of the batch normalisation of what is read."""

    epsilon: float = 0.0
    norm_epilogue: Epilogue = "none"

    def norm(self) -> NormAttrs:
        return NormAttrs(self.epsilon, self.norm_epilogue)

    def conv(self) -> ConvAttrs:
        return replace(self.plain(), epilogue=self.epilogue, alpha=self.alpha)


@dataclass(frozen=True)
class NormedConvGradAttrs(ConvGradAttrs):
    """ConvGradAttrs, and epsilon and activation of the batch normalisation of what is read."""

    epsilon: float = 0.0
    norm_epilogue: Epilogue = "none"

    def norm(self) -> NormAttrs:
        return NormAttrs(self.epsilon, self.norm_epilogue)

    def conv(self) -> ConvGradAttrs:
        return self.producing(self.shape)


@dataclass(frozen=True)
class MomentumAttrs(Attrs):
    momentum: float
    nesterov: bool = False


@dataclass(frozen=True)
class AdamAttrs(Attrs):
    beta_1: float
    beta_2: float
    epsilon: float


@dataclass(frozen=True)
class RMSpropAttrs(Attrs):
    rho: float
    epsilon: float


__all__ = [name for name, thing in list(globals().items()) if isinstance(thing, type) and issubclass(thing, Attrs)] + [
    "NO_ATTRS",
    "NoAttrs",
]
