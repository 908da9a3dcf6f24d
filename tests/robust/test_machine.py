"""How many threads: affinity masks, container quotas (from a made-up /proc and /sys), the environment."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from striate.engine import _native
from tests.robust.small import output_of

pytestmark = pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="no affinity masks on this system")
CPUS = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []

V2 = "29 23 0:26 {root} {at} rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate"
V1 = "31 23 0:27 {root} {at} rw shared:5 - cgroup cgroup rw,{controllers}"


class Tree:
    """Files under a folder that stands before /proc and /sys."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.mounts: list[str] = []

    def write(self, path: str, text: str) -> Tree:
        file = self.folder / path.lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text + "\n")
        return self

    def mount(self, line: str, at: str = "/sys/fs/cgroup", root: str = "/", controllers: str = "cpu,cpuacct") -> Tree:
        self.mounts.append(line.format(at=at.replace(" ", "\\040"), root=root, controllers=controllers))
        return self.write("/proc/self/mountinfo", "\n".join(["22 1 8:1 / / rw - ext4 /dev/sda rw", *self.mounts]))

    def groups(self, *lines: str) -> Tree:
        return self.write("/proc/self/cgroup", "\n".join(lines))

    def v2(self, folder: str, quota: str) -> Tree:
        return self.write(f"{folder}/cpu.max", quota)

    def v1(self, folder: str, quota: int, period: int = 100_000) -> Tree:
        self.write(f"{folder}/cpu.cfs_period_us", str(period))
        return self.write(f"{folder}/cpu.cfs_quota_us", str(quota))

    def look(self) -> Any:
        return _native.machine(str(self.folder))


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    return Tree(tmp_path)


TOP = "/sys/fs/cgroup"


def test_no_control_groups_no_quota(tree: Tree) -> None:
    seen = tree.look()
    assert seen["quota"] is None
    assert seen["threads_from"] == "physical cores"
    assert seen["may_spin"]
    assert seen["cpus"] == len(CPUS)


@pytest.mark.parametrize(
    "text,quota",
    [("max 100000", None), ("50000 100000", 0.5), ("100000 100000", 1), ("3000 2000", 1.5), ("0 0", None), ("", None)],
)
def test_version_2(tree: Tree, text: str, quota: float | None) -> None:
    seen = tree.mount(V2).groups("0::/user.slice/job").v2(f"{TOP}/user.slice/job", text).look()
    assert seen["quota"] == quota


def test_a_quota_lowers_the_threads_and_stops_spinning(tree: Tree) -> None:
    seen = tree.mount(V2).groups("0::/").v2(TOP, "50000 100000").look()
    assert (seen["default_threads"], seen["threads_from"]) == (1, "cgroup quota" if len(CPUS) > 1 else "physical cores")
    assert not seen["may_spin"]


def test_half_a_cpu_more_is_a_thread_more(tree: Tree) -> None:
    seen = tree.mount(V2).groups("0::/").v2(TOP, "110000 100000").look()
    assert seen["default_threads"] == min(2, seen["physical_cores"])
    assert seen["may_spin"] == (len(CPUS) == 1)


def test_a_quota_above_the_cpus_changes_nothing(tree: Tree) -> None:
    seen = tree.mount(V2).groups("0::/").v2(TOP, f"{len(CPUS) * 100_000 + 1} 100000").look()
    assert seen["threads_from"] == "physical cores"
    assert seen["may_spin"]


@pytest.mark.parametrize("tight", ["", "/a", "/a/b", "/a/b/c"])
def test_the_tightest_of_nested_groups_counts(tree: Tree, tight: str) -> None:
    tree.mount(V2).groups("0::/a/b/c")
    for folder in ("", "/a", "/a/b", "/a/b/c"):
        tree.v2(TOP + folder, "70000 100000" if folder == tight else "800000 100000")
    assert tree.look()["quota"] == 0.7


def test_a_group_beside_ours_does_not_count(tree: Tree) -> None:
    tree.mount(V2).groups("0::/a/ours").v2(f"{TOP}/a/other", "10000 100000").v2(f"{TOP}/a/our", "10000 100000")
    assert tree.look()["quota"] is None


@pytest.mark.parametrize("quota,wanted", [(-1, None), (250_000, 2.5), (25_000, 0.25), (0, None)])
def test_version_1(tree: Tree, quota: int, wanted: float | None) -> None:
    at = f"{TOP}/cpu,cpuacct"
    tree.mount(V1, at).groups("12:memory:/x", "4:cpu,cpuacct:/docker/abc", "1:name=systemd:/y")
    assert tree.v1(f"{at}/docker/abc", quota).look()["quota"] == wanted


def test_version_1_nested_and_fractional(tree: Tree) -> None:
    at = f"{TOP}/cpu"
    tree.mount(V1, at, controllers="cpu").groups("2:cpu:/a/b").v1(f"{at}/a", 30_000, 20_000).v1(f"{at}/a/b", -1)
    assert tree.look()["quota"] == 1.5


