import pickle

import pytest

from reportkit.errors import InputError
from reportkit.params import District, Project
from reportkit.yamlfile import read_prose, read_yaml

DISTRICT = "id: a1\ncode: 007\nname: no\n"


@pytest.fixture
def project(tmp_path):
    for folder in ("districts", "reports/a1", "facts"):
        (tmp_path / "params" / folder).mkdir(parents=True)
    (tmp_path / "params/districts/a1.yaml").write_text(DISTRICT, encoding="utf-8")
    return Project(tmp_path / "params", tmp_path / "data")


def put(project, name, text):
    (project.params / name).write_text(text, encoding="utf-8")


def test_values_keep_their_written_form(project):
    district = project.district("a1")
    assert (district.code, district.name) == ("007", "no")


def test_an_unknown_key_names_its_line_and_the_nearest_known(project):
    put(project, "districts/a1.yaml", DISTRICT + "isuer: x\n")
    with pytest.raises(InputError, match=r"a1\.yaml:4: unknown key 'isuer'; did you mean 'issuer'"):
        project.district("a1")


def test_an_unknown_key_further_in_is_found_too(project):
    put(project, "districts/a1.yaml", DISTRICT + "contact:\n  fone: 1\n")
    with pytest.raises(InputError, match=r"a1\.yaml:5: .*'contact\.fone'; did you mean 'phone'"):
        project.district("a1")


def test_all_problems_are_reported_at_once(project):
    put(project, "reports/a1/2020.yaml", "year: zwanzig\ndated: 2021-02-30\n")
    with pytest.raises(InputError) as error:
        project.report(project.district("a1"), 2020)
    assert "2020.yaml:1" in str(error.value)
    assert "2020.yaml:2" in str(error.value)


def test_an_unknown_district_names_the_nearest(project):
    with pytest.raises(InputError, match="a1") as error:
        project.district("a11")
    assert error.value.reason == "district-unknown"
    with pytest.raises(InputError, match=r"no district is called '\.\./区'") as error:
        project.district("../区")
    assert error.value.reason == "district-unknown"


@pytest.mark.parametrize("name", ["../a1", "A1", "a/b", "", "a" * 65, "-rf", ".."])
def test_an_id_that_is_no_file_name_is_refused(name, project):
    with pytest.raises(InputError) as error:
        project.district(name)
    assert error.value.reason == "id"


def test_a_file_for_another_year_is_refused(project):
    put(project, "reports/a1/2020.yaml", "year: 2019\n")
    with pytest.raises(InputError, match="the file is for 2020"):
        project.report(project.district("a1"), 2020)


def test_a_key_given_twice_is_refused(project):
    put(project, "districts/a1.yaml", DISTRICT + "name: other\n")
    with pytest.raises(InputError, match=r"a1\.yaml:4: key 'name' is given twice"):
        project.district("a1")


DECLARED = "year: 2020\ndeclared:\n  - {id: a.b, label: 某数, value: %s}\n"


@pytest.mark.parametrize(
    ("entry", "missing"),
    [
        ("3", "source, stated_by, stated_on"),
        ("3, source: 公报, stated_by: 某科", "stated_on"),
        ("3, source: 公报, stated_on: 2021-01-05", "stated_by"),
    ],
)
def test_a_declared_figure_says_where_it_is_from(entry, missing, project):
    put(project, "reports/a1/2020.yaml", DECLARED % entry)
    with pytest.raises(InputError, match=rf"2020\.yaml:3: .*'a\.b'.*without {missing}:"):
        project.report(project.district("a1"), 2020)


def test_a_declared_figure_may_be_left_to_do(project):
    put(project, "reports/a1/2020.yaml", DECLARED % "")
    (fact,) = project.report(project.district("a1"), 2020).declared
    assert fact.value is None
    assert fact.place.endswith("2020.yaml:3")


def test_a_project_is_found_from_a_folder_inside_it(project, monkeypatch):
    inside = project.params.parent / "notebooks"
    inside.mkdir()
    monkeypatch.chdir(inside)
    assert Project.find().params.resolve() == project.params.resolve()


def test_errors_cross_process_borders_whole():
    error = InputError("reason", "message", file="x", line=3)
    copy = pickle.loads(pickle.dumps(error))
    assert (copy.reason, copy.fields, str(copy)) == (error.reason, error.fields, str(error))


LAUGHS = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{n + 1}: &a{n + 1} [{', '.join([f'*a{n}'] * 9)}]\n" for n in range(20)
)


