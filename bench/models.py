"""The networks that are measured; `python -m bench.models` lists them.

    lecture lenet5 alexnet vgg16 resnet18 resnet50 mobilenetv2 efficientnetb0 odd random0 ... random4

No kernel, pass or cost rule may know one of them; the random ones are there to see that none does.
"""

from __future__ import annotations

import random
from collections.abc import Callable

from bench.spec import Builder, Net


def lecture() -> Net:
    """The lecture's network for Fashion-MNIST (Geron 2019, chapter 14): 1,413,834 parameters."""
    b = Builder("lecture", (28, 28, 1))
    x = b.max_pool(b.conv("input", 64, 7, activation="relu"))
    for filters in (128, 256):
        x = b.conv(x, filters, 3, activation="relu")
        x = b.max_pool(b.conv(x, filters, 3, activation="relu"))
    x = b.add_node("flatten", x)
    x = b.dense(x, 128, "relu", dropout=0.5)
    return b.done(b.dense(x, 64, "relu", dropout=0.5), 10)


def lenet5() -> Net:
    """LeCun et al. 1998, as it is mostly written in Keras: 32x32, tanh, average pools, every map connected."""
    b = Builder("lenet5", (32, 32, 1))
    x = b.avg_pool(b.conv("input", 6, 5, pad=0, activation="tanh"))
    x = b.avg_pool(b.conv(x, 16, 5, pad=0, activation="tanh"))
    x = b.add_node("flatten", b.conv(x, 120, 5, pad=0, activation="tanh"))
    return b.done(b.dense(x, 84, "tanh"), 10)


def alexnet() -> Net:
    """Krizhevsky et al. 2012 with two groups, without response normalisation (no peer has it as a layer)."""
    b = Builder("alexnet", (227, 227, 3))
    x = b.max_pool(b.conv("input", 96, 11, 4, pad=0, activation="relu"), 3, 2)
    x = b.max_pool(b.conv(x, 256, 5, groups=2, activation="relu"), 3, 2)
    x = b.conv(x, 384, 3, activation="relu")
    x = b.conv(x, 384, 3, groups=2, activation="relu")
    x = b.max_pool(b.conv(x, 256, 3, groups=2, activation="relu"), 3, 2)
    x = b.dense(b.add_node("flatten", x), 4096, "relu", dropout=0.5)
    return b.done(b.dense(x, 4096, "relu", dropout=0.5), 1000)


def vgg16() -> Net:
    """Simonyan and Zisserman 2014, configuration D."""
    b, x = Builder("vgg16", (224, 224, 3)), "input"
    for filters, times in ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3)):
        for _ in range(times):
            x = b.conv(x, filters, 3, activation="relu")
        x = b.max_pool(x)
    x = b.dense(b.add_node("flatten", x), 4096, "relu", dropout=0.5)
    return b.done(b.dense(x, 4096, "relu", dropout=0.5), 1000)


def _residual_stem(b: Builder) -> str:
    return b.max_pool(b.conv("input", 64, 7, 2, norm=True, activation="relu"), 3, 2, pad=1)


def resnet18() -> Net:
    """He et al. 2015, for 64x64 images."""
    b = Builder("resnet18", (64, 64, 3))
    x = _residual_stem(b)
    for stage, filters in enumerate((64, 128, 256, 512)):
        for block in range(2):
            stride = 2 if stage and not block else 1
            y = b.conv(x, filters, 3, stride, norm=True, activation="relu")
            y = b.conv(y, filters, 3, norm=True, gain=0.2)
            short = b.conv(x, filters, 1, stride, norm=True) if stride > 1 else x
            x = b.activation(b.add_node("add", y, short), "relu")
    return b.done(b.global_avg_pool(x), 1000)


def resnet50() -> Net:
    """He et al. 2015, with the stride in the 3x3 convolution, as torchvision has it."""
    b = Builder("resnet50", (224, 224, 3))
    x = _residual_stem(b)
    for stage, (filters, times) in enumerate(((64, 3), (128, 4), (256, 6), (512, 3))):
        for block in range(times):
            stride = 2 if stage and not block else 1
            y = b.conv(x, filters, 1, norm=True, activation="relu")
            y = b.conv(y, filters, 3, stride, norm=True, activation="relu")
            y = b.conv(y, 4 * filters, 1, norm=True, gain=0.2)
            short = x if block else b.conv(x, 4 * filters, 1, stride, norm=True)
            x = b.activation(b.add_node("add", y, short), "relu")
    return b.done(b.global_avg_pool(x), 1000)


def mobilenetv2() -> Net:
    """Sandler et al. 2018, width 1."""
    b = Builder("mobilenetv2", (224, 224, 3))
    x, channels = b.conv("input", 32, 3, 2, norm=True, activation="relu6"), 32
    rows = ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1))
    for expand, filters, times, first in rows:
        for block in range(times):
            stride, y = (1 if block else first), x
            if expand > 1:
                y = b.conv(y, expand * channels, 1, norm=True, activation="relu6")
            y = b.depthwise(y, 3, stride, "relu6")
            y = b.conv(y, filters, 1, norm=True, gain=0.5)
            x = b.add_node("add", x, y) if block else y
            channels = filters
    return b.done(b.global_avg_pool(b.conv(x, 1280, 1, norm=True, activation="relu6")), 1000)


