"""Which optimizer a Variable has, said by patterns of paths."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, MutableMapping
from typing import Any

from striate import backend
from striate.backend import Variable
from striate.core.configurable import Configurable, in_part
from striate.core.errors import ArgumentError, DTypeError, LoadError
from striate.core.registry import export
from striate.optimizers.optimizer import Optimizer
from striate.optimizers.path_patterns import understand

#: in a file: many times what a network's groups of layers need.
MOST_PATTERNS, MOST_CHARACTERS = 100, 100_000


@export("optimizers.OptimizerMap")
class OptimizerMap(Configurable, MutableMapping[str, Any]):
    """Patterns of Variables' paths -> optimizers, and one for all other Variables.

    A key is a whole path ("conv1/kernel") or a regular expression that fits a whole path ("conv1/.*"); a path that is a
    key itself is looked at first. Paths are `variable.path`. What a layer's path begins with can be another after a
    model was saved and loaded ("sequential/conv1/kernel", then "conv1/kernel"), so "(.*/)?conv1/.*" is the safe way to
    say "everything in conv1".

    Source: `keras.optimizers.OptimizerMap`.

    Args:
        default_optimizer: for Variables that no key fits.
        optimizer_map: a dictionary to begin with.

    Raises:
        TypeError: not an optimizer, not a dictionary.
        ValueError: a key that is there, no string or no regular expression; a path that two patterns fit.

    Example:
        >>> from striate import optimizers
        >>> held = OptimizerMap(optimizers.Adam(1e-3), {"conv[12]/.*": optimizers.SGD(1e-5)})
        >>> [held[path].name for path in ("conv1/kernel", "predictions/kernel")]
        ['sgd', 'adam']
    """

    def __init__(self, default_optimizer: Any, optimizer_map: dict[str, Any] | None = None) -> None:
        if not isinstance(default_optimizer, Optimizer):
            raise DTypeError(
                f"default_optimizer must be an Optimizer, such as optimizers.Adam(). Received: {default_optimizer!r}"
            )
        if optimizer_map is not None and not isinstance(optimizer_map, dict):
            raise DTypeError(f"optimizer_map must be a dictionary {{pattern: optimizer}}. Received: {optimizer_map!r}")
        _check_is_plain(default_optimizer)
        self._default_optimizer = default_optimizer
        self._optimizer_map: dict[str, Any] = {}
        self._understood: dict[str, Callable[[str], bool] | None] = {}
        for key, optimizer in (optimizer_map or {}).items():
            self[key] = optimizer

    @property
    def default_optimizer(self) -> Any:
        """For Variables that no key fits."""
        return self._default_optimizer

    def __getitem__(self, key: str) -> Any:
        if key in self._optimizer_map:
            return self._optimizer_map[key]
        fitting = [pattern for pattern in self._optimizer_map if self._fits(pattern, key)]
        if len(fitting) > 1:
            raise ArgumentError(
                f"Multiple optimizers assigned to variable {key}: the patterns {fitting} fit it. Write them so that "
                "each path fits one."
            )
        return self._optimizer_map[fitting[0]] if fitting else self._default_optimizer

    def __setitem__(self, key: str, optimizer: Any) -> None:
        if key in self._optimizer_map:
            raise ArgumentError(f"{key!r} already exists in the OptimizerMap. Delete it first, or write another key.")
        if not isinstance(key, str):
            raise ArgumentError(f"key must be a string, a path or a pattern. Received: {key!r}")
        if not isinstance(optimizer, Optimizer):
            raise ArgumentError(f"optimizer must be an Optimizer. Received for {key!r}: {optimizer!r}")
        _check_is_plain(optimizer)
        try:
            re.compile(key)
        except re.error as error:
            raise ArgumentError(f"key must be a regular expression. Received: {key!r}: {error}.") from None
        self._understood[key] = understand(key)
        self._optimizer_map[key] = optimizer

    def _fits(self, pattern: str, path: str) -> bool:
        understood = self._understood[pattern]
        return bool(re.fullmatch(pattern, path)) if understood is None else understood(path)

    def __delitem__(self, key: str) -> None:
        del self._optimizer_map[key], self._understood[key]

    def __len__(self) -> int:
        return len(self._optimizer_map)

    def __iter__(self) -> Iterator[str]:
        return iter(self._optimizer_map)

    def __call__(self, variable: Variable) -> Any:
        """The optimizer of a Variable."""
        return self[variable.path]

    def get_config(self) -> dict[str, Any]:
        """The optimizers as plain values."""
        return {
            "default_optimizer": backend.serialize_keras_object(self._default_optimizer),
            "optimizer_map": {k: backend.serialize_keras_object(v) for k, v in self._optimizer_map.items()},
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None) -> OptimizerMap:
        """A map made from what `get_config` gave.

        Raises:
            LoadError: patterns that could take for ever, or too many of them: files are not trusted.
        """
        held = {k: backend.deserialize_keras_object(v, custom_objects) for k, v in config.items()}
        patterns = held.get("optimizer_map") or {}
        if isinstance(patterns, dict):
            _check_patterns(patterns)
        return cls(**held)


def _check_patterns(patterns: Iterable[Any]) -> None:
    texts = [pattern for pattern in patterns if isinstance(pattern, str)]
    if len(texts) > MOST_PATTERNS or sum(map(len, texts)) > MOST_CHARACTERS:
        raise LoadError(
            f"The config's OptimizerMap has {len(texts)} patterns of {sum(map(len, texts))} characters. Expected at "
            f"most {MOST_PATTERNS} and {MOST_CHARACTERS}. Load it with compile=False, and compile it again."
        )
    for text in texts:
        # A path in full is looked up as it is, but every other path is held against it too.
        if understand(text) is None:
            raise LoadError(
                f"The config's OptimizerMap has the pattern {in_part(repr(text))}, which may take very long to match. "
                "Expected letters, dots, [...], (...), | and *, + or ? behind them, no repeated group within a "
                "repeated group. Load it with compile=False, and compile it again."
            )


def _check_is_plain(optimizer: Any) -> None:
    if hasattr(optimizer, "optimizers"):
        raise ArgumentError("optimizer cannot be MultiOptimizer: give the optimizers that it consists of.")