@pytest.mark.parametrize(
    ("text", "line", "expected"),
    [
        ("a: 1\nb: " + "[" * 5_000, 2, "more than 50 levels"),
        ("a: 1\nb: " + "[" * 500_000, 2, "more than 50 levels"),
        ("- " * 100_000 + "a", 1, "more than 50 levels"),
        ("{a: " * 3_000, 1, "more than 50 levels"),
        (LAUGHS, 4, "aliases repeat more than the file holds"),
        ("a: &a [*a]", 1, "stands for nothing before it"),
        ("? [a]\n: b", 1, "a key must be plain text"),
        ("a: 1\n---\nb: 2", 2, "a second document"),
    ],
    ids=["flow", "very deep", "block", "mappings", "laughs", "itself", "list as key", "two"],
)
def test_yaml_without_bounds_is_refused_with_its_line(tmp_path, text, line, expected):
    (tmp_path / "x.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=rf"x\.yaml:{line}: .*{expected}") as error:
        read_yaml(tmp_path / "x.yaml")
    assert (error.value.reason, len(error.value.message) < 500) == ("yaml", True)


def test_an_alias_is_its_value_with_its_lines(tmp_path):
    (tmp_path / "x.yaml").write_text("a: &a\n  b: 007\nc: *a\n", encoding="utf-8")
    file = read_yaml(tmp_path / "x.yaml")
    assert file.data == {"a": {"b": "007"}, "c": {"b": "007"}}
    assert file.lines == {(): 1, ("a",): 1, ("a", "b"): 2, ("c",): 3, ("c", "b"): 2}


@pytest.mark.parametrize("value", ["1E+999999999", "0E-999999999", "9" * 21, "-1e21"])
def test_a_number_that_no_report_can_print_is_refused(project, value):
    entry = f"{value}, source: x, stated_by: y, stated_on: 2021-01-05"
    put(project, "reports/a1/2020.yaml", DECLARED % entry)
    with pytest.raises(InputError, match=r"2020\.yaml:3: .*at most 20 digits"):
        project.report(project.district("a1"), 2020)


@pytest.mark.parametrize("value", ["nan", "Infinity", "-inf"])
def test_a_number_that_is_none_is_refused(project, value):
    entry = f"{value}, source: x, stated_by: y, stated_on: 2021-01-05"
    put(project, "reports/a1/2020.yaml", DECLARED % entry)
    with pytest.raises(InputError, match=r"2020\.yaml:3: .*a number is finite"):
        project.report(project.district("a1"), 2020)


def test_prose_of_other_editors(tmp_path):
    path = tmp_path / "2020.md"
    path.write_bytes("\ufeff# 序言\r\n本报告\r\n".encode())
    assert read_prose(path) == "# 序言\n本报告\n"
    path.write_bytes("# a\n序言".encode("gb18030"))
    with pytest.raises(InputError, match=r"2020\.md:2 is not UTF-8") as error:
        read_prose(path)
    assert error.value.reason == "encoding"


def test_text_that_is_no_yaml_is_refused_with_its_line(tmp_path):
    (tmp_path / "x.yaml").write_text("a: [1\nb: 2\n", encoding="utf-8")
    with pytest.raises(InputError) as error:
        read_yaml(tmp_path / "x.yaml").validate(District)
    assert error.value.reason == "yaml"
    assert error.value.fields["line"]


def test_a_district_reports_by_its_usual_form_and_others(project):
    put(project, "districts/a1.yaml", DISTRICT + "form: xzzf\nforms: [zfxxgk]\n")
    usual, other, again = (project.district("a1", form) for form in (None, "zfxxgk", "xzzf"))
    assert [one.report_name(2020) for one in (usual, other, again)] == [
        "2020",
        "2020-zfxxgk",
        "2020",
    ]
    assert [one.other_form for one in (usual, other, again)] == [None, "zfxxgk", None]
    assert other.all_forms == ("xzzf", "zfxxgk")
    assert project.report_file(other, 2020, "md").name == "2020-zfxxgk.md"
    assert project.place(other, 2020) == project.out / "a1/2020-zfxxgk"
    assert other.by(None).report_name(2020) == "2020"


@pytest.mark.parametrize(
    ("text", "line"), [("forms: [xzfz]\n", 4), ("forms:\n  - xzzf\n  - ../x\n", 6)]
)
def test_a_further_form_that_there_is_not_is_refused(project, text, line):
    put(project, "districts/a1.yaml", DISTRICT + text)
    with pytest.raises(
        InputError, match=rf"a1\.yaml:{line}: there is no form '.*'; there are"
    ) as error:
        project.district("a1")
    assert error.value.reason == "form"


def test_members_report_by_the_form_of_their_parent(project):
    put(project, "districts/b.yaml", "id: b\nname: 乙\nform: xzzf-zhejiang\nforms: [zfxxgk]\n")
    put(project, "districts/c.yaml", "id: c\nname: 丙\n")
    parent = {form: project.district("a1", form) for form in ("zfxxgk", "xzzf")}
    names = [
        [project.member(name, parent[form]).report_name(2020) for name in ("b", "c")]
        for form in ("zfxxgk", "xzzf")
    ]
    # Zhejiang's is a variant of the same form; who has none of the kind is asked for the parent's.
    assert names == [["2020-zfxxgk", "2020"], ["2020", "2020-xzzf"]]
