"""`striate predict`: what a saved model says of image files."""

from __future__ import annotations

from typing import Any

import click

from striate.cli.options import json_option


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
    import numpy as np

    from striate.cli.options import open_model, print_json
    from striate.core.errors import StriateError
    from striate.data.images import read_image
    from striate.saving.keras_archive import get_notes

    loaded = open_model(model)
    notes = get_notes(loaded)
    preprocessing = notes.get("preprocessing") or _guess(loaded, model)
    results: list[dict[str, Any]] = []
    failed = 0
    for name in images:
        try:
            image = read_image(name, preprocessing)
        except StriateError as error:
            click.echo(f"Error: {error}", err=True)
            failed += 1
            continue
        said = np.asarray(loaded.predict(image[None], verbose=0))[0]
        names = notes.get("class_names") or [f"class {i}" for i in range(len(said))]
        order = np.argsort(-said, kind="stable")[:top]
        results.append(
            {"image": name, "predictions": [{"class": str(names[i]), "probability": float(said[i])} for i in order]}
        )
    if as_json:
        print_json({"model": model, "results": results})
    else:
        for result in results:
            told = ", ".join(f"{p['class']} {p['probability']:.1%}" for p in result["predictions"])
            click.echo(f"{result['image']}: {told}")
    return 1 if failed else 0


def _guess(loaded: Any, model: str) -> dict[str, Any]:
    """For a file without Striate's notes: what its input's shape says."""
    shape = getattr(loaded, "input_shape", None)
    if not isinstance(shape, tuple) or len(shape) != 4 or None in shape[1:] or shape[3] not in (1, 3):
        raise click.UsageError(f"{model!r} takes input of shape {shape}; `striate predict` feeds images to image models.")
    click.echo("The model's file does not say how images are prepared; values are scaled to 0..1.", err=True)
    return {"mode": "L" if shape[3] == 1 else "RGB", "height": shape[1], "width": shape[2], "scale": 1 / 255}
