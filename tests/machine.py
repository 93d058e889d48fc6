"""Programs that tests need besides Python, installed where possible; and patience."""

import contextlib
import fcntl
import functools
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

# Seconds. What takes long on a busy machine is no failure; what never comes is one.
PATIENCE = 900
# The same for what a page shall show: it has all that it needs.
PAGE_PATIENCE = 120
# Program or library: Debian's package of it.
PACKAGES = {
    "chromium": "chromium", "libatomic.so.1": "libatomic1", "openssl": "openssl",
    "initdb": "postgresql", "pg_ctl": "postgresql",
    "mariadb-install-db": "mariadb-server", "mariadbd": "mariadb-server",
    "ssh-agent": "openssh-client", "ssh-keygen": "openssh-client",
    "setpriv": "util-linux", "unshare": "util-linux",
}  # fmt: skip


def program(name: str) -> str:
    """Return the path of a program or library; without it the test is skipped, in CI failed."""
    path = where(name) or (installed(PACKAGES[name]) and where(name))
    if not path:
        pytest.skip(f"{name} is not there; run: apt-get install {PACKAGES[name]}")
    return path


def where(name: str) -> str | None:
    servers = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    libraries = [*Path("/usr/lib").glob("*-linux-gnu*"), "/usr/lib64", "/usr/lib"]
    folders = [os.environ["PATH"], *map(str, [*servers, "/usr/sbin", *libraries])]
    return shutil.which(name, mode=os.F_OK, path=os.pathsep.join(folders))


@functools.cache
def installed(package: str) -> bool:
    """Install a package, if we are root and there is apt; one process of ours at a time."""
    if os.getuid() or not shutil.which("apt-get"):
        return False
    options = ["-qq", "-o", "DPkg::Lock::Timeout=300", "-o", "Acquire::Retries=2"]
    install = ["install", "--yes", "--no-install-recommends", package]
    env = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    with Path(tempfile.gettempdir(), "reportkit-tests.apt").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for command in (["update"], install):
            done = subprocess.run(
                ["apt-get", *options, *command], env=env, check=False, capture_output=True
            )
    return done.returncode == 0


@functools.cache
def unshared(*options: str) -> list[str]:
    """Return what a command is begun with to have namespaces of its own; else the test is skipped.

    An ordinary user gets them with a user namespace, which a machine may forbid (a chroot and most
    containers do). Root needs none; in a chroot the mounts of others cannot be cut off, so what is
    mounted there must be unmounted.
    """
    trial = ["sh", "-c", "mount -t tmpfs tmpfs /mnt && umount /mnt"]
    for more in ((), ("--propagation", "unchanged"), ("--map-root-user",)):
        begun = [program("unshare"), *options, *more]
        if subprocess.run([*begun, *trial], check=False, capture_output=True).returncode == 0:
            return begun
    pytest.skip("no namespaces here: run as root, or where user namespaces are allowed")
    return []


def first_process() -> list[str]:
    """Return what a command is begun with to be process 1, as in a container."""
    return unshared("--pid", "--fork", "--mount-proc", "--kill-child")


@contextlib.contextmanager
def memory_group(limit: int) -> Iterator[list[str]]:
    """Return what a command is begun with to have so many bytes of memory, as in a container."""
    tree = Path("/sys/fs/cgroup")
    old = (tree / "memory/memory.limit_in_bytes").is_file()
    group = tree / ("memory" if old else "") / f"reportkit-test-{uuid4().hex}"
    try:
        group.mkdir()
        (group / ("memory.limit_in_bytes" if old else "memory.max")).write_text(str(limit))
    except OSError:
        pytest.skip("no control group can be made here: run as root, where they can be written")
    enter = 'echo $$ > "$0/cgroup.procs" && exec "$@"'
    yield ["sh", "-c", enter, str(group)]
    until(lambda: not (group / "cgroup.procs").read_text())
    group.rmdir()


def until(so: Callable[[], Any]) -> Any:
    """Wait until something is so, and return what it then is."""
    end = time.monotonic() + PATIENCE
    while not (found := so()):
        assert time.monotonic() < end, f"not so after {PATIENCE} s"
        time.sleep(0.05)
    return found


def focused(page: Any, selector: str) -> Any:
    """Wait for an element to have its page's focus, also while the browser itself has none."""
    script = "selector => document.activeElement?.matches(selector)"
    return page.wait_for_function(script, arg=selector, timeout=PAGE_PATIENCE * 1000)
