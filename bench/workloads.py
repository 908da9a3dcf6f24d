"""What is measured, and how far ahead it has to be: one row each."""

from __future__ import annotations

from dataclasses import dataclass

from bench.models import NAMES, RANDOM


@dataclass(frozen=True)
class Workload:
    """`how` is what Striate does: "fit", "predict" (the whole call), or "call" (`model(x)`)."""

    net: str
    how: str
    batch: int
    #: the lower quartile of the ratios to the fastest float32 peer must reach this
    target: float | None = None
    #: the same against rows of another precision: name, ratio
    also: tuple[str, float] | None = None
    #: only these peers are compared ("against torch"); all where empty
    against: tuple[str, ...] = ()

    @property
    def training(self) -> bool:
        return self.how == "fit"

    @property
    def name(self) -> str:
        word = {"fit": "train", "predict": "infer", "call": "infer, model(x)"}[self.how]
        if self.batch == 1 and self.how == "predict":
            word = "infer, predict"
        return f"{self.net}, {word}, {self.batch}"


TORCH = ("torch", "torch+thp", "torch-last", "torch-last+thp", "torch-compile", "torch-compile+thp")


def _one_image(net: str, call: float | None, predict: float | None) -> list[Workload]:
    return [Workload(net, "call", 1, call), Workload(net, "predict", 1, predict)]


#: A geometric mean has to reach 1.1 over these, not each of them.
AVERAGED = ("resnet50", "mobilenetv2", "efficientnetb0")
AVERAGE_TARGET = 1.1

WORKLOADS: tuple[Workload, ...] = (
    Workload("lecture", "fit", 128, 2.3),
    Workload("lecture", "fit", 32, 2.1),
    Workload("lecture", "predict", 128, 2.3),
    Workload("lecture", "predict", 32, 2.0, also=("openvino-bf16", 1.1)),
    *_one_image("lecture", 1.3, 1.2),
    Workload("lenet5", "fit", 128, 2.5),
    Workload("lenet5", "fit", 32, 3.0),
    Workload("lenet5", "predict", 32, 1.2),
    *_one_image("lenet5", 1.0, None),
    Workload("alexnet", "fit", 16, 1.5),
    Workload("alexnet", "predict", 16, 1.3),
    Workload("alexnet", "call", 1, 1.05),
    Workload("vgg16", "call", 1, 1.7),
    Workload("vgg16", "predict", 4, 2.2),
    Workload("vgg16", "fit", 4, 2.2),
    Workload("resnet18", "fit", 32, 2.0),
    Workload("resnet18", "predict", 32, 2.0),
    *(
        Workload(net, how, batch)
        for net in AVERAGED
        for how, batch in (("call", 1), ("predict", 8), ("fit", 8))
    ),
    Workload("odd", "fit", 32, 1.5),
    Workload("odd", "predict", 32, 1.5),
    *(Workload(net, how, 32, 1.0, against=TORCH) for net in RANDOM for how in ("fit", "predict")),
)  # fmt: skip


def chosen(nets: list[str], hows: list[str], batches: list[int]) -> list[Workload]:
    """The rows of these networks, "train" or "infer", and batch sizes; empty lists take all.

    Raises:
        ValueError: a network that there is not, or nothing is left.
    """
    unknown = [net for net in nets if net not in NAMES]
    if unknown:
        raise ValueError(f"no network {unknown[0]!r}; there are {', '.join(NAMES)}")
    kept = [
        w for w in WORKLOADS
        if (not nets or w.net in nets) and (not batches or w.batch in batches)
        and (not hows or ("train" if w.training else "infer") in hows)
    ]  # fmt: skip
    if not kept:
        raise ValueError(f"no row has networks {nets}, {hows} and batches {batches}; see --list")
    return kept
