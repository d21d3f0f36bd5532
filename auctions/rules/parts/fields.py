"""Reads a JSON object field by field and gathers every error instead of stopping at the first.

A getter that meets a wrong value notes the error and returns a harmless default: reading goes on.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from marketplace.kernel.clock import to_micros
from marketplace.kernel.errors import FieldError
from marketplace.kernel.money import NotAnAmount, format_minor, parse_minor

ERRORS_MAX = 100
TEXT_CHARS_MAX = 200
ID_CHARS_MAX = 64
"""As long as a word of a bid may be."""

SECOND_US = 1_000_000
DURATION_S_MAX = 31 * 86_400
TURN_S_MAX = 86_400

_TIME = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d{1,6})?([Zz]|[+-]\d\d:\d\d)", re.ASCII)


class Errors:
    """The wrong fields found so far, at most ERRORS_MAX of them."""

    def __init__(self) -> None:
        self.found: list[FieldError] = []

    def add(self, field: str, code: str, message: str, hint: str | None = None) -> None:
        if len(self.found) < ERRORS_MAX:
            self.found.append(FieldError(field, code, message, hint))

    def seen(self, field: str) -> bool:
        return any(error.field == field for error in self.found)


class Section:
    """One JSON object at `path`; keys that nobody asked for are errors once `done` is called."""

    def __init__(self, value: object, path: str, errors: Errors) -> None:
        self.path = path
        self.errors = errors
        self.values: dict[str, Any] = {}
        self.asked: set[str] = set()
        if isinstance(value, dict):
            self.values = value
        else:
            errors.add(path or "rules", "malformed", "An object is needed here.")

    def at(self, key: str) -> str:
        return f"{self.path}.{key}" if self.path else key

    def wrong(self, key: str, code: str, message: str, hint: str | None = None) -> None:
        self.errors.add(self.at(key), code, message, hint)

    def is_wrong(self, key: str) -> bool:
        return self.errors.seen(self.at(key))

    def get(self, key: str) -> Any:
        self.asked.add(key)
        return self.values.get(key)

    def has(self, key: str) -> bool:
        self.asked.add(key)
        return self.values.get(key) is not None

    def done(self) -> None:
        for key in sorted(str(key) for key in self.values if key not in self.asked):
            self.wrong(
                key, "unknown_field", "There is no such rule here, or the format does not use it."
            )

    def id(self) -> str:
        """What bids name it by, so it must fit into one."""
        return self.text("id", most=ID_CHARS_MAX)

    def text(self, key: str, default: str | None = None, most: int = TEXT_CHARS_MAX) -> str:
        value = self.get(key)
        if value is None and default is not None:
            return default
        if not isinstance(value, str) or not 1 <= len(value) <= most:
            self.wrong(key, _absent(value), f"A text of 1 to {most} characters is needed.")
            return default or ""
        return value

    def choice(self, key: str, choices: tuple[str, ...], default: str | None = None) -> str:
        value = self.get(key)
        if value is None and default is not None:
            return default
        if value not in choices:
            self.wrong(
                key,
                "required" if value is None else "unknown_choice",
                f"One of {', '.join(choices)}.",
            )
            return default or choices[0]
        return str(value)

    def flag(self, key: str, default: bool) -> bool:
        value = self.get(key)
        if value is None:
            return default
        if not isinstance(value, bool):
            self.wrong(key, "malformed", "Either true or false.")
            return default
        return value

    def whole(self, key: str, low: int, high: int, default: int | None) -> int | None:
        """A whole number in [low, high]; missing or null is the default."""
        value = self.get(key)
        if value is None:
            return default
        if isinstance(value, bool) or not isinstance(value, int):
            self.wrong(key, "malformed", "A whole number is needed.")
            return default
        if not low <= value <= high:
            self.wrong(key, "out_of_range", f"Between {low} and {high}.")
            return default
        return value

    def seconds(self, key: str, low: float, high: int, default: float) -> int:
        """A duration in seconds, read as microseconds."""
        value = self.get(key)
        if value is None:
            return round(default * SECOND_US)
        if isinstance(value, bool) or not isinstance(value, int | float):
            self.wrong(key, "malformed", "A number of seconds is needed.")
            return round(default * SECOND_US)
        if not low <= value <= high:
            self.wrong(key, "out_of_range", f"Between {low} and {high} seconds.")
            return round(default * SECOND_US)
        return round(value * SECOND_US)

    def decimal(
        self, key: str, places: int, low: int, high: int, default: int | None
    ) -> int | None:
        """A decimal text in [low, high], both and the result in units of 10^-places."""
        value = self.get(key)
        if value is None:
            return default
        try:
            if not isinstance(value, str):
                raise NotAnAmount("malformed", 'A decimal text is needed, such as "2.5".')
            number = parse_minor(value, places)
        except NotAnAmount as error:
            self.wrong(key, error.code, error.detail)
            return default
        if not low <= number <= high:
            bounds = f"{format_minor(low, places)} and {format_minor(high, places)}"
            self.wrong(key, "out_of_range", f"Between {bounds}.")
            return default
        return number

    def needed(self, key: str) -> bool:
        """Notes an error when the key is missing."""
        if self.has(key):
            return True
        self.wrong(key, "required", "This is needed.")
        return False

    def moment(self, key: str) -> int:
        """An RFC 3339 time with its offset, as microseconds since 1970."""
        value = self.get(key)
        if isinstance(value, str) and _TIME.fullmatch(value):
            try:
                return to_micros(datetime.fromisoformat(value.upper()))
            except ValueError:
                self.wrong(key, "out_of_range", "There is no such moment.")
                return 0
        self.wrong(key, _absent(value), "A time such as 2026-12-01T10:00:00Z is needed.")
        return 0

    def section(self, key: str) -> Section:
        return Section(self.get(key), self.at(key), self.errors)

    def sections(self, key: str, most: int) -> Iterator[Section]:
        """The objects of a list, at most `most`."""
        value = self.get(key)
        if value is None:
            return
        if not isinstance(value, list) or len(value) > most:
            self.wrong(key, "malformed", f"A list of at most {most} is needed.")
            return
        for index, item in enumerate(value):
            yield Section(item, f"{self.at(key)}[{index}]", self.errors)


def plain(number: int, places: int) -> str:
    """A decimal text without needless zeros: 300000 at 4 places is `30`."""
    text = format_minor(number, places)
    return text.rstrip("0").rstrip(".") if "." in text else text


def _absent(value: object) -> str:
    return "required" if value is None else "malformed"
