import pickle

import pytest

from reportkit.errors import InputError
from reportkit.params import District, Project
from reportkit.yamlfile import read_yaml

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


def test_all_problems_are_told_at_once(project):
    put(project, "reports/a1/2020.yaml", "year: zwanzig\ndated: 2021-02-30\n")
    with pytest.raises(InputError) as error:
        project.report("a1", 2020)
    assert "2020.yaml:1" in str(error.value)
    assert "2020.yaml:2" in str(error.value)


def test_an_unknown_district_names_the_nearest(project):
    with pytest.raises(InputError, match="a1") as error:
        project.district("a11")
    assert error.value.reason == "district-unknown"


@pytest.mark.parametrize("name", ["../a1", "A1", "a/b", "", "区", "a" * 65, "-rf", ".."])
def test_an_id_that_is_no_file_name_is_refused(name, project):
    with pytest.raises(InputError) as error:
        project.district(name)
    assert error.value.reason == "id"


def test_a_file_for_another_year_is_refused(project):
    put(project, "reports/a1/2020.yaml", "year: 2019\n")
    with pytest.raises(InputError, match="the file is for 2020"):
        project.report("a1", 2020)


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
        project.report("a1", 2020)


def test_a_declared_figure_may_be_left_to_do(project):
    put(project, "reports/a1/2020.yaml", DECLARED % "")
    (fact,) = project.report("a1", 2020).declared
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


def test_text_that_is_no_yaml_is_refused_with_its_line(tmp_path):
    (tmp_path / "x.yaml").write_text("a: [1\nb: 2\n", encoding="utf-8")
    with pytest.raises(InputError) as error:
        read_yaml(tmp_path / "x.yaml").validate(District)
    assert error.value.reason == "yaml"
    assert error.value.fields["line"]