def test_only_the_cpu_controller_of_version_1_counts(tree: Tree) -> None:
    tree.mount(V1, f"{TOP}/cpuset", controllers="cpuset").groups("3:cpuset:/a", "5:cpuacct:/a")
    assert tree.v1(f"{TOP}/cpuset/a", 10_000).look()["quota"] is None


def test_both_versions_at_once(tree: Tree) -> None:
    """Systemd's mixed arrangement: limits in version 1, an empty tree of version 2."""
    tree.mount(V1, f"{TOP}/cpu,cpuacct").mount(V2, f"{TOP}/unified").groups("4:cpu,cpuacct:/job", "0::/job")
    assert tree.v1(f"{TOP}/cpu,cpuacct/job", 120_000).look()["quota"] == 1.2
    assert tree.v2(f"{TOP}/unified/job", "60000 100000").look()["quota"] == 0.6


def test_a_container_that_sees_its_group_as_the_top(tree: Tree) -> None:
    """The path is the host's; what is mounted is the container's own group, and one more below it."""
    tree.mount(V2, root="/docker/abc").groups("0::/docker/abc/worker")
    tree.v2(TOP, "400000 100000").v2(f"{TOP}/worker", "90000 100000")
    assert tree.look()["quota"] == 0.9


def test_a_container_that_sees_nothing_of_its_path(tree: Tree) -> None:
    tree.mount(V2, root="/elsewhere").groups("0::/docker/abc").v2(TOP, "80000 100000")
    assert tree.look()["quota"] == 0.8
    tree.mount(V2).groups("0::/../../outside").v2(TOP, "80000 100000")
    assert tree.look()["quota"] == 0.8


def test_a_mount_anywhere(tree: Tree) -> None:
    at = "/mnt/control groups/all"
    assert tree.mount(V2, at).groups("0::/job").v2(f"{at}/job", "30000 100000").look()["quota"] == 0.3


def test_the_usual_places_where_mounts_are_hidden(tree: Tree) -> None:
    assert tree.groups("0::/job").v2(f"{TOP}/job", "30000 100000").look()["quota"] == 0.3
    assert tree.groups("4:cpu:/job").v1(f"{TOP}/cpu/job", 20_000).look()["quota"] == 0.2


def test_two_threads_of_a_core_count_once(tree: Tree) -> None:
    for cpu in CPUS:
        tree.write(f"/sys/devices/system/cpu/cpu{cpu}/topology/thread_siblings_list", "0-255")
    seen = tree.look()
    assert (seen["cpus"], seen["physical_cores"], seen["default_threads"]) == (len(CPUS), 1, 1)


@pytest.mark.skipif(len(CPUS) < 2, reason="needs two CPUs")
def test_masks_before_and_after_the_first_run() -> None:
    """The number of threads follows the mask of the thread that asks, also when it changes later."""
    code = f"""
import os; os.sched_setaffinity(0, [min(os.sched_getaffinity(0))])
import striate as keras
model, (x, _) = network(), data()
def tasks(): return len(os.listdir("/proc/self/task"))
said = [keras.config.threads()]
alone = tasks()
wanted = model.predict(x, verbose=0).tobytes()
said += [tasks() - alone]
os.sched_setaffinity(0, {CPUS})
said += [keras.config.threads(), model.predict(x, verbose=0).tobytes() == wanted, tasks() - alone]
os.sched_setaffinity(0, {CPUS[-1:]})
said += [keras.config.threads(), model.predict(x, verbose=0).tobytes() == wanted]
print(*said)
"""
    full = _native.machine()["default_threads"]
    assert output_of(code, STRIATE_NUM_THREADS="") == f"1 0 {full} True {full - 1} 1 True"


def test_the_environment_overrides() -> None:
    code = "from striate.engine import _native as n; m = n.machine(); print(n.threads(), m['threads_from'])"
    assert output_of(code, prelude=False, STRIATE_NUM_THREADS="3") == "3 STRIATE_NUM_THREADS"
    pinned = "import os; os.sched_setaffinity(0, [min(os.sched_getaffinity(0))])\n" + code
    assert output_of(pinned, prelude=False, STRIATE_NUM_THREADS="3") == "3 STRIATE_NUM_THREADS"
    for nonsense in ("0", "-1", "two", "1.5", "99999", "3 "):
        assert "STRIATE" not in output_of(code, prelude=False, STRIATE_NUM_THREADS=nonsense)


def test_set_threads_overrides_the_environment_and_goes_back() -> None:
    code = """
from striate.engine import _native as n
said = [n.threads()]
for count in (5, 1, 0):
    n.set_threads(count)
    said.append(n.threads())
print(*said)
"""
    assert output_of(code, prelude=False, STRIATE_NUM_THREADS="3") == "3 5 1 3"
