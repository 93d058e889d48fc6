"""JSON of received runs: what it says, it says once."""

import json

import pytest

from reportkit.errors import ReportkitError
from reportkit.proof.plainjson import parse_json


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"value": "76", "value": "999"}', "the key 'value' stands twice"),
        ('[{"a": {"b": 1, "c": 2, "b": 1}}]', "the key 'b' stands twice"),
        (r'{"a": 1, "\u0061": 2}', "the key 'a' stands twice"),
        ('{"value": NaN}', "NaN is no number"),
        ("[-Infinity]", "-Infinity is no number"),
        pytest.param("[" * 51 + "]" * 51, "nested more than 50 deep", id="51 deep"),
        pytest.param('{"a":' * 10**5 + "1" + "}" * 10**5, "nested more than 50", id="objects"),
        pytest.param("[" * 10**5, "nested more than 50 deep", id="lists without end"),
        pytest.param("[1" + "0" * 5000 + "]", "is no JSON", id="a number of 5001 digits"),
        ("{'a': 1}", "is no JSON"),
        (b"\xff", "is no JSON"),
        ("", "is no JSON"),
    ],
)
def test_json_with_two_meanings_or_none_is_refused(text, expected):
    with pytest.raises(ReportkitError, match=expected):
        parse_json(text, "facts.json")


def test_json_as_we_write_it_is_read():
    value = {"a": [{"b": None, "c": -1.5}, {"b": "湖里", "c": True}], "d": {}}
    assert parse_json(json.dumps(value), "x") == value
    assert parse_json("[" * 50 + "]" * 50, "x")
