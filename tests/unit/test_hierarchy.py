"""Parents and members: who sums up whom, and files that name it wrongly."""

import pytest

from reportkit.errors import InputError
from reportkit.params import Project


def project(folder, **parents):
    """District files, each with the text of its parent; None for no such key."""
    (folder / "params/districts").mkdir(parents=True)
    for name, parent in parents.items():
        text = f"id: {name}\nname: 某地\n" + ("" if parent is None else f"parent: {parent}\n")
        (folder / f"params/districts/{name}.yaml").write_text(text, encoding="utf-8")
    return Project(folder / "params", folder / "data")


def refused(folder, asked, **parents):
    with pytest.raises(InputError) as caught:
        project(folder, **parents).hierarchy().members_to_sum(asked)
    assert caught.value.reason == "hierarchy"
    return caught.value.message.replace(f"{folder}/params/districts/", "")


def test_members_are_those_that_name_the_parent(tmp_path):
    places = project(tmp_path, city=None, b="city", a="city", unit="a", other=None)
    assert places.hierarchy().members_to_sum("city") == ("a", "b")
    assert places.hierarchy().members_to_sum("a") == ("unit",)


def test_a_parent_that_nobody_names_has_nothing_to_add(tmp_path):
    assert "has 'parent: city'" in refused(tmp_path, "city", city=None, a=None)


def test_an_unknown_parent_is_reported_with_the_nearest(tmp_path):
    result = refused(tmp_path, "city", city=None, a="city", b="ctiy")
    assert result == (
        "b.yaml:3: 'parent' of b is 'ctiy', which no file of this folder is; known: city"
    )


@pytest.mark.parametrize(
    ("parents", "circle"),
    [
        ({"city": "a", "a": "city"}, "city → a → city"),
        ({"city": "city"}, "city → city"),
        ({"city": "p", "p": "c", "c": "p", "a": "city"}, "p → c → p"),
    ],
)
def test_a_circle_is_reported_with_its_line(tmp_path, parents, circle):
    result = refused(tmp_path, "city", **parents)
    assert result.endswith(f".yaml:3: 'parent' makes a circle: {circle}")


def test_a_circle_elsewhere_stops_nobody(tmp_path):
    places = project(tmp_path, city=None, a="city", x="y", y="x")
    assert places.hierarchy().members_to_sum("city") == ("a",)


@pytest.mark.parametrize("two", ["[city, province]", "{city: 1}"])
def test_two_parents_would_count_twice(tmp_path, two):
    result = refused(tmp_path, "city", city=None, province=None, a=two)
    assert result.startswith("a.yaml:3: 'parent' of a must be one id: a report is summed up once")


def test_a_member_that_cannot_be_read_is_still_one(tmp_path):
    places = project(tmp_path, city=None, a="city")
    broken = tmp_path / "params/districts/b.yaml"
    broken.write_text("id: b\nparent: city\nname: [\n", encoding="utf-8")
    assert places.hierarchy().members_to_sum("city") == ("a", "b")


def test_the_part_around_a_district_says_the_same_of_it(tmp_path):
    places = project(tmp_path, land=None, city="land", a="city", b="city", unit="a", other="land")
    whole = places.hierarchy()
    part = whole.around("city")
    assert sorted(part.above) == ["a", "b", "city", "unit"]
    assert part.members_to_sum("city") == whole.members_to_sum("city") == ("a", "b")
    assert part.members("a") == ("unit",)
    assert whole.around("unit").above == {"unit": "a", "a": "city", "city": "land"}
