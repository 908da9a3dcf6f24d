"""`keras.src.testing.test_utils`, written anew."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]


def get_test_data(
    train_samples: int,
    test_samples: int,
    input_shape: tuple[int, ...],
    num_classes: int,
    random_seed: int | None = None,
) -> tuple[tuple[Array, Array], tuple[Array, Array]]:
    """Noisy copies of one template a class, the classes as even as the numbers allow, in both halves."""
    rng = np.random.RandomState(random_seed)
    templates = 2 * num_classes * rng.random_sample((num_classes, *input_shape))

    def draw(samples: int) -> tuple[Array, Array]:
        y = rng.permutation(np.arange(samples) % num_classes)
        return (templates[y] + rng.normal(size=(samples, *input_shape))).astype("float32"), y

    return draw(train_samples), draw(test_samples)


def _word(value: Any) -> str:
    return str(getattr(value, "__name__", value)).lower()


def named_product(*args: Any, **kwargs: Any) -> list[dict[str, Any]]:
    """Every combination of named cases and of the values of keywords, the names joined by `_`."""
    choices = [*args, *([{"testcase_name": _word(v), key: v} for v in values] for key, values in kwargs.items())]
    made = []
    for cases in itertools.product(*reversed(choices)):
        cases = cases[::-1]
        name = "_".join(case["testcase_name"] for case in cases)
        made.append({key: value for case in cases for key, value in case.items()} | {"testcase_name": name})
    return made
