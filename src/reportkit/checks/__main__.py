"""Print the reference page of the rules (``make rules``)."""

from reportkit.checks.rules import rules_page

print(rules_page(), end="")  # noqa: T201 - printing is its task
