"""Checks: the rules for a report, and how they are applied to it."""

from reportkit.checks.across import (
    continuity_checks,
    member_checks,
    past_checks,
    plausibility_checks,
    published_checks,
    share_checks,
)
from reportkit.checks.form import form_checks
from reportkit.checks.naming import refuse_broken
from reportkit.checks.notices import notice_checks
from reportkit.checks.records import doubt_checks, intake_checks, limit_checks, year_check
from reportkit.checks.restated import restatement_checks
from reportkit.checks.rules import Check, Waived, check, english_titles, rules_of, texts_of
from reportkit.checks.text import coverage_checks, relation_checks
from reportkit.checks.waivers import accept, meant_later, waiver_yaml

__all__ = [
    "Check",
    "Waived",
    "accept",
    "check",
    "continuity_checks",
    "coverage_checks",
    "doubt_checks",
    "english_titles",
    "form_checks",
    "intake_checks",
    "limit_checks",
    "meant_later",
    "member_checks",
    "notice_checks",
    "past_checks",
    "plausibility_checks",
    "published_checks",
    "refuse_broken",
    "relation_checks",
    "restatement_checks",
    "rules_of",
    "share_checks",
    "texts_of",
    "waiver_yaml",
    "year_check",
]
