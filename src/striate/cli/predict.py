"""`striate predict`: what a saved model says of image files."""

from __future__ import annotations

import errno
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from striate.cli.options import json_option
from striate.cli.suggest import did_you_mean_file, printable

if TYPE_CHECKING:
    import numpy as np

    from striate.data.images import Preprocessing

    Array = np.ndarray[Any, Any]

_PICTURES = (".png", ".jpg", ".jpeg", ".gif", ".webp", ".bmp", ".tif", ".tiff")


@click.command("predict")
@click.argument("model")
@click.argument("images", nargs=-1, required=True)
@click.option("--top", type=click.IntRange(1), default=3, show_default=True, help="How many classes to name.")
@json_option
def command(model: str, images: tuple[str, ...], top: int, as_json: bool) -> int:
    """What MODEL (a .keras file) says of IMAGES, most probable first.

    Class names and how an image is prepared (size, grey or colour, scale) come with the model's file. An image that
    cannot be read is reported and left out; the exit status is then 1.
    """
    from striate.cli.output import print_json
    from striate.cli.sources import open_model
    from striate.core.errors import StriateError
    from striate.data.images import read_image
    from striate.saving.keras_archive import get_notes

    if model.endswith(_PICTURES) and images[0].endswith(".keras"):
        raise click.UsageError(f"The model comes first: striate predict {images[0]} {model}")
    for image in images:
        if not _is_there(image):
            raise click.UsageError(f"There is no image file {image!r}.{did_you_mean_file(image)}")
    loaded = open_model(model)
    notes = get_notes(loaded)
    preprocessing = _preprocessing(loaded, notes, model)
    names = _class_names(loaded, notes, model)
    penalties = _gives_penalties(loaded)
    results: list[dict[str, Any]] = []
    failed = False
    for image in images:
        try:
            prepared = read_image(image, preprocessing)
        except StriateError as error:
            click.echo(f"Error: {printable(str(error))}", err=True)
            results.append({"image": image, "error": str(error)})
            failed = True
            continue
        said = loaded.predict(prepared[None], verbose=0)[0]
        results.append({"image": image, "predictions": _best(said, names, top, penalties)})
        if not as_json:
            click.echo(f"{printable(image)}: " + ", ".join(map(_words, results[-1]["predictions"])))
    if as_json:
        print_json({"model": model, "results": results})
    return 1 if failed else 0


def _is_there(path: str) -> bool:
    try:
        Path(path).stat()
    except OSError as error:
        # Whatever else is wrong with it (a name too long, a folder not to be looked into) is told when it is read.
        return error.errno not in (errno.ENOENT, errno.ENOTDIR)
    except ValueError:
        return False  # a zero byte in the name
    return True


def _gives_penalties(loaded: Any) -> bool:
    """Whether a model's smallest output decides: it ends as the LeNet-5 of 1998 does."""
    last = loaded.layers[-1]
    return type(last).__name__ == "EuclideanRBF" or (hasattr(last, "_graph") and _gives_penalties(last))


def _best(said: Array, names: Sequence[str], top: int, penalties: bool) -> list[dict[str, Any]]:
    """The `top` classes; one number of a yes-or-no model counts as the probability of its second class.

    Numbers that are no probabilities (a model that ends without a softmax) are called scores.
    """
    import numpy as np

    said = np.asarray(said, np.float32)
    if penalties:
        return [{"class": names[i], "penalty": said[i]} for i in np.argsort(said, kind="stable")[:top]]
    if len(said) == 1 and 0 <= said[0] <= 1:
        said = np.array([1 - said[0], said[0]], np.float32)
    are_shares = bool((said >= 0).all()) and abs(float(said.sum()) - 1) < 1e-3
    order = np.argsort(-said, kind="stable")[:top]
    return [{"class": names[i], "probability" if are_shares else "score": said[i]} for i in order]


def _words(prediction: Mapping[str, Any]) -> str:
    name = printable(prediction["class"])
    for kind in ("score", "penalty"):
        if kind in prediction:
            return f"{name} {'' if kind == 'score' else kind + ' '}{prediction[kind]:.4g}"
    share = float(prediction["probability"])
    # Neither "0.0%" nor "100.0%": a softmax is never that sure.
    return f"{name} " + ("under 0.1%" if share < 0.0005 else "over 99.9%" if share > 0.9995 else f"{share:.1%}")


def _class_names(loaded: Any, notes: Mapping[str, Any], model: str) -> list[str]:
    shape = loaded.output_shape
    if not isinstance(shape, tuple) or len(shape) != 2 or shape[1] is None:
        raise click.UsageError(
            f"{model!r} gives output of shape {shape}; `striate predict` is for models that give a number a class."
        )
    count = max(shape[1], 2)
    names = notes.get("class_names")
    if isinstance(names, list) and len(names) == count:
        return [str(n) for n in names]
    return [f"class {i}" for i in range(count)]


def _preprocessing(loaded: Any, notes: Mapping[str, Any], model: str) -> Preprocessing:
    """As the model's file says; for a file without Striate's notes, what its input's shape says."""
    from striate.core.errors import LoadError
    from striate.data.images import Preprocessing

    shape = loaded.input_shape
    if not isinstance(shape, tuple) or len(shape) != 4 or shape[3] not in (1, 3):
        raise click.UsageError(
            f"{model!r} takes input of shape {shape}; `striate predict` is for models that take grey or colour images."
        )
    if "preprocessing" in notes:
        preprocessing = Preprocessing.from_notes(notes["preprocessing"])
        if any(d not in (None, p) for d, p in zip(shape[1:], preprocessing.shape)):
            raise LoadError(
                f"{model!r} says that images are prepared as {preprocessing.shape}, but takes input of shape {shape}."
            )
        return preprocessing
    if None in shape[1:]:
        raise click.UsageError(
            f"{model!r} takes images of any size ({shape}) and does not say how they are prepared, so Striate cannot."
        )
    click.echo("The model's file does not say how images are prepared; values are scaled to 0..1.", err=True)
    return Preprocessing(height=shape[1], width=shape[2], mode="L" if shape[3] == 1 else "RGB")
