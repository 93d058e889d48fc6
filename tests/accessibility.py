"""Violations of rules of accessibility that axe-core finds in a page."""

from axe_playwright_python.sync_playwright import Axe

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


def violations(page, **options):
    """Rules that do not hold, each with the elements that it does not hold for."""
    # Names for the elements of all other results take longer than the rules.
    options |= {"runOnly": RULES, "resultTypes": ["violations"]}
    found = Axe().run(page, options=options).response["violations"]
    return [(one["id"], [node["html"] for node in one["nodes"]]) for one in found]
