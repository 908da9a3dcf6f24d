"""The twins, asked from outside: runs in .venv-torch, takes requests from the connection it was started with."""

from __future__ import annotations

import sys
import traceback
from multiprocessing.connection import Connection
from typing import Any

import numpy as np
import parts
import torch
from branching import GoogLeNet, ResNet, SqueezeNet
from plain import VGG, AlexNet, AllCNN, LeNet5, LeNet5Of1998, NiN
from rounding import disturbed
from torch import Tensor, nn

TWINS = {t.__name__: t for t in (AlexNet, VGG, NiN, AllCNN, LeNet5, LeNet5Of1998, GoogLeNet, SqueezeNet, ResNet)}
#: how Keras calls a weight: how torch does.
NAMES = {
    "kernel": "weight", "gamma": "weight", "beta": "bias", "moving_mean": "running_mean",
    "moving_variance": "running_var",
}  # fmt: skip
#: how many ways to round are tried.
DRAWS = 8

Arrays = dict[str, np.ndarray]


def count(name: str, arguments: dict[str, Any]) -> int:
    """All weights and moving statistics, of a twin that is described and not made."""
    with torch.device("meta"):
        twin = TWINS[name](**arguments)
    return sum(value.numel() for key, value in twin.state_dict().items() if not key.endswith("num_batches_tracked"))


def keras_first(array: Tensor) -> Tensor:
    """A kernel's axes as torch has them: maps first."""
    return array.permute({4: (3, 2, 0, 1), 3: (2, 0, 1), 2: (1, 0)}[array.ndim])


def keras_last(array: Tensor) -> Tensor:
    return array.permute({4: (2, 3, 1, 0), 3: (1, 2, 0), 2: (1, 0)}[array.ndim])


def made(name: str, arguments: dict[str, Any], weights: Arrays, changes: dict[str, Any]) -> nn.Module:
    """A twin in float64 with our weights, each by its name; all of ours and all of its are used.

    Args:
        weights: "layer/weight" -> values as Keras has them.
        changes: "module.attribute" -> another value, to see that a wrong twin is told.
    """
    twin = TWINS[name](**arguments).double().eval()
    rest = {k: v for k, v in twin.state_dict().items() if not k.endswith("num_batches_tracked")}
    places = {place(key): value for key, value in rest.items()}
    for key, array in weights.items():
        layer, _, kind = key.partition("/")
        value = torch.from_numpy(array).double()
        value = keras_first(value) if kind == "kernel" else value
        place_of = places.pop(f"{layer}/{NAMES.get(kind, kind)}")
        assert place_of.shape == value.shape, f"{key}: {tuple(value.shape)}, the twin has {tuple(place_of.shape)}"
        place_of.copy_(value)
    assert not places, f"only the twin has {sorted(places)}"
    for path, value in changes.items():
        module, _, attribute = path.rpartition(".")
        assert hasattr(twin.get_submodule(module), attribute)
        setattr(twin.get_submodule(module), attribute, value)
    return twin


def place(key: str) -> str:
    """A twin's weight by our layer's name."""
    layer, _, kind = key.rpartition(".")
    return f"{layer.replace('.', '_')}/{kind}"


def our_name(key: str, weights: Arrays) -> str:
    """Our name of a twin's weight: torch says weight for kernel and for gamma."""
    layer, _, kind = place(key).partition("/")
    kinds = [kind, *(k for k, theirs in NAMES.items() if theirs == kind)]
    (ours,) = {f"{layer}/{k}" for k in kinds} & set(weights)
    return ours


def listed(output: Any) -> list[Tensor]:
    return output if isinstance(output, list) else [output]


def apart(ours: Arrays, exact: Arrays, tries: list[Arrays]) -> dict[str, dict[str, float]]:
    """For each array: the largest difference, the largest that rounding made in any try, the largest value."""
    answer = {}
    for key, right in exact.items():
        assert ours[key].shape == right.shape, f"{key}: {ours[key].shape}, the twin has {right.shape}"
        answer[key] = {
            "off": np.abs(ours[key] - right).max(),
            "rounding": max(np.abs(tried[key] - right).max() for tried in tries),
            "largest": np.abs(right).max(),
        }
    return answer


@torch.no_grad()
def outputs(
    name: str, arguments: dict[str, Any], weights: Arrays, x: np.ndarray, ours: list[np.ndarray], changes: Any
) -> Any:
    """How far our outputs are from the twin's, and how far rounding may have brought them."""
    twin = made(name, arguments, weights, changes)
    images = torch.from_numpy(x).double().permute(0, 3, 1, 2)

    def run() -> Arrays:
        return {f"output {i}": y.numpy() for i, y in enumerate(listed(twin(images)))}

    exact = run()
    tries = []
    for seed in range(DRAWS):
        with disturbed(twin, seed):
            tries.append(run())
    return apart({f"output {i}": y for i, y in enumerate(ours)}, exact, tries)


def gradients(
    name: str, arguments: dict[str, Any], weights: Arrays, x: np.ndarray, training: bool, cotangent: np.ndarray,
    ours: Arrays,
) -> Any:  # fmt: skip
    """The same of the output and of the gradients of sum(output * cotangent); and how far from a jump of theirs the
    twin is, in units of what rounding moves its layer by.

    In training batches are normalized by their own statistics.
    """
    twin = made(name, arguments, weights, {}).train(training)
    images = torch.from_numpy(x).double().permute(0, 3, 1, 2)

    names = {our_name(key, weights): key for key, _ in twin.named_parameters()}

    def run() -> tuple[Arrays, list[Tensor]]:
        parts.kinks = []
        twin.zero_grad()
        output = twin(images)
        (output * torch.from_numpy(cotangent)).sum().backward()
        found = {"output": output.detach().numpy()}
        for key, theirs in names.items():
            gradient = twin.get_parameter(theirs).grad.clone()
            found[key] = (keras_last(gradient) if key.endswith("/kernel") else gradient).numpy()
        kinks, parts.kinks = parts.kinks, None
        return found, kinks

    exact, distances = run()
    tries, moved = [], [0.0] * len(distances)
    for seed in range(DRAWS):
        with disturbed(twin, seed):
            found, others = run()
        tries.append(found)
        moved = [max(m, (d - o).abs().max().item()) for m, d, o in zip(moved, distances, others)]
    return {
        "arrays": apart(ours, exact, tries),
        "from a jump": min(d.min().item() / m for d, m in zip(distances, moved)),
    }


FUNCTIONS = {f.__name__: f for f in (count, outputs, gradients)}


def main() -> None:
    connection = Connection(int(sys.argv[1]))
    while True:
        try:
            function, given = connection.recv()
        except EOFError:
            return
        try:
            answer: Any = ("ok", FUNCTIONS[function](**given))
        except Exception:
            answer = ("error", traceback.format_exc())
        connection.send(answer)


if __name__ == "__main__":
    main()
