"""A parent's report as the sum of its members' reports."""
