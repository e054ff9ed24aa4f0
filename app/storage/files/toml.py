"""The writer of TOML, which the standard library only reads."""

import json
import math
from collections.abc import Mapping
from datetime import date, time


def dump(table: Mapping[str, object]) -> str:
    """Return a table as TOML, one key a line, tables within it inline.

    It holds what `tomllib` reads: text, numbers, booleans, times, lists and tables.
    """
    return "".join(f"{_text(name)} = {_value(value)}\n" for name, value in table.items())


def _value(value: object) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return _text(value)
        case int():
            return str(value)
        case float():
            return repr(value) if math.isfinite(value) else str(value)
        case date() | time():
            return value.isoformat()
        case list():
            return f"[{', '.join(_value(each) for each in value)}]"
        case dict():
            pairs = (f"{_text(name)} = {_value(each)}" for name, each in value.items())
            return f"{{{', '.join(pairs)}}}"
    raise TypeError(f"{type(value).__name__} has no place in TOML")


def _text(text: str) -> str:
    # A TOML string is a JSON string, but for DEL, which JSON leaves as it is.
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
