"""Parameters of a district and of one report: typed, and unknown keys are refused."""

from reportkit.params.district import District, Level, Scope
from reportkit.params.naming import check_id, parse_report_name, report_name
from reportkit.params.project import FONTS, Project
from reportkit.params.report import (
    FACT_ID,
    Correction,
    Declared,
    FactId,
    Relation,
    ReportParams,
    StatedShare,
    Waiver,
)

__all__ = [
    "FACT_ID",
    "FONTS",
    "Correction",
    "Declared",
    "District",
    "FactId",
    "Level",
    "Project",
    "Relation",
    "ReportParams",
    "Scope",
    "StatedShare",
    "Waiver",
    "check_id",
    "parse_report_name",
    "report_name",
]
