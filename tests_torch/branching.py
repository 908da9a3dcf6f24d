"""Twins of the architectures whose ways part and meet, from their papers: GoogLeNet, SqueezeNet, ResNets, SE-ResNet-50.

Modules are called as our layers, "." for "_". All take (batch, channels, height, width) and give logits.
"""

from __future__ import annotations

import math

import torch
from parts import Conv, ConvNorm, Dense, LocalNorm, Sum, average_pool, flat, max_pool, mean_of_maps, relu
from torch import Tensor, nn
from torch.nn import functional as F

Size = tuple[int, int]

#: Szegedy and others 2015, table 1: #1x1, #3x3 reduce, #3x3, #5x5 reduce, #5x5, pool proj.
INCEPTIONS = {
    "3a": (64, 96, 128, 16, 32, 32), "3b": (128, 128, 192, 32, 96, 64),
    "4a": (192, 96, 208, 16, 48, 64), "4b": (160, 112, 224, 24, 64, 64), "4c": (128, 128, 256, 24, 64, 64),
    "4d": (112, 144, 288, 32, 64, 64), "4e": (256, 160, 320, 32, 128, 128),
    "5a": (256, 160, 320, 32, 128, 128), "5b": (384, 192, 384, 48, 128, 128),
}  # fmt: skip


class Inception(nn.ModuleDict):
    """Figure 2b."""

    def __init__(self, before: int, one: int, reduce3: int, three: int, reduce5: int, five: int, behind: int) -> None:
        super().__init__(
            {
                "1x1": Conv(before, one, 1),
                "3x3_reduce": Conv(before, reduce3, 1),
                "3x3": Conv(reduce3, three, 3),
                "5x5_reduce": Conv(before, reduce5, 1),
                "5x5": Conv(reduce5, five, 5),
                "pool_proj": Conv(before, behind, 1),
            }
        )

    def forward(self, x: Tensor) -> Tensor:
        ways = [
            self["1x1"](x),
            self["3x3"](relu(self["3x3_reduce"](x))),
            self["5x5"](relu(self["5x5_reduce"](x))),
            self["pool_proj"](max_pool(x, 3, 1, "same")),
        ]
        return torch.cat([relu(way) for way in ways], 1)


