"""What the twins are made of: torch's layers where they say the same, with Keras's margins where they do not.

Modules that round say how much, for rounding.py. `kinks` keeps how near a run has come to where a gradient jumps: a
unit that is 0 before its ReLU, two equal pixels in a pool.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

Margin = str | int

#: while a list: for each ReLU and each pool, how far its units are from a jump.
kinks: list[Tensor] | None = None


def around(x: Tensor, window: int, step: int, margin: Margin, value: float = 0.0) -> Tensor:
    """x with a margin: so many pixels on all sides, or "same" as Keras has it, the odd pixel below and on the right."""
    if margin != "same":
        return F.pad(x, [int(margin)] * 4, value=value)
    sides = []
    for length in (x.shape[3], x.shape[2]):  # F.pad begins with the last axis
        needed = max((math.ceil(length / step) - 1) * step + window - length, 0)
        sides += [needed // 2, needed - needed // 2]
    return F.pad(x, sides, value=value)


class Conv(nn.Conv2d):
    """A convolution with any margin."""

    def __init__(
        self, maps_in: int, maps: int, window: int, step: int = 1, margin: Margin = "same", **more: Any
    ) -> None:
        super().__init__(maps_in, maps, window, step, **more)
        self.margin = margin

    def product(self, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        x = around(x, self.kernel_size[0], self.stride[0], self.margin)
        return F.conv2d(x, weight, bias, self.stride, groups=self.groups)

    def forward(self, x: Tensor) -> Tensor:
        return self.product(x, self.weight, self.bias)

    def terms(self) -> tuple[int, int]:
        """Roundings in a sum: forward, and in the gradient that goes back."""
        return self.weight[0].numel(), self.weight[:, 0].numel() // self.groups

    def spread(self, output: Tensor, x: Tensor) -> Tensor:
        """The root of the sum of all products' squares, for each result."""
        return self.product(x**2, self.weight**2, None if self.bias is None else self.bias**2).sqrt()


class Dense(nn.Linear):
    """A dense layer."""

    def terms(self) -> tuple[int, int]:
        return self.in_features, self.out_features

    def spread(self, output: Tensor, x: Tensor) -> Tensor:
        return F.linear(x**2, self.weight**2, self.bias**2).sqrt()


class Table(nn.Module):
    """A convolution each of whose maps sees only some: one small convolution for each."""

    def __init__(self, seen: tuple[tuple[int, ...], ...], window: int) -> None:
        super().__init__()
        self.seen = seen
        self.weight = nn.Parameter(torch.empty(sum(map(len, seen)), window, window))
        self.bias = nn.Parameter(torch.empty(len(seen)))

    def product(self, x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        kernels = weight.split([len(maps) for maps in self.seen])
        return torch.cat(
            [F.conv2d(x[:, list(maps)], w[None], b[None]) for maps, w, b in zip(self.seen, kernels, bias)], 1
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.product(x, self.weight, self.bias)

    def terms(self) -> tuple[int, int]:
        most = max(map(len, self.seen)) * self.weight[0].numel()
        return most, most

    def spread(self, output: Tensor, x: Tensor) -> Tensor:
        return self.product(x**2, self.weight**2, self.bias**2).sqrt()


class Distances(nn.Module):
    """Squared distances from fixed points."""

    def __init__(self, inputs: int, units: int) -> None:
        super().__init__()
        self.register_buffer("centers", torch.empty(inputs, units))

    def forward(self, x: Tensor) -> Tensor:
        return ((x[..., None] - self.centers) ** 2).sum(-2)

    def terms(self) -> tuple[int, int]:
        return tuple(self.centers.shape)

    def spread(self, output: Tensor, x: Tensor) -> Tensor:
        """No term is negative: what is rounded on the way grows to the whole sum."""
        return output


class Subsampling(nn.Module):
    """LeNet-5's: the sum of 2x2 pixels, times a coefficient, plus a bias."""

    def __init__(self, maps: int) -> None:
        super().__init__()
        self.coefficient, self.bias = (nn.Parameter(torch.empty(maps)) for _ in range(2))

    def forward(self, x: Tensor) -> Tensor:
        sums = F.avg_pool2d(x, 2) * 4
        return sums * self.coefficient[:, None, None] + self.bias[:, None, None]


class Norm(nn.BatchNorm2d):
    """Batch normalization: a few roundings."""

    def terms(self) -> tuple[int, int]:
        return 1, 1

    def spread(self, output: Tensor, x: Tensor) -> Tensor:
        return output.abs() + self.bias.abs()[:, None, None]


class LocalNorm(nn.LocalResponseNorm):
    """Local response normalization, alpha as torch has it: for the mean of the maps, not their sum."""

    def terms(self) -> tuple[int, int]:
        return 1, 1

    def spread(self, output: Tensor, x: Tensor) -> Tensor:
        return output.abs()


class Sum(nn.Module):
    """Where two ways meet."""

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        return x + y

    def terms(self) -> tuple[int, int]:
        return 1, 1

    def spread(self, output: Tensor, x: Tensor, y: Tensor) -> Tensor:
        return output.abs()


class ConvNorm(nn.Module):
    """A convolution without bias, and batch normalization."""

    def __init__(self, maps_in: int, maps: int, window: int, step: int = 1) -> None:
        super().__init__()
        self.conv = Conv(maps_in, maps, window, step, margin=window // 2, bias=False)
        self.bn = Norm(maps, eps=1e-5)

    def forward(self, x: Tensor) -> Tensor:
        return self.bn(self.conv(x))


def relu(x: Tensor) -> Tensor:
    if kinks is not None:
        kinks.append(x.detach().abs())
    return torch.relu(x)


def max_pool(x: Tensor, window: int, step: int, margin: Margin = 0) -> Tensor:
    x = around(x, window, step, margin, -math.inf)
    if kinks is not None:
        windows = x.detach().unfold(2, window, step).unfold(3, window, step)
        first, second = windows.flatten(4).topk(2).values.unbind(-1)
        kinks.append((first - second).where(first > 0, 1))  # among zeros it does not matter: their ReLUs are shut
    return F.max_pool2d(x, window, step)


def average_pool(x: Tensor, window: int, step: int, margin: Margin = 0) -> Tensor:
    """The mean of the pixels that there are."""
    ones = around(torch.ones_like(x[:1, :1]), window, step, margin)
    return F.avg_pool2d(around(x, window, step, margin), window, step) / F.avg_pool2d(ones, window, step)


def mean_of_maps(x: Tensor) -> Tensor:
    return x.mean((2, 3))


def flat(x: Tensor) -> Tensor:
    """All numbers of an image in Keras's order, maps last."""
    return x.permute(0, 2, 3, 1).flatten(1)
