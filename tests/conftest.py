"""Fixtures of all tests."""

import os

import pytest
from hypothesis import settings

# What is expected of commands is written down in English, wherever the tests run.
for name in ("LC_ALL", "LANGUAGE"):
    os.environ.pop(name, None)
os.environ["LC_MESSAGES"] = "C"

# What they assert is told as in tests.
pytest.register_assert_rewrite("batches", "databases", "machine", "offices", "pictures", "sheets")

# A slow machine is no failure. Random tests are the same each time, but in the slow tier.
settings.register_profile("fixed", deadline=None, derandomize=True)
settings.register_profile("random", deadline=None, max_examples=500, print_blob=True)
settings.load_profile("fixed")
SEED = 20080501


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config):
    """Order and seeds of all other random numbers, if no others are asked for."""
    if getattr(config.option, "randomly_seed", None) == "default":
        config.option.randomly_seed = SEED


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport():
    """In CI nothing is skipped: what is not there is a failure."""
    report = yield
    if report.skipped and os.environ.get("CI"):
        report.outcome = "failed"
    return report
