"""Persons in a text: their numbers in the forms in which people write them, and their names."""

from reportkit.persons.finding import OUT, find, hide, suspect, without_persons
from reportkit.persons.names import is_named, name_of_two
from reportkit.persons.plain import plain_text

__all__ = [
    "OUT",
    "find",
    "hide",
    "is_named",
    "name_of_two",
    "plain_text",
    "suspect",
    "without_persons",
]
