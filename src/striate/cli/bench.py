"""`striate bench`: how fast a model is here, beside other stacks and beside what the machine could do."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from striate.cli.bench_peers import PEERS, Peer, PeerError, Place
from striate.cli.options import ARCHITECTURES, json_option
from striate.cli.suggest import did_you_mean, printable


def _peers(ctx: click.Context, param: click.Parameter, value: str) -> list[Peer]:
    """A callback of click: names with commas between them."""
    names = [name for word in value.split(",") if (name := word.strip())]
    for name in names:
        if name not in PEERS:
            hint = did_you_mean(name, PEERS)
            raise click.BadParameter(f"{name!r} is no known stack.{hint} There are: {', '.join(PEERS)}.", ctx, param)
    return [PEERS[name] for name in dict.fromkeys(names)]


def _pythons(ctx: click.Context, param: click.Parameter, value: tuple[str, ...]) -> dict[str, str]:
    """A callback of click: PATH for all peers (under ""), PEER=PATH for one."""
    found = {}
    for word in value:
        name, equals, path = word.rpartition("=")
        if equals and name not in PEERS:
            hint = did_you_mean(name, PEERS)
            raise click.BadParameter(f"{name!r} is no known stack.{hint} There are: {', '.join(PEERS)}.", ctx, param)
        if not Path(path).is_file():
            raise click.BadParameter(f"{path!r} is no file; the path of a Python is needed.", ctx, param)
        found[name] = str(Path(path).absolute())  # not resolved: a venv's Python is a link, and looks where it lies
    return found


def _place(threads: int | None) -> Place:
    """So many threads on as many of the cores that this process may use; all of Striate's default where None."""
    from striate.backend import machine

    count = machine.threads() if threads is None else threads
    if not hasattr(os, "sched_getaffinity"):
        return Place(count, ())
    allowed = sorted(os.sched_getaffinity(0))
    if count > len(allowed):
        raise click.UsageError(f"--threads {count}: this process may use {len(allowed)} CPUs; give at most as many.")
    return Place(count, tuple(allowed[:count]))


@click.command(
    "bench",
    help="How fast MODEL is here: a .keras file, or the name of a model.\n\n"
    "Times predict, or with --train fit, with quartiles, images a second and peak memory, each stack in a process of "
    "its own, in turns on the same images, cores and threads.\n\n"
    f"Names: {', '.join(ARCHITECTURES)}.",
)
@click.argument("model")
@click.option(
    "--batch", "batches", type=click.IntRange(1), multiple=True, default=(32,), show_default=True,
    help="Images a batch; may be given several times.",
)  # fmt: skip
@click.option("--train", is_flag=True, help="Time training instead of prediction.")
@click.option("--threads", type=click.IntRange(1), help="Threads, and CPUs they are held to.  [default: Striate's own]")
@click.option(
    "--compare", callback=_peers, default="", metavar="STACK,...",
    help=f"Other stacks, with commas between them. There are: {', '.join(PEERS)}.",
)  # fmt: skip
@click.option(
    "--python", "pythons", callback=_pythons, multiple=True, metavar="[STACK=]PATH",
    help="The Python that has the compared stacks, or one of them; this one where not given.",
)  # fmt: skip
@click.option("--onnx", type=click.Path(), help="The same network as an ONNX file, for onnxruntime and openvino.")
@click.option("--layers", is_flag=True, help="Show each step of the program: time, GFLOP/s, share of the roofline.")
@click.option("--turns", type=click.IntRange(1), default=5, show_default=True, help="How often each stack is timed.")
@click.option(
    "--seconds", type=click.FloatRange(0.001), default=0.5, show_default=True, help="About how long, each time."
)
@json_option
def command(
    model: str, batches: tuple[int, ...], train: bool, threads: int | None, compare: list[Peer],
    pythons: dict[str, str], onnx: str | None, layers: bool, turns: int, seconds: float, as_json: bool,
) -> int:  # fmt: skip
    from striate.cli.bench_turns import Asked
    from striate.cli.output import print_json
    from striate.models.example_batch import example_inputs, example_labels

    place = _place(threads)
    _need_onnx(compare, onnx, train)
    with tempfile.TemporaryDirectory(prefix="striate-bench-") as made:
        folder = Path(made)
        loaded, path = _model(model, train, folder)
        _need_sizes(loaded, model)
        example_inputs(loaded, 1)
        if train:
            example_labels(loaded, 1)
        chosen = {peer.name: pythons.get(peer.name, pythons.get("", sys.executable)) for peer in compare}
        asked = Asked(loaded, path, onnx or "", chosen, place, train, turns, seconds)
        result = _heading(model, loaded, asked)
        if not as_json:
            click.echo(printable(_headline(result)))
        failed: dict[str, str] = {}
        runs = []
        for batch in batches:
            run, text, off = _one_batch(asked, batch, folder, layers)
            runs.append(run)
            failed |= off
            if not as_json:
                click.echo(printable(f"\n{text}"))
    if as_json:
        print_json({**result, "runs": runs, "failed": failed})
    for name, why in failed.items():
        click.echo(printable(f"{name} took no part: {why}"), err=True)
    return 1 if failed else 0


