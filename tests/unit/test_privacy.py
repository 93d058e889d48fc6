import pytest

from reportkit.errors import InputError
from reportkit.ledgers.privacy import KEY_VARIABLE, Pseudonyms


def test_pseudonyms_are_stable_under_one_key_and_tell_nothing():
    first, other = Pseudonyms(b"k" * 32), Pseudonyms(b"l" * 32)
    assert first("申请人", "张三") == first("申请人", "张三")
    assert first("申请人", "张三") != other("申请人", "张三")
    assert first("申请人", "张三") != first("联系人", "张三")
    assert "张三" not in first("申请人", "张三")


def test_the_key_file_is_readable_by_its_owner_only(tmp_path, monkeypatch):
    path = tmp_path / "key"
    path.write_bytes(b"x" * 32)
    path.chmod(0o600)
    monkeypatch.setenv(KEY_VARIABLE, str(path))
    assert Pseudonyms.from_environment() == Pseudonyms(b"x" * 32)
    path.chmod(0o644)
    with pytest.raises(InputError, match="0600"):
        Pseudonyms.from_environment()
    monkeypatch.setenv(KEY_VARIABLE, str(tmp_path / "none"))
    with pytest.raises(InputError, match="cannot be read"):
        Pseudonyms.from_environment()


def test_without_a_key_one_is_drawn_for_the_session(monkeypatch):
    monkeypatch.delenv(KEY_VARIABLE, raising=False)
    first, second = Pseudonyms.from_environment(), Pseudonyms.from_environment()
    assert first.of_session
    assert first.key != second.key