class Auxiliary(nn.Module):
    """Section 5: a head on maps halfway up."""

    def __init__(self, before: int, size: Size, classes: int) -> None:
        super().__init__()
        rows, columns = ((n - 5) // 3 + 1 for n in size)
        self.conv = Conv(before, 128, 1)
        self.fc = Dense(rows * columns * 128, 1024)
        self.predictions = Dense(1024, classes)

    def forward(self, x: Tensor) -> Tensor:
        x = relu(self.conv(average_pool(x, 5, 3)))
        return self.predictions(relu(self.fc(flat(x))))


class GoogLeNet(nn.Module):
    """Szegedy and others 2015: three outputs with the auxiliary heads, the last layer's first; else one."""

    def __init__(self, size: Size, classes: int, auxiliary: bool = True) -> None:
        super().__init__()
        self.conv1, self.conv2_reduce, self.conv2 = Conv(3, 64, 7, 2), Conv(64, 64, 1), Conv(64, 192, 3)
        self.norm1, self.norm2 = (LocalNorm(5, alpha=1e-4, beta=0.75, k=1.0) for _ in range(2))
        halfway = tuple(math.ceil(n / 16) for n in size)
        before = 192
        for name, maps in INCEPTIONS.items():
            self.add_module(f"inception_{name}", Inception(before, *maps))
            before = maps[0] + maps[2] + maps[4] + maps[5]
            if auxiliary and name in ("4a", "4d"):
                self.add_module(f"auxiliary_{name}", Auxiliary(before, halfway, classes))
        self.predictions = Dense(before, classes)

    def forward(self, x: Tensor) -> Tensor | list[Tensor]:
        x = self.norm1(max_pool(relu(self.conv1(x)), 3, 2, "same"))
        x = max_pool(self.norm2(relu(self.conv2(relu(self.conv2_reduce(x))))), 3, 2, "same")
        heads = []
        modules = dict(self.named_children())
        for name in INCEPTIONS:
            if name in ("4a", "5a"):
                x = max_pool(x, 3, 2, "same")
            x = modules[f"inception_{name}"](x)
            if f"auxiliary_{name}" in modules:
                heads.append(modules[f"auxiliary_{name}"](x))
        return [self.predictions(mean_of_maps(x)), *heads] if heads else self.predictions(mean_of_maps(x))


class Fire(nn.ModuleDict):
    """Iandola and others 2016, figure 1."""

    def __init__(self, before: int, squeezed: int, expanded: int) -> None:
        super().__init__(
            {
                "squeeze1x1": Conv(before, squeezed, 1),
                "expand1x1": Conv(squeezed, expanded, 1),
                "expand3x3": Conv(squeezed, expanded, 3),
            }
        )

    def forward(self, x: Tensor) -> Tensor:
        x = relu(self["squeeze1x1"](x))
        return torch.cat([relu(self["expand1x1"](x)), relu(self["expand3x3"](x))], 1)


class SqueezeNet(nn.Module):
    """Iandola and others 2016, table 1; what a fire module squeezes to is an eighth of what it gives."""

    def __init__(self, size: Size, classes: int) -> None:
        super().__init__()
        self.conv1 = Conv(3, 96, 7, 2, margin=0)
        before = 96
        for i, maps in enumerate((128, 128, 256, 256, 384, 384, 512, 512), 2):
            self.add_module(f"fire{i}", Fire(before, maps // 8, maps // 2))
            before = maps
        self.conv10 = Conv(before, classes, 1)

    def forward(self, x: Tensor) -> Tensor:
        x = max_pool(relu(self.conv1(x)), 3, 2)
        for i in range(2, 10):
            x = self.get_submodule(f"fire{i}")(x)
            if i in (4, 8):
                x = max_pool(x, 3, 2)
        return mean_of_maps(relu(self.conv10(x)))


class Basic(nn.ModuleDict):
    """He and others 2016, figure 5 left: two 3x3 windows and a way past them."""

    def __init__(self, before: int, maps: int, step: int, zeros: bool) -> None:
        parts: dict[str, nn.Module] = {
            "1": ConvNorm(before, maps, 3, step),
            "2": ConvNorm(maps, maps, 3),
            "add": Sum(),
        }
        if not zeros and (step > 1 or before != maps):
            parts["0"] = ConvNorm(before, maps, 1, step)
        super().__init__(parts)
        self.step, self.more = step, maps - before

    def forward(self, x: Tensor) -> Tensor:
        y = self["2"](relu(self["1"](x)))
        past = self["0"](x) if "0" in self else F.pad(x[:, :, :: self.step, :: self.step], (0, 0, 0, 0, 0, self.more))
        return relu(self["add"](past, y))


class Excited(nn.ModuleDict):
    """A bottleneck (He and others 2016, figure 5 right) with squeeze-and-excitation (Hu and others 2018, figure 3)."""

    def __init__(self, before: int, maps: int, step: int, zeros: bool) -> None:
        out = 4 * maps
        parts: dict[str, nn.Module] = {
            "1": ConvNorm(before, maps, 1),
            "2": ConvNorm(maps, maps, 3, step),
            "3": ConvNorm(maps, out, 1),
            "se_reduce": Dense(out, out // 16),
            "se_excite": Dense(out // 16, out),
            "add": Sum(),
        }
        if before != out:
            parts["0"] = ConvNorm(before, out, 1, step)
        super().__init__(parts)

    def forward(self, x: Tensor) -> Tensor:
        y = self["3"](relu(self["2"](relu(self["1"](x)))))
        scale = torch.sigmoid(self["se_excite"](relu(self["se_reduce"](mean_of_maps(y)))))
        return relu(self["add"](self["0"](x) if "0" in self else x, y * scale[:, :, None, None]))


class ResNet(nn.Module):
    """He and others 2016, table 1 (`small`: section 4.2, for 32x32 pixels): `counts` are the blocks of each stage."""

    def __init__(
        self, size: Size, classes: int, counts: tuple[int, ...], small: bool = False, excited: bool = False
    ) -> None:
        super().__init__()
        block, widening = (Excited, 4) if excited else (Basic, 1)
        self.small = small
        before = maps = 16 if small else 64
        self.conv1 = ConvNorm(3, maps, 3) if small else ConvNorm(3, maps, 7, 2)
        self.blocks = []
        for stage, count in enumerate(counts, 2):
            for i in range(count):
                self.blocks.append(f"conv{stage}_block{i + 1}")
                self.add_module(self.blocks[-1], block(before, maps, 2 if i == 0 and stage > 2 else 1, small))
                before = widening * maps
            maps *= 2
        self.predictions = Dense(before, classes)

    def forward(self, x: Tensor) -> Tensor:
        x = relu(self.conv1(x))
        if not self.small:
            x = max_pool(x, 3, 2, 1)
        for name in self.blocks:
            x = self.get_submodule(name)(x)
        return self.predictions(mean_of_maps(x))
