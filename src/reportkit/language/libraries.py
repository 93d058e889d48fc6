"""Sentences of pydantic about parameters that are wrong, to be translated."""

from __future__ import annotations

from reportkit.language.message import template

# By the kind of the error.
PYDANTIC = {
    "assertion_error": template("Assertion failed, {error}"),
    "bool_parsing": template("Input should be a valid boolean, unable to interpret input"),
    "bool_type": template("Input should be a valid boolean"),
    "date_from_datetime_parsing": template("Input should be a valid date or datetime, {error}"),
    "date_parsing": template("Input should be a valid date in the format YYYY-MM-DD, {error}"),
    "date_type": template("Input should be a valid date"),
    "decimal_parsing": template("Input should be a valid decimal"),
    "decimal_type": template("Decimal input should be an integer, float, string or Decimal object"),
    "dict_type": template("Input should be a valid dictionary"),
    "extra_forbidden": template("Extra inputs are not permitted"),
    "float_parsing": template("Input should be a valid number, unable to parse string as a number"),
    "float_type": template("Input should be a valid number"),
    "greater_than": template("Input should be greater than {gt}"),
    "greater_than_equal": template("Input should be greater than or equal to {ge}"),
    "int_parsing": template(
        "Input should be a valid integer, unable to parse string as an integer"
    ),
    "int_type": template("Input should be a valid integer"),
    "less_than": template("Input should be less than {lt}"),
    "less_than_equal": template("Input should be less than or equal to {le}"),
    "list_type": template("Input should be a valid list"),
    "literal_error": template("Input should be {expected}"),
    "model_type": template("Input should be a valid dictionary or instance of {class_name}"),
    "string_pattern_mismatch": template("String should match pattern '{pattern}'"),
    "string_too_long": template("String should have at most {max_length} characters"),
    "string_too_short": template("String should have at least {min_length} character"),
    "string_type": template("Input should be a valid string"),
    "too_short": template(
        "{field_type} should have at least {min_length} item after validation, not {actual_length}"
    ),
    "tuple_type": template("Input should be a valid tuple"),
    "value_error": template("Value error, {error}"),
}
