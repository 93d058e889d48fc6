"""Parameters as Chinese keyboards write them: names for ids, full-width colons, tabs."""

import pytest

import reportkit
from reportkit.errors import InputError
from reportkit.params import District, Project
from reportkit.scaffold.project import begin
from reportkit.yamlfile import read_yaml


@pytest.mark.parametrize(
    ("text", "line", "expected"),
    [
        ("id: a\nname：临海区\nx: 1\n", 2, "the colon after 'name' is a full-width one"),
        ("id：a\n", 1, "the colon after 'id' is a full-width one"),
        ("m:\n  applications：\n    c: 1\n", 2, "the colon after 'applications'"),
        ("v: {办理结果: {已公开：予以公开}}\n", 1, "the colon after '已公开'"),
        ("a:\n\tb: 1\n", 2, "a tab stands before the text"),
        ("a: 1\n  \t- b: : 2\n", 2, "a tab stands before the text"),
    ],
)
def test_slips_of_a_chinese_keyboard_are_reported(tmp_path, text, line, expected):
    (tmp_path / "a.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=expected) as refused:
        read_yaml(tmp_path / "a.yaml")
    assert refused.value.fields["line"] == line


@pytest.mark.parametrize(
    ("text", "line", "expected"),
    [
        ("id: a\nname: b\n　code: 1\n", 3, "a full-width blank stands before the text"),
        ("id: a\nname: b\ncontact:\n  phone：1\n", 3, "the colon after 'phone' is a full-width"),
        ("id:a\n", 1, "a blank is missing after the colon of 'id'"),
    ],
)
def test_slips_that_can_still_be_read_are_reported(tmp_path, text, line, expected):
    (tmp_path / "a.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=f"a.yaml:{line}: {expected}"):
        read_yaml(tmp_path / "a.yaml").validate(District)


def test_full_width_colons_in_values_are_left_alone(tmp_path):
    text = 'a: 甲：乙\nb: "丙：丁"\n"戊：己":\nc: [庚：辛]\n'
    (tmp_path / "a.yaml").write_text(text, encoding="utf-8")
    data = read_yaml(tmp_path / "a.yaml").data
    assert data == {"a": "甲：乙", "b": "丙：丁", "戊：己": None, "c": ["庚：辛"]}


def test_a_district_is_found_by_its_chinese_name(tmp_path):
    (tmp_path / "districts").mkdir()
    for name, called in (("a1", "临海市甲区"), ("b2", "临海市乙区"), ("c3", "临海市乙区")):
        (tmp_path / f"districts/{name}.yaml").write_text(f"id: {name}\nname: {called}\n", "utf-8")
    (tmp_path / "districts/broken.yaml").write_text("id: [", "utf-8")
    project = Project(tmp_path, tmp_path)
    asked = ("a1", "临海市甲区", "甲区", "Nowhere")
    assert [project.district_id(name) for name in asked] == ["a1", "a1", "a1", "Nowhere"]
    with pytest.raises(InputError, match="several districts are called '乙区': b2, c3"):
        project.district_id("乙区")
    with pytest.raises(InputError, match="no district is called '临海市丙区'; nearest: 临海市甲区"):
        project.district_id("临海市丙区")


def test_notebooks_take_the_chinese_name_of_a_district(tmp_path):
    begin(tmp_path, "linhai", 2023, name="临海区").write()
    places = {"params": tmp_path / "params", "data": tmp_path / "data"}
    assert reportkit.open_report("临海区", 2023, **places).district.id == "linhai"
    assert reportkit.open_years("临海区", [2023], **places).district.id == "linhai"
    with pytest.raises(InputError, match="parent: linhai"):
        reportkit.open_rollup("临海区", 2023, **places)
    with pytest.raises(InputError, match="no district is called '海临区'; nearest: 临海区"):
        reportkit.open_report("海临区", 2023, **places)
