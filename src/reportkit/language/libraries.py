"""Sentences of the system and of libraries that people meet, so that catalogues have them."""

from __future__ import annotations

from reportkit.language.message import template

# Of the system, for what it refuses.
SYSTEM = (
    template("Permission denied"), template("No space left on device"),
    template("Disk quota exceeded"), template("File too large"),
    template("Read-only file system"), template("Too many open files"),
    template("File name too long"), template("No such file or directory"),
    template("Is a directory"), template("Not a directory"), template("File exists"),
    template("Directory not empty"), template("Address already in use"),
    template("Input/output error"), template("Operation not permitted"),
    template("Connection refused"), template("Exec format error"),
)  # fmt: skip

# Names of kinds, as code has them.
KINDS = (
    template("link"), template("device"), template("folder"), template("image"),
    template("footnote"), template("strikethrough"), template("inline_math"),
    template("block_math"), template("number"), template("date"), template("head"),
    template("seal"), template("section"), template("block_html"), template("inline_html"),
    template("sum"), template("median"), template("max"), template("first"), template("last"),
    template("kernel"), template("outputs"), template("place"),
)  # fmt: skip

# Of the csv module.
CSV = (
    template("unexpected end of data"),
    template("field larger than field limit (131072)"),
    template("',' expected after '\"'"),
)

# Of the readers of archives and of parquet files.
FILES = (
    template("File is not a zip file"),
    template("Truncated file header"),
    template(
        "Parquet magic bytes not found in footer. Either the file is corrupted or this is not a "
        "parquet file."
    ),
)

# Of the YAML parser.
YAML = (
    template("could not find expected ':'"),
    template("while scanning a simple key"),
    template("while scanning for the next token"),
    template("while scanning a quoted scalar"),
    template("while scanning a block scalar"),
    template("while parsing a block mapping"),
    template("while parsing a flow mapping"),
    template("while parsing a flow sequence"),
    template("while parsing a block collection"),
    template("while parsing a node"),
    template("while parsing a flow node"),
    template("did not find expected key"),
    template("did not find expected node content"),
    template("did not find expected '-' indicator"),
    template("did not find expected ',' or ']'"),
    template("did not find expected ',' or '}'"),
    template("did not find expected <document start>"),
    template("found character that cannot start any token"),
    template("found unexpected end of stream"),
    template("found unexpected document indicator"),
    template("found undefined tag handle"),
    template("found a tab character that violates indentation"),
    template("found unknown escape character"),
    template("mapping values are not allowed in this context"),
    template("block sequence entries are not allowed in this context"),
    template("control characters are not allowed"),
)

# Of Python's dates.
DATES = (
    template("month must be in 1..12"), template("day is out of range for month"),
    template("year must be in 1..9999"), template("hour must be in 0..23"),
    template("minute must be in 0..59"),
)  # fmt: skip

# Of the parser of dates in parameters.
DAYS = (
    template("month value is outside expected range of 1-12"),
    template("day value is outside expected range"),
    template("invalid character in year"), template("invalid character in month"),
    template("invalid character in day"), template("invalid date separator, expected `-`"),
    template("input is too short"), template("input is too long"),
    template("unexpected extra characters at the end of the input"),
)  # fmt: skip

# Of Jinja, where a text is broken.
JINJA = (template("unexpected end of template, expected 'end of print statement'."),)

# Names of the errors that a cell of a notebook ends with.
ERRORS = (
    template("AssertionError"), template("AttributeError"), template("FileExistsError"),
    template("FileNotFoundError"), template("ImportError"), template("IndentationError"),
    template("IndexError"), template("IsADirectoryError"), template("KeyError"),
    template("KeyboardInterrupt"), template("MemoryError"), template("MergeError"),
    template("ModuleNotFoundError"), template("NameError"), template("NotImplementedError"),
    template("OSError"), template("OverflowError"), template("ParserError"),
    template("PermissionError"), template("RecursionError"), template("RuntimeError"),
    template("SyntaxError"), template("SystemExit"), template("TimeoutError"),
    template("TypeError"), template("UnboundLocalError"), template("UndefinedVariableError"),
    template("UnicodeDecodeError"), template("UnicodeEncodeError"), template("ValueError"),
    template("ZeroDivisionError"), template("InputError"), template("ExecutionError"),
    template("ExportError"),
)  # fmt: skip

# Of pydantic, by the kind of the error.
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
