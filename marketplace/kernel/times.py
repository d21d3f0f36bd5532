"""Times from outside that every later calculation can bear.

A time at an end of the calendar is valid RFC 3339, but in another zone, or an auction's duration
later, it is none. One without a zone is another moment on every machine. Both are refused when they
are typed, by every call alike: fields whose name ends in `_at` hold times.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from marketplace.kernel.errors import FieldError

YEARS = (2000, 2199)
"""Beyond these a later calculation would leave the calendar (src/live/zones.ts knows them too)."""

_TIME = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d.*", re.ASCII)
_NAME_ENDS = "_at"


def is_usable(text: str) -> bool:
    """Whether `text` is a time with a zone, far from the ends of the calendar."""
    return _TIME.fullmatch(text) is not None and time_error("", text) is None


def time_error(field: str, text: str) -> FieldError | None:
    """What is wrong with a time; None also for what is no time, which its type refuses."""
    try:
        when = datetime.fromisoformat(text.upper()) if _TIME.fullmatch(text) else None
    except ValueError:
        when = None
    if when is None:
        return None
    if not YEARS[0] <= when.year <= YEARS[1]:
        message = f"Times lie in the years {YEARS[0]} to {YEARS[1]}."
        return FieldError(field, "out_of_range", message)
    if when.tzinfo is None:
        return FieldError(field, "malformed", "A time carries its zone, such as Z.")
    return None


def time_errors(value: Any, path: str = "") -> Iterator[FieldError]:
    """Of every field `..._at` in decoded JSON, by their paths."""
    if isinstance(value, list):
        for index, each in enumerate(value):
            yield from time_errors(each, f"{path}[{index}]")
    elif isinstance(value, dict):
        for name, each in value.items():
            inner = f"{path}.{name}" if path else name
            if isinstance(each, str):
                if name.endswith(_NAME_ENDS) and (error := time_error(inner, each)):
                    yield error
            else:
                yield from time_errors(each, inner)
