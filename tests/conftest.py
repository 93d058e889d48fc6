"""What all tests share."""

import os

import pytest
from hypothesis import settings

# What they assert is told as in tests.
pytest.register_assert_rewrite("batches", "databases", "offices", "pictures", "sheets")

# A slow machine is no failure; in CI the examples are the same each time.
settings.register_profile("default", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "default")