def efficientnetb0() -> Net:
    """Tan and Le 2019, B0: squeeze and excitation, SiLU; without the random skipping of blocks in training."""
    b = Builder("efficientnetb0", (224, 224, 3))
    x, channels = b.conv("input", 32, 3, 2, norm=True, activation="silu"), 32
    rows = (
        (1, 16, 1, 1, 3), (6, 24, 2, 2, 3), (6, 40, 2, 2, 5), (6, 80, 3, 2, 3),
        (6, 112, 3, 1, 5), (6, 192, 4, 2, 5), (6, 320, 1, 1, 3),
    )  # fmt: skip
    for expand, filters, times, first, kernel in rows:
        for block in range(times):
            stride, y = (1 if block else first), x
            if expand > 1:
                y = b.conv(y, expand * channels, 1, norm=True, activation="silu")
            y = b.depthwise(y, kernel, stride, "silu")
            gate = b.conv(b.global_avg_pool(y, keep=True), max(1, channels // 4), 1, activation="silu")
            gate = b.conv(gate, expand * channels, 1, activation="sigmoid")
            y = b.conv(b.add_node("multiply", y, gate), filters, 1, norm=True, gain=0.5)
            x = b.add_node("add", x, y) if block else y
            channels = filters
    x = b.global_avg_pool(b.conv(x, 1280, 1, norm=True, activation="silu"))
    return b.done(b.add_node("dropout", x, rate=0.2), 1000)


def odd() -> Net:
    """Sizes that fit no vector and no tile."""
    b = Builder("odd", (37, 53, 3))
    x = b.conv("input", 24, 3, activation="relu")
    for filters, kernel, stride in ((40, 3, 2), (56, 5, 1), (72, 1, 1), (100, 3, 2), (36, 3, 1)):
        x = b.conv(x, filters, kernel, stride, activation="relu")
    return b.done(b.global_avg_pool(x), 7)


def drawn(number: int, seed: int = 2026) -> Net:
    """A network drawn at random: sizes, channels, kernels, strides, and kinds of blocks."""
    draw = random.Random(1000 * seed + number)
    b = Builder(f"random{number}", (draw.randint(24, 72), draw.randint(24, 72), draw.choice((1, 3))))
    norm, kind = draw.random() < 0.5, draw.choice(("relu", "relu", "silu", "relu6"))
    channels = draw.randint(12, 72)
    x = b.conv("input", channels, draw.choice((3, 5, 7)), draw.choice((1, 2)), norm=norm, activation=kind)
    for _ in range(draw.randint(4, 7)):
        block = draw.choice(("plain", "plain", "residual", "separable", "grouped", "pool"))
        small = min(b.net.shapes()[x][:2]) < 6
        stride = 1 if small else draw.choice((1, 1, 2))
        if block == "pool" and not small:
            x = b.max_pool(x) if draw.random() < 0.7 else b.avg_pool(x)
        elif block == "residual":
            y = b.conv(x, channels, draw.choice((1, 3)), norm=norm, activation=kind)
            x = b.activation(b.add_node("add", x, b.conv(y, channels, 3, norm=norm, gain=0.2)), kind)
        elif block == "separable":
            x = b.depthwise(x, draw.choice((3, 5)), stride, kind, norm=norm)
            channels = draw.randint(16, 160)
            x = b.conv(x, channels, 1, norm=norm, activation=kind)
        elif block == "grouped":
            groups = draw.choice((2, 4))
            x = b.conv(x, 16 * groups, 1, norm=norm, activation=kind)
            channels = groups * draw.randint(6, 40)
            x = b.conv(x, channels, 3, stride, groups=groups, norm=norm, activation=kind)
        else:
            channels = draw.randint(16, 160)
            x = b.conv(x, channels, draw.choice((1, 3, 3, 3, 5)), stride, norm=norm, activation=kind)
    x = (
        b.global_avg_pool(x)
        if draw.random() < 0.5
        else b.add_node("flatten", b.max_pool(x, min(b.net.shapes()[x][:2])))
    )
    return b.done(b.dense(x, draw.randint(32, 200), kind), draw.randint(5, 100))


NAMED: dict[str, Callable[[], Net]] = {
    f.__name__: f
    for f in (lecture, lenet5, alexnet, vgg16, resnet18, resnet50, mobilenetv2, efficientnetb0, odd)
}  # fmt: skip
RANDOM = tuple(f"random{i}" for i in range(5))
NAMES = (*NAMED, *RANDOM)


def network(name: str, seed: int = 2026) -> Net:
    """A network by its name; `seed` is that of the random ones.

    Raises:
        ValueError: no such network; the message lists them.
    """
    if name in NAMED:
        return NAMED[name]()
    if name in RANDOM:
        return drawn(RANDOM.index(name), seed)
    raise ValueError(f"no network {name!r}; there are {', '.join(NAMES)}")


def main() -> None:
    for name in NAMES:
        net = network(name)
        print(f"{name:15} {'x'.join(map(str, net.input_shape)):12} {net.parameters():12,} parameters")


if __name__ == "__main__":
    main()