def _need_onnx(compare: list[Peer], onnx: str | None, train: bool) -> None:
    readers = [peer.name for peer in compare if peer.kind == "onnx"]
    if readers and train:
        raise click.UsageError(f"{', '.join(readers)}: cannot train; leave out --train, or compare others.")
    if readers and onnx is None:
        raise click.UsageError(
            f"{', '.join(readers)}: reads ONNX files, which Striate does not write. Give the same network as one: "
            "--onnx FILE (real Keras writes it: model.export('model.onnx', format='onnx'))."
        )
    if onnx is not None and not Path(onnx).is_file():
        raise click.UsageError(f"--onnx {onnx!r} is no file.")


def _model(name: str, train: bool, folder: Path) -> tuple[Any, str]:
    """A model, and the file of it that all stacks read."""
    from striate.cli.sources import compile_as_published, make_model, open_model

    if name not in ARCHITECTURES:
        return open_model(name), name
    model = make_model(name)
    if train:
        compile_as_published(name, model)
    path = str(folder / "model.keras")
    model.save(path)
    return model, path


def _need_sizes(loaded: Any, name: str) -> None:
    for tensor in getattr(loaded, "inputs", None) or ():
        if None in tensor.shape[1:]:
            raise click.UsageError(
                f"{name!r} takes inputs of any size, {tensor.shape}: there is no size to time. Save it with an Input "
                "of the size that matters."
            )


def _heading(name: str, loaded: Any, asked: Any) -> dict[str, Any]:
    from striate.backend.machine import engine_report

    found = engine_report()
    return {
        "model": name,
        "parameters": loaded.count_params(),
        "mode": "train" if asked.training else "predict",
        "threads": asked.place.threads,
        "cpus": list(asked.place.cpus),
        "cpu": found.get("cpu"),
        "instruction_set": str(found.get("instruction_set")).partition(" ")[0],
        "load": round(os.getloadavg()[0], 1) if hasattr(os, "getloadavg") else None,
    }


def _headline(result: dict[str, Any]) -> str:
    kind = "training" if result["mode"] == "train" else "prediction"
    load = "" if result["load"] is None else f", load {result['load']}"
    return (
        f"{result['model']}, {kind}, {result['parameters']:,} parameters\n"
        f"{result['cpu']}, {result['instruction_set']}; {result['threads']} threads on CPUs {result['cpus']}{load}"
    )


def _one_batch(asked: Any, batch: int, folder: Path, layers: bool) -> tuple[dict[str, Any], str, dict[str, str]]:
    """(for JSON, for people, who failed and why)"""
    from striate.cli import bench_table
    from striate.cli.bench_turns import compare
    from striate.models.step_times import measure_steps

    try:
        timings = compare(asked, batch, folder, lambda said: click.echo(f"batch {batch}: {said}", err=True))
    except PeerError as error:
        raise click.ClickException(f"Striate itself could not be timed: {error}") from error
    run: dict[str, Any] = {"batch": batch, "rows": bench_table.times_json(timings, batch)}
    text = f"batch {batch}\n{bench_table.times_table(timings, batch)}"
    if layers:
        with _threads(asked.place.threads):
            times = measure_steps(asked.model, batch, asked.training, asked.seconds * asked.turns)
        run["layers"] = bench_table.steps_json(times)
        text += f"\n\n{bench_table.steps_table(times)}"
    return run, text, {t.name: t.failed for t in timings if t.failed}


@contextmanager
def _threads(count: int) -> Iterator[None]:
    from striate.backend import machine

    before = machine.threads()
    machine.set_threads(count)
    try:
        yield
    finally:
        machine.set_threads(before)
