import pytest
from hypothesis import given
from hypothesis import strategies as st

from reportkit.errors import InputError
from reportkit.ledgers import privacy
from reportkit.ledgers.privacy import KEY_VARIABLE, Pseudonyms, find, hide


def id_card(digits="11010119900307123"):
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    total = sum(int(d) * w for d, w in zip(digits, weights, strict=True))
    return digits + "10X98765432"[total % 11]


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        (f"身份证{id_card()}，请查", "身份证〔证件号码〕，请查"),
        ("电话13812345678。", "电话〔手机号码〕。"),
        ("电话138-1234-5678或+86 13912345678", "电话〔手机号码〕或〔手机号码〕"),
        ("发到 a.b+c@mail.example.cn 即可", "发到 〔电子邮箱〕 即可"),
    ],
)
def test_personal_data_in_free_text_is_hidden(text, hidden):
    assert hide(text) == hidden


@pytest.mark.parametrize(
    "text",
    [
        "厦湖府〔2021〕1号", "0592-5722601", "24161987.13元", "索引号XM02100-0101-2019-00001",
        "913502000000000000", "sha256 13812345678abcdef", "20200819", "110101199013071230",
        "统计 12.13812345678", "1381234567", "138123456789",
    ],
)  # fmt: skip
def test_what_is_no_personal_data_stays(text):
    assert hide(text) == text


@given(st.text())
def test_hiding_twice_changes_nothing(text):
    assert hide(hide(text)) == hide(text)


@given(st.from_regex(r"\A1[3-9][0-9]{9}\Z"), st.sampled_from("，。 （、"))
def test_every_mobile_number_is_found(number, mark):
    assert [one.kind for one in find(f"手机{mark}{number}{mark}")] == ["手机号码"]


def everywhere(text):
    """The patterns tried from every place."""
    cards = (one for one in privacy._ID_CARD.finditer(text) if privacy._is_id(one[0]))
    found = [("证件号码", *one.span()) for one in cards]
    found += [("手机号码", *one.span()) for one in privacy._MOBILE.finditer(text)]
    return found + [("电子邮箱", *one.span()) for one in privacy._EMAIL.finditer(text)]


PIECES = st.sampled_from(
    [
        "13812345678", "138-1234-5678", "+86 ", "86", "86-", "139 1234 5678", "19", "1", "9", "0",
        id_card(), id_card()[:17], "X", "x", "a.b@mail.cn", "@", "a@b", ".cn", "." * 3, "w" * 63,
        "电话", "，", " ", "\n", "-", "/", "=", "1391", "20200819", "５",
    ]
)  # fmt: skip


@given(st.lists(PIECES, max_size=8).map("".join) | st.text("0139 -+86Xa@.中", max_size=60))
def test_looking_where_the_shape_allows_finds_what_looking_everywhere_does(text):
    found = [(one.kind, one.start, one.end) for one in find(text)]
    assert found == sorted(everywhere(text), key=lambda one: one[1])


def test_pseudonyms_are_stable_under_one_key_and_tell_nothing():
    first, other = Pseudonyms(b"k" * 32), Pseudonyms(b"l" * 32)
    assert first("申请人", "张三") == first("申请人", "张三")
    assert first("申请人", "张三") != other("申请人", "张三")
    assert first("申请人", "张三") != first("联系人", "张三")
    assert "张三" not in first("申请人", "张三")


def test_the_key_comes_from_a_file_that_only_its_owner_reads(tmp_path, monkeypatch):
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
