"""ctc_greedy, ctc_beams: what sequence of labels a network's output stands for, where each label may last several steps
and blanks may stand between (CTC; the loss: `striate.ops.alignment`).

ctc_greedy takes the class with the largest logit at each step, leaves out repetitions (with `merge`), then blanks; its
score is -sum of those logits. ctc_beams keeps, step by step, the `width` most probable beginnings, each with the
probabilities that its last step is its last label (emit) or a blank (blank):

    blank'[w] = (emit[w] + blank[w]) p[t, blank]         emit'[w] = emit[w] p[t, last label of w]
    emit'[w + c] += (blank[w] if c is w's last label else emit[w] + blank[w]) p[t, c]

and gives the `paths` most probable with their log probabilities. Of equally probable ones, that with the smaller class
at the first difference comes first, the longer before its own beginning. Missing labels and paths are -1, the latter of
score -inf. No gradient.

Shapes: x (N, T, C), lengths int32 (N,); labels int32 (paths, N, T), scores (N, paths); greedy has one path.
Source: Keras 3 `keras.ops.ctc_decode`; Graves and others 2006; Hannun and others 2014.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from striate.ir.attrs import Attrs
from striate.ir.opdef import define_op
from striate.ir.ops._arrays import Array, wide
from striate.ir.ops._checks import merge, require_floats, require_integers, require_rank, require_shape
from striate.ir.types import TensorType

HOST = "decoding comes after a network, and follows what it finds"


@dataclass(frozen=True)
class GreedyAttrs(Attrs):
    blank: int
    merge: bool


@dataclass(frozen=True)
class BeamAttrs(Attrs):
    blank: int
    width: int
    paths: int


def _infer(op: str, x: TensorType, lengths: TensorType, paths: int) -> tuple[TensorType, TensorType]:
    require_floats(op, x)
    require_rank(op, "inputs", x, 3, "(batch, steps, classes)")
    require_integers(op, "sequence_lengths", lengths, "int32")
    require_shape(op, "sequence_lengths", lengths, x.shape[:1])
    (batch,) = merge(x.shape[:1], lengths.shape)
    return TensorType((paths, batch, x.shape[1]), "int32"), TensorType((batch, paths), x.dtype)


def infer_greedy(x: TensorType, lengths: TensorType, a: GreedyAttrs) -> tuple[TensorType, TensorType]:
    return _infer("ctc_greedy", x, lengths, 1)


def infer_beams(x: TensorType, lengths: TensorType, a: BeamAttrs) -> tuple[TensorType, TensorType]:
    return _infer("ctc_beams", x, lengths, a.paths)


def reference_greedy(x: Array, lengths: Array, a: GreedyAttrs) -> tuple[Array, Array]:
    batch, steps, _ = x.shape
    labels, scores = np.full((1, batch, steps), -1, np.int32), np.zeros((batch, 1))
    for n in range(batch):
        rows = wide(x[n, : max(int(lengths[n]), 0)])
        best = rows.argmax(axis=1) if rows.size else np.zeros(0, np.int64)
        scores[n] = -rows.max(axis=1).sum() if rows.size else 0.0
        changed = np.ones(len(best), bool)
        if a.merge:
            changed[1:] = best[1:] != best[:-1]
        kept = best[changed & (best != a.blank)]
        labels[0, n, : len(kept)] = kept
    return labels, scores.astype(x.dtype)


def _log_softmax(x: Array) -> Array:
    shifted = x - x.max(axis=-1, keepdims=True)
    result: Array = shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
    return result


Path = tuple[int, ...]


def _order(path: Path) -> Path:
    """Sorts equally probable paths: the longer before its beginning, the smaller class before the larger."""
    return (*path, 1 << 30)


def _best(scores: dict[Path, tuple[float, float]], width: int) -> dict[Path, tuple[float, float]]:
    """The `width` most probable, best first."""
    total = {path: float(np.logaddexp(*pair)) for path, pair in scores.items()}
    ranked = sorted(scores, key=lambda path: (-total[path], _order(path)))
    return {path: scores[path] for path in ranked[:width] if total[path] > -np.inf}


def _step(beams: dict[Path, tuple[float, float]], p: Array, a: BeamAttrs) -> dict[Path, tuple[float, float]]:
    paths = list(beams)
    emit, blank = (np.array([pair[i] for pair in beams.values()]) for i in (0, 1))
    last = np.array([path[-1] if path else -1 for path in paths])
    either = np.logaddexp(emit, blank)
    # longer[i, c]: path i followed by class c
    longer = either[:, None] + p
    ends = np.flatnonzero(last >= 0)
    longer[ends, last[ends]] = blank[ends] + p[last[ends]]
    longer[:, a.blank] = -np.inf
    emits = np.where(last >= 0, emit + p[last], -np.inf)
    place = {path: i for i, path in enumerate(paths)}
    for i in ends:  # a path that another one grows into takes what it brings
        parent = place.get(paths[i][:-1])
        if parent is not None:
            emits[i] = np.logaddexp(emits[i], longer[parent, last[i]])
            longer[parent, last[i]] = -np.inf
    found = {path: (float(e), float(b)) for path, e, b in zip(paths, emits, either + p[a.blank], strict=True)}
    grown = longer.ravel()
    # Nothing below the width-th largest can stay; what equals it may, by the order of paths.
    limit = np.partition(grown, -a.width)[-a.width] if grown.size > a.width else -np.inf
    for at in np.flatnonzero((grown >= limit) & (grown > -np.inf)):
        row, c = divmod(int(at), len(p))
        found[(*paths[row], c)] = (float(grown[at]), -np.inf)
    return _best(found, a.width)


def reference_beams(x: Array, lengths: Array, a: BeamAttrs) -> tuple[Array, Array]:
    batch, steps, _ = x.shape
    labels = np.full((a.paths, batch, steps), -1, np.int32)
    scores = np.full((batch, a.paths), -np.inf)
    with np.errstate(divide="ignore", invalid="ignore"):
        for n in range(batch):
            beams: dict[Path, tuple[float, float]] = {(): (-np.inf, 0.0)}
            for p in _log_softmax(wide(x[n, : max(int(lengths[n]), 0)])):
                beams = _step(beams, p, a)
            for k, (path, pair) in enumerate(_best(beams, a.paths).items()):
                labels[k, n, : len(path)] = path
                scores[n, k] = np.logaddexp(*pair)
    return labels, scores.astype(x.dtype)


define_op("ctc_greedy", attrs=GreedyAttrs, infer=infer_greedy, reference=reference_greedy, host=HOST)
define_op("ctc_beams", attrs=BeamAttrs, infer=infer_beams, reference=reference_beams, host=HOST)
