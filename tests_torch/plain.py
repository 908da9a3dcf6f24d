"""Twins of architectures in which one layer follows another, from their papers: AlexNet, VGG, NiN, All-CNN, LeNet-5.

Modules are called as our layers, "." for "_". All take (batch, channels, height, width) and give logits.
"""

from __future__ import annotations

import torch
from parts import (
    Conv,
    Dense,
    Distances,
    LocalNorm,
    Subsampling,
    Table,
    average_pool,
    flat,
    max_pool,
    mean_of_maps,
    relu,
)
from torch import Tensor, nn

Size = tuple[int, int]


def halved(length: int, window: int, step: int) -> int:
    """What a window without margin leaves."""
    return (length - window) // step + 1


class AlexNet(nn.Module):
    """Krizhevsky, Sutskever and Hinton 2012, figure 2 and section 3; one tower: Krizhevsky 2014."""

    def __init__(self, size: Size, classes: int, towers: int = 2, width: float = 1.0) -> None:
        super().__init__()
        published = towers == 2
        counts = (96, 256, 384, 384, 256) if published else (64, 192, 384, 256, 256)
        maps = [round(n * width) for n in counts]
        hidden = round(4096 * width)
        self.margin = 0 if published else 2
        self.conv1 = Conv(3, maps[0], 11, 4, margin=self.margin)
        # The paper's alpha of 1e-4 is for the sum of five maps, torch's for their mean.
        self.norm1, self.norm2 = (
            LocalNorm(5, alpha=5 * 1e-4, beta=0.75, k=2.0) if published else nn.Identity() for _ in range(2)
        )
        self.conv2 = Conv(maps[0], maps[1], 5, groups=towers)
        self.conv3 = Conv(maps[1], maps[2], 3)
        self.conv4 = Conv(maps[2], maps[3], 3, groups=towers)
        self.conv5 = Conv(maps[3], maps[4], 3, groups=towers)
        rows, columns = size
        for window, step, margin in ((11, 4, self.margin), (3, 2, 0), (3, 2, 0), (3, 2, 0)):
            rows, columns = (halved(n + 2 * margin, window, step) for n in (rows, columns))
        self.fc6 = Dense(rows * columns * maps[4], hidden)
        self.fc7 = Dense(hidden, hidden)
        self.fc8 = Dense(hidden, classes)

    def forward(self, x: Tensor) -> Tensor:
        x = max_pool(self.norm1(relu(self.conv1(x))), 3, 2)
        x = max_pool(self.norm2(relu(self.conv2(x))), 3, 2)
        x = relu(self.conv4(relu(self.conv3(x))))
        x = max_pool(relu(self.conv5(x)), 3, 2)
        return self.fc8(relu(self.fc7(relu(self.fc6(flat(x))))))


