"""How far float32 may be off in a whole network: a twin in float64 that is disturbed at random wherever float32 rounds.

A sum of n products that is rounded n times comes off like a random walk, by about sqrt(n) eps times the root of the sum
of their squares (Higham and Mary, "A new approach to probabilistic rounding error analysis", SIAM J. Sci. Comput. 41,
2019); each weight, norm and addition is off by one rounding. docs/numerics.md argues the factor.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn

EPS = 2.0**-24
#: the deviation of one rounding, in eps.
FACTOR = 3.0


@contextlib.contextmanager
def disturbed(twin: nn.Module, seed: int) -> Iterator[None]:
    """Inside, results of `twin` and its gradients are those of one way to round."""
    random = torch.Generator().manual_seed(seed)

    def noise(like: Tensor, terms: int, size: Tensor) -> Tensor:
        draw = torch.randn(like.shape, generator=random, dtype=like.dtype)
        return FACTOR * EPS * terms**0.5 * size * draw

    def off(gradient: Tensor, terms: int) -> Tensor:
        return gradient + noise(gradient, terms, gradient.square().mean().sqrt())

    def before(module: Any, inputs: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        uses = tuple(x.view_as(x) for x in inputs)  # the gradient of this use alone
        for x in uses:
            if x.requires_grad:
                x.register_hook(lambda gradient: off(gradient, module.terms()[1]))
        return uses

    def after(module: Any, inputs: tuple[Tensor, ...], output: Tensor) -> Tensor:
        with torch.no_grad():
            change = noise(output, module.terms()[0], module.spread(output, *inputs))
        if torch.is_grad_enabled():
            for weight in module.parameters(recurse=False):  # its gradient is a sum over all places of its use
                places = output.numel() // weight.shape[0]
                handles.append(weight.register_hook(lambda gradient, places=places: off(gradient, places)))
        return output + change

    handles = []
    for module in twin.modules():
        if hasattr(module, "spread"):
            handles += [module.register_forward_pre_hook(before), module.register_forward_hook(after)]
    kept = [weight.detach().clone() for weight in twin.parameters()]
    with torch.no_grad():
        for weight in twin.parameters():  # once more: a folded norm, a Winograd filter
            weight += noise(weight, 1, weight.abs())
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()
        with torch.no_grad():
            for weight, old in zip(twin.parameters(), kept):
                weight.copy_(old)
