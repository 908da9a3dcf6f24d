"""Verdicts: what holds, what misses, what fails."""

from __future__ import annotations

from typing import Any

from bench import report


def entry(name: str, seconds: list[float], **more: Any) -> dict[str, Any]:
    made = {"name": name, "row": name.partition(":")[0], "how": "predict", "precision": "float32", "counts": True}
    made |= {"seconds": {str(i): s for i, s in enumerate(seconds)}, "cores": [2.0], "others": [0.01], "loss": None}
    return {**made, **more}


def result(
    *entries: dict[str, Any], target: float | None = 2.0, failed: dict[str, str] | None = None, **more: Any
) -> Any:
    workload = {"net": "lecture", "how": "predict", "batch": 32, "name": "lecture, infer, 32"}
    return {"workload": workload, "target": target, "also": None, "failed": failed or {}, "entries": [*entries], **more}


OURS = entry("striate", [1.0] * 5)
SLOW = entry("torch", [4.0] * 5)


def test_the_lower_quartile_against_the_fastest_counts() -> None:
    held = report.summary(result(OURS, SLOW, entry("openvino", [2.1, 2.2, 2.3, 2.4, 2.5])))
    assert (held["fastest"], held["verdict"], held["ratio"].first) == ("openvino", "holds", 2.2)
    missed = report.summary(result(OURS, SLOW, entry("openvino", [1.5, 1.9, 2.3, 2.4, 2.5])))
    assert missed["verdict"] == "missed" and missed["why"] == "openvino 1.90 < 2.0"


def test_without_a_target_a_row_is_ahead_or_behind() -> None:
    assert report.summary(result(OURS, SLOW, target=None))["verdict"] == "ahead"
    assert report.summary(result(OURS, entry("torch", [0.9] * 5), target=None))["verdict"] == "behind"


def test_a_peer_that_fails_fails_the_row_and_is_named() -> None:
    broken = result(OURS, SLOW, failed={"keras-jax": "load: out of memory"})
    assert report.summary(broken)["verdict"] == "failed"
    assert "keras-jax: load: out of memory" in report.details(broken)
    assert "failed" in report.verdicts([broken])


def test_what_is_only_shown_fails_no_row_and_is_named() -> None:
    shown = result(OURS, SLOW, entry("ncnn", [0.1] * 5, counts=False), failed={"mnn": "cannot convert"})
    made = report.summary(shown)
    assert made["verdict"] == "holds" and made["fastest"] == "torch"
    assert "ncnn (shown only)" in report.details(shown) and "failed: mnn: cannot convert" in report.details(shown)


def test_other_precisions_have_targets_of_their_own() -> None:
    half = entry("openvino-bf16", [1.05] * 5, precision="bfloat16")
    made = report.summary(result(OURS, SLOW, half, also=("openvino-bf16", 1.1)))
    assert made["fastest"] == "torch" and made["verdict"] == "missed" and made["why"] == "openvino-bf16 1.05 < 1.1"


def test_striate_s_own_failure_is_a_failure() -> None:
    assert report.summary(result(SLOW, failed={"striate": "load: no"}))["verdict"] == "failed"


def test_a_busy_machine_is_marked() -> None:
    busy = result(OURS, entry("torch", [4.0] * 5, others=[0.5]))
    assert "(busy)" in report.verdicts([busy]) and "(busy)" not in report.verdicts([result(OURS, SLOW)])


def test_the_geometric_mean_needs_all_rows() -> None:
    made = []
    for net in ("resnet50", "mobilenetv2", "efficientnetb0"):
        for batch in (1, 8, 9):
            one = result(OURS, entry("torch", [1.2] * 5), target=None)
            made.append({**one, "workload": {**one["workload"], "net": net, "batch": batch}})
    assert report.average(made[:-1]) is None
    assert "geometric mean of the lower quartiles 1.20 (at least 1.1): holds" in str(report.average(made))