class VGG(nn.Module):
    """Simonyan and Zisserman 2015, table 1: `counts` are the convolutions of each block."""

    def __init__(self, size: Size, classes: int, counts: tuple[int, ...]) -> None:
        super().__init__()
        before = 3
        for block, (maps, count) in enumerate(zip((64, 128, 256, 512, 512), counts), 1):
            named = {f"conv{i + 1}": Conv(before if i == 0 else maps, maps, 3) for i in range(count)}
            self.add_module(f"block{block}", nn.ModuleDict(named))
            before = maps
        self.fc1 = Dense((size[0] // 32) * (size[1] // 32) * 512, 4096)
        self.fc2 = Dense(4096, 4096)
        self.predictions = Dense(4096, classes)

    def forward(self, x: Tensor) -> Tensor:
        for block in range(1, 6):
            for conv in self.get_submodule(f"block{block}").values():
                x = relu(conv(x))
            x = max_pool(x, 2, 2)
        return self.predictions(relu(self.fc2(relu(self.fc1(flat(x))))))


class NiN(nn.Module):
    """Lin, Chen and Yan 2014, sizes of their Caffe model for CIFAR-10."""

    def __init__(self, size: Size, classes: int) -> None:
        super().__init__()
        self.conv1, self.cccp1, self.cccp2 = Conv(3, 192, 5), Conv(192, 160, 1), Conv(160, 96, 1)
        self.conv2, self.cccp3, self.cccp4 = Conv(96, 192, 5), Conv(192, 192, 1), Conv(192, 192, 1)
        self.conv3, self.cccp5, self.cccp6 = Conv(192, 192, 3), Conv(192, 192, 1), Conv(192, classes, 1)

    def forward(self, x: Tensor) -> Tensor:
        x = relu(self.cccp2(relu(self.cccp1(relu(self.conv1(x))))))
        x = max_pool(x, 3, 2, "same")
        x = relu(self.cccp4(relu(self.cccp3(relu(self.conv2(x))))))
        x = average_pool(x, 3, 2, "same")
        return mean_of_maps(relu(self.cccp6(relu(self.cccp5(relu(self.conv3(x)))))))


class AllCNN(nn.Module):
    """Springenberg and others 2014, All-CNN-C of table 1, steps for pools as in table 2."""

    def __init__(self, size: Size, classes: int) -> None:
        super().__init__()
        self.conv1, self.conv2, self.conv3 = Conv(3, 96, 3), Conv(96, 96, 3), Conv(96, 96, 3, 2)
        self.conv4, self.conv5, self.conv6 = Conv(96, 192, 3), Conv(192, 192, 3), Conv(192, 192, 3, 2)
        self.conv7, self.conv8, self.conv9 = Conv(192, 192, 3, margin=0), Conv(192, 192, 1), Conv(192, classes, 1)

    def forward(self, x: Tensor) -> Tensor:
        for i in range(1, 10):
            x = relu(self.get_submodule(f"conv{i}")(x))
        return mean_of_maps(x)


def every_place(x: Tensor) -> Tensor:
    """Maps last, as dense layers at every place take them; one place is none."""
    x = x.permute(0, 2, 3, 1)
    return x.flatten(1) if x.shape[1:3] == (1, 1) else x


class LeNet5(nn.Module):
    """LeCun, Bottou, Bengio and Haffner 1998, as textbooks have it."""

    def __init__(self, size: Size, classes: int, pool: str = "average", squash: str = "tanh") -> None:
        super().__init__()
        self.C1, self.C3, self.C5 = Conv(1, 6, 5, margin=0), Conv(6, 16, 5, margin=0), Conv(16, 120, 5, margin=0)
        self.F6, self.output = Dense(120, 84), Dense(84, classes)
        self.pool = {"average": average_pool, "max": max_pool}[pool]
        self.squash = {"tanh": torch.tanh, "relu": relu}[squash]

    def forward(self, x: Tensor) -> Tensor:
        x = self.pool(self.squash(self.C1(x)), 2, 2)
        x = self.pool(self.squash(self.C3(x)), 2, 2)
        return self.output(self.squash(self.F6(every_place(self.squash(self.C5(x))))))


#: Table I of the paper: a row for each of S2's maps, a column for each of C3's, # where the column sees the row.
TABLE_I = """
#...###..####.##
##...###..####.#
###...###..#.###
.###..####..#.##
..###..####.##.#
...###..####.###
"""


class LeNet5Of1998(nn.Module):
    """The paper's own, sections II.B and III.C: penalties."""

    def __init__(self, size: Size, classes: int) -> None:
        super().__init__()
        rows = TABLE_I.split()
        seen = tuple(tuple(i for i in range(6) if rows[i][k] == "#") for k in range(16))
        self.C1, self.S2, self.C3, self.S4 = Conv(1, 6, 5, margin=0), Subsampling(6), Table(seen, 5), Subsampling(16)
        self.C5, self.F6, self.output = Conv(16, 120, 5, margin=0), Dense(120, 84), Distances(84, classes)

    def forward(self, x: Tensor) -> Tensor:
        for layer in (self.C1, self.S2, self.C3, self.S4, self.C5):
            x = squashed(layer(x))
        return self.output(squashed(self.F6(every_place(x))))


def squashed(x: Tensor) -> Tensor:
    return 1.7159 * torch.tanh(2 / 3 * x)
