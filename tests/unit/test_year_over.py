"""A report of a year that is not over is a draft or nothing."""

from datetime import UTC, datetime

import pytest

from reportkit.errors import InputError
from reportkit.run.request import Request
from reportkit.run.run import run


@pytest.mark.parametrize(
    ("now", "draft", "reason"),
    [
        (datetime(2020, 12, 31, 15, 59, tzinfo=UTC), False, "year-not-over"),
        (datetime(2020, 12, 31, 15, 59, tzinfo=UTC), True, "district-unknown"),
        (datetime(2020, 12, 31, 16, 0, tzinfo=UTC), False, "district-unknown"),  # 2021 in China
        (datetime(2019, 5, 1, tzinfo=UTC), False, "year-not-over"),
    ],
)
def test_a_year_that_is_not_over_is_refused(now, draft, reason, tmp_path):
    request = Request("nowhere", 2020, out=tmp_path, draft=draft)
    with pytest.raises(InputError) as caught:
        run(request, now=lambda: now)
    assert (caught.value.reason, caught.value.exit_status) == (reason, 2)
