"""Files that are written whole or not at all."""

import pytest

from reportkit.export.files import HALVES, write_whole


@pytest.mark.parametrize("flushed", [False, True])
def test_a_file_is_replaced_and_nothing_else_is_left(tmp_path, flushed):
    path = tmp_path / "new" / "page.html"
    write_whole(path, b"one", flushed=flushed)
    write_whole(path, b"two", scratch=tmp_path, flushed=flushed)
    assert path.read_bytes() == b"two"
    assert [one.name for one in tmp_path.rglob("*")] == ["new", "page.html"]


def test_a_file_that_cannot_be_put_there_leaves_no_half(tmp_path):
    (tmp_path / "page.html").mkdir()
    with pytest.raises(IsADirectoryError):
        write_whole(tmp_path / "page.html", b"one")
    assert not list(tmp_path.rglob(HALVES))
