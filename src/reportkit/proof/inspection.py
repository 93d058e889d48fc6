"""Many runs verified: found, drawn, inspected by as many processes as there are processors."""

from __future__ import annotations

import multiprocessing
import random
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reportkit.errors import InputError, ReportkitError
from reportkit.language import Message
from reportkit.proof.manifest import entries, is_pruned, named, read_manifest
from reportkit.proof.places import DATA, PARAMS
from reportkit.proof.render import render_level
from reportkit.proof.rerun import rerun_level
from reportkit.proof.signing.trust import read_trusted
from reportkit.proof.verify import Verdict, data_levels, environment_level, files_level
from reportkit.warm.limits import processors

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

# For fewer runs than this the start of other processes takes longer than it saves.
_FEW = 8


@dataclass(frozen=True)
class Asked:
    """Options of an inspection.

    Parameters
    ----------
    keys : Path or None
        The folder of keys that must have signed.
    data, params : Path
        Folders of ledgers and of parameters.
    rerun, cold : bool
        Make the report again; in a kernel that starts from nothing.
    trust_notebook : bool
        Execute the run's own notebook where ours is another one.
    """

    keys: Path | None = None
    data: Path = DATA
    params: Path = PARAMS
    rerun: bool = False
    cold: bool = False
    trust_notebook: bool = False


_HOLDS = {
    True: Message("holds"),
    False: Message("DOES NOT HOLD"),
    None: Message("COULD NOT BE JUDGED"),
}


@dataclass(frozen=True)
class Inspected:
    """Results of inspecting one run.

    Parameters
    ----------
    district, report, run : str
        Whose it says that it is, the report's name (``2024``, ``2024-<form>``), and its id; empty
        where its manifest cannot be read.
    levels : tuple of Verdict
    signed : bool
        Whether keys that are trusted have signed it.
    """

    district: str
    report: str
    run: str
    levels: tuple[Verdict, ...]
    signed: bool = False

    @property
    def holds(self) -> bool | None:
        """False where a level found something wrong.

        None where only the run itself says what it would take to judge it (versions that made
        it, further inputs): nobody who is trusted has signed that.
        """
        if any(level.holds is False for level in self.levels):
            return False
        return None if any(level.needed for level in self.levels) and not self.signed else True

    @property
    def verdict(self) -> str:
        """In words."""
        return _HOLDS[self.holds]


def find_runs(folder: Path) -> list[Path]:
    """A run, or all runs in force under a folder of outputs.

    Raises
    ------
    InputError
        ``run-missing``: neither.
    """
    if (folder / "MANIFEST.json").exists() or (folder / "facts.json").exists():
        return [folder]
    runs = sorted(path for path in folder.glob("**/current") if path.is_dir())
    if not runs:
        raise InputError(
            "run-missing", "{folder} is no run, and holds none: no MANIFEST.json", folder=folder
        )
    return runs


def draw(runs: Sequence[Path], number: int | None) -> list[bool]:
    """Draw the runs to inspect closely: all, or so many at random."""
    chosen = set(
        random.SystemRandom().sample(range(len(runs)), min(number or len(runs), len(runs)))
    )
    return [at in chosen for at in range(len(runs))]


def inspect(run: Path, asked: Asked, *, closely: bool) -> Inspected:
    """The verdicts on a run; without a close look, and where a file was changed, the first only."""
    trusted = read_trusted(asked.keys) if asked.keys else None
    verdicts = [files_level(run, trusted)]
    pruned = is_pruned(run)
    if verdicts[0].holds and pruned and len(list(entries(run))) > 1:
        # Whoever hands over documents with a mark beside them has proved nothing.
        left = Message("its pruning was interrupted: what is left of its files was not looked into")
        verdicts.append(Verdict("render", None, (), (left,), (Message("the whole run"),)))
    elif closely and verdicts[0].holds and not pruned:
        folders = {"data": asked.data, "params": asked.params}
        verdicts += data_levels(run, **folders)
        verdicts += [render_level(run, **folders), environment_level(run)]
        if asked.rerun or asked.cold:
            # With keys, the first verdict holds only if those have signed the run.
            trusts = asked.trust_notebook or trusted is not None
            verdicts.append(rerun_level(run, **folders, cold=asked.cold, trusted=trusts))
    try:
        manifest = read_manifest(run)
        whose = (manifest["district"], named(manifest), manifest["run"])
    except ReportkitError:
        whose = ("", "", "")
    signed = trusted is not None and bool(verdicts[0].holds)
    return Inspected(*whose, tuple(verdicts), signed)


def inspect_all(runs: Sequence[Path], closely: Sequence[bool], asked: Asked) -> Iterator[Inspected]:
    """The verdicts on runs, in their order, as they come."""
    if len(runs) <= _FEW:
        for run, close in zip(runs, closely, strict=True):
            yield inspect(run, asked, closely=close)
        return
    # This process may have threads, so none is forked from it.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processors(), mp_context=context) as pool:
        waiting = [
            pool.submit(inspect, run, asked, closely=close)
            for run, close in zip(runs, closely, strict=True)
        ]
        for future in waiting:
            yield future.result()
