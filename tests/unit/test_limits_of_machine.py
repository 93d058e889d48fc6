"""Limits of a process, by control groups of both versions."""

import os

import pytest

from reportkit.warm import limits

MIB = 1 << 20
TREES = {
    # Version 2, in a container that sees its own part only.
    "two": {
        "self": "0::/\n",
        "cgroup.controllers": "cpu memory",
        "cpu.max": "150000 100000\n",
        "memory.max": f"{400 * MIB}\n",
        "memory.current": f"{300 * MIB}\n",
        "memory.stat": f"anon 5\ninactive_file {50 * MIB}\n",
        "memory.events": "low 0\noom 3\noom_kill 2\n",
    },
    # A limit above the own group holds too.
    "above": {
        "self": "0::/machine/one\n",
        "cgroup.controllers": "cpu memory",
        "machine/memory.max": f"{300 * MIB}\n",
        "machine/memory.current": f"{200 * MIB}\n",
        "machine/one/memory.max": "max\n",
        "machine/one/memory.current": f"{100 * MIB}\n",
        "machine/one/memory.events": "oom_kill 7\n",
        "machine/one/cpu.max": "max 100000\n",
    },
    # Version 1; the path is one of the host, and not there.
    "one": {
        "self": "9:name=systemd:/x\n5:memory:/docker/abc\n3:cpu,cpuacct:/docker/abc\n0::/x\n",
        "memory/memory.limit_in_bytes": f"{200 * MIB}\n",
        "memory/memory.usage_in_bytes": f"{250 * MIB}\n",
        "memory/memory.stat": f"inactive_file 1\ntotal_inactive_file {60 * MIB}\n",
        "memory/memory.oom_control": "oom_kill_disable 0\nunder_oom 0\noom_kill 4\n",
        "cpu,cpuacct/cpu.cfs_quota_us": "50000\n",
        "cpu,cpuacct/cpu.cfs_period_us": "100000\n",
    },
    # Nothing is limited.
    "free": {
        "self": "5:memory:/\n3:cpu:/\n",
        "memory/memory.limit_in_bytes": "9223372036854771712\n",
        "memory/memory.usage_in_bytes": "5\n",
        "cpu/cpu.cfs_quota_us": "-1\n",
        "cpu/cpu.cfs_period_us": "100000\n",
    },
    "none": {},
}


@pytest.mark.parametrize(
    ("tree", "cpus", "free", "kills"),
    [
        ("two", 1, 150, 2),
        ("above", 8, 100, 7),
        ("one", 1, 10, 4),
        ("free", 8, 900, 9),
        ("none", 8, 900, 9),
    ],
)
def test_limits_are_found(tree, cpus, free, kills, tmp_path, monkeypatch):
    for name, content in TREES[tree].items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="ascii")
    meminfo, vmstat = tmp_path / "meminfo", tmp_path / "vmstat"
    meminfo.write_text(f"MemTotal: 1 kB\nMemAvailable: {900 << 10} kB\n", encoding="ascii")
    vmstat.write_text("nr_free_pages 3\noom_kill 9\n", encoding="ascii")
    places = {"_ROOT": tmp_path, "_SELF": tmp_path / "self", "_MEMORY": meminfo, "_KILLS": vmstat}
    for name, path in places.items():
        monkeypatch.setattr(limits, name, path)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: range(8), raising=False)
    assert limits.processors() == cpus
    assert limits.free_memory() == free * MIB
    assert limits.kills_for_memory() == kills


def test_what_was_killed_for_memory_says_how_much_there_was(tmp_path, monkeypatch):
    (tmp_path / "self").write_text("0::/\n", encoding="ascii")
    (tmp_path / "cgroup.controllers").touch()
    monkeypatch.setattr(limits, "_ROOT", tmp_path)
    monkeypatch.setattr(limits, "_SELF", tmp_path / "self")
    result = "killed by the system, which was out of memory"
    assert limits.killed_for_memory() == f"{result}; give it more, or fewer --jobs"
    (tmp_path / "memory.max").write_text(f"{400 * MIB}", encoding="ascii")
    assert f"{result}, 400 MiB are allowed here" in limits.killed_for_memory()
