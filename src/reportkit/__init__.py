"""reportkit: reproducible annual reports on open government information, number by number.

The notebook reads like the report::

    report = rk.open_report("huli", 2020)
    report.section("一")
    report.table(3)
    report.seal()
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from reportkit.errors import InputError, ReportkitError
    from reportkit.facts import Fact
    from reportkit.ledgers import read_ledgers
    from reportkit.notebook.charts import chart
    from reportkit.notebook.districts import open_districts
    from reportkit.notebook.report import Report, open_report, open_rollup
    from reportkit.notebook.years import open_years
    from reportkit.proof.auditing import open_run

__all__ = [
    "Fact",
    "InputError",
    "Report",
    "ReportkitError",
    "__version__",
    "chart",
    "open_districts",
    "open_report",
    "open_rollup",
    "open_run",
    "open_years",
    "read_ledgers",
]
__version__ = "0.2.0"

_HOMES = {
    "Fact": "facts",
    "InputError": "errors",
    "Report": "notebook.report",
    "ReportkitError": "errors",
    "chart": "notebook.charts",
    "open_districts": "notebook.districts",
    "open_report": "notebook.report",
    "open_rollup": "notebook.report",
    "open_run": "proof.auditing",
    "open_years": "notebook.years",
    "read_ledgers": "ledgers",
}


def __getattr__(name: str) -> Any:
    # Lazily, so that `reportkit --help` does not wait for pandas.
    if name not in _HOMES:
        message = f"module 'reportkit' has no attribute '{name}'"
        if name == "show_chart":
            message += "; it is report.chart(…) now, and without a report reportkit.chart(…)"
        raise AttributeError(message)
    return getattr(import_module(f"reportkit.{_HOMES[name]}"), name)
