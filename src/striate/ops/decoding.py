"""Sequences of labels from the output of a network that was trained with CTC."""

from __future__ import annotations

from striate import backend
from striate.backend import symbolic_op
from striate.core import args
from striate.core.errors import ArgumentError, ShapeError
from striate.core.registry import export
from striate.ir.ops.ctc_decode import BeamAttrs, GreedyAttrs
from striate.ops._convert import Tensor, as_float, dtype_of, normalize_axis, shape_of, tensor


@export("ops.ctc_decode", "ops.nn.ctc_decode")
@symbolic_op("keras.src.ops.nn", "CTCDecode")
def ctc_decode(
    inputs: Tensor,
    sequence_lengths: Tensor,
    strategy: str = "greedy",
    beam_width: int = 100,
    top_paths: int = 1,
    merge_repeated: bool = True,
    mask_index: int | None = 0,
) -> tuple[Tensor, Tensor]:
    """The labels that logits stand for: what was spelled, without repetitions and blanks.

    "greedy" takes the best class of each step, "beam_search" the most probable sequences, all of whose alignments are
    added up; the latter runs on the host, sequence by sequence.

    Source: `keras.ops.ctc_decode`. A sequence of length 0 has no labels and the probability 1 in both.

    Args:
        inputs: logits (batch, max_length, classes).
        sequence_lengths: how many steps count (batch,).
        strategy: "greedy" or "beam_search".
        beam_width: how many beginnings are kept at each step; for "beam_search".
        top_paths: how many sequences are given; for "beam_search".
        merge_repeated: whether a class that goes on is one label; for "greedy", "beam_search" always does.
        mask_index: the blank's class; None takes the last.

    Returns:
        Labels, int32 (paths, batch, max_length), -1 behind the last one; and scores (batch, paths): of "greedy" minus
        the sum of the logits taken, of "beam_search" the logarithm of the probability.

    Raises:
        ValueError: another strategy; tensors of other ranks; a blank that is no class.

    Example:
        >>> logits = np.log(np.array([[[0.1, 0.9], [0.2, 0.8], [0.9, 0.1]]], "float32"))
        >>> labels, scores = ctc_decode(logits, [3], strategy="beam_search")
        >>> labels.tolist(), np.exp(scores).round(3).tolist()
        ([[[1, -1, -1]]], [[0.9639999866485596]])
    """
    if strategy not in ("greedy", "beam_search"):
        raise ArgumentError(
            f"Invalid strategy {strategy!r}. Supported values are 'greedy' and 'beam_search'. "
            f"Received: strategy={strategy!r}."
        )
    x, lengths = as_float(tensor(inputs)), tensor(sequence_lengths, "int32")
    if len(shape_of(x)) != 3 or len(shape_of(lengths)) != 1:
        raise ShapeError(
            f"ctc_decode takes logits (batch, steps, classes) and lengths (batch,). Received: inputs of shape "
            f"{shape_of(x)}, sequence_lengths of shape {shape_of(lengths)}."
        )
    x = backend.cast(x, backend.result_type(dtype_of(x), "float32"))
    classes = int(shape_of(x)[2] or 1)
    blank = normalize_axis(classes - 1 if mask_index is None else mask_index, classes, "mask_index")
    if strategy == "greedy":
        labels, scores = backend.apply("ctc_greedy", x, lengths, attrs=GreedyAttrs(blank, bool(merge_repeated)))
    else:
        width, paths = args.positive_int(beam_width, "beam_width"), args.positive_int(top_paths, "top_paths")
        labels, scores = backend.apply("ctc_beams", x, lengths, attrs=BeamAttrs(blank, width, paths))
    return labels, scores


__all__ = ["ctc_decode"]
