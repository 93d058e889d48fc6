"""Options of a batch: those of the command line over those of the batch file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from reportkit.batch.jobs import Settings
from reportkit.batch.matrix import BatchFile, parse_years, read_batch_file
from reportkit.errors import InputError
from reportkit.warm.limits import free_memory, processors

if TYPE_CHECKING:
    from reportkit.batch.loop import FailOn
    from reportkit.params import Project

# Bytes of a report's process with all of pandas in it, and room to work.
_ROOM = 1 << 30


@dataclass(frozen=True)
class Options:
    """Options of the command line; they take precedence over the batch file.

    Parameters
    ----------
    command : tuple of str
        The command as it was given, to be given again.
    language : {"en", "zh"}
        Of messages.
    """

    file: Path | None = None
    params: Path | None = None
    data: Path | None = None
    districts: str | None = None
    years: str | None = None
    form: str | None = None
    scope: Any = None
    jobs: int | None = None
    retries: int | None = None
    timeout: float | None = None
    force: bool = False
    failed: bool = False
    strict: bool = False
    fail_on: FailOn = "error"
    cold: bool = False
    dry_run: bool = False
    explain_cache: bool = False
    scheduler: str | None = None
    store: str | None = None
    notify: str | None = None
    metrics: Path | None = None
    command: tuple[str, ...] = ("reportkit", "batch")
    language: Literal["en", "zh"] = "en"

    def batch_file(self, project: Project) -> BatchFile:
        """The batch file with the options put over it.

        Raises
        ------
        InputError
            ``batch``, ``parameters``, ``district-unknown``.
        """
        path = self.file or project.params / "batch.yaml"
        if self.file and not path.is_file():
            raise InputError("batch", "there is no batch file {path}", path=path)
        file = read_batch_file(path) if path.is_file() else BatchFile()
        try:
            years = self.years and parse_years(self.years)
        except ValueError as error:
            raise InputError("batch", "--years: {error}", error=error) from None
        districts = self.districts and self.districts.split(",")
        given = {
            "years": years,
            "scope": self.scope,
            "jobs": self.jobs,
            "retries": self.retries,
            "timeout": self.timeout,
            "districts": districts and tuple(map(project.district_id, districts)),
            "form": self.form and tuple(self.form.split(",")),
        }
        return file.model_copy(update={name: v for name, v in given.items() if v is not None})

    def settings(self, project: Project, file: BatchFile) -> Settings:
        """Settings that all reports of the batch are made with."""
        fair_share = max(2 * _ROOM, free_memory() // jobs_of(file))
        return Settings(
            self.params,
            self.data,
            project.out,
            Path.cwd(),
            scope=file.scope,
            force=self.force,
            warm=not self.cold,
            timeout=file.timeout,
            memory=file.memory << 20 if file.memory else fair_share,
        )


def jobs_of(file: BatchFile) -> int:
    """Number of jobs at once: the file's, else as many as there are processors and memory for."""
    return file.jobs or max(1, min(processors(), free_memory() // _ROOM))
