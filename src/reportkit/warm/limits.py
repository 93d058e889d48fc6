"""Limits of this process: those of the machine, and of the control groups of a container.

Source: the kernel's documentation, cgroup-v1/memory.rst, cgroup-v2.rst; proc(5), cgroups(7).
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from reportkit.language import Message

if TYPE_CHECKING:
    from collections.abc import Iterator

_ROOT = Path("/sys/fs/cgroup")
_SELF, _MEMORY, _KILLS = Path("/proc/self/cgroup"), Path("/proc/meminfo"), Path("/proc/vmstat")
# What version 1 says where nothing is limited: the largest number of whole pages.
_UNLIMITED = 1 << 60


def processors() -> int:
    """Count the processors that this process may keep busy."""
    ours = getattr(os, "sched_getaffinity", None)
    counts = [len(ours(0)) if ours else os.cpu_count() or 1]
    for group in _groups("cpu"):
        quota, _, period = _text(group / "cpu.max").partition(" ")
        quota = quota or _text(group / "cpu.cfs_quota_us")
        period = period or _text(group / "cpu.cfs_period_us")
        if quota.isdecimal() and period.isdecimal():
            counts.append(max(1, int(quota) // int(period)))
    return min(counts)


def free_memory() -> int:
    """Bytes that are free for us, of the machine and of what we are allowed."""
    fields = _fields(_MEMORY)
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    limits = [fields["MemAvailable:"] << 10 if "MemAvailable:" in fields else pages]
    for group in _groups("memory"):
        if limit := _limit(group):
            used = _text(group / "memory.current") or _text(group / "memory.usage_in_bytes")
            # What was read of files is given back before anything else is.
            stat = _fields(group / "memory.stat")
            files = stat.get("total_inactive_file", stat.get("inactive_file", 0))
            limits.append(max(0, limit - int(used) + files))
    return min(limits)


def kills_for_memory() -> int:
    """Count the processes of our group, or else of the machine, that were killed for memory."""
    for group in _groups("memory"):
        for name in ("memory.events", "memory.oom_control"):
            fields = _fields(group / name)
            if "oom_kill" in fields:
                return fields["oom_kill"]
    return _fields(_KILLS).get("oom_kill", 0)


def killed_for_memory() -> str:
    """Return the message for a process that the system killed for want of memory."""
    limit = min(filter(None, map(_limit, _groups("memory"))), default=None)
    limit_text = (
        Message(", {limit:,.0f} MiB are allowed here", limit=limit / 2**20) if limit else ""
    )
    return Message(
        "killed by the system, which was out of memory{limit_text}; give it more, or fewer --jobs",
        limit_text=limit_text,
    )


def _limit(group: Path) -> int | None:
    text = _text(group / "memory.max") or _text(group / "memory.limit_in_bytes")
    return int(text) if text.isdecimal() and int(text) < _UNLIMITED else None


def _groups(controller: str) -> Iterator[Path]:
    """Folders of the control groups that limit us, the nearest first; of either version."""
    for line in _text(_SELF).splitlines():
        number, names, path = line.split(":", 2)
        if number == "0":
            tree = _ROOT if (_ROOT / "cgroup.controllers").is_file() else _ROOT / "unified"
        elif controller in names.split(","):
            tree = _ROOT / names
        else:
            continue
        # In a container that sees its own part only, the path may be one outside of it.
        folder = tree / path.strip("/") if ".." not in path else tree
        yield from (parent for parent in (folder, *folder.parents) if parent.is_relative_to(tree))


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii").strip()
    except OSError:
        return ""


def _fields(path: Path) -> dict[str, int]:
    """Numbers of a file with a name and a number in each line."""
    lines = (line.split() for line in _text(path).splitlines())
    return {line[0]: int(line[1]) for line in lines if len(line) > 1 and line[1].isdecimal()}
